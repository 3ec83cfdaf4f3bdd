"""kcompile."""

from __future__ import annotations

from families import RATE, Case, Infer, Train


def infer(case: Case) -> Infer:
    import kcompile

    return kcompile.compile(case.keras_file, threads=case.threads)


def train(case: Case) -> Train:
    from kcompile import keras
    from kcompile.runtime.host import set_threads

    set_threads(case.threads)
    model = keras.models.load_model(case.keras_file, compile=False)
    model.compile(optimizer=keras.optimizers.Adam(RATE), loss=case.keras_loss)
    return lambda x, y: float(model.train_on_batch(x, y))


INFER = {"kcompile": infer}
TRAIN = {"kcompile": train}
