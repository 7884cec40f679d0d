"""What a model shows of itself: the table of its layers, its picture in a notebook, its report."""

from __future__ import annotations

import pathlib
from collections.abc import Callable
from typing import Any

from doltap import registry
from doltap.models import arguments, showing, telling
from doltap.models.trainer import Trainer

__all__ = ["Shown", "plot_model"]


class Shown(Trainer):
    """A model that can be looked at: the part of `Model` that tells people what it is."""

    @registry.explained
    def summary(
        self,
        line_length: int | None = None,
        positions: Any = None,
        print_fn: Callable[[str], Any] | None = None,
        expand_nested: bool = False,
        show_trainable: bool = False,
        layer_range: Any = None,
    ) -> None:
        """Print the table of layers, their output shapes and numbers of parameters.

        Args:
            line_length: columns of the table; None fits the terminal.
            positions: accepted and not needed; columns are as wide as they must be.
            print_fn: receives the text instead of the terminal.
            expand_nested: show the layers inside models too.
            show_trainable: a column that says which layers training moves.
            layer_range: names (or patterns) of the first and the last layer to show.
        """
        showing.summary(
            self,
            width=line_length,
            print_fn=print_fn,
            expand_nested=expand_nested,
            show_trainable=show_trainable,
            layer_range=layer_range,
        )

    @arguments.known_keywords
    def report(
        self,
        path: Any,
        x_test: Any = None,
        y_test: Any = None,
        history: Any = None,
        class_names: Any = None,
        language: str | None = None,
        title: str | None = None,
    ) -> pathlib.Path:
        """Write one page that tells what the model is, how it learned, how good it is and where it is wrong.

        The page is a file of its own, needs no network, and can be printed.

        Args:
            path: ends in ".html"; a page that is there is replaced once the new one is whole.
            x_test, y_test: rows the model was not trained on, as arrays; without
                them the page tells of the model and its training alone.
            history: what `fit` returned, or a dict; None takes that of the last `fit`.
            class_names: in the order of the class numbers; a dict by name for several outputs.
            language: "en" or "ko"; None goes by DOLTAP_LANG, then by the locale.
            title: stands on top instead of the model's name.

        Returns:
            The path.
        """
        return telling.judging.write_report(
            self,
            path,
            x_test,
            y_test,
            history=history,
            class_names=class_names,
            language=language,
            title=title,
        )

    def _repr_html_(self) -> str:
        return telling.picturing.as_html(self)


@arguments.known_keywords
def plot_model(
    model: Any,
    to_file: Any = "model.png",
    show_shapes: bool = False,
    show_dtype: bool = False,
    show_layer_names: bool = False,
    rankdir: str = "TB",
    expand_nested: bool = False,
    dpi: float = 200,
    show_layer_activations: bool = False,
    show_trainable: bool = False,
    splines: str = "ortho",
    show_parameters: bool = False,
) -> Any:
    """Draw the model to a file, and return the picture for notebooks to show.

    Graphviz is not needed. SVG is written without any other package, PNG and
    PDF by matplotlib.

    Args:
        to_file: a path that ends in ".png", ".svg" or ".pdf"; None writes no file.
        rankdir: "TB" from top to bottom, "BT", "LR" from left to right, or "RL".
        expand_nested: show what the models inside are made of, in frames.
        dpi: pixels of an inch, for PNG.
        show_layer_activations: name the activation of layers that have one.
        show_trainable: whether training moves the layer.
        splines: "line" and "polyline" draw lines with corners, the others with bends.
        show_parameters: the number of parameters; Keras has no such argument.
    """
    shows = {
        "names": bool(show_layer_names),
        "shapes": bool(show_shapes),
        "types": bool(show_dtype),
        "activations": bool(show_layer_activations),
        "parameters": bool(show_parameters),
        "trainable": bool(show_trainable),
    }
    return telling.picturing.draw(model, to_file, shows, rankdir, bool(expand_nested), dpi, splines)
