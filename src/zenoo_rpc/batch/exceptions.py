"""The exceptions of batches, by the path that users know."""

from .errors import BatchError, BatchStateError, BatchValidationError, StreamStoppedError
from .results import BatchExecutionError

__all__ = [
    "BatchError",
    "BatchExecutionError",
    "BatchStateError",
    "BatchValidationError",
    "StreamStoppedError",
]
