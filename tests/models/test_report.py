"""model.report: what it tells of models of every kind, and what it says before any work."""

import re
import subprocess
import sys
import time

import numpy as np
import pytest

import doltap as keras
from doltap import layers
from doltap.errors import DoltapError
from doltap.models.telling import answering

CHANCE = np.random.default_rng(0)


def dense(width, output, loss, curve=None, rows=60, **more):
    model = keras.Sequential([keras.Input((width,)), layers.Dense(8, "relu"), layers.Dense(output, curve)])
    model.compile(keras.optimizers.SGD(0.05), loss=loss, **more)
    return model


def three_kinds(rows=90):
    x = CHANCE.normal(size=(rows, 4))
    return x, x[:, :3].argmax(1)


@pytest.fixture(scope="module")
def trained():
    keras.utils.set_random_seed(0)
    x, y = three_kinds()
    model = dense(4, 3, "sparse_categorical_crossentropy", "softmax", metrics=["accuracy"])
    model.fit(x, y, epochs=3, validation_split=0.2, verbose=0)
    return model, x, y


def written(path):
    return path.read_text(encoding="utf-8")


def numbers_of(page, row, table=""):
    """The cells of the row that begins with this text, in the table of this name."""
    page = page.partition(f"<caption>{table}")[2]
    found = re.search(rf'scope="row">{re.escape(row)}</th>(.*?)</tr>', page)
    return re.findall(r"<td[^>]*>(.*?)</td>", found.group(1))


def test_a_classifier_is_told_with_its_scores(tmp_path, trained):
    model, x, y = trained
    path = model.report(tmp_path / "report.html", x, y, class_names=["red", "green", "blue"], language="en")
    page = written(path)
    assert path == tmp_path / "report.html"
    sections = re.findall(r'<section id="(\w+)">', page)
    assert sections == ["model", "learning", "quality", "mistakes", "insides", "diagnosis", "again"]
    accuracy = model.evaluate(x, y, verbose=0)[1]
    assert numbers_of(page, "Accuracy") == [f"{100 * accuracy:.2f}%"]
    guess = model.predict(x, verbose=0).argmax(1)
    recall = np.mean(guess[y == 1] == 1)
    assert numbers_of(page, "green", "Class by class")[1] == f"{recall:.3f}"
    assert numbers_of(page, "Training rows") == ["72"]
    for said in ("val_accuracy", "kernel", "SGD(learning_rate=0.05", "sparse_categorical_crossentropy"):
        assert said in page
    assert len(page) < 300_000


@pytest.mark.slow
def test_a_report_on_ten_thousand_pictures_is_five_seconds_of_two_cores(tmp_path):
    x = np.cumsum(CHANCE.normal(size=(10_000, 28, 28)), 2).astype(np.float32)
    dense = layers.Dense
    model = keras.Sequential(
        [keras.Input((28, 28)), layers.Flatten(), dense(300, "relu"), dense(10, "softmax")]
    )
    model.compile(loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    # What the processor did, which does not depend on who else works on the machine.
    began = time.process_time()
    page = model.report(tmp_path / "a.html", x, CHANCE.integers(0, 10, 10_000))
    assert time.process_time() - began < 2 * 5
    assert page.stat().st_size < 2_000_000


def test_a_report_is_the_first_thing_that_a_program_does(tmp_path):
    # What other tests have loaded may hide that something is missing.
    program = """
import doltap as keras
model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
model.compile(loss="mse")
model.report("a.html", [[1.0, 2.0], [3.0, 4.0]], [1.0, 2.0])
keras.utils.plot_model(model, "a.svg")
model._repr_html_()
"""
    subprocess.run([sys.executable, "-W", "error", "-c", program], cwd=tmp_path, check=True)
    assert {each.name for each in tmp_path.iterdir()} == {"a.html", "a.svg"}


def test_a_report_leaves_the_model_as_it_was(tmp_path, trained):
    model, x, y = trained
    before = model.get_weights(), model.history, model.epochs_trained
    model.report(tmp_path / "report.html", x, y)
    assert all(map(np.array_equal, before[0], model.get_weights()))
    assert before[1:] == (model.history, model.epochs_trained)


def test_what_needs_no_data_is_told_without(tmp_path, trained):
    page = written(trained[0].report(tmp_path / "report.html", language="en"))
    assert "No test data was passed" in page
    assert "val_accuracy" in page


def test_curves_come_from_what_is_passed(tmp_path, trained):
    model, x, y = trained
    page = written(model.report(tmp_path / "a.html", x, y, history={"other": [3.0, 2.5]}, language="en"))
    assert numbers_of(page, "other") == ["3", "2.5", "2.5", "2"]
    assert "val_accuracy" not in page.partition('<section id="quality">')[0]
    page = written(
        model.report(tmp_path / "b.html", x, y, history=model.history, title="Mine <3", language="en")
    )
    assert "<h1>Mine &lt;3</h1>" in page
    assert "val_accuracy" in page


def test_a_history_that_was_read_from_a_file_is_told_with_its_gaps(tmp_path, trained):
    history = {"loss": [3.0, None, 2.0], "val_loss": [None] * 3, "note": ["a", "b", "c"]}
    page = written(trained[0].report(tmp_path / "a.html", history=history, language="en"))
    assert numbers_of(page, "loss", "What was measured") == ["3", "2", "2", "3"]
    assert "note" not in page.partition("What was measured")[2].partition("</table>")[0]


def test_a_history_may_be_a_table(tmp_path, trained):
    pandas = pytest.importorskip("pandas")
    table = pandas.DataFrame({"epoch": [0, 1], "loss": [3.0, 2.0]})
    page = written(trained[0].report(tmp_path / "a.html", history=table, language="en"))
    assert numbers_of(page, "loss", "What was measured") == ["3", "2", "2", "2"]
    assert 'scope="row">epoch' not in page


@pytest.mark.parametrize(
    "names",
    [
        ("red", "green", "blue"),
        {2: "blue", 0: "red", 1: "green"},
        {"blue": 2, "red": np.int64(0), "green": 1},
    ],
)
def test_names_of_classes_may_be_a_dict_by_number_or_to_numbers(tmp_path, trained, names):
    model, x, y = trained
    page = written(model.report(tmp_path / "a.html", x, y, class_names=names, language="en"))
    recall = np.mean(model.predict(x, verbose=0).argmax(1)[y == 2] == 2)
    assert numbers_of(page, "blue", "Class by class")[1] == f"{recall:.3f}"


def test_a_class_without_a_name_has_its_number(tmp_path, trained):
    page = written(
        trained[0].report(tmp_path / "a.html", *trained[1:], class_names=["", "b", "c"], language="en")
    )
    assert numbers_of(page, "0", "Class by class")


def test_the_language_is_the_one_that_is_asked_for(tmp_path, trained, monkeypatch):
    model, x, y = trained
    monkeypatch.setenv("DOLTAP_LANG", "ko")
    korean = written(model.report(tmp_path / "a.html", x, y))
    assert '<html lang="ko">' in korean
    assert "혼동 행렬" in korean
    assert '<html lang="en">' in written(model.report(tmp_path / "b.html", x, y, language="en"))


@pytest.mark.parametrize(("curve", "is_logits"), [("sigmoid", False), (None, True)])
def test_yes_or_no_has_a_roc_curve_and_names(tmp_path, curve, is_logits):
    x, _ = three_kinds()
    y = (x[:, 0] > 0).astype(int)
    loss = keras.losses.BinaryCrossentropy(from_logits=is_logits)
    model = dense(4, 1, loss, curve)
    model.fit(x, y, epochs=5, verbose=0)
    page = written(model.report(tmp_path / "a.html", x, y, class_names=["cat", "dog"], language="en"))
    metrics = pytest.importorskip("sklearn.metrics")
    area = metrics.roc_auc_score(y, model.predict(x, verbose=0))
    assert f"(AUC) is {area:.4f}" in page
    assert "Calibration" in page
    assert numbers_of(page, "dog", "Class by class")[3] == str(y.sum())


def test_logits_become_shares(tmp_path):
    x, y = three_kinds()
    model = dense(4, 3, keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    model.fit(x, y, epochs=1, verbose=0)
    rows = model._labelled(x, y, None, "", "test")
    (answer,) = answering.answers_of(
        answering.outlines_of(model, rows, None, "en"), model.predict(x, verbose=0)
    )
    np.testing.assert_allclose(answer.guess.sum(1), 1, rtol=1e-5)
    assert answer.task == "classes"


TASKS = [
    # loss, activation, width of the output, labels, task
    ("mse", None, 1, lambda x: x.sum(1), "numbers"),
    ("mse", None, 2, lambda x: x[:, :2], "numbers"),
    ("mse", "sigmoid", 1, lambda x: (x[:, :1] > 0) * 1, "yes_no"),
    ("hinge", "tanh", 1, lambda x: np.sign(x[:, :1]), "yes_no"),
    ("binary_crossentropy", "sigmoid", 3, lambda x: (x[:, :3] > 0) * 1, "labels"),
    ("binary_crossentropy", "sigmoid", 3, lambda x: np.eye(3)[x[:, :3].argmax(1)], "classes"),
    ("categorical_crossentropy", "softmax", 3, lambda x: np.eye(3)[x[:, :3].argmax(1)], "classes"),
    ("mse", "softmax", 3, lambda x: np.eye(3)[x[:, :3].argmax(1)], "classes"),
    ("sparse_categorical_crossentropy", "softmax", 3, lambda x: x[:, :3].argmax(1)[:, None], "classes"),
    ("poisson", "exponential", 1, lambda x: np.abs(x[:, 0]).round(), "numbers"),
]


@pytest.mark.parametrize(("loss", "curve", "width", "labels", "task"), TASKS)
def test_what_the_labels_mean_follows_from_loss_and_labels(tmp_path, loss, curve, width, labels, task):
    x, _ = three_kinds()
    model, y = dense(4, width, loss, curve), labels(x)
    rows = model._labelled(x, y, None, "", "test")
    (outline,) = answering.outlines_of(model, rows, None, "en")
    assert outline.task == task
    page = written(model.report(tmp_path / "a.html", x, y, language="en"))
    shown = {"numbers": "R²", "yes_no": "ROC curve", "labels": "Label by label", "classes": "Class by class"}
    assert shown[task] in page
    assert not [other for kind, other in shown.items() if kind not in (task, "classes") and other in page]
    assert ("Calibration" in page) == (task in ("yes_no", "classes") and loss != "hinge")


def test_errors_of_numbers_are_told_for_every_output(tmp_path):
    x, _ = three_kinds()
    y = x[:, :2] * 10
    model = dense(4, 2, "mse")
    model.fit(x, y, epochs=2, verbose=0)
    page = written(model.report(tmp_path / "a.html", x, y, language="en"))
    metrics = pytest.importorskip("sklearn.metrics")
    guess = model.predict(x, verbose=0)
    mae = metrics.mean_absolute_error(y[:, 1], guess[:, 1])
    assert float(numbers_of(page, "Number 2")[1]) == pytest.approx(mae, rel=1e-3)
    assert page.count("How the residuals are distributed") >= 2
    assert "with the largest errors" in page


def test_numbers_have_the_names_of_the_columns_of_the_truth(tmp_path):
    pandas = pytest.importorskip("pandas")
    x, _ = three_kinds()
    model = dense(4, 3, "mse")
    truth = pandas.DataFrame(x[:, :3], columns=["p", "<q>", 7])
    page = written(model.report(tmp_path / "a.html", x, truth, language="en"))
    for name in ("p", "&lt;q&gt;", "7"):
        assert f'<th scope="row">{name}</th>' in page
        assert f"<h4>{name}</h4>" in page
    assert "Number 1" not in page
    page = written(model.report(tmp_path / "b.html", x, x[:, :3], language="en"))
    assert "<h4>Number 1</h4>" in page


def test_one_hot_columns_are_the_names_of_the_classes(tmp_path):
    pandas = pytest.importorskip("pandas")
    x, y = three_kinds()
    truth = pandas.get_dummies(pandas.Series(np.array(["ant", "bee", "cow"])[y]))
    model = dense(4, 3, "categorical_crossentropy", "softmax")
    page = written(model.report(tmp_path / "a.html", x, truth, language="en"))
    assert numbers_of(page, "bee", "Class by class")[3] == str((y == 1).sum())


def test_one_of_a_thing_is_told_in_the_singular(tmp_path):
    model = keras.Sequential([keras.Input((1,)), layers.Dense(1, use_bias=False, name="only")])
    model.set_weights([np.full((1, 1), np.nan)])
    page = written(model.report(tmp_path / "a.html", history={"loss": [1.0]}, language="en"))
    assert "1 layer with 1 parameter, 1 of which is trained." in page
    assert "1 is NaN or infinite" in page
    assert "in 1 epoch." in page


def test_an_autoencoder_of_pictures_is_judged_by_its_numbers(tmp_path):
    x = np.cumsum(np.cumsum(CHANCE.normal(size=(30, 8, 8)), 1), 2)
    model = keras.Sequential(
        [keras.Input((8, 8)), layers.Flatten(), layers.Dense(4), layers.Dense(64), layers.Reshape((8, 8))]
    )
    model.compile(loss="mse")
    page = written(model.report(tmp_path / "a.html", x, x, language="en"))
    assert "R²" in page
    assert page.count("data:image/png") == 24 + 1


def test_mistakes_on_pictures_are_pictures_and_the_first_layer_is_shown(tmp_path):
    digits = pytest.importorskip("sklearn.datasets").load_digits()
    model = dense(64, 10, "sparse_categorical_crossentropy", "softmax")
    model.fit(digits.data / 16, digits.target, epochs=1, verbose=0)
    page = written(model.report(tmp_path / "a.html", digits.data / 16, digits.target, language="en"))
    assert page.count("<figure><img src=") == 24
    assert 'class="filters"' in page
    assert re.search(r'alt="Test row \d+: \d taken for \d, \d+%"', page)


def test_rows_of_a_table_have_the_names_of_their_columns(tmp_path):
    pandas = pytest.importorskip("pandas")
    x, y = three_kinds()
    frame = pandas.DataFrame(x, columns=["length", "width <cm>", "height", "weight"])
    model = dense(4, 3, "sparse_categorical_crossentropy", "softmax")
    model.fit(frame, y, verbose=0)
    page = written(model.report(tmp_path / "a.html", frame, pandas.Series(y), language="en"))
    assert ">width &lt;cm&gt;</th>" in page
    assert "data:image" not in page


def two_headed():
    one, other = keras.Input((4,), name="one"), keras.Input((2,), name="other")
    joined = layers.Concatenate()([layers.Dense(5, name="first")(one), other])
    outputs = {
        "kind": layers.Dense(3, "softmax", name="kind")(joined),
        "size": layers.Dense(1, name="size")(joined),
    }
    model = keras.Model([one, other], outputs)
    model.compile(loss={"kind": "sparse_categorical_crossentropy", "size": "mse"})
    return model


def test_several_inputs_and_outputs_are_each_told(tmp_path):
    model = two_headed()
    x, y = [CHANCE.normal(size=(30, 4)), CHANCE.normal(size=(30, 2))], CHANCE.integers(0, 3, 30)
    labels = {"kind": y, "size": CHANCE.normal(size=30)}
    names = {"kind": ["a", "b", "c"]}
    page = written(model.report(tmp_path / "a.html", x, labels, class_names=names, language="en"))
    assert "<h3>Output kind</h3>" in page
    assert "<h3>Output size</h3>" in page
    assert ">one x0</th>" in page
    page = written(model.report(tmp_path / "b.html", x, labels, class_names=["a", "b", "c"], language="en"))
    assert 'scope="row">b</th>' in page
    with pytest.raises(DoltapError, match="Did you mean 'kind'"):
        model.report(tmp_path / "c.html", x, labels, class_names={"knid": ["a", "b", "c"]})


class Own(keras.Model):
    def __init__(self):
        super().__init__()
        self.hidden, self.last = layers.Dense(4, "relu"), layers.Dense(3, "softmax")

    def call(self, inputs):
        return self.last(self.hidden(inputs))


def test_a_class_of_ones_own_is_told_without_links(tmp_path):
    x, y = three_kinds()
    model = Own()
    model.compile(loss="sparse_categorical_crossentropy")
    model.fit(x, y, verbose=0)
    page = written(model.report(tmp_path / "a.html", x, y, language="en"))
    assert "without links" in page
    assert "Class by class" in page


def test_words_in_front_of_a_network_are_shown_as_they_came(tmp_path):
    lookup = layers.StringLookup(vocabulary=["a", "b"], output_mode="one_hot")
    model = keras.Sequential([keras.Input((1,), dtype="string"), lookup, layers.Dense(1)])
    model.compile(loss="mse")
    x = np.array([["a"], ["b"], ["a"]], object)
    page = written(model.report(tmp_path / "a.html", x, np.arange(3.0), language="en"))
    assert '<td class="number">b</td>' in page


def test_a_layer_of_which_nothing_is_trained_is_told_so(tmp_path):
    scaled, frozen = layers.Normalization(name="scaled"), layers.Dense(2, trainable=False, name="frozen")
    scaled.adapt(three_kinds()[0])
    model = keras.Sequential([keras.Input((4,)), scaled, frozen, layers.Dense(1, name="free")])
    page = written(model.report(tmp_path / "a.html", language="en"))
    trained = {name: numbers_of(page, name, "Layers")[-1] for name in ("scaled", "frozen", "free")}
    assert trained == {"scaled": "no", "frozen": "no", "free": "yes"}


def test_the_findings_of_the_diagnosis_are_told(tmp_path):
    x, y = three_kinds()
    model = dense(4, 3, "sparse_categorical_crossentropy", "softmax")
    history = model.fit(x, y, epochs=2, verbose=0)
    history.findings = []
    page = written(model.report(tmp_path / "a.html", x, y, language="en"))
    assert "Nothing was found that would keep the model from learning" in page
    assert "Vital signs of the layers" in page


def test_findings_are_told_in_the_language_of_the_report(tmp_path, monkeypatch):
    monkeypatch.setenv("DOLTAP_LANG", "en")
    x, _ = three_kinds()
    model = dense(4, 3, "sparse_categorical_crossentropy", "softmax")
    history = model.fit(x, np.zeros(len(x), int), epochs=2, verbose=0, diagnose=True)
    assert [one.name for one in history.findings] == ["constant_labels"]
    for language in ("en", "ko"):
        page = written(model.report(tmp_path / "a.html", x, np.zeros(len(x), int), language=language))
        assert ("nothing to tell apart" in page, "구별할 것이 없습니다" in page) == (
            language == "en",
            language == "ko",
        )


BAD = [
    ({"path": "report.pdf"}, "ends in .html"),
    ({"path": "report.htlm"}, "Did you mean 'report.html'?"),
    ({"path": "report"}, "Did you mean 'report.html'?"),
    ({"path": 3}, "model.report(path): expected the path of a file, as text"),
    ({"path": None}, "got None.\n  For example model.report('report.html', x_test, y_test)."),
    ({"path": "no/such/report.html"}, "a folder that is there"),
    ({"y_test": None}, "y_test: expected both"),
    ({"x_test": None}, "x_test: expected both"),
    ({"x_test": np.zeros((90, 5))}, "4 features"),
    ({"y_test": np.zeros(7, int)}, "rows"),
    ({"y_test": np.full(90, 9)}, "class numbers from 0 to 2"),
    ({"class_names": 3}, "3 names, one for each class, got 3"),
    ({"class_names": "abc"}, "3 names, one for each class, got 'abc'"),
    ({"class_names": {0: "a", 2: "c"}}, "3 names, one for each class, got 2"),
    ({"class_names": ["a", "b"]}, "3 names, one for each class, got 2"),
    ({"x_test": None, "y_test": None, "class_names": ["a"]}, "class_names: expected test data"),
    ({"history": 3}, "what fit returned"),
    ({"history": {"loss": 3.0}}, "what fit returned"),
    ({"language": "french"}, "language"),
    ({"x_test": iter([])}, "arrays, whose rows can be shown"),
    ({"classnames": ["a"]}, "class_names="),
]


@pytest.mark.parametrize(("given", "said"), BAD)
def test_what_is_wrong_is_said_before_any_work(tmp_path, monkeypatch, trained, given, said):
    monkeypatch.chdir(tmp_path)
    model, x, y = trained
    monkeypatch.setattr(answering, "predicted", lambda *given: pytest.fail("it has begun to work"))
    with pytest.raises(DoltapError, match=re.escape(said)):
        model.report(**{"path": "report.html", "x_test": x, "y_test": y, **given})
    assert not list(tmp_path.iterdir())


def test_a_model_that_is_not_compiled_is_told_of_as_far_as_it_goes(tmp_path):
    model = keras.Sequential([keras.Input((2,)), layers.Dense(1, name="only")])
    page = written(model.report(tmp_path / "a.html", language="en"))
    assert "only (Dense)" in page
    assert "How it was compiled" not in page
    with pytest.raises(DoltapError, match="a compiled model"):
        model.report(tmp_path / "b.html", np.ones((3, 2)), np.ones(3))


@pytest.mark.parametrize("is_compiled", [True, False])
def test_a_model_that_is_not_built_is_refused_with_what_builds_it(tmp_path, is_compiled):
    model = keras.Sequential([layers.Dense(1)])
    if is_compiled:
        model.compile(loss="mse")
    with pytest.raises(DoltapError, match=r"to be built .*\n.*Input\(shape"):
        model.report(tmp_path / "a.html")


def test_predictions_that_are_no_numbers_are_named_with_the_layer(tmp_path):
    x, y = three_kinds()
    model = dense(4, 3, "sparse_categorical_crossentropy", "softmax")
    weights = model.get_weights()
    model.set_weights([np.full_like(weights[0], np.nan), *weights[1:]])
    name = model.layers[0].name
    said = f"NaN or infinity for 90 of 90 rows, first row 0.\n.*'{name}'"
    with pytest.raises(DoltapError, match=f"{said}.* model.report\\(path\\) without test data shows"):
        model.report(tmp_path / "a.html", x, y)
    assert not list(tmp_path.iterdir())
    page = written(model.report(tmp_path / "a.html", language="en"))
    assert "No test data was passed" in page


def test_a_report_that_is_there_stays_until_the_new_one_is_whole(tmp_path, trained, monkeypatch):
    model, x, y = trained
    path = tmp_path / "report.html"
    path.write_text("before")

    def fail(*given, **named):
        raise KeyboardInterrupt

    monkeypatch.setattr(model, "evaluate", fail)
    with pytest.raises(KeyboardInterrupt):
        model.report(path, x, y)
    assert path.read_text() == "before"
    assert [each.name for each in tmp_path.iterdir()] == ["report.html"]
