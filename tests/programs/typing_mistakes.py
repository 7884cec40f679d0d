# Words that were mistyped in real notebooks: the error names the one that was meant.
import numpy as np
from tensorflow import keras

model = keras.models.Sequential([keras.layers.Dense(3, input_shape=(2,))])


def meant(word, action):
    try:
        action()
    except Exception as error:
        assert word in str(error), f"{word} is not in: {error}"
    else:
        raise AssertionError(f"{word} was not missed")


meant("sparse_categorical_crossentropy", lambda: model.compile(loss="sparese_categorical_crossentropy"))
meant("mean_squared_error", lambda: model.compile(loss="mean_quared_error"))
meant("callbacks", lambda: keras.callback)
meant("ModelCheckpoint", lambda: keras.callbacks.ModelCheckint)
meant("evaluate", lambda: model.evalute(1))
meant("Model", lambda: keras.Moidel)
meant("patience", lambda: keras.callbacks.EarlyStopping(patiense=10))
meant("activation", lambda: keras.layers.Dense(3, activaton="relu"))
try:
    import kears
except ImportError as error:
    assert "keras" in str(error)
