"""One or more cases of every layer: its class, arguments, and the shapes of its inputs (without the batch axis)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Inner:
    """A layer among the arguments of another one."""

    name: str
    kwargs: dict[str, Any]

    def make(self, keras: Any) -> Any:
        """The layer, of our package or of Keras."""
        return getattr(keras.layers, self.name)(**{k: _made(v, keras) for k, v in self.kwargs.items()})

    def __str__(self) -> str:
        return f"{self.name}({','.join(f'{k}={v}' for k, v in self.kwargs.items())})"


def _made(value: Any, keras: Any) -> Any:
    if isinstance(value, list):
        return [_made(v, keras) for v in value]
    return value.make(keras) if isinstance(value, Inner) else value


@dataclass(frozen=True)
class LayerCase:
    """`shapes` is one shape, or a list of them for layers of several inputs: given as a list, or with `spread` one by
    one. `call`: further arguments of the call."""

    name: str
    kwargs: dict[str, Any]
    shapes: Any
    dtype: str = "float32"
    random: bool = False  # training results depend on random numbers
    tags: tuple[str, ...] = field(default=())
    spread: bool = False
    call: dict[str, Any] = field(default_factory=dict)

    @property
    def id(self) -> str:
        shown = ",".join(f"{k}={v}" for k, v in {**self.kwargs, **self.call}.items())
        return f"{self.name}({shown}){self.shapes}".replace(" ", "")

    def make(self, keras: Any, **more: Any) -> Any:
        """The layer, of our package or of Keras."""
        return Inner(self.name, {**self.kwargs, **more}).make(keras)


def _case(name: str, shapes: Any, *, dtype: str = "float32", random: bool = False, **kwargs: Any) -> LayerCase:
    return LayerCase(name, kwargs, shapes, dtype, random)


def _attention(name: str, shapes: Any, call: dict[str, Any] | None = None, **kwargs: Any) -> LayerCase:
    return LayerCase(name, kwargs, shapes, spread=name not in ("Attention", "AdditiveAttention"), call=call or {})


def _inner(kind: str, **kwargs: Any) -> Inner:
    return Inner(kind, kwargs)


CASES = [
    _case("Dense", (5,), units=3),
    _case("Dense", (2, 5), units=4, activation="relu", use_bias=False, kernel_initializer="he_normal"),
    _case("Dense", (5,), units=3, kernel_regularizer="l2", activation="softmax"),
    _case("Identity", (3, 4)),
    _case("Rescaling", (3, 4), scale=0.5, offset=-1.0),
    _case("Embedding", (4,), dtype="int32", input_dim=7, output_dim=3),
    _case("Conv1D", (9, 3), filters=4, kernel_size=3, padding="causal", dilation_rate=2),
    _case("Conv1D", (9, 4), filters=4, kernel_size=3, groups=2, strides=2, padding="same"),
    _case("Conv2D", (7, 6, 3), filters=4, kernel_size=3),
    _case("Conv2D", (7, 6, 4), filters=6, kernel_size=(3, 2), strides=(2, 1), padding="same", groups=2),
    _case("Conv2D", (9, 9, 2), filters=3, kernel_size=3, dilation_rate=2, use_bias=False),
    _case("Conv2D", (2, 7, 8), filters=3, kernel_size=3, strides=2, padding="same", data_format="channels_first"),
    _case("Conv3D", (4, 5, 6, 2), filters=3, kernel_size=2),
    _case("Conv2DTranspose", (4, 5, 3), filters=2, kernel_size=3, strides=2, padding="same"),
    _case("Conv2DTranspose", (4, 5, 3), filters=2, kernel_size=(3, 2), strides=(1, 3)),
    _case("Conv2DTranspose", (4, 4, 3), filters=2, kernel_size=4, strides=2, padding="same"),
    _case("Conv2DTranspose", (3, 3, 2), filters=2, kernel_size=2, strides=3, padding="same"),
    _case("Conv2DTranspose", (3, 4, 2), filters=2, kernel_size=3, strides=2, padding="same", output_padding=1),
    _case("Conv2DTranspose", (3, 4, 2), filters=2, kernel_size=3, strides=2, padding="valid", output_padding=1),
    _case("Conv2DTranspose", (4, 5, 3), filters=2, kernel_size=3, dilation_rate=2, padding="same", activation="relu"),
    _case("Conv2DTranspose", (4, 5, 3), filters=2, kernel_size=2, dilation_rate=(1, 3), use_bias=False),
    _case("Conv2DTranspose", (3, 4, 2), filters=2, kernel_size=5, strides=3, padding="same", output_padding=(2, 0)),
    _case("Conv2DTranspose", (2, 3, 4), filters=2, kernel_size=3, strides=2, data_format="channels_first"),
    _case("Conv1DTranspose", (4, 3), filters=2, kernel_size=3, strides=2, padding="same"),
    _case("Conv1DTranspose", (4, 3), filters=2, kernel_size=4, strides=3, output_padding=2),
    _case("Conv1DTranspose", (4, 3), filters=2, kernel_size=3, dilation_rate=2),
    _case("Conv3DTranspose", (2, 3, 2, 3), filters=2, kernel_size=3, strides=2, padding="same"),
    _case("Conv3DTranspose", (2, 3, 2, 3), filters=2, kernel_size=2, strides=(1, 2, 3)),
    _case("DepthwiseConv2D", (6, 6, 3), kernel_size=3, depth_multiplier=2, padding="same"),
    _case("DepthwiseConv2D", (6, 6, 3), kernel_size=3, strides=2),
    _case("SeparableConv2D", (6, 6, 3), filters=5, kernel_size=3, depth_multiplier=2, activation="relu"),
    _case("MaxPooling1D", (7, 3)),
    _case("MaxPooling2D", (7, 6, 2)),
    _case("MaxPooling2D", (7, 6, 2), pool_size=3, strides=2, padding="same"),
    _case("MaxPooling2D", (2, 6, 7), pool_size=(2, 3), data_format="channels_first"),
    _case("MaxPooling3D", (4, 4, 5, 2)),
    _case("AveragePooling1D", (7, 3), pool_size=3, padding="same"),
    _case("AveragePooling2D", (7, 6, 2), pool_size=3, strides=2, padding="same"),
    _case("AveragePooling2D", (7, 6, 2), pool_size=2),
    _case("AveragePooling3D", (4, 4, 5, 2), pool_size=2),
    _case("GlobalAveragePooling1D", (5, 3)),
    _case("GlobalAveragePooling2D", (4, 5, 3)),
    _case("GlobalAveragePooling2D", (3, 4, 5), keepdims=True, data_format="channels_first"),
    _case("GlobalAveragePooling3D", (3, 4, 5, 2)),
    _case("GlobalMaxPooling1D", (5, 3)),
    _case("GlobalMaxPooling2D", (4, 5, 3)),
    _case("GlobalMaxPooling3D", (3, 4, 5, 2)),
    _case("BatchNormalization", (6,)),
    _case("BatchNormalization", (4, 5, 3), momentum=0.9, epsilon=1e-5, scale=False),
    _case("BatchNormalization", (3, 4, 5), axis=1, center=False),
    _case("LayerNormalization", (3, 5)),
    _case("LayerNormalization", (3, 5), axis=[1, 2], epsilon=1e-5),
    _case("RMSNormalization", (3, 5)),
    _case("UnitNormalization", (3, 5)),
    _case("Dropout", (50,), rate=0.4, seed=1, random=True),
    _case("Dropout", (5, 6), rate=0.4, seed=1, noise_shape=(None, 1, 6), random=True),
    _case("Dropout", (5,), rate=0),
    _case("SpatialDropout1D", (5, 8), rate=0.4, seed=1, random=True),
    _case("SpatialDropout2D", (3, 4, 8), rate=0.4, seed=1, random=True),
    _case("GaussianNoise", (5,), stddev=0.4, seed=1, random=True),
    _case("GaussianDropout", (5,), rate=0.4, seed=1, random=True),
    _case("ActivityRegularization", (5,), l1=0.1, l2=0.2),
    _case("Activation", (5,), activation="tanh"),
    _case("ReLU", (5,)),
    _case("ReLU", (5,), max_value=0.5, negative_slope=0.1, threshold=0.2),
    _case("ReLU", (5,), threshold=0.3),
    _case("LeakyReLU", (5,), negative_slope=0.1),
    _case("ELU", (5,), alpha=0.7),
    _case("PReLU", (3, 4), alpha_initializer="ones", shared_axes=[1]),
    _case("Softmax", (3, 5)),
    _case("Softmax", (3, 5), axis=1),
    _case("Flatten", (3, 4, 2)),
    _case("Flatten", (3, 4, 2), data_format="channels_first"),
    _case("Reshape", (3, 4), target_shape=(2, -1)),
    _case("Permute", (3, 4, 2), dims=(3, 1, 2)),
    _case("RepeatVector", (4,), n=3),
    _case("ZeroPadding1D", (3, 2), padding=(2, 1)),
    _case("ZeroPadding1D", (3, 2), padding=1, data_format="channels_first"),
    _case("ZeroPadding2D", (3, 4, 2), padding=((1, 0), (2, 1))),
    _case("ZeroPadding3D", (3, 4, 2, 2), padding=(1, 0, 2)),
    _case("Cropping1D", (5, 2), cropping=(1, 2)),
    _case("Cropping2D", (5, 6, 2), cropping=((1, 0), (2, 1))),
    _case("Cropping3D", (3, 4, 5, 2), cropping=((1, 0), (1, 1), (0, 2))),
    _case("UpSampling1D", (3, 2), size=3),
    _case("UpSampling2D", (3, 4, 2), size=(2, 3)),
    _case("UpSampling2D", (3, 4, 2), size=(2, 3), interpolation="bilinear"),
    _case("UpSampling2D", (2, 3, 4), size=2, interpolation="bilinear", data_format="channels_first"),
    _case("UpSampling2D", (3, 4, 2), size=(2, 1), interpolation="bicubic"),
    _case("UpSampling2D", (4, 3, 2), size=(3, 2), interpolation="lanczos3"),
    _case("UpSampling2D", (4, 3, 2), size=(3, 2), interpolation="lanczos5"),
    _case("UpSampling3D", (2, 3, 2, 2), size=(1, 2, 3)),
    _case("Add", [(3, 4), (3, 4), (1, 4)]),
    _case("Subtract", [(3, 4), (3, 4)]),
    _case("Multiply", [(3, 4), (4,)]),
    _case("Average", [(4,), (4,), (4,)]),
    _case("Maximum", [(4,), (4,)]),
    _case("Minimum", [(4,), (4,)]),
    _case("Concatenate", [(3, 4), (3, 2)]),
    _case("Concatenate", [(3, 4), (2, 4)], axis=1),
    _case("Dot", [(3, 4), (3, 5)], axes=1),
    _case("Dot", [(4,), (4,)], axes=1, normalize=True),
    _case("EinsumDense", (3, 4), equation="abc,cd->abd", output_shape=(3, 5), bias_axes="d", activation="relu"),
    _case("EinsumDense", (3, 4), equation="...c,cde->...de", output_shape=(2, 5), bias_axes="e"),
    _case("EinsumDense", (4, 3, 2), equation="ab...,bc->ac...", output_shape=6, bias_axes="c"),
    _case("EinsumDense", (3, 2, 4), equation="abcd,cde->abe", output_shape=(3, 5)),
    _attention("MultiHeadAttention", [(5, 6), (5, 6)], num_heads=2, key_dim=3),
    _attention("MultiHeadAttention", [(5, 6), (4, 7), (4, 3)], num_heads=2, key_dim=3, value_dim=3, output_shape=5),
    _attention("MultiHeadAttention", [(5, 6), (7, 6)], {"use_causal_mask": True}, num_heads=3, key_dim=2),
    _attention("MultiHeadAttention", [(6, 4), (6, 4)], num_heads=2, key_dim=3, sliding_window=2, use_gate=True,
               use_bias=False),
    _attention("MultiHeadAttention", [(2, 3, 4), (2, 3, 4)], num_heads=2, key_dim=3, value_dim=4),
    _attention("MultiHeadAttention", [(2, 3, 4), (2, 5, 4)], {"use_causal_mask": False}, num_heads=2, key_dim=3,
               attention_axes=(2,)),
    LayerCase("MultiHeadAttention", {"num_heads": 2, "key_dim": 3, "dropout": 0.3, "seed": 1}, [(5, 6), (5, 6)],
              random=True, spread=True, call={"use_causal_mask": True}),
    _attention("GroupQueryAttention", [(5, 6), (5, 6)], head_dim=3, num_query_heads=4, num_key_value_heads=2),
    _attention("GroupQueryAttention", [(5, 6), (4, 6)], {"use_causal_mask": True}, head_dim=3, num_query_heads=2,
               num_key_value_heads=1, use_bias=False, use_gate=True),
    _attention("GroupQueryAttention", [(5, 6), (5, 6)], head_dim=3, num_query_heads=2, num_key_value_heads=2,
               sliding_window=2),
    _attention("Attention", [(3, 4), (5, 4)]),
    _attention("Attention", [(3, 4), (5, 4), (5, 4)], {"use_causal_mask": True}, use_scale=True),
    _attention("Attention", [(3, 4), (5, 4)], use_scale=True, score_mode="concat"),
    _attention("AdditiveAttention", [(3, 4), (5, 4)]),
    _attention("AdditiveAttention", [(3, 4), (5, 4), (5, 4)], use_scale=False),
    _case("LSTM", (5, 4), units=3),
    _case("LSTM", (5, 4), units=16, return_sequences=True, go_backwards=True, use_bias=False),
    _case("LSTM", (4, 3), units=2, activation="relu", recurrent_activation="hard_sigmoid", unit_forget_bias=False),
    _case("LSTM", (4, 3), units=5, dropout=0.3, recurrent_dropout=0.2, seed=1, random=True),
    _case("GRU", (5, 4), units=3),
    _case("GRU", (5, 4), units=17, return_sequences=True),
    _case("GRU", (5, 4), units=3, reset_after=False, return_sequences=True, kernel_regularizer="l2"),
    _case("GRU", (5, 4), units=3, use_bias=False, unroll=True),
    _case("GRU", (4, 3), units=5, dropout=0.3, seed=1, random=True),
    _case("GRU", (4, 3), units=5, reset_after=False, recurrent_dropout=0.3, seed=1, random=True),
    _case("SimpleRNN", (5, 4), units=3),
    _case("SimpleRNN", (5, 4), units=33, return_sequences=True, activation="relu", go_backwards=True),
    _case("SimpleRNN", (4, 3), units=5, dropout=0.3, recurrent_dropout=0.2, seed=1, random=True),
    _case("RNN", (5, 4), cell=[_inner("LSTMCell", units=3), _inner("GRUCell", units=2)]),
    _case("RNN", (5, 4), cell=_inner("SimpleRNNCell", units=3), return_sequences=True, zero_output_for_mask=True),
    _case("RNN", (3, 4), cell=_inner("LSTMCell", units=3, dropout=0.4, seed=1), random=True),
    _case("Bidirectional", (5, 4), layer=_inner("LSTM", units=3)),
    _case("Bidirectional", (5, 4), layer=_inner("GRU", units=3, return_sequences=True), merge_mode="sum"),
    _case("Bidirectional", (3, 4), layer=_inner("SimpleRNN", units=3, return_sequences=True), merge_mode="mul",
          backward_layer=_inner("GRU", units=3, return_sequences=True, go_backwards=True, name="back")),
    _case("Bidirectional", (3, 4), layer=_inner("LSTM", units=2), merge_mode="ave"),
    _case("TimeDistributed", (3, 4), layer=_inner("Dense", units=2)),
    _case("TimeDistributed", (3, 5, 6, 2), layer=_inner("Conv2D", filters=3, kernel_size=2)),
    _case("TimeDistributed", (3, 4), layer=_inner("BatchNormalization")),
    _case("TimeDistributed", (3, 4), layer=_inner("Dropout", rate=0.4, seed=1), random=True),
    _case("Masking", (3, 4), mask_value=0.5),
    _case("SpatialDropout3D", (2, 3, 4, 8), rate=0.4, seed=1, random=True),
    _case("AlphaDropout", (5, 6), rate=0.3, seed=1, random=True),
    _case("AlphaDropout", (5, 6), rate=0.3, seed=1, noise_shape=(None, 1, 6), random=True),
    _case("GroupNormalization", (4, 5, 6), groups=3),
    _case("GroupNormalization", (6, 4, 3), groups=2, axis=1, scale=False, epsilon=0.1),
    _case("GroupNormalization", (4, 6), groups=-1, center=False),
    _case("ReversibleEmbedding", (4,), dtype="int32", input_dim=7, output_dim=3, tie_weights=False),
    _case("ConvLSTM1D", (3, 5, 2), filters=3, kernel_size=2),
    _case("ConvLSTM2D", (3, 5, 4, 2), filters=3, kernel_size=3, padding="same", return_sequences=True),
    _case("ConvLSTM2D", (2, 2, 5, 6), filters=2, kernel_size=(2, 3), strides=2, data_format="channels_first",
          go_backwards=True),
    _case("ConvLSTM2D", (2, 5, 4, 2), filters=2, kernel_size=2, dropout=0.3, recurrent_dropout=0.2, random=True),
    _case("ConvLSTM3D", (2, 3, 4, 3, 2), filters=2, kernel_size=2, dilation_rate=(1, 2, 1), use_bias=False),
]  # fmt: skip
