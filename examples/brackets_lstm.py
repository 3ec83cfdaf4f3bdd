"""A recurrent network over texts of several lengths: are the brackets balanced? Padding is masked.

python examples/brackets_lstm.py
"""

from __future__ import annotations

import numpy as np

import kcompile
from kcompile import keras

LETTERS = "_()[]"  # _ is padding: index 0
LONGEST = 16


def is_balanced(text: str) -> bool:
    while "()" in text or "[]" in text:
        text = text.replace("()", "").replace("[]", "")
    return not text


def random_text(rng: np.random.Generator) -> str:
    """A balanced text, or one with a bracket turned."""
    text = ""
    while len(text) < rng.integers(2, LONGEST + 1) and len(text) < LONGEST:
        pair = "()" if rng.random() < 0.5 else "[]"
        at = int(rng.integers(0, len(text) + 1))
        if is_balanced(text[:at]) or rng.random() < 0.7:
            text = text[:at] + pair + text[at:]
    if rng.random() < 0.5:
        at = int(rng.integers(len(text)))
        text = text[:at] + rng.choice([c for c in "()[]" if c != text[at]]) + text[at + 1 :]
    return text


def as_numbers(texts: list[str]) -> np.ndarray:
    return np.array([[LETTERS.index(c) for c in text.ljust(LONGEST, "_")] for text in texts], np.int32)


def main() -> None:
    keras.utils.set_random_seed(0)
    rng = np.random.default_rng(0)
    texts = [random_text(rng) for _ in range(6000)]
    x, y = as_numbers(texts), np.array([is_balanced(t) for t in texts], np.float32)[:, None]
    model = keras.Sequential(
        [
            keras.Input((LONGEST,), dtype="int32"),
            keras.layers.Embedding(len(LETTERS), 8, mask_zero=True),
            keras.layers.Bidirectional(keras.layers.LSTM(32)),
            keras.layers.Dense(1, activation="sigmoid"),
        ]
    )
    model.compile(keras.optimizers.Adam(0.005), "binary_crossentropy", metrics=["accuracy"])
    history = model.fit(x, y, batch_size=64, epochs=8, validation_split=0.2, verbose=2)
    accuracy = history.history["val_accuracy"][-1]
    fast = kcompile.compile(model)
    for text in ("([])", "([]]", "(()[()])", "(()[()]"):
        print(f"{text:10} balanced with probability {float(fast(as_numbers([text]))[0, 0]):.2f}")
    print(f"validation accuracy {accuracy:.2f}")
    assert accuracy > 0.9


if __name__ == "__main__":
    main()
