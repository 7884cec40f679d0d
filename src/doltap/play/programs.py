"""The Keras program that does what an experiment did, complete and ready to run.

Under doltap it comes to the same losses to the bit, as the engine's results do not
depend on the portions in which epochs are trained.
"""

from __future__ import annotations

import inspect
from typing import Any

from doltap.play.experiment import Experiment, head
from doltap.play.points import FEATURES
from doltap.play.refusals import told
from doltap.play.settings import OPTIMIZERS, Setup
from doltap.play.spellings import Marks
from doltap.play.tables import Choice, Table
from doltap.play.toys import TOYS

__all__ = ["program"]


def program(experiment: Experiment, language: str) -> str:
    """The text of the program.

    Args:
        language: of the comments, "en" or "ko".
    """
    setup, stages, table = experiment.setup, experiment.stages, experiment.table
    # The optimizer is made with the rate that came first.
    setup = setup.with_rate(stages[0][1]) if stages else setup
    parts = [
        _opening(setup, language),
        _table_lines(setup.choice, table, language) if setup.choice and table else _toy(setup, language),
        _split(setup, language),
        _network(setup, len(experiment.points.names), language),
        _training(experiment, language),
    ]
    return "\n\n".join(parts) + "\n"


def _comment(language: str, english: str, korean: str) -> str:
    return f"# {told(language, english, korean)}"


def _opening(setup: Setup, language: str) -> str:
    lines = [
        _comment(
            language,
            "From `doltap play`. Run it with Keras 3, or with doltap: doltap run program.py",
            "`doltap play`에서 만든 프로그램입니다. 케라스 3이나 돌탑으로 실행하세요: doltap run program.py",
        ),
        *(["import csv", ""] if setup.choice else []),
        "import keras",
        "import numpy as np",
        "",
        f"keras.utils.set_random_seed({setup.seed})",
        f"rng = np.random.default_rng({setup.seed})",
    ]
    return "\n".join(lines)


def _toy(setup: Setup, language: str) -> str:
    toy = TOYS[setup.data]
    return "\n".join(
        [
            "",
            inspect.getsource(toy).rstrip(),
            "",
            "",
            f"points, labels = {toy.__name__}(rng, {setup.count}, {setup.noise!r})",
        ]
    )


def _table_lines(choice: Choice, table: Table, language: str) -> str:
    skipped = "[1:]" if table.has_header else ""
    reader = f"csv.reader(file, delimiter={table.delimiter!r})"
    number, reading = _reading(table.marks)
    labels = _value_lines(choice, number) if choice.is_value else _class_lines(choice)
    lines = [
        *reading,
        f"with open({table.name!r}, encoding={table.encoding!r}, newline='') as file:",
        f"    rows = [row for row in {reader} if any(map(str.strip, row))]{skipped}",
        f"points = np.array([[{number}(row[{choice.x}]), {number}(row[{choice.y}])] for row in rows])",
        _comment(
            language,
            "Each column with mean 0 and spread 1: a network learns best from such numbers.",
            "열마다 평균 0, 표준편차 1로 맞춥니다. 신경망은 그런 숫자에서 가장 잘 배웁니다.",
        ),
        "points = (points - points.mean(axis=0)) / points.std(axis=0)",
        *labels,
    ]
    return "\n".join(lines)


def _reading(marks: Marks) -> tuple[str, list[str]]:
    """The name of the function that reads a number, and its text where it is none of Python's."""
    if marks == Marks():
        return "float", []
    taken = [(marks.group, ""), (marks.decimal, ".")]
    steps = "".join(f".replace({old!r}, {new!r})" for old, new in taken if old not in ("", new))
    return "number", ["", "def number(cell):", f"    return float(cell{steps})", "", ""]


def _class_lines(choice: Choice) -> list[str]:
    return [
        f"names = sorted({{row[{choice.label}].strip() for row in rows}})",
        f"labels = np.array([names.index(row[{choice.label}].strip()) for row in rows])",
    ]


def _value_lines(choice: Choice, number: str) -> list[str]:
    return [
        f"values = np.array([{number}(row[{choice.label}]) for row in rows])",
        "labels = (values - values.mean()) / values.std()",
    ]


def _split(setup: Setup, language: str) -> str:
    columns = ", ".join(FEATURES[name].text for name in setup.features)
    lines = [
        _comment(language, "What the network is told of each point.", "신경망이 점마다 받는 숫자입니다."),
        f"x = np.column_stack([{columns}])",
        "",
        _comment(
            language, "Some of the points are kept for the test.", "점 가운데 일부는 시험용으로 남겨 둡니다."
        ),
        "order = rng.permutation(len(points))",
        f"num_test = len(points) * {setup.test_percent} // 100",
        "test, train = order[:num_test], order[num_test:]",
    ]
    return "\n".join(lines)


def _network(setup: Setup, num_classes: int, language: str) -> str:
    units, activation, loss = head(setup, num_classes)
    penalty = f", kernel_regularizer=keras.regularizers.L2({setup.l2!r})" if setup.l2 else ""
    stack = [f"keras.Input(({len(setup.features)},)),"]
    for width in setup.layers:
        stack.append(f'keras.layers.Dense({width}, activation="{setup.activation}"{penalty}),')
        if setup.dropout:
            stack.append(f"keras.layers.Dropout({setup.dropout!r}),")
    last = f', activation="{activation}"' if activation else ""
    stack.append(f"keras.layers.Dense({units}{last}),")
    rule = OPTIMIZERS[setup.optimizer]
    lines = [
        "model = keras.Sequential(",
        "    [",
        *(f"        {line}" for line in stack),
        "    ]",
        ")",
        "model.compile(",
        f"    optimizer=keras.optimizers.{rule.kind}({_arguments(setup, rule.arguments)}),",
        f'    loss="{loss}",',
        *([] if setup.is_value else ['    metrics=["accuracy"],']),
        ")",
        "model.summary()",
    ]
    return "\n".join(lines)


def _arguments(setup: Setup, more: Any) -> str:
    given = {"learning_rate": setup.rate, **more}
    return ", ".join(f"{name}={value!r}" for name, value in given.items())


def _training(experiment: Experiment, language: str) -> str:
    setup = experiment.setup
    fit = f"model.fit(x[train], labels[train], batch_size={setup.batch_size}, epochs=%s, verbose=0)"
    stages = experiment.stages or [(100, setup.rate)]
    if len(stages) == 1:
        lines = [fit % stages[0][0]]
    else:
        lines = [
            _comment(
                language,
                "The learning rate was changed while the network learned.",
                "학습하는 동안 학습률을 바꾸었습니다.",
            ),
            f"for epochs, rate in {stages!r}:",
            "    model.optimizer.learning_rate = rate",
            f"    {fit % 'epochs'}",
        ]
    lines += [
        'print("train:", model.evaluate(x[train], labels[train], verbose=0))',
        'print("test:", model.evaluate(x[test], labels[test], verbose=0))',
    ]
    return "\n".join(lines)
