"""What a weight and a layer are."""

from doltap.core.graph import SymbolicTensor
from doltap.core.graph import SymbolicTensor as KerasTensor
from doltap.core.layer import Layer
from doltap.core.tensors import Rate, Variable, lend

__all__ = ["KerasTensor", "Layer", "Rate", "SymbolicTensor", "Variable", "lend"]
