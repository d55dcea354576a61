"""The exceptions of batches but for that which carries a result; `exceptions` draws them all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..errors import UsageError, ZenooError

SHOWN = 5  # bad records in the text of an error
NOTHING = "nothing was sent"
UNREAD = "not all of its records were read"


class BatchError(ZenooError):
    """Base of what can go wrong with a batch."""


class BatchValidationError(BatchError, UsageError, ValueError):
    """An operation that cannot be built as it stands; nothing was sent.

    *operation* names it (`create res.partner`, with its place if others were checked beside it:
    `create res.partner (operation 2)`), *index* is the record's place in what was given,
    None when the fault is not in one record. Of several bad records they are those of the first,
    and `errors` has one error for each. That of one record of a stream is told as its outcome, as
    others are on their way; only the text of what stands for a whole list says that nothing was
    sent.
    """

    def __init__(
        self,
        operation: str,
        reason: str,
        index: int | None = None,
        errors: Sequence[BatchValidationError] = (),
    ) -> None:
        super().__init__(operation, reason, index, tuple(errors))
        self.operation = operation
        self.reason = reason
        self.index = index
        self._errors = tuple(errors)

    @staticmethod
    def together(errors: Sequence[BatchValidationError]) -> BatchValidationError:
        """Return one error that tells of all bad records, and that nothing was sent."""
        first = errors[0]
        return BatchValidationError(first.operation, first.reason, first.index, errors)

    def of_operation(self, place: int) -> BatchValidationError:
        """Return the same error, which tells the place of its operation in the batch."""
        return BatchValidationError(
            f"{self.operation} (operation {place})", self.reason, self.index
        )

    @property
    def errors(self) -> tuple[BatchValidationError, ...]:
        """One error for each bad record, in their order."""
        return self._errors or (self,)

    def __str__(self) -> str:
        alike = len({each.operation for each in self.errors}) == 1
        told = [each._told if alike else f"{each.operation}: {each._told}" for each in self.errors]
        if len(told) == 1:
            return f"{self.operation}: {told[0]}{f' ({NOTHING})' if self._errors else ''}"
        of = f"{self.operation}: " if alike else ""
        lines = [f"{of}{len(told):,} records cannot be sent ({NOTHING})", *told[:SHOWN]]
        if len(told) > SHOWN:
            lines.append(f"... and {len(told) - SHOWN:,} more in error.errors")
        return "\n  ".join(lines)

    @property
    def _told(self) -> str:
        return self.reason if self.index is None else f"record {self.index}: {self.reason}"


class BatchStateError(BatchError, UsageError):
    """A batch used out of turn: added to after its end, asked for a result before it."""


class NotSentError(BatchError):
    """Why a record was not sent that nothing was wrong with: its batch had ended, and *reason* why.

    `__cause__` is what ended it, where that is an error.
    """

    def __init__(self, reason: str, cause: BaseException | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.__cause__ = cause


class UnansweredError(BatchError):
    """Why nothing is known of a record that was sent: its batch was cut off before an answer came.

    *reason* and `__cause__` as of a NotSentError.
    """

    def __init__(self, reason: str, cause: BaseException | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.__cause__ = cause

    def __str__(self) -> str:
        return f"it was sent, and no answer was waited for, as {self.reason}"


class StreamStoppedError(BatchError):
    """A stream of outcomes that ended before its records did, and the *reason* why.

    *operation* names it (`create res.partner`), *counts* has how many outcomes of each status it
    told. The records that were not read were not sent. `__cause__` is what ended it, where that is
    an error.
    """

    def __init__(self, operation: str, counts: Mapping[str, int], reason: str = "") -> None:
        super().__init__(operation, dict(counts), reason)
        self.operation = operation
        self.counts = dict(counts)
        self.reason = reason

    def __str__(self) -> str:
        told = ", ".join(f"{count:,} {name}" for name, count in self.counts.items() if count)
        return (
            f"{self.operation}: {UNREAD}{self.reason and f' ({self.reason})'}; of those that were: "
            f"{told or 'nothing'}. Those that were not read were not sent"
        )
