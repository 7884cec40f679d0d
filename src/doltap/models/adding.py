"""What is added to the loss of a network, or followed, from outside its layers, as Keras 1 and 2 allowed.

It is written with symbolic tensors of the network; a call computes it beside
the outputs. Files do not hold it.
"""

from __future__ import annotations

from typing import Any

from doltap import ops
from doltap.core.graph import Graph, symbolic_leaves

__all__ = ["Added"]


class Added:
    """The network with further outputs, each of which is a loss or has a name to be followed under."""

    def __init__(self, graph: Graph, tensors: list[Any], names: list[str | None]) -> None:
        self.graph = Graph(graph.input_structure, [graph.output_structure, tensors])
        self.names = names

    @classmethod
    def of(cls, before: Added | None, graph: Graph, value: Any, name: str | None = None) -> Added:
        """What was added before, and the means of these symbolic tensors.

        Args:
            name: what it is followed under; None for a loss.
        """
        tensors = list(before.graph.output_structure[1]) if before else []
        means = [ops.mean(tensor) if tensor.ndim else tensor for tensor in symbolic_leaves(value)]
        names = [*(before.names if before else ()), *[name] * len(means)]
        return cls(graph, [*tensors, *means], names)

    def run(self, values: Any, layer: Any) -> Any:
        """The outputs of the network for values of its inputs; the layer is told the rest."""
        outputs, found = self.graph.run(values)
        for name, value in zip(self.names, found, strict=True):
            if name is None:
                layer.add_loss(value)
            else:
                layer.add_metric(value, name)
        return outputs
