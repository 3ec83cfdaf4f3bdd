"""kcompile as a peer of the peer benchmark: `infer` and `train` for one model file, one batch, one thread count.

Put this file in the benchmark's `peers` folder, and an interpreter that has kcompile in BENCH_PYTHON_KCOMPILE.
"""

IMPORT = "import kcompile"
DISTS = ["kcompile"]


def infer(keras_path, batch, threads):
    import kcompile

    return kcompile.compile(keras_path, threads=threads)


def train(keras_path, batch, threads, loss, lr):
    from kcompile import keras
    from kcompile.runtime.host import set_threads

    set_threads(threads)
    model = keras.models.load_model(keras_path, compile=False)
    model.compile(optimizer=keras.optimizers.Adam(lr), loss=loss)
    return lambda x, y: float(model.train_on_batch(x, y))


INFER = {"kcompile": lambda c: infer(c.keras, c.batch, c.threads)}
TRAIN = {"kcompile": lambda c: train(c.keras, c.batch, c.threads, c.keras_loss, 1e-3)}
