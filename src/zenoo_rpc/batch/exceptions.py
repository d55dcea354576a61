"""The exceptions of batches.

BatchError
|-- BatchValidationError      an operation that cannot be built; nothing was sent
|-- BatchStateError           a batch used out of turn: after its end, before its result
|-- NotSentError              why a record was not sent that nothing was wrong with
|-- UnansweredError           why nothing is known of one that was sent: the batch was cut off
|-- StreamStoppedError        records were not read to their end; their outcomes were told before
`-- BatchExecutionError       the server did not take everything; carries the BatchResult
"""

from .errors import (
    BatchError,
    BatchStateError,
    BatchValidationError,
    NotSentError,
    StreamStoppedError,
    UnansweredError,
)
from .results import BatchExecutionError

__all__ = [
    "BatchError",
    "BatchExecutionError",
    "BatchStateError",
    "BatchValidationError",
    "NotSentError",
    "StreamStoppedError",
    "UnansweredError",
]
