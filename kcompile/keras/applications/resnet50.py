"""keras.applications.resnet50: Keras's older place of ResNet50."""

from .resnet import ResNet50, decode_predictions, preprocess_input

__all__ = ["ResNet50", "decode_predictions", "preprocess_input"]
