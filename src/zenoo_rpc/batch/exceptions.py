"""The exceptions of batches.

BatchError
|-- BatchValidationError      an operation that cannot be built; nothing was sent
|-- BatchStateError           a batch used out of turn: after its end, before its result
|-- StreamStoppedError        records were not read to their end; their outcomes were told before
`-- BatchExecutionError       the server did not take everything; carries the BatchResult
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from ..errors import UsageError, ZenooError

if TYPE_CHECKING:
    from .results import BatchResult


class BatchError(ZenooError):
    """Base of what can go wrong with a batch."""


class BatchValidationError(BatchError, UsageError, ValueError):
    """An operation that cannot be built as it stands; nothing was sent.

    *operation* names it (`create res.partner`), *index* is the record's place in what was given,
    None when the fault is not in one record.
    """

    def __init__(self, operation: str, reason: str, index: int | None = None) -> None:
        super().__init__(operation, reason, index)
        self.operation = operation
        self.reason = reason
        self.index = index

    def __str__(self) -> str:
        place = "" if self.index is None else f"record {self.index}: "
        return f"{self.operation}: {place}{self.reason}"


class BatchStateError(BatchError, UsageError):
    """A batch used out of turn: added to after its end, asked for a result before it."""


class BatchExecutionError(BatchError):
    """Not every record was applied; `result` says what became of each."""

    def __init__(self, result: BatchResult) -> None:
        super().__init__(result)
        self.result = result

    def __str__(self) -> str:
        return self.result.summary()


class StreamStoppedError(BatchError):
    """A stream of outcomes that ended before its records did; `__cause__` is the reason if known.

    *operation* names it (`create res.partner`), *counts* has how many outcomes of each status it
    told. The records that were not read were not sent.
    """

    def __init__(self, operation: str, counts: Mapping[str, int]) -> None:
        super().__init__(operation, dict(counts))
        self.operation = operation
        self.counts = dict(counts)

    def __str__(self) -> str:
        told = ", ".join(f"{count:,} {name}" for name, count in self.counts.items() if count)
        return (
            f"{self.operation}: not all of its records were read; of those that were: "
            f"{told or 'nothing'}. Those that were not read were not sent"
        )
