"""A typing mistake is answered with what was meant, wherever a name or a keyword is looked up."""

from __future__ import annotations

import inspect
import pathlib
import types

import numpy as np
import pytest

import doltap as keras
from doltap.callbacks import EarlyStopping
from doltap.errors import DoltapError
from doltap.layers import Activation, Concatenate, Dense, Input

chance = np.random.default_rng(0)
X = chance.random((20, 4), dtype=np.float32)
Y = (X.sum(axis=1) > 2).astype("int32")
NAMES = (pathlib.Path(__file__).parent.parent / "docs" / "keras_names.txt").read_text().splitlines()[1:]


def model(**keywords):
    made = keras.Sequential([Input((4,)), Dense(1)])
    made.compile(**{"optimizer": "sgd", "loss": "mse", **keywords})
    return made


def branches():
    return [Input((4,)), Input((4,))]


MISTAKES = {
    "sparese_categorical_crossentropy": (
        lambda: model(loss="sparese_categorical_crossentropy"),
        "sparse_categorical_crossentropy",
    ),
    "mean_quared_error": (lambda: model(loss="mean_quared_error"), "mean_squared_error"),
    "losses.mean_quared_error": (lambda: keras.losses.mean_quared_error, "mean_squared_error"),
    "keras.callback": (lambda: keras.callback, "callbacks"),
    "ModelCheckint": (lambda: keras.callbacks.ModelCheckint, "ModelCheckpoint"),
    "model.evalute": (lambda: model().evalute(X, Y), "evaluate"),
    "model.fix": (lambda: model().fix(X, Y), "fit"),
    "model.complie": (lambda: model().complie(loss="mse"), "compile"),
    "model.sumary": (lambda: model().sumary(), "summary"),
    "model.pedict": (lambda: model().pedict(X), "predict"),
    "keras.Moidel": (lambda: keras.Moidel, "Model"),
    "models.Moidel": (lambda: keras.models.Moidel, "Model"),
    "keras.Sequental": (lambda: keras.Sequental, "Sequential"),
    "layers.Dens": (lambda: keras.layers.Dens, "Dense"),
    "patiense=": (lambda: EarlyStopping(patiense=10), "patience="),
    "unit=": (lambda: Dense(unit=3), "units="),
    "activaton=": (lambda: Dense(3, activaton="relu"), "activation="),
    "kernel_initalizer=": (lambda: Dense(3, kernel_initalizer="zeros"), "kernel_initializer="),
    "optimzer=": (lambda: keras.Sequential().compile(optimzer="sgd"), "optimizer="),
    "metric=": (lambda: model(metric=["accuracy"]), "metrics="),
    "metrics=['acuracy']": (lambda: model(metrics=["acuracy"]).fit(X, Y, verbose=0), "accuracy"),
    "optimizer='adm'": (lambda: model(optimizer="adm"), "adam"),
    "leaning_rate=": (lambda: keras.optimizers.Adam(leaning_rate=0.1), "learning_rate="),
    "optimizer.learning_rte": (lambda: keras.optimizers.SGD().learning_rte, "learning_rate"),
    "activation='rellu'": (lambda: Dense(3, activation="rellu"), "relu"),
    "Activation('sofmax')": (lambda: Activation("sofmax"), "softmax"),
    "validaton_data=": (lambda: model().fit(X, Y, validaton_data=(X, Y)), "validation_data="),
    "epoch=": (lambda: model().fit(X, Y, epoch=3), "epochs="),
    "batchsize=": (lambda: model().predict(X, batchsize=3), "batch_size="),
    "callback=": (lambda: model().fit(X, Y, callback=[]), "callbacks="),
    "line_lenght=": (lambda: model().summary(line_lenght=3), "line_length="),
    "overwrit=": (lambda: model().save("a.keras", overwrit=True), "overwrite="),
    "from_logit=": (lambda: keras.losses.BinaryCrossentropy(from_logit=True), "from_logits="),
    "num_threshold=": (lambda: keras.metrics.AUC(num_threshold=3), "num_thresholds="),
    "shap=": (lambda: Input(shap=(3,)), "shape="),
    "filepth=": (lambda: keras.callbacks.ModelCheckpoint(filepth="a.h5"), "filepath="),
    "inputdim=": (lambda: keras.layers.Embedding(inputdim=10, output_dim=3), "input_dim="),
    "targetshape=": (lambda: keras.layers.Reshape(targetshape=(3,)), "target_shape="),
    "numclasses=": (lambda: keras.utils.to_categorical(Y, numclasses=2), "num_classes="),
    "decay_step=": (
        lambda: keras.optimizers.schedules.ExponentialDecay(0.1, decay_step=3, decay_rate=0.1),
        "decay_steps=",
    ),
    "axs=": (lambda: keras.ops.mean(X, axs=1), "axis="),
    "datasets.mnst": (lambda: keras.datasets.mnst, "mnist"),
    "mnist.load_dta": (lambda: keras.datasets.mnist.load_dta, "load_data"),
    "history['val_los']": (
        lambda: model().fit(X, Y, validation_split=0.2, verbose=0).history["val_los"],
        "val_loss",
    ),
    "get_layer('densee')": (lambda: keras.Sequential([Dense(1, name="first")]).get_layer("frist"), "first"),
    "layer.kernal": (lambda: model().layers[0].kernal, "kernel"),
    "nam=": (lambda: keras.Sequential([], nam="a"), "name="),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_typing_mistake_is_answered_with_what_was_meant(mistake):
    use, meant = MISTAKES[mistake]
    with pytest.raises(DoltapError) as error:
        use()
    assert f"Did you mean '{meant}'" in str(error.value)


def test_a_mistyped_import_is_answered_too():
    with pytest.raises(ImportError, match="Did you mean 'callbacks'"):
        from doltap import callback  # noqa: F401
    with pytest.raises(ImportError, match="Did you mean 'ModelCheckpoint'"):
        from doltap.callbacks import ModelCheckint  # noqa: F401


def test_inputs_in_the_place_of_options_are_answered():
    first, second = branches()
    with pytest.raises(DoltapError, match=r"Concatenate\(\)\(\[a, b\]\)"):
        Concatenate([first, second])
    for axis in (1, -1):
        with pytest.raises(DoltapError, match=r"a single input needs no merging"):
            Concatenate(axis)(first)


def test_a_measure_of_a_validation_that_was_not_made_says_how():
    history = model().fit(X, Y, verbose=0).history
    with pytest.raises(KeyError, match=r"validation_data or validation_split") as error:
        history["val_loss"]
    assert str(error.value).startswith("what was measured: expected a name it has, got 'val_loss'.\n")
    with pytest.raises(KeyError, match="There are: loss"):
        history["something else"]


# Everywhere.


def found(path):
    thing = keras
    for name in path.removeprefix("keras.").split("."):
        thing = getattr(thing, name, None)
    return thing


def mistyped(name):
    """The name with a slip in it, which is no other name's."""
    middle = len(name) // 2
    return name[:middle] + "z" + name[middle + 1 :]


# Asked many thousand times while a program is made; a look at each call would cost too much.
UNGUARDED = {"keras.backend.is_float_dtype", "keras.backend.is_int_dtype", "keras.backend.standardize_dtype"}
# They hand on what they are told: to callbacks, to a function of the user's, to another optimizer.
UNGUARDED |= {"keras.callbacks.CallbackList", "keras.metrics.MeanMetricWrapper"}
UNGUARDED |= {"keras.optimizers.LossScaleOptimizer"}


def callables():
    taken = {id(found(path)) for path in UNGUARDED}
    for path in NAMES:
        thing = found(path)
        is_new = callable(thing) and not isinstance(thing, types.ModuleType) and id(thing) not in taken
        if is_new and not path.startswith("keras.Model."):
            taken.add(id(thing))
            yield path, thing


def slips(thing):
    """Calls with one keyword mistyped, and what else is needed."""
    parameters = [
        each
        for each in inspect.signature(thing).parameters.values()
        if each.kind in (each.POSITIONAL_OR_KEYWORD, each.KEYWORD_ONLY)
    ]
    needed = {each.name: [1] for each in parameters if each.default is each.empty}
    for each in parameters:
        # A slip in a short word makes another one.
        if len(each.name) > 4:
            others = {name: value for name, value in needed.items() if name != each.name}
            yield each.name, {mistyped(each.name): 1, **others}


def test_every_callable_answers_a_mistyped_keyword():
    silent, count = [], 0
    for path, thing in callables():
        for name, keywords in slips(thing):
            count += 1
            try:
                thing(**keywords)
                said = "nothing"
            except DoltapError as error:
                said = str(error)
            except Exception as error:
                said = f"{type(error).__name__}: {error}"
            if f"Did you mean '{name}='" not in said:
                silent.append((path, name, said))
    assert not silent
    assert count > 600


# Those that programs call; the others are for classes of one's own to define or to build upon.
METHODS = "compile fit evaluate predict train_on_batch test_on_batch save save_weights load_weights summary"
METHODS += " get_layer set_weights add_weight"


def test_every_method_of_a_model_answers_a_mistyped_keyword():
    made, silent, count = model(), [], 0
    for name in METHODS.split():
        method = getattr(made, name)
        for keyword, keywords in slips(method):
            count += 1
            with pytest.raises(TypeError) as error:
                method(**keywords)
            if f"Did you mean '{keyword}='" not in str(error.value):
                silent.append((name, keyword, str(error.value)))
    assert not silent
    assert count > 40


def spaces():
    paths = {path.rpartition(".")[0] for path in NAMES if path.count(".") > 1}
    return sorted(path for path in paths if isinstance(found(path), types.ModuleType))


@pytest.mark.parametrize("path", ["keras", *spaces()])
def test_every_namespace_answers_a_mistyped_name(path):
    space = keras if path == "keras" else found(path)
    public = [name for name in getattr(space, "__all__", dir(space)) if len(name) > 4 and name[0] != "_"]
    assert public
    for name in public:
        if mistyped(name) in public:
            continue
        with pytest.raises(AttributeError, match="Did you mean"):
            getattr(space, mistyped(name))
