"""Loops to LLVM text: one `func.func` of memrefs becomes one function of pointers.

`print_llvm(module, target)` prints every function whose arguments are memrefs and indices. Structured control flow
becomes blocks and phis; a memref argument is `ptr noalias` (see `kernel.aliased` below), and `readonly` where nothing
is stored to it.
Attributes of the function that matter here:

  kernel.dims      [dims of memref argument 0, ..]: the true sizes behind `?`, from which strides are computed
  kernel.symbols   the names of the symbols, in the order of the index arguments that follow the memrefs
  kernel.scratch   how many memref arguments, the last ones, are memory of the worker alone
  kernel.aliased   numbers of memref arguments that may share memory with another one (updates in place)
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from kcompile.codegen import vector_operations  # noqa: F401  (its rows of the table)
from kcompile.codegen.addresses import Code, Linear, Scope, large_loops
from kcompile.codegen.operations import print_operation
from kcompile.codegen.target import Target
from kcompile.codegen.text import LLVMModule, element_bytes, memory_type, symbol_name, type_text
from kcompile.errors import IRError, UnsupportedError
from kcompile.ir import types as t
from kcompile.ir.core import Block, Operation, Value, module_functions
from kcompile.ir.dims import Dim, SymbolicDim, product
from kcompile.ir.types import MemRefType


def print_llvm(module: Operation, target: Target) -> str:
    """The LLVM text of all kernels of a module at loops level, as external functions named `symbol_name(name)`.

    Raises UnsupportedError for an operation that has no machine code.
    """
    out = LLVMModule(target)
    print_kernels(module, target, out, linkage="")
    return str(out)


def print_kernels(
    module: Operation, target: Target, out: LLVMModule, *, suffix: str = "", linkage: str = "internal"
) -> list[str]:
    """Append the kernels of `module`, compiled for `target`, to `out`; gives their LLVM names.

    `suffix` sets apart the versions for several targets in one object.
    """
    names = []
    for function in module_functions(module):
        if is_kernel(function):
            out.functions.append(FunctionPrinter(function, target, out, suffix, linkage).text())
            names.append(symbol_name(function["sym_name"], suffix))
    return names


def is_kernel(function: Operation) -> bool:
    """Whether a function is at loops level: it takes memrefs and indices, and gives nothing."""
    signature = function["function_type"]
    buffers = all(isinstance(x, MemRefType | t.IndexType) for x in signature.inputs)
    return bool(signature.inputs) and not signature.results and buffers  # a plan takes nothing


class FunctionPrinter:
    """The state of printing one function. Operations are printed by the table in `operations.py`."""

    def __init__(
        self, function: Operation, target: Target, out: LLVMModule, suffix: str = "", linkage: str = "internal"
    ):
        self.function, self.target, self.out = function, target, out
        self.suffix, self.linkage = suffix, linkage
        self.large = large_loops(function)
        self.names: dict[Value, str] = {}
        self.depths: dict[Value, int] = {}
        self.linear_forms: dict[Value, Linear] = {}
        self.memory: dict[Value, tuple[tuple[Dim, ...], Dim]] = {}  # strides and offset of each buffer
        self.dims: dict[Value, tuple[Dim, ...]] = {}
        self.symbols: dict[str, Value] = {}
        self.entry: Code = []
        self.lines: Code = []
        self.label = "entry"
        self.scopes = [Scope(self.entry)]
        self.streams = False  # whether a nontemporal store was printed that nothing orders yet
        self._count = 0

    # -- the function
    def text(self) -> str:
        """`define ..` with its body."""
        arguments = self._arguments()
        self.block(self.function.body)
        name = symbol_name(self.function["sym_name"], self.suffix)
        linkage = f"{self.linkage} " if self.linkage else ""
        strategy = re.sub(r"[^ -~]", "?", str(self.function.get("kernel.strategy", "")))
        body: list[str] = []
        _flatten([self.entry, self.lines], body)
        comment = f"; {strategy}\n" if strategy else ""
        head = f"define {linkage}void @{name}({', '.join(arguments)}) {self.out.function_attributes(self.target)} {{"
        return f"{comment}{head}\nentry:\n" + "\n".join(body) + "\n}\n"

    def _arguments(self) -> list[str]:
        aliased = set(self.function.get("kernel.aliased", ()))
        given = self.function.get("kernel.dims")
        texts = []
        buffers = 0
        for i, value in enumerate(self.function.body.arguments):
            self.define(value, f"%a{i}")
            if not isinstance(value.type, MemRefType):
                texts.append(f"i64 %a{i}")
                continue
            if buffers != i:
                raise IRError("a kernel takes its memrefs first, then its symbols, the worker and the team")
            buffers += 1
            self.add_buffer(value, None if given is None else given[i])
            words = ["ptr"]
            if i not in aliased:
                words.append("noalias")
            if not any(writes(op, k) for op, k in value.uses):
                words.append("readonly")
            texts.append(f"{' '.join(words)} align {element_bytes(value.type.element)} %a{i}")
        names = self.function.get("kernel.symbols", ())
        rest = self.function.body.arguments[buffers:]
        if len(names) > len(rest):
            raise IRError(f"the kernel has {len(rest)} indices for the symbols {names}")
        self.symbols = dict(zip(names, rest, strict=False))
        return texts

    def add_buffer(self, value: Value, dims: Sequence[Dim] | None = None) -> None:
        """Note the strides of a memref."""
        type = value.type
        assert isinstance(type, MemRefType)
        shape = tuple(type.shape) if dims is None else tuple(dims)
        if len(shape) != len(type.shape) or any(
            s not in (t.DYNAMIC, d) for s, d in zip(type.shape, shape, strict=True)
        ):
            raise IRError(f"kernel.dims {shape} does not describe {type}")
        self.dims[value] = shape
        if type.strides is not None:
            if t.DYNAMIC in type.strides or type.offset == t.DYNAMIC:
                raise UnsupportedError(f"code is generated for static strides. Received: {type}")
            self.memory[value] = type.strides, type.offset
            return
        if t.DYNAMIC in shape[1:]:
            raise IRError(f"{type} needs its true sizes in the attribute kernel.dims of the function")
        self.memory[value] = tuple(product(shape[i + 1 :]) for i in range(len(shape))), 0

    # -- code
    def fresh(self) -> str:
        self._count += 1
        return f"%v{self._count}"

    @property
    def depth(self) -> int:
        return len(self.scopes) - 1

    def emit(self, text: str, depth: int | None = None) -> str:
        """Append `%v = text`; at an outer `depth` right before the loop or branch that leads here."""
        name = self.fresh()
        self.statement(f"{name} = {text}", depth)
        return name

    def statement(self, text: str, depth: int | None = None) -> None:
        code = self.lines if depth is None or depth >= self.depth else self.scopes[depth + 1].hook
        code.append("  " + text)

    def define(self, value: Value, name: str, depth: int | None = None) -> None:
        """Let `value` be called `name` from here on."""
        self.names[value] = name
        self.depths[value] = self.depth if depth is None else depth

    def name(self, value: Value) -> str:
        """The LLVM operand that `value` is."""
        found = self.names.get(value)
        if found is None:
            form = self.linear_forms.get(value)
            if form is None:
                raise IRError(f"{value!r} is used before it is defined", str(self.function.location))
            return self.sum(form)
        return found

    def known(self, key: object, depth: int, text: str) -> str:
        """What `text` computes, once a scope."""
        cache = self.scopes[depth].known
        if key not in cache:
            cache[key] = self.emit(text, depth)
        return cache[key]

    # -- indices and addresses
    def linear(self, value: Value) -> Linear:
        """`value` as a sum; a value that is no sum is a term of its own."""
        found = self.linear_forms.get(value)
        if found is None:
            op = value.defining_op
            if op is not None and op.name == "arith.constant":
                return Linear({}, op["value"])
            return Linear({value: 1})
        return found

    def size(self, dim: Dim) -> str:
        """An operand that holds a dim's size."""
        if not isinstance(dim, SymbolicDim):
            return str(dim)
        key = ("size", dim)
        cache = self.scopes[0].known
        if key not in cache:
            total = ""
            for monomial, coefficient in dim.terms:
                term = str(coefficient)
                for symbol in monomial:
                    if symbol not in self.symbols:
                        raise IRError(f"the size {dim} needs the symbol {symbol}, which kernel.symbols does not name")
                    argument = self.names[self.symbols[symbol]]
                    term = argument if term == "1" else self.emit_entry(f"mul nsw i64 {term}, {argument}")
                total = term if not total else self.emit_entry(f"add nsw i64 {total}, {term}")
            cache[key] = total
        return cache[key]

    def emit_entry(self, text: str) -> str:
        name = self.fresh()
        self.entry.append(f"  {name} = {text}")
        return name

    def _term(self, value: Value, coefficient: Dim) -> str:
        name = self.name(value)
        if coefficient == 1:
            return name
        depth = self.depths[value]
        return self.known(("mul", value, coefficient), depth, f"mul nsw i64 {name}, {self.size(coefficient)}")

    def _by_depth(self, form: Linear) -> list[tuple[int, list[tuple[Value, Dim]]]]:
        """The terms grouped by the loop they change in, outermost first."""
        groups: dict[int, list[tuple[Value, Dim]]] = {}
        for value, coefficient in form.terms.items():
            self.name(value)
            groups.setdefault(self.depths[value], []).append((value, coefficient))
        return sorted(groups.items())

    def sum(self, form: Linear) -> str:
        """An operand that holds the value of a sum."""
        total = "" if isinstance(form.constant, int) else self.size(form.constant)
        key: tuple[object, ...] = ("sum", "" if isinstance(form.constant, int) else form.constant)
        for depth, terms in self._by_depth(form):
            for value, coefficient in terms:
                key = (*key, value, coefficient)
                term = self._term(value, coefficient)
                total = self.known(key, depth, f"add nsw i64 {total}, {term}") if total else term
        if isinstance(form.constant, int) and (form.constant or not total):
            if not total:
                return str(form.constant)
            depth = max((self.depths[v] for v in form.terms), default=0)
            total = self.known((*key, form.constant), depth, f"add nsw i64 {total}, {form.constant}")
        return total

    def address(self, buffer: Value, indices: Sequence[Value]) -> str:
        """A pointer to one element."""
        element = memory_type(t.element_of(buffer.type))
        strides, offset = self.memory[buffer]
        form = Linear({}, offset)
        for index, stride in zip(indices, strides, strict=True):
            form = form.plus(self.linear(index), stride)
        name = type_text(element)
        pointer = self.name(buffer)
        key: tuple[object, ...] = ("address", buffer)
        if not isinstance(form.constant, int):
            key = (*key, form.constant)
            pointer = self.known(key, 0, f"getelementptr {name}, ptr {pointer}, i64 {self.size(form.constant)}")
        for depth, terms in self._by_depth(form):
            part = self.sum(Linear(dict(terms), 0))
            key = (*key, *((v, c) for v, c in terms))
            pointer = self.known(key, depth, f"getelementptr {name}, ptr {pointer}, i64 {part}")
        if isinstance(form.constant, int) and form.constant:
            # a constant offset costs nothing, and belongs where it is used
            pointer = self.known(
                (*key, form.constant), self.depth, f"getelementptr {name}, ptr {pointer}, i64 {form.constant}"
            )
        return pointer

    # -- control flow
    def block(self, block: Block) -> list[str]:
        """Print the operations of a block; gives the operands of its terminator."""
        for op in block.ops:
            if op.name == "scf.yield":
                return [self.name(v) for v in op.operands]
            if op.name == "func.return":
                self.statement("ret void")
            elif op.name == "scf.for":
                self._for(op)
            elif op.name == "scf.if":
                self._if(op)
            else:
                print_operation(self, op)
        return []

    def start(self, label: str) -> None:
        self.lines.append(f"{label}:")
        self.label = label

    def _constant(self, value: Value) -> int | None:
        form = self.linear(value)
        return form.constant if not form.terms and isinstance(form.constant, int) else None

    def _for(self, op: Operation) -> None:
        lower, upper, step = (self._constant(v) for v in op.operands[:3])
        inits = [self.name(v) for v in op.operands[3:]]
        trips = None if lower is None or upper is None or not step else max(0, -(-(upper - lower) // step))
        if trips == 0:
            for result, init in zip(op.results, inits, strict=True):
                self.define(result, init)
            return
        body = op.body
        if trips == 1:
            self.linear_forms[body.arguments[0]] = Linear({}, lower or 0)
            for argument, init in zip(body.arguments[1:], inits, strict=True):
                self.define(argument, init)
            for result, name in zip(op.results, self.block(body), strict=True):
                self.define(result, name)
            return
        self._count += 1
        body_label, exit_label = f"loop{self._count}", f"after{self._count}"
        low, high, by = (self.name(v) for v in op.operands[:3])
        hook: Code = []
        self.lines.append(hook)
        before = self.label
        if trips is None:
            enter = self.emit(f"icmp slt i64 {low}, {high}")
            self.statement(f"br i1 {enter}, label %{body_label}, label %{exit_label}")
        else:
            self.statement(f"br label %{body_label}")
        self.scopes.append(Scope(hook))
        self.start(body_label)
        phis: Code = []
        self.lines.append(phis)
        carried = [self.fresh() for _ in body.arguments]
        for argument, name in zip(body.arguments, carried, strict=True):
            self.define(argument, name)
        self.linear_forms.pop(body.arguments[0], None)
        if op in self.large:
            self.define(body.arguments[0], self.emit(f"freeze i64 {carried[0]}"))
        yielded = self.block(body)
        following = self.emit(f"add nsw i64 {carried[0]}, {by}")
        again = self.emit(f"icmp slt i64 {following}, {high}")
        for argument, name, init, value in zip(
            body.arguments, carried, [low, *inits], [following, *yielded], strict=True
        ):
            phis.append(f"  {name} = phi {type_text(argument.type)} [ {init}, %{before} ], [ {value}, %{self.label} ]")
        self.statement(f"br i1 {again}, label %{body_label}, label %{exit_label}")
        latch = self.label
        self.scopes.pop()
        self.start(exit_label)
        for result, init, value in zip(op.results, inits, yielded, strict=True):
            if trips is None:
                value = self.emit(f"phi {type_text(result.type)} [ {init}, %{before} ], [ {value}, %{latch} ]")
            self.define(result, value)

    def _if(self, op: Operation) -> None:
        self._count += 1
        then, otherwise, after = (f"{word}{self._count}" for word in ("then", "else", "join"))
        blocks = [region.blocks[0] if region.blocks else None for region in op.regions]
        condition = self.name(op.operands[0])
        hook: Code = []
        self.lines.append(hook)
        before = self.label
        self.statement(f"br i1 {condition}, label %{then}, label %{otherwise if blocks[1] is not None else after}")
        ends: list[tuple[str, list[str]]] = []
        for label, block in zip((then, otherwise), blocks, strict=True):
            if block is None:
                ends.append((before, []))
                continue
            self.scopes.append(Scope(hook))
            self.start(label)
            values = self.block(block)
            if self.streams and len(self.scopes) == 2:
                self._end_streams()
            self.statement(f"br label %{after}")
            ends.append((self.label, values))
            self.scopes.pop()
        self.start(after)
        for i, result in enumerate(op.results):
            incoming = ", ".join(f"[ {values[i]}, %{label} ]" for label, values in ends)
            self.define(result, self.emit(f"phi {type_text(result.type)} {incoming}"))

    def _end_streams(self) -> None:
        """What was stored past the caches is there for other cores before this one tells them that it is done."""
        if self.target.architecture == "x86_64":
            self.statement(f"call void {self.out.declare('llvm.x86.sse.sfence', 'void', '')}()")
        self.streams = False


def writes(op: Operation, operand: int) -> bool:
    """Whether `op` stores to the buffer that is its operand number `operand`."""
    if op.name in ("memref.store", "vector.store"):
        return operand == 1
    return op.name == "vector.maskedstore" and operand == 0


def _flatten(code: Code, lines: list[str]) -> None:
    for part in code:
        if isinstance(part, str):
            lines.append(part)
        else:
            _flatten(part, lines)
