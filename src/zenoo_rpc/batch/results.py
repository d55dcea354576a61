"""What became of a batch: one outcome for each record, by the caller's own index."""

from __future__ import annotations

import functools
from array import array
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Self

import attrs

from ..errors import ConflictError, NotBegunError, OdooError, ZenooError
from ..wire.ids import Ids
from .errors import UNREAD, BatchError, BatchValidationError, NotSentError
from .operations import CreateOperation, Operation
from .status import Existence, Status
from .streams import CreateStream, StreamOperation
from .transaction import HeldBackError

SHOWN = 5  # failures that a summary quotes


@attrs.frozen
class RecordOutcome:
    """What became of one record: *index* is its place in what the caller gave to *operation*.

    *id* is the database id where one is known, *error* what the server or the network said, or of
    a record that was not sent since the batch had ended a NotSentError that says why; None of what
    was applied.
    *created* tells a record that was created (True) from one whose external id was there already
    (False); None where that is not known: on 19 only users with the Access Rights group may ask,
    and of what somebody else imports at the same time nobody can tell.
    *changed* is False for one that held all the values already, so that nothing was sent, True for
    one that did not, None where nobody looked. *record* is what the caller gave, of a stream that
    keeps it.
    """

    operation: Operation
    index: int
    status: Status
    id: int | None
    error: ZenooError | None
    created: bool | None = None
    changed: bool | None = None
    record: Any = attrs.field(default=None, repr=False)

    @property
    def field(self) -> str | None:
        """The field that the server's message names, None when it names none."""
        return self.error.field if isinstance(self.error, OdooError) else None

    def __str__(self) -> str:
        return self._told_of(self.operation.label)

    def _told_of(self, operation: str) -> str:
        """Return the text, with the *operation* by the name that it has among others."""
        text = f"{operation}: record {self.index}: {self.status.label}"
        if self.id is not None and not isinstance(self.operation, CreateOperation | CreateStream):
            text += f" (id {self.id})"
        if self._is_another_s():
            text += ", as its call was refused and rolled back"
        if self.field:
            text += f", field '{self.field}'"
        return f"{text}: {_words(self.error)}" if self.error is not None else text

    def _is_another_s(self) -> bool:
        """Whether the error is what refused its whole call, and nothing says that it is its own."""
        error = self.error
        own = isinstance(error, ConflictError | NotBegunError)
        return self.status is Status.NOT_SENT and isinstance(error, OdooError) and not own


def _words(error: ZenooError) -> str:
    """Return what was said, on one line; a Python error of the server's with its name."""
    name = error.name if isinstance(error, OdooError) else ""
    words = error.reason if isinstance(error, BatchValidationError) else str(error)
    said = " ".join(words.split())
    return f"{name.removeprefix('builtins.')}: {said}" if name.startswith("builtins.") else said


# What was found of a record -> whether it is new, and whether it is changed.
ABOUT: Mapping[int, tuple[bool | None, bool | None]] = {
    Existence.UNKNOWN: (None, None),
    Existence.ABSENT: (True, None),
    Existence.PRESENT: (False, None),
    Existence.UNCHANGED: (False, False),
    Existence.CHANGED: (False, True),
    Existence.ASKED: (None, None),
}


def created_and_changed(
    operation: Operation, status: Status, existence: int
) -> tuple[bool | None, bool | None]:
    """Return whether a record is new, and whether it is changed; None where that is not known."""
    if status is not Status.APPLIED or not isinstance(operation, CreateOperation | CreateStream):
        return None, None
    return ABOUT[existence] if operation.imports else (True, None)


@attrs.frozen(repr=False)
class OperationResult:
    """What became of one operation, compactly: a byte and a number for each record.

    *errors* maps the indexes of refused, unknown and turned-away records to the reason; *reason*
    is why the others that were not sent were not, and why the records of a stream were not read to
    their end, where that is so (*unread*).
    """

    operation: Operation
    states: bytes
    created_ids: array[int]
    errors: Mapping[int, ZenooError]
    existence: bytes = b""
    unread: bool = False
    reason: NotSentError | None = None

    def __len__(self) -> int:
        return len(self.states)

    def __iter__(self) -> Iterator[RecordOutcome]:
        return map(self.outcome, range(len(self)))

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {self.operation.label}, {_counted(self.counts)}>"

    def outcome(self, index: int) -> RecordOutcome:
        """Return what became of the record at *index* of what the caller gave."""
        status = Status(self.states[index])
        return RecordOutcome(
            self.operation,
            index,
            status,
            self._id(index),
            self.errors.get(index, self.reason if status is Status.NOT_SENT else None),
            *created_and_changed(
                self.operation,
                status,
                self.existence[index] if self.existence else Existence.UNKNOWN,
            ),
        )

    def _id(self, index: int) -> int | None:
        return (self._given or self.created_ids)[index] or None

    @functools.cached_property
    def _given(self) -> tuple[int, ...]:
        return self.operation.ids

    @property
    def ids(self) -> Sequence[int | None]:
        """A database id for each record, in the caller's order; None where none was created.

        A list, or of a stream `Ids`, as a million of them are not to be a million objects.
        """
        if isinstance(self.operation, StreamOperation):
            return Ids(self.created_ids)
        return [number or None for number in self._given or self.created_ids]

    @property
    def _is_create(self) -> bool:
        return isinstance(self.operation, CreateOperation | CreateStream)

    @property
    def _has_names(self) -> bool:
        """Whether its records have external ids, so that twice is harmless."""
        operation = self.operation
        return isinstance(operation, CreateOperation | CreateStream) and operation.imports

    @property
    def value(self) -> Sequence[int | None] | bool:
        """What `execute()` gives for it: the ids of a create, else whether all was applied."""
        return self.ids if self._is_create else self.ok

    @property
    def ok(self) -> bool:
        """Whether every record was applied, or is to be deleted at the end of a transaction."""
        return self.counts[Status.APPLIED] + len(self.held_back) == len(self) and not self.unread

    @functools.cached_property
    def held_back(self) -> frozenset[int]:
        """The indexes of the records that a transaction holds back until its end."""
        return frozenset(
            index
            for index, error in self.errors.items()
            if isinstance(error, HeldBackError) and not error.is_over
        )

    def harmless(self) -> list[int]:
        """Return the indexes of the records that may be sent again without harm."""
        statuses = (Status.NOT_SENT, Status.UNKNOWN) if self._has_names else (Status.NOT_SENT,)
        return [
            index
            for index, state in enumerate(self.states)
            if state in statuses and index not in self.held_back
        ]

    @property
    def counts(self) -> dict[Status, int]:
        """How many records have each status."""
        return {status: self.states.count(status) for status in Status}


@attrs.frozen(repr=False)
class BatchResult:
    """What became of a batch; *operations* are in the order in which they were added."""

    operations: tuple[OperationResult, ...]

    @classmethod
    def of_nothing_sent(cls, operations: Iterable[Operation], reason: NotSentError) -> Self:
        """Return the result of a batch of which nothing was sent."""
        return cls(
            tuple(
                OperationResult(
                    each,
                    states=bytes(len(each)),
                    created_ids=array("q", bytes(8 * len(each))),
                    errors={},
                    unread=isinstance(each, StreamOperation),
                    reason=reason,
                )
                for each in operations
            )
        )

    def __len__(self) -> int:
        return sum(map(len, self.operations))

    def __iter__(self) -> Iterator[RecordOutcome]:
        for operation in self.operations:
            yield from operation

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {len(self)} records, {_counted(self.counts)}>"

    @property
    def ok(self) -> bool:
        """Whether every record was applied, or is to be deleted at the end of a transaction."""
        return all(operation.ok for operation in self.operations)

    @property
    def ids(self) -> list[int | None]:
        """A database id for each record of the batch, in order; None where there is none."""
        return [number for operation in self.operations for number in operation.ids]

    @property
    def counts(self) -> dict[Status, int]:
        """How many records have each status."""
        counts = [operation.counts for operation in self.operations]
        return {status: sum(count[status] for count in counts) for status in Status}

    @property
    def applied(self) -> list[RecordOutcome]:
        """The records to which the server said yes."""
        return list(self._those(Status.APPLIED))

    @property
    def failures(self) -> list[RecordOutcome]:
        """All records that were not applied, in order: refused, unknown, or not sent.

        Deletions that a transaction holds back until its end are none of them.
        """
        return [
            operation.outcome(index)
            for operation in self.operations
            for index, state in enumerate(operation.states)
            if state != Status.APPLIED and index not in operation.held_back
        ]

    @property
    def refused(self) -> list[RecordOutcome]:
        """The records that the server refused and rolled back."""
        return list(self._those(Status.REFUSED))

    @property
    def unknown(self) -> list[RecordOutcome]:
        """The records that were sent and for which no answer came."""
        return list(self._those(Status.UNKNOWN))

    @property
    def not_sent(self) -> list[RecordOutcome]:
        """The records that may be sent again: the server never got them, or turned them away.

        With `on_error="stop"` also those of the refused call whom nothing proves guilty.
        """
        return list(self._those(Status.NOT_SENT))

    def _those(self, status: Status) -> Iterator[RecordOutcome]:
        return (outcome for _, outcome in self._placed(status))

    def _placed(self, status: Status) -> Iterator[tuple[int, RecordOutcome]]:
        """Yield the records with a status, each with the place of its operation."""
        return (
            (place, operation.outcome(index))
            for place, operation in enumerate(self.operations)
            for index, state in enumerate(operation.states)
            if state == status
        )

    def _names(self) -> list[str]:
        """Return a name for each operation: its label, and its place where others have the same."""
        labels = [each.operation.label for each in self.operations]
        alike = Counter(labels)
        return [
            label if alike[label] == 1 else f"{label} (operation {place})"
            for place, label in enumerate(labels)
        ]

    def resendable_operations(self) -> list[Operation]:
        """Return operations over just the records that are safe to send again.

        These are the records that were not sent, and of creates with external ids the unknown
        ones too. Whether any other unknown record is there has to be looked up first.
        """
        left = [(each.operation, each.harmless()) for each in self.operations]
        return [operation.only(indexes) for operation, indexes in left if indexes]

    def values(self) -> list[Sequence[int | None] | bool]:
        """Return one value for each operation: the ids of a create, True otherwise."""
        return [operation.value for operation in self.operations]

    def raise_for_failures(self) -> Self:
        """Return the result itself, or raise BatchExecutionError unless all was applied."""
        if not self.ok:
            raise BatchExecutionError(self)
        return self

    def summary(self) -> str:
        """Return how many of what happened, and the first failures in the server's words."""
        lines = [f"{len(self):,} records: {_counted(self.counts)}"]
        told = [*self._placed(Status.REFUSED), *self._placed(Status.UNKNOWN)]
        ended = Counter[str]()
        for place, outcome in self._placed(Status.NOT_SENT):
            if isinstance(outcome.error, NotSentError):
                ended[_words(outcome.error)] += 1
            elif outcome.error is not None:
                told.append((place, outcome))
        names = self._names()
        lines += [f"  {outcome._told_of(names[place])}" for place, outcome in told[:SHOWN]]
        if len(told) > SHOWN:
            lines.append(f"  ... and {len(told) - SHOWN:,} more in result.failures")
        lines += [
            f"  {name}: {UNREAD}{f': {_words(each.reason)}' if each.reason else ''}"
            for name, each in zip(names, self.operations, strict=True)
            if each.unread
        ]
        lines += [f"  {count:,} were not sent: {reason}" for reason, count in ended.items()]
        harmless = sum(len(each.harmless()) for each in self.operations)
        if harmless:
            lines.append(f"  {harmless:,} may be sent again safely: result.resendable_operations()")
        doubtful = sum(e.counts[Status.UNKNOWN] for e in self.operations if not e._has_names)
        if doubtful:
            lines.append(
                f"  {doubtful:,} may be there or not: "
                "look up what is unknown before you send it again"
            )
        return "\n".join(lines)


class BatchExecutionError(BatchError):
    """Not every record was applied; `result` says what became of each."""

    def __init__(self, result: BatchResult) -> None:
        super().__init__(result)
        self.result = result

    def __str__(self) -> str:
        return self.result.summary()


def _counted(counts: Mapping[Status, int]) -> str:
    told = [f"{n:,} {status.label}" for status, n in counts.items() if n]
    return ", ".join(told) or "nothing"
