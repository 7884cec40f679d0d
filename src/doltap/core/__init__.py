"""What a weight and a layer are."""

from doltap.core.layer import Layer
from doltap.core.tensors import Rate, SymbolicTensor, Variable, lend

__all__ = ["Layer", "Rate", "SymbolicTensor", "Variable", "lend"]
