"""EinsumDense: a dense layer whose product is any einsum of the input and a kernel."""

from __future__ import annotations

import re
from math import prod
from typing import Any

from kcompile.errors import ArgumentError, ShapeError, UnsupportedError
from kcompile.tracing.bind import bind

from ... import activations, initializers, ops, regularizers
from ...constraints import get as no_constraint
from ...initializers import VarianceScaling
from ..input_spec import InputSpec
from ..layer import Layer


class EinsumDense(Layer):
    """outputs = activation(einsum(equation, inputs, kernel) + bias).

    equation      "ab,bc->ac"; "..." may stand first, or last, for axes that stay as they are
    output_shape  the sizes of the output without its batch axis; None where the input says them
    bias_axes     the letters of the output that the bias has; None for no bias

    Example: EinsumDense("abc,cde->abde", output_shape=(None, 8, 32), bias_axes="de")(x)  # (.., 8, 32)
    """

    def __init__(
        self, equation: str, output_shape: Any, activation: Any = None, bias_axes: str | None = None,
        kernel_initializer: Any = "glorot_uniform", bias_initializer: Any = "zeros", kernel_regularizer: Any = None,
        bias_regularizer: Any = None, kernel_constraint: Any = None, bias_constraint: Any = None,
        lora_rank: Any = None, lora_alpha: Any = None, gptq_unpacked_column_size: Any = None,
        quantization_config: Any = None, **kwargs: Any,
    ):  # fmt: skip
        super().__init__(**kwargs)
        if any(x is not None for x in (lora_rank, lora_alpha, gptq_unpacked_column_size, quantization_config)):
            raise UnsupportedError("EinsumDense: low-rank adaptation and quantization are not supported")
        no_constraint(kernel_constraint), no_constraint(bias_constraint)
        self.equation = equation
        self.partial_output_shape = (output_shape,) if isinstance(output_shape, int) else tuple(output_shape)
        self.bias_axes = bias_axes
        self.activation = activations.get(activation)
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)

    def build(self, input_shape: Any) -> None:
        terms = _Terms(self.equation, tuple(input_shape), self.partial_output_shape)
        summed = [i for i, letter in enumerate(terms.kernel) if letter not in terms.sizes_out]
        kept = [i for i, letter in enumerate(terms.kernel) if letter in terms.sizes_out]
        self.input_spec = InputSpec(ndim=len(input_shape))
        self.kernel = self.add_weight(
            name="kernel", shape=terms.kernel_shape(), initializer=self._scaled_initializer(summed, kept),
            regularizer=self.kernel_regularizer,
        )  # fmt: skip
        self.bias = None
        if self.bias_axes is not None:
            self.bias = self.add_weight(
                name="bias",
                shape=terms.bias_shape(self.bias_axes),
                initializer=self.bias_initializer,
                regularizer=self.bias_regularizer,
            )

    def _scaled_initializer(self, summed: list[int], kept: list[int]) -> Any:
        """The kernel's initializer, told which axes are inputs and which are outputs."""
        given = self.kernel_initializer
        if not isinstance(given, VarianceScaling) or given.input_axes is not None or given.output_axes is not None:
            return given
        return type(given).from_config(
            {**given.get_config(), "seed": given.seed, "input_axes": summed, "output_axes": kept}
        )

    def call(self, inputs: Any, training: Any = None) -> Any:
        summed = plain_product(self.equation)
        if summed is not None:
            return self.activation(self._plain(inputs, summed))
        x = ops.einsum(self.equation, inputs, self.kernel)
        if self.bias is not None:
            x = ops.add(x, self.bias)
        return self.activation(x)

    def _plain(self, x: Any, summed: int) -> Any:
        """The product of matrices that the einsum is when the last axes are summed and new ones take their place."""
        made = self.kernel.shape[summed:]
        kept = x.ndim - summed
        matrix = ops.reshape(self.kernel, (prod(self.kernel.shape[:summed]), prod(made)))
        y = ops.matmul(bind("reshape", x, shape=(*x.dims[:kept], matrix.shape[0])), matrix)
        if self.bias is not None and self.bias.shape == made:
            y = ops.add(y, ops.reshape(self.bias, (matrix.shape[1],)))
        y = bind("reshape", y, shape=(*x.dims[:kept], *made))
        return y if self.bias is None or self.bias.shape == made else ops.add(y, self.bias)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "output_shape": self.partial_output_shape,
            "equation": self.equation,
            "activation": activations.serialize(self.activation),
            "bias_axes": self.bias_axes,
            "kernel_initializer": initializers.serialize(self.kernel_initializer),
            "bias_initializer": initializers.serialize(self.bias_initializer),
            "kernel_regularizer": regularizers.serialize(self.kernel_regularizer),
            "bias_regularizer": regularizers.serialize(self.bias_regularizer),
            "activity_regularizer": regularizers.serialize(self.activity_regularizer),
            "kernel_constraint": None,
            "bias_constraint": None,
            "quantization_config": None,
        }


def plain_product(equation: str) -> int | None:
    """How many axes are summed, if the input ends in them, the kernel begins with them, and the output has the input's
    other axes and then the kernel's; else None."""
    inputs, kernel, output = re.split(",|->", equation)
    count = sum(c in inputs for c in kernel)
    summed, made, kept = kernel[:count], kernel[count:], inputs[: len(inputs) - count]
    return count if count and inputs == kept + summed and output == kept + made and kept and made else None


class _Terms:
    """The equation's letters and the sizes that the input and the output shape give them."""

    def __init__(self, equation: str, input_shape: tuple[Any, ...], partial: tuple[Any, ...]):
        match = re.fullmatch(r"(\.\.\.)?([a-zA-Z]+)(\.\.\.)?,([a-zA-Z]+)->(\.\.\.)?([a-zA-Z]+)(\.\.\.)?", equation)
        if match is None or bool(match[1]) != bool(match[5]) or bool(match[3]) != bool(match[7]):
            raise ArgumentError(
                "EinsumDense: the equation reads '[X],[Y]->[Z]', '...[X],[Y]->...[Z]' or '[X]...,[Y]->[Z]...'. "
                f"Received: equation={equation!r}"
            )
        inputs, self.kernel, self.output = match[2], match[4], match[6]
        elided = len(input_shape) - len(inputs)
        if elided < 0 or (elided and not (match[1] or match[3])):
            raise ShapeError(f"EinsumDense: '{equation}' does not fit an input of shape {input_shape}")
        shown = input_shape[elided:] if match[1] else input_shape[: len(inputs)]
        self.equation, self.input_sizes = equation, dict(zip(inputs, shown))
        # `partial` has no batch axis: that is the first of "..." or of the output's letters
        sizes = partial if match[1] and elided else (input_shape[0], *partial)
        if len(sizes) != len(self.output):
            raise ArgumentError(
                f"EinsumDense: output_shape says one size for each axis of '{self.output}' but the batch axis. "
                f"Received: output_shape={partial}"
            )
        self.sizes_out = dict(zip(self.output, sizes))
        for letter, size in self.sizes_out.items():
            if size is None:
                self.sizes_out[letter] = self.input_sizes.get(letter)
            elif self.input_sizes.get(letter, size) not in (size, None):
                raise ShapeError(
                    f"EinsumDense: '{letter}' of '{equation}' is {self.input_sizes[letter]} in the input and {size} in "
                    "output_shape"
                )
        unknown = [c for c in self.output if c not in inputs + self.kernel]
        unknown += [c for c in self.kernel if c not in inputs + self.output]
        if unknown:
            raise ArgumentError(f"EinsumDense: '{unknown[0]}' stands once in the equation. Received: {equation!r}")
        self._right = bool(match[3])
        self._elided = input_shape[len(inputs) :] if self._right else ()

    def kernel_shape(self) -> tuple[int, ...]:
        sizes = [self.sizes_out.get(c, self.input_sizes.get(c)) for c in self.kernel]
        if any(n is None for n in sizes):
            raise ShapeError(f"EinsumDense: the kernel of '{self.equation}' needs fixed sizes. Received: {sizes}")
        return tuple(int(n) for n in sizes if n is not None)

    def bias_shape(self, axes: str) -> tuple[int, ...]:
        """The output's sizes from the first letter of the bias on; 1 for letters that it does not have."""
        missing = [c for c in axes if c not in self.output]
        if missing or not axes:
            raise ArgumentError(f"EinsumDense: bias_axes are letters of '{self.output}'. Received: {axes!r}")
        letters = self.output[min(map(self.output.index, axes)) :]
        return (*(int(self.sizes_out[c] or 1) if c in axes else 1 for c in letters), *[1] * len(self._elided))
