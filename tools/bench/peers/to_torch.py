"""A Keras functional model as plain torch modules with the same weights: torch at its best, not through Keras.

module = to_torch("model.keras")      # (N, ...) in Keras' layout in and out; inside, images are channels_last views
python to_torch.py FOLDER MODEL       # ONNX files of the module, by the interpreter of the torch environment
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ["KERAS_BACKEND"] = "torch"

import keras
import numpy as np
import torch
from models import MODELS
from torch import Tensor, nn
from torch.nn import functional as f


def parameter(variable: Any, *order: int) -> nn.Parameter:
    """A Keras variable, its axes in another order, as a parameter of its own memory."""
    array = np.asarray(keras.ops.convert_to_numpy(variable))
    return nn.Parameter(torch.from_numpy(np.ascontiguousarray(array.transpose(order) if order else array)))


def activation(function: Callable[..., Any]) -> nn.Module:
    found: dict[str, Callable[[], nn.Module]] = {
        "linear": nn.Identity, "relu": nn.ReLU, "relu6": nn.ReLU6, "sigmoid": nn.Sigmoid, "tanh": nn.Tanh,
        "gelu": nn.GELU, "softmax": lambda: nn.Softmax(-1),
    }  # fmt: skip
    return found[function.__name__]()


class Apply(nn.Module):
    """A function without weights."""

    def __init__(self, function: Callable[..., Tensor]) -> None:
        super().__init__()
        self.function = function

    def forward(self, *operands: Tensor) -> Tensor:
        return self.function(*operands)


def same_padding(size: int, kernel: int, stride: int) -> tuple[int, int]:
    total = max((-(-size // stride) - 1) * stride + kernel - size, 0)
    return total // 2, total - total // 2


def convolution(layer: Any) -> nn.Module:
    depthwise = isinstance(layer, keras.layers.DepthwiseConv2D)
    weight = parameter(layer.kernel, *((2, 3, 0, 1) if depthwise else (3, 2, 0, 1)))
    height, width = layer.input.shape[1:3]
    low = (0, 0)
    pads = [(0, 0), (0, 0)]
    if layer.padding == "same":
        sizes = zip((height, width), layer.kernel_size, layer.strides, strict=True)
        pads = [same_padding(*size) for size in sizes]
    if all(before == after for before, after in pads):
        low, pads = (pads[0][0], pads[1][0]), []
    groups = layer.input.shape[-1] if depthwise else layer.groups
    made = nn.Conv2d(
        layer.input.shape[-1], weight.shape[0], layer.kernel_size, layer.strides, low, layer.dilation_rate, groups,
        bias=layer.use_bias,
    )  # fmt: skip
    made.weight = nn.Parameter(weight.data.contiguous(memory_format=torch.channels_last))
    if layer.use_bias:
        made.bias = parameter(layer.bias)
    parts = [made, activation(layer.activation)]
    if pads:
        parts.insert(0, nn.ZeroPad2d((*pads[1], *pads[0])))
    return nn.Sequential(*parts)


def transposed_convolution(layer: Any) -> nn.Module:
    """Keras cuts max(kernel - stride, 0) off the full result, the smaller half in front."""
    weight = parameter(layer.kernel, 3, 2, 0, 1)
    cut = [max(k - s, 0) // 2 for k, s in zip(layer.kernel_size, layer.strides, strict=True)]
    made = nn.ConvTranspose2d(
        weight.shape[0], weight.shape[1], layer.kernel_size, layer.strides, tuple(cut), bias=layer.use_bias
    )
    made.weight = weight
    if layer.use_bias:
        made.bias = parameter(layer.bias)
    height, width = layer.output.shape[1:3]
    trim = Apply(lambda x: x[:, :, :height, :width])
    return nn.Sequential(made, trim, activation(layer.activation))


def linear(kernel: Any, bias: Any, inputs: int, outputs: int) -> nn.Linear:
    made = nn.Linear(inputs, outputs, bias=bias is not None)
    made.weight = nn.Parameter(parameter(kernel).data.reshape(inputs, outputs).t().contiguous())
    if bias is not None:
        made.bias = nn.Parameter(parameter(bias).data.reshape(outputs))
    return made


def dense(layer: Any) -> nn.Module:
    return nn.Sequential(linear(layer.kernel, layer.bias, *layer.kernel.shape), activation(layer.activation))


class Recurrent(nn.Module):
    """LSTM, or GRU with the reset after the product: what torch's own layers compute."""

    def __init__(self, layer: Any) -> None:
        super().__init__()
        cell, units = layer.cell, layer.units
        self.whole = layer.return_sequences
        kernels = [parameter(v, 1, 0).data for v in (cell.kernel, cell.recurrent_kernel)]
        bias = parameter(cell.bias).data
        if isinstance(layer, keras.layers.LSTM):
            self.inner: nn.Module = nn.LSTM(layer.input.shape[-1], units, batch_first=True)
            weights = [*kernels, bias, torch.zeros_like(bias)]
        else:
            self.inner = nn.GRU(layer.input.shape[-1], units, batch_first=True)

            def in_order(weight: Tensor) -> Tensor:  # update, reset, new here; reset, update, new there
                update, reset, new = weight.split(units)
                return torch.cat([reset, update, new])

            weights = [in_order(w) for w in (*kernels, bias[0], bias[1])]
        for name, weight in zip(("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0"), weights, strict=True):
            setattr(self.inner, name, nn.Parameter(weight.contiguous()))

    def forward(self, x: Tensor) -> Tensor:
        sequence = self.inner(x)[0]
        return sequence if self.whole else sequence[:, -1]


class Attention(nn.Module):
    def __init__(self, layer: Any) -> None:
        super().__init__()
        self.heads, self.size = layer.num_heads, layer.key_dim
        width, inner = layer.input[0].shape[-1], layer.num_heads * layer.key_dim
        projections = (layer.query_dense, layer.key_dense, layer.value_dense)
        self.query, self.key, self.value = (linear(p.kernel, p.bias, width, inner) for p in projections)
        self.output = linear(layer.output_dense.kernel, layer.output_dense.bias, inner, width)

    def forward(self, x: Tensor, memory: Tensor) -> Tensor:
        def split(y: Tensor) -> Tensor:
            return y.unflatten(-1, (self.heads, self.size)).transpose(1, 2)

        query, key, value = split(self.query(x)), split(self.key(memory)), split(self.value(memory))
        mixed = f.scaled_dot_product_attention(query, key, value)
        return self.output(mixed.transpose(1, 2).flatten(2))


def embedding(layer: Any) -> nn.Module:
    made = nn.Embedding(layer.input_dim, layer.output_dim)
    made.weight = parameter(layer.embeddings)
    return made


def batch_norm(layer: Any) -> nn.Module:
    made = nn.BatchNorm2d(layer.gamma.shape[0], layer.epsilon, 1 - layer.momentum)
    made.weight, made.bias = parameter(layer.gamma), parameter(layer.beta)
    made.running_mean, made.running_var = parameter(layer.moving_mean).data, parameter(layer.moving_variance).data
    return made


def layer_norm(layer: Any) -> nn.Module:
    made = nn.LayerNorm(layer.gamma.shape[0], layer.epsilon)
    made.weight, made.bias = parameter(layer.gamma), parameter(layer.beta)
    return made


def padding(layer: Any) -> nn.Module:
    (top, bottom), (left, right) = layer.padding
    return nn.ZeroPad2d((left, right, top, bottom))


CONVERT: dict[str, Callable[[Any], nn.Module]] = {
    "Conv2D": convolution,
    "DepthwiseConv2D": convolution,
    "Conv2DTranspose": transposed_convolution,
    "Dense": dense,
    "LSTM": Recurrent,
    "GRU": Recurrent,
    "MultiHeadAttention": Attention,
    "Embedding": embedding,
    "BatchNormalization": batch_norm,
    "LayerNormalization": layer_norm,
    "ZeroPadding2D": padding,
    "Activation": lambda layer: activation(layer.activation),
    "ReLU": lambda layer: nn.ReLU6() if layer.max_value == 6 else nn.ReLU(),
    "MaxPooling2D": lambda layer: nn.MaxPool2d(layer.pool_size, layer.strides),
    "UpSampling2D": lambda layer: nn.Upsample(scale_factor=layer.size, mode="nearest"),
    "Dropout": lambda layer: nn.Dropout(layer.rate),
    "Flatten": lambda layer: Apply(lambda x: x.permute(0, 2, 3, 1).flatten(1)),
    "GlobalAveragePooling2D": lambda layer: Apply(lambda x: x.mean((2, 3))),
    "GlobalAveragePooling1D": lambda layer: Apply(lambda x: x.mean(1)),
    "Add": lambda layer: Apply(torch.add),
    "Concatenate": lambda layer: Apply(lambda *x: torch.cat(x, 1 if x[0].dim() == 4 else -1)),
}


class Network(nn.Module):
    """The layers in order, and which values each reads."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.layers = nn.ModuleList()
        self.reads: list[list[int]] = []
        numbers = {id(model.inputs[0]): 0}
        for operation in model.operations:
            if isinstance(operation, keras.layers.InputLayer):
                continue
            operands = operation.input if isinstance(operation.input, (list, tuple)) else [operation.input]
            self.layers.append(CONVERT[type(operation).__name__](operation))
            self.reads.append([numbers[id(value)] for value in operands])
            numbers[id(operation.output)] = len(numbers)
        self.result = numbers[id(model.outputs[0])]
        self.last = {n: step for step, reads in enumerate(self.reads) for n in reads}
        self.image_in, self.image_out = len(model.inputs[0].shape) == 4, len(model.outputs[0].shape) == 4

    def forward(self, x: Tensor) -> Tensor:
        values = {0: x.permute(0, 3, 1, 2) if self.image_in else x}
        for step, (layer, reads) in enumerate(zip(self.layers, self.reads, strict=True)):
            values[step + 1] = layer(*[values[n] for n in reads])
            for n in set(reads):
                if self.last[n] == step and n != self.result:
                    del values[n]  # torch then uses the memory again
        result = values[self.result]
        return result.permute(0, 2, 3, 1) if self.image_out else result


def to_torch(path: str | Path) -> nn.Module:
    return Network(keras.saving.load_model(path, compile=False))


def main() -> None:
    folder, name = Path(sys.argv[1]), sys.argv[2]
    module = to_torch(folder / "model.keras").eval()
    for batch in (1, MODELS[name].train):
        x = torch.from_numpy(MODELS[name].inputs(batch))
        path = str(folder / f"torch_{batch}.onnx")
        with torch.no_grad():  # the older exporter keeps LSTM and GRU as one operator, which runtimes have kernels for
            torch.onnx.export(module, (x,), path, dynamo=False, opset_version=17, input_names=["x"])


if __name__ == "__main__":
    main()
