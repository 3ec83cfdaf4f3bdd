"""keras.layers. A layer's file loads when it is first used."""

from __future__ import annotations

from typing import Any

from kcompile.lazy_names import lazy_names

_HOMES = {
    "Activation": "activations.activation", "ActivityRegularization": "regularization.activity_regularization",
    "Add": "merging.add", "AdditiveAttention": "attention.additive_attention",
    "AlphaDropout": "regularization.alpha_dropout", "Attention": "attention.attention", "Average": "merging.average",
    "AveragePooling1D": "pooling.average_pooling1d", "AveragePooling2D": "pooling.average_pooling2d",
    "AveragePooling3D": "pooling.average_pooling3d", "BatchNormalization": "normalization.batch_normalization",
    "Bidirectional": "rnn.bidirectional", "Concatenate": "merging.concatenate", "Conv1D": "convolutional.conv1d",
    "Conv1DTranspose": "convolutional.conv1d_transpose", "Conv2D": "convolutional.conv2d",
    "Conv2DTranspose": "convolutional.conv2d_transpose", "Conv3D": "convolutional.conv3d",
    "Conv3DTranspose": "convolutional.conv3d_transpose", "ConvLSTM1D": "rnn.conv_lstm1d",
    "ConvLSTM2D": "rnn.conv_lstm2d", "ConvLSTM3D": "rnn.conv_lstm3d", "Cropping1D": "reshaping.cropping1d",
    "Cropping2D": "reshaping.cropping2d", "Cropping3D": "reshaping.cropping3d", "Dense": "core.dense",
    "DepthwiseConv2D": "convolutional.depthwise_conv2d", "Dot": "merging.dot", "Dropout": "regularization.dropout",
    "ELU": "activations.elu", "EinsumDense": "core.einsum_dense", "Embedding": "core.embedding",
    "Flatten": "reshaping.flatten", "GRU": "rnn.gru", "GRUCell": "rnn.gru_cell",
    "GaussianDropout": "regularization.gaussian_dropout", "GaussianNoise": "regularization.gaussian_noise",
    "GlobalAveragePooling1D": "pooling.global_average_pooling1d",
    "GlobalAveragePooling2D": "pooling.global_average_pooling2d",
    "GlobalAveragePooling3D": "pooling.global_average_pooling3d", "GlobalMaxPooling1D": "pooling.global_max_pooling1d",
    "GlobalMaxPooling2D": "pooling.global_max_pooling2d", "GlobalMaxPooling3D": "pooling.global_max_pooling3d",
    "GroupNormalization": "normalization.group_normalization",
    "GroupQueryAttention": "attention.group_query_attention", "Identity": "core.identity", "Input": "core.input_layer",
    "InputLayer": "core.input_layer", "InputSpec": "input_spec", "LSTM": "rnn.lstm", "LSTMCell": "rnn.lstm_cell",
    "Lambda": "core.lambda_layer", "Layer": "layer", "LayerNormalization": "normalization.layer_normalization",
    "LeakyReLU": "activations.leaky_relu", "Masking": "core.masking", "MaxPooling1D": "pooling.max_pooling1d",
    "MaxPooling2D": "pooling.max_pooling2d", "MaxPooling3D": "pooling.max_pooling3d", "Maximum": "merging.maximum",
    "Minimum": "merging.minimum", "MultiHeadAttention": "attention.multi_head_attention",
    "Multiply": "merging.multiply", "PReLU": "activations.prelu", "Permute": "reshaping.permute",
    "RMSNormalization": "normalization.rms_normalization", "RNN": "rnn.rnn", "ReLU": "activations.relu",
    "RepeatVector": "reshaping.repeat_vector", "Rescaling": "core.rescaling", "Reshape": "reshaping.reshape",
    "ReversibleEmbedding": "core.reversible_embedding", "SeparableConv2D": "convolutional.separable_conv2d",
    "SimpleRNN": "rnn.simple_rnn", "SimpleRNNCell": "rnn.simple_rnn_cell", "Softmax": "activations.softmax",
    "SpatialDropout1D": "regularization.spatial_dropout", "SpatialDropout2D": "regularization.spatial_dropout",
    "SpatialDropout3D": "regularization.spatial_dropout", "StackedRNNCells": "rnn.stacked_rnn_cells",
    "Subtract": "merging.subtract", "TimeDistributed": "rnn.time_distributed",
    "UnitNormalization": "normalization.unit_normalization", "UpSampling1D": "reshaping.up_sampling1d",
    "UpSampling2D": "reshaping.up_sampling2d", "UpSampling3D": "reshaping.up_sampling3d", "Wrapper": "core.wrapper",
    "ZeroPadding1D": "reshaping.zero_padding1d", "ZeroPadding2D": "reshaping.zero_padding2d",
    "ZeroPadding3D": "reshaping.zero_padding3d",
}  # fmt: skip
# Second names, as Keras has them.
_ALIASES = {
    "AvgPool1D": "AveragePooling1D", "AvgPool2D": "AveragePooling2D", "AvgPool3D": "AveragePooling3D",
    "Convolution1D": "Conv1D", "Convolution1DTranspose": "Conv1DTranspose", "Convolution2D": "Conv2D",
    "Convolution2DTranspose": "Conv2DTranspose", "Convolution3D": "Conv3D", "Convolution3DTranspose": "Conv3DTranspose",
    "Deconvolution2D": "Conv2DTranspose", "GlobalAvgPool1D": "GlobalAveragePooling1D",
    "GlobalAvgPool2D": "GlobalAveragePooling2D", "GlobalAvgPool3D": "GlobalAveragePooling3D", "GlobalMaxPool1D":
    "GlobalMaxPooling1D", "GlobalMaxPool2D": "GlobalMaxPooling2D", "GlobalMaxPool3D": "GlobalMaxPooling3D",
    "MaxPool1D": "MaxPooling1D", "MaxPool2D": "MaxPooling2D", "MaxPool3D": "MaxPooling3D", "SeparableConvolution2D":
    "SeparableConv2D",
}  # fmt: skip
# Functional forms: keras.layers.add([x, y]) is Add()([x, y]).
_FUNCTIONS = {"add": "Add", "average": "Average", "concatenate": "Concatenate", "dot": "Dot", "maximum": "Maximum",
              "minimum": "Minimum", "multiply": "Multiply", "subtract": "Subtract"}  # fmt: skip

__all__ = sorted([*_HOMES, *_ALIASES])

_get, __dir__ = lazy_names(__name__, {**_HOMES, **{new: f"{_HOMES[old]}:{old}" for new, old in _ALIASES.items()}})


def __getattr__(name: str) -> Any:
    if name in _FUNCTIONS:
        layer = _get(_FUNCTIONS[name])
        return lambda inputs, *args, **kwargs: layer(*args, **kwargs)(inputs)
    if name in ("serialize", "deserialize"):
        from .. import saving

        return getattr(saving, f"{name}_keras_object")
    return _get(name)
