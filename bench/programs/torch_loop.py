"""The plain training loop that people write in PyTorch.

Batches are slices of tensors in memory: a DataLoader would be several times
slower on rows this small.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence

import numpy as np
import torch
from torch import nn

__all__ = ["dense_network", "epochs", "num_correct", "probabilities", "tensors", "validation_loss"]


def dense_network(sizes: Sequence[int]) -> nn.Sequential:
    """Layers from `sizes[0]` inputs to `sizes[-1]` outputs, ReLU between them.

    They start as Keras's do, so that what they have learned can be compared.
    """
    parts: list[nn.Module] = []
    for width_in, width_out in itertools.pairwise(sizes):
        layer = nn.Linear(width_in, width_out)
        nn.init.xavier_uniform_(layer.weight)
        nn.init.zeros_(layer.bias)
        parts += [layer, nn.ReLU()]
    return nn.Sequential(*parts[:-1])


def tensors(x: np.ndarray, labels: np.ndarray) -> tuple[torch.Tensor, torch.Tensor]:
    """The arrays as PyTorch wants them: float32 rows and int64 labels."""
    flat = torch.as_tensor(x.reshape(len(x), -1), dtype=torch.float32)
    return flat, torch.as_tensor(labels, dtype=torch.int64)


def num_correct(outputs: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    return (outputs.argmax(dim=1) == labels).sum()


def epochs(
    model: nn.Module,
    loss_function: nn.Module,
    optimizer: torch.optim.Optimizer,
    data: tuple[torch.Tensor, torch.Tensor],
    batch_size: int,
    measure: Callable[[torch.Tensor, torch.Tensor], torch.Tensor],
) -> Iterator[tuple[float, float]]:
    """Train without end; after each epoch, the mean loss and measure of its rows."""
    x, y = data
    while True:
        total_loss = total_measure = 0.0
        order = torch.randperm(len(x))
        for start in range(0, len(x), batch_size):
            rows = order[start : start + batch_size]
            inputs, labels = x[rows], y[rows]
            optimizer.zero_grad()
            outputs = model(inputs)
            loss = loss_function(outputs, labels)
            loss.backward()
            optimizer.step()
            total_loss += loss.item() * len(rows)
            total_measure += measure(outputs.detach(), labels).item()
        yield total_loss / len(x), total_measure / len(x)


def validation_loss(
    model: nn.Module, loss_function: nn.Module, data: tuple[torch.Tensor, torch.Tensor], batch_size: int
) -> tuple[float, float]:
    """The mean loss and accuracy on these rows."""
    x, y = data
    total_loss = total_correct = 0.0
    with torch.no_grad():
        for start in range(0, len(x), batch_size):
            inputs, labels = x[start : start + batch_size], y[start : start + batch_size]
            outputs = model(inputs)
            total_loss += loss_function(outputs, labels).item() * len(inputs)
            total_correct += num_correct(outputs, labels).item()
    return total_loss / len(x), total_correct / len(x)


def probabilities(model: nn.Module, x: np.ndarray) -> np.ndarray:
    """The chance of each class, (n, classes)."""
    with torch.no_grad():
        flat = torch.as_tensor(x.reshape(len(x), -1), dtype=torch.float32)
        return model(flat).softmax(dim=1).numpy()
