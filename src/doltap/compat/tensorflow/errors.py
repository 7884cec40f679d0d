"""What goes wrong with tensors, under the names by which TensorFlow's programs catch it."""

from __future__ import annotations

from doltap.errors import DoltapError

__all__ = ["AbortedError", "AlreadyExistsError", "CancelledError", "DataLossError", "DeadlineExceededError"]
__all__ += ["FailedPreconditionError", "InternalError", "InvalidArgumentError", "NotFoundError", "OpError"]
__all__ += ["OutOfRangeError", "PermissionDeniedError", "ResourceExhaustedError", "UnauthenticatedError"]
__all__ += ["UnavailableError", "UnimplementedError", "UnknownError"]


class OpError(DoltapError):
    """The root of what an operation may raise."""

    @property
    def message(self) -> str:
        """What went wrong."""
        return str(self)


class InvalidArgumentError(OpError, ValueError):
    """An operation was given what it cannot take, such as shapes that do not go together."""


class OutOfRangeError(OpError):
    """There is no more, such as after the last batch."""


class NotFoundError(OpError, OSError):
    """A file or folder is not there."""


class AlreadyExistsError(OpError, OSError):
    """Something is there already."""


class FailedPreconditionError(OpError):
    """Something else has to come first."""


class UnimplementedError(OpError, NotImplementedError):
    """It is not there."""


class InternalError(OpError):
    """Raised by nothing here; for programs that catch it."""


class ResourceExhaustedError(OpError, MemoryError):
    """Raised by nothing here; for programs that catch it."""


class AbortedError(OpError):
    """Raised by nothing here; for programs that catch it."""


class CancelledError(OpError):
    """Raised by nothing here; for programs that catch it."""


class DataLossError(OpError):
    """Raised by nothing here; for programs that catch it."""


class DeadlineExceededError(OpError):
    """Raised by nothing here; for programs that catch it."""


class PermissionDeniedError(OpError):
    """Raised by nothing here; for programs that catch it."""


class UnauthenticatedError(OpError):
    """Raised by nothing here; for programs that catch it."""


class UnavailableError(OpError):
    """Raised by nothing here; for programs that catch it."""


class UnknownError(OpError):
    """Raised by nothing here; for programs that catch it."""
