"""What became of each record of a batch, by its number: a byte, an id, and an error where needed.

A million records are not a million objects. What nobody asks about any more can be forgotten.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import partial

from ..batch.errors import NotSentError, UnansweredError
from ..batch.operations import Operation
from ..batch.results import OperationResult, RecordOutcome, created_and_changed
from ..batch.status import Existence, Status
from ..batch.streams import StreamOperation
from ..batch.transaction import HeldBackError
from ..errors import ZenooError
from .exchange import Ending

IN_FLIGHT = 255  # a record's state between take() and record(); at the end it reads UNKNOWN
HELD = 254  # of one that a transaction holds back: NOT_SENT, which is no failure
LEFT = 253  # of one that is NOT_SENT for good
STATES = (*Status, IN_FLIGHT, HELD, LEFT)
NOT_WHOLE = "something before it was not applied"
IN_THE_WAY = "an earlier operation on the same records was not applied, or may still be"
AS_TOLD = bytes.maketrans(
    bytes([IN_FLIGHT, HELD, LEFT]), bytes([Status.UNKNOWN, Status.NOT_SENT, Status.NOT_SENT])
)


class Ledger:
    """The states, ids and errors of the records from number *first* on."""

    def __init__(self, count: int) -> None:
        self.first = 0
        self.states = bytearray(count)
        self.ids = array("q", bytes(8 * count))
        self.existence = bytearray()  # an `Existence` for each record, once one is known
        self.errors: dict[int, ZenooError] = {}
        self._reason: NotSentError | None = None  # why what is not sent and has no error is not
        self._own: dict[int, NotSentError] = {}  # the same, by the `id` of an operation
        self._counts = Counter[int]({Status.NOT_SENT: count})  # by state, the forgotten ones too

    def __len__(self) -> int:
        """Return the number that the next record gets."""
        return self.first + len(self.states)

    def grow(self, count: int) -> None:
        """Take in *count* more records."""
        self._counts[Status.NOT_SENT] += count
        self.states.extend(bytes(count))
        self.ids.frombytes(bytes(8 * count))
        if self.existence:
            self.existence.extend(bytes(count))

    def forget(self, number: int) -> None:
        """Drop what is known of the records before *number*."""
        count = number - self.first
        del self.states[:count], self.ids[:count], self.existence[:count]
        self.first = number

    def mark(self, numbers: Sequence[int], state: int) -> None:
        """Set the state of records."""
        self._counts[state] += len(numbers)
        if isinstance(numbers, range):
            start = numbers.start - self.first
            part = slice(start, start + len(numbers))
            before = self.states[part]
            self._counts.subtract({each: before.count(each) for each in STATES})
            self.states[part] = bytes([state]) * len(numbers)
            return
        for number in numbers:
            self._counts[self.states[number - self.first]] -= 1
            self.states[number - self.first] = state

    def name(self, numbers: Sequence[int], ids: Iterable[int]) -> None:
        """Set the ids of records."""
        if isinstance(numbers, range):
            start = numbers.start - self.first
            self.ids[start : start + len(numbers)] = array("q", ids)
            return
        for number, record_id in zip(numbers, ids, strict=True):
            self.ids[number - self.first] = record_id

    def find(self, number: int, existence: Existence) -> None:
        """Set what is known of a record before it was written."""
        if not self.existence:
            self.existence.extend(bytes(len(self.states)))
        self.existence[number - self.first] = existence

    def was_new(self, number: int) -> bool:
        """Whether a record is known not to have been there before."""
        return bool(self.existence) and self.existence[number - self.first] == Existence.ABSENT

    def blame(self, numbers: Iterable[int], error: ZenooError) -> None:
        """Set the error of records."""
        self.errors.update(dict.fromkeys(numbers, error))

    def close(self, reason: str, cause: BaseException | None = None) -> None:
        """Set why nothing more is sent, unless that was said before."""
        self._reason = self._reason or NotSentError(reason, cause)

    def close_one(
        self, operation: Operation, reason: str, cause: BaseException | None = None
    ) -> None:
        """Set why nothing more is sent of one operation."""
        self._own[id(operation)] = NotSentError(reason, cause)

    def why(self, operation: Operation) -> NotSentError | None:
        """Return why nothing more is sent of an operation, None if nothing was said."""
        return self._own.get(id(operation), self._reason)

    def end(self, numbers: Sequence[int], endings: Iterable[Ending]) -> None:
        """Set the states and errors of records that a transaction held back."""
        self.excuse(numbers)
        for number, (status, error) in zip(numbers, endings, strict=True):
            if number < self.first:  # a stream has told that it was held back, and forgot it
                self._counts.subtract([HELD])
                self._counts[status] += 1
                continue
            self.mark([number], status)
            if error is not None:
                self.blame([number], error)

    def has_unknown(self, numbers: range) -> bool:
        """Whether one of these records is unknown, as far as they were not forgotten."""
        part = slice(max(0, numbers.start - self.first), max(0, numbers.stop - self.first))
        return Status.UNKNOWN in self.states[part]

    def excuse(self, numbers: Iterable[int]) -> None:
        """Drop the errors of records."""
        if self.errors:
            for number in numbers:
                self.errors.pop(number, None)

    def outcome(self, operation: Operation, number: int, *, ended: bool) -> RecordOutcome | None:
        """Return the outcome of one record; None if that may still change, and it has not *ended*.

        Its error is forgotten.
        """
        place = number - self.first
        state = self.states[place]
        existence = self.existence[place] if self.existence else Existence.UNKNOWN
        if not ended and (state in (Status.NOT_SENT, IN_FLIGHT) or existence == Existence.ASKED):
            return None
        status = Status(AS_TOLD[state])
        about = created_and_changed(operation, status, existence)
        reason: ZenooError | None = self.why(operation) if status is Status.NOT_SENT else None
        if state == IN_FLIGHT:
            reason = self._cut_off(operation)
        error = HeldBackError() if state == HELD else self.errors.pop(number, reason)
        return RecordOutcome(operation, number, status, self.ids[place] or None, error, *about)

    def _cut_off(self, operation: Operation) -> ZenooError | None:
        """Return what is told of a record in flight when nothing waits for its answer any more."""
        why = self.why(operation)
        return None if why is None else UnansweredError(why.reason, why.__cause__)

    def result(self, operation: Operation, numbers: range, *, final: bool) -> OperationResult:
        """Return what became of an operation's records; what is in flight counts as unknown.

        Once it is *final* nothing is copied that need not be.
        """
        part = slice(numbers.start - self.first, numbers.stop - self.first)
        whole = final and len(numbers) == len(self.states)
        states = bytes(self.states[part])
        errors = {n - numbers.start: error for n, error in self.errors.items() if n in numbers}
        for state, why in ((HELD, HeldBackError), (IN_FLIGHT, partial(self._cut_off, operation))):
            if state in states and (error := why()) is not None:
                own = (place for place, each in enumerate(states) if each == state)
                errors = {**dict.fromkeys(own, error), **errors}
        return OperationResult(
            operation,
            states.translate(AS_TOLD),
            self.ids if whole else self.ids[part],
            errors,
            bytes(self.existence[part]),
            isinstance(operation, StreamOperation) and operation.source.unread,
            self.why(operation),
        )

    def counts(self, *, ended: bool) -> dict[Status, int]:
        """Return how many records have each status; those in flight have none until it *ended*."""
        counts = {status: self._counts[status] for status in Status}
        counts[Status.NOT_SENT] += self._counts[LEFT]
        if ended:
            counts[Status.UNKNOWN] += self._counts[IN_FLIGHT]
            counts[Status.NOT_SENT] += self._counts[HELD]
        return counts
