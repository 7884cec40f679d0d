"""Pictures of models: files that `plot_model` writes, and what a notebook shows of a model."""

from __future__ import annotations

import html
import os
from typing import Any

from doltap.core.layer import Layer
from doltap.errors import DataError, NotSupportedError, ShapeError, UnknownNameError, printable
from doltap.files import writing
from doltap.models.telling.describing import knows_shapes, network_of
from doltap.reporting import diagram
from doltap.reporting.diagram.layout import Drawing
from doltap.reporting.diagram.record import Network, Part, Shows, facts_of, title_of

__all__ = ["Picture", "as_html", "draw"]

_ENDINGS = (".png", ".svg", ".pdf")
_DIRECTIONS = ("TB", "BT", "LR", "RL")
_SPLINES = {"ortho": False, "curved": False, "spline": False, "polyline": True, "line": True}
# More boxes than this are no picture that anybody reads in a notebook; the list is.
_MOST_BOXES = 120


class Picture:
    """A drawing of a model, which notebooks show; `svg` is its text."""

    def __init__(self, svg: str) -> None:
        self.svg = svg

    def _repr_html_(self) -> str:
        return _framed(self.svg)

    def __repr__(self) -> str:
        return f"<Picture, {len(self.svg):,} letters of SVG>"


def draw(
    model: Any,
    to_file: Any,
    shows: dict[str, Any],
    rankdir: str,
    is_expanded: bool,
    dpi: float,
    splines: str,
) -> Picture:
    """Draw the model, as `plot_model` says.

    Args:
        shows: what is said of each part, as `Shows` has it.
    """
    _check_is_model(model)
    form, path = _target(to_file)
    _check_choices(rankdir, splines, dpi)
    _check_drawable(model)
    if form in ("png", "pdf"):
        diagram.raster.check_ready()
    if path is not None:
        writing.check_writable(path)
    network = network_of(model, is_expanded=is_expanded)
    drawing = diagram.layout.laid_out(network, Shows(**shows), rankdir)
    is_straight = _SPLINES[splines]
    if path is not None:
        writing.write_aside(path, lambda aside: _write(drawing, aside, form, dpi, is_straight))
    return Picture(diagram.svg.as_svg(drawing, is_straight=is_straight))


def as_html(model: Any) -> str:
    """What a notebook shows of the model: its picture, or its layers where that is not possible."""
    is_built = knows_shapes(model)
    network = network_of(model, is_expanded=True)
    if not is_built or not network.parts or _num_boxes(network) > _MOST_BOXES:
        return _listed(network, is_built=is_built)
    return _framed(diagram.svg.as_svg(diagram.layout.laid_out(network)))


def _write(drawing: Drawing, path: Any, form: str, dpi: float, is_straight: bool) -> None:
    if form == "svg":
        path.write_text(diagram.svg.as_svg(drawing, is_alone=True, is_straight=is_straight), encoding="utf-8")
    else:
        diagram.raster.save(drawing, path, form, dpi, is_straight=is_straight)


def _target(to_file: Any) -> tuple[str, str | None]:
    """The form of the file and its path."""
    if to_file is None:
        return "svg", None
    example = "plot_model(model, 'model.svg')"
    path = writing.checked_path(to_file, "plot_model(to_file)", example, _ENDINGS)
    return os.path.splitext(path)[1].lower().removeprefix("."), path


def _check_choices(rankdir: str, splines: str, dpi: Any) -> None:
    if rankdir not in _DIRECTIONS:
        raise UnknownNameError.of("plot_model(rankdir)", rankdir, _DIRECTIONS)
    if splines not in _SPLINES:
        raise UnknownNameError.of("plot_model(splines)", splines, _SPLINES)
    if isinstance(dpi, bool) or not isinstance(dpi, (int, float)) or not 1 <= dpi <= 2400:
        raise DataError(
            "plot_model(dpi)",
            expected="pixels of an inch, 1 to 2400",
            got=repr(dpi),
            fix="For example dpi=200.",
        )


def _check_is_model(model: Any) -> None:
    if hasattr(model, "_graph"):
        return
    is_layer = isinstance(model, Layer)
    raise NotSupportedError(
        "plot_model(model)",
        expected="a model",
        got=f"a {type(model).__name__}",
        fix="Draw the model that the layer stands in, or keras.Sequential([layer])."
        if is_layer
        else "For example plot_model(model, 'model.svg').",
    )


def _check_drawable(model: Any) -> None:
    if not knows_shapes(model):
        raise ShapeError(
            f"model '{model.name}'",
            expected="to know the shape of its input before it is drawn",
            got="none so far",
            fix="Begin with Input(shape=...), or call model.build(input_shape) or fit.",
        )


def _num_boxes(network: Network) -> int:
    return sum(1 + (_num_boxes(part.inner) if part.inner else 0) for part in network.parts)


def _framed(svg: str) -> str:
    """A picture that may be scrolled, and is no wider than the page."""
    return f'<div style="max-height:640px;overflow:auto">{svg}</div>'


def _listed(network: Network, *, is_built: bool) -> str:
    """The layers as a table."""
    state = "" if is_built else ", not built yet"
    head = f"<b>{_text(network.name)}</b>: {len(network.parts)} layers{state}"
    rows = "".join(_row(part) for part in network.parts)
    return (
        f'<div style="max-height:640px;overflow:auto"><p>{head}</p>'
        f'<table><thead><tr><th scope="col">layer</th><th scope="col">facts</th></tr></thead>'
        f"<tbody>{rows}</tbody></table></div>"
    )


def _row(part: Part) -> str:
    shows = Shows()
    facts = "; ".join(f"{label} {said}" for label, said in facts_of(part, shows))
    return f'<tr><th scope="row">{_text(title_of(part, shows))}</th><td>{_text(facts)}</td></tr>'


def _text(text: str) -> str:
    return html.escape(printable(text, 200))
