"""What a layer could be asked in Keras 1 and 2: where its inputs and outputs are, call by call."""

from __future__ import annotations

from typing import Any

import jax

from doltap import old_names
from doltap.errors import MissingAttributeError

__all__ = ["OldWays", "old_attribute"]


class OldWays:
    """The questions to a layer that are asked otherwise today, for `Layer` to answer."""

    # Whether it is called with a dict of the columns of a table: so is a Sequential that begins with it.
    takes_tables = False
    name: str
    nodes: list[Any]

    def get_input_at(self, node_index: int) -> Any:
        """The symbolic input of a call on symbolic tensors, counted from 0."""
        return _node(self, node_index).arguments[0]

    def get_output_at(self, node_index: int) -> Any:
        """The symbolic output of a call on symbolic tensors, counted from 0."""
        return _node(self, node_index).outputs

    def get_input_shape_at(self, node_index: int) -> Any:
        """The shape of that input, batch first."""
        return _shapes(self.get_input_at(node_index))

    def get_output_shape_at(self, node_index: int) -> Any:
        """The shape of that output, batch first."""
        return _shapes(self.get_output_at(node_index))


def _node(layer: Any, number: int) -> Any:
    if not -len(layer.nodes) <= number < len(layer.nodes):
        raise MissingAttributeError(
            f"layer '{layer.name}'",
            expected=f"a call among its {len(layer.nodes)} on symbolic tensors",
            got=str(number),
            fix="They are counted from 0.",
        )
    return layer.nodes[number]


def _shapes(tensors: Any) -> Any:
    return jax.tree.map(lambda tensor: tensor.shape, tensors)


def old_attribute(layer: Any, name: str) -> tuple[bool, Any]:
    """Whether the layer has what was called so, and what it is."""
    path = old_names.ATTRIBUTES["layer"].get(name)
    if name == "updates":
        # As in TensorFlow 2: what is assigned beside training is assigned in the call.
        return True, []
    if path is None:
        return False, None
    first, _, is_shape = path.partition(".")
    if first not in vars(layer) and not hasattr(type(layer), first) and first not in layer.initial:
        return False, None
    old_names.note("attribute", f"layer.{name}", f"layer.{path}")
    found = getattr(layer, first)
    return True, _shapes(found) if is_shape else found
