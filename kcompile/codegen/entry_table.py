"""The constant table behind `kc_<name>_query`: kc_model, its tensors, names and metadata (runtime/include/kc.h)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from kcompile.codegen.entry_text import ABI, CONTEXT_BYTES, string_constant
from kcompile.codegen.interface import Interface, Port, item_bytes
from kcompile.errors import IRError
from kcompile.ir import types as t
from kcompile.ir.dims import Dim, SymbolicDim, product
from kcompile.ir.types import FloatType, IntegerType, Type

MODEL_BYTES = 120  # sizeof(kc_model) of version 1


def dlpack_code(element: Type) -> tuple[int, int]:
    """DLPack's dtype code and bits."""
    if element is t.i1:
        return 6, 8
    if element is t.bf16:
        return 4, 16
    if isinstance(element, FloatType):
        return 2, element.width
    if isinstance(element, IntegerType):
        return int(element.unsigned), element.width
    raise IRError(f"a model cannot take or give {element}")


def _extent(dim: Dim, symbols: tuple[str, ...]) -> int:
    if not isinstance(dim, SymbolicDim):
        return dim
    return -1 - symbols.index(str(dim)) if str(dim) in symbols else -(1 << 63)


def _row_bytes(port: Port) -> int:
    """Bytes per unit of the product of the symbolic extents; 0 where there is no such number."""
    if any(isinstance(d, SymbolicDim) and len(d.terms) != 1 for d in port.type.shape):
        return 0
    fixed = product([d for d in port.type.shape if not isinstance(d, SymbolicDim)])
    symbolic = product([d for d in port.type.shape if isinstance(d, SymbolicDim)])
    scale = symbolic.terms[0][1] if isinstance(symbolic, SymbolicDim) else 1
    assert isinstance(fixed, int)
    return fixed * scale * item_bytes(port.type)


def table_text(
    interface: Interface, name: str, uid: str, metadata: dict[str, Any], embedded: bool, attributes: str
) -> str:
    lines: list[str] = []

    def string(symbol: str, value: str) -> str:
        data = value.encode() + b"\0"
        constant = f"@{name}_{symbol} = internal constant [{len(data)} x i8] {string_constant(data)}"
        lines.append(constant)
        return f"@{name}_{symbol}"

    def tensors(kind: str, ports: Sequence[Port]) -> str:
        rows = []
        for i, port in enumerate(ports):
            shape = [_extent(d, interface.symbols) for d in port.type.shape] or [0]
            numbers = ", ".join(f"i64 {n}" for n in shape)
            lines.append(f"@{name}_{kind}_shape_{i} = internal constant [{len(shape)} x i64] [{numbers}]")
            code, bits = dlpack_code(port.type.element)
            rows.append(
                f"%{name}_tensor {{ ptr {string(f'{kind}_name_{i}', port.name)}, i8 {code}, i8 {bits}, "
                f"i16 {port.type.rank}, i32 0, ptr @{name}_{kind}_shape_{i}, i64 {_row_bytes(port)} }}"
            )
        body = ", ".join(f"%{name}_tensor {row.removeprefix(f'%{name}_tensor ')}" for row in rows)
        value = f"[{body}]" if rows else "zeroinitializer"
        lines.append(f"@{name}_{kind} = internal constant [{len(rows)} x %{name}_tensor] {value}")
        return f"@{name}_{kind}"

    lines.append(f"%{name}_tensor = type {{ ptr, i8, i8, i16, i32, ptr, i64 }}")
    names = [string(f"size_{k}", s) for k, s in enumerate(interface.symbols)]
    listed = f"[{', '.join(f'ptr {n}' for n in names)}]" if names else "zeroinitializer"
    lines.append(f"@{name}_sizes = internal constant [{len(names)} x ptr] {listed}")
    if embedded and interface.weights_bytes:
        # Filled in after emission: 64 MB of weights as text would take a minute. Not to be folded as zeros meanwhile.
        lines.append(
            f"@{name}_weights = internal externally_initialized constant [{interface.weights_bytes} x i8] "
            "zeroinitializer, align 64"
        )
    meta = json.dumps(metadata, sort_keys=True, separators=(",", ":"))
    limit = interface.size_limit() if "b" in interface.symbols else 0
    fields = [
        f"i32 {ABI}", f"i32 {MODEL_BYTES}", f"ptr {string('name', name)}", f"ptr {string('metadata', meta)}",
        f"ptr {string('uid', uid)}", f"i32 {len(interface.inputs)}", f"i32 {len(interface.outputs)}",
        f"ptr {tensors('in', interface.inputs)}", f"ptr {tensors('out', interface.outputs)}",
        f"i32 {len(names)}", "i32 0", f"ptr @{name}_sizes", f"i64 {limit}",
        f"i64 {0 if embedded else interface.weights_bytes}", f"ptr @{name}_arena_bytes", f"ptr @{name}_bind",
        f"ptr @{name}_run", f"i64 {CONTEXT_BYTES}",
    ]  # fmt: skip
    kinds = ", ".join(field.split()[0] for field in fields)
    lines.append(f"@{name}_model = internal constant {{ {kinds} }} {{ {', '.join(fields)} }}, align 8")
    lines.append(
        f"define ptr @kc_{name}_query(i32 %max_abi, ptr %env) nounwind {attributes} {{\n"
        f"  %old = icmp ult i32 %max_abi, {ABI}\n"
        f"  %answer = select i1 %old, ptr null, ptr @{name}_model\n"
        "  ret ptr %answer\n}"
    )
    return "\n".join(lines) + "\n"
