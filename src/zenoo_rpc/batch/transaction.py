"""What became of a transaction: its state, its report, and its exceptions.

TransactionError
|-- TransactionStateError       a transaction used out of turn: after its end
|-- NotUndoableError            a write that could not be taken back; it was not sent
|-- HeldBackError               why a deletion was not sent: it waits for the end, or never came
`-- TransactionRollbackError    not everything was taken back; carries the report
"""

from __future__ import annotations

import enum
from collections.abc import Iterable
from typing import Literal, TypedDict

import attrs

from ..errors import UsageError, ZenooError
from ..wire.arguments import one_of, validator, yes_or_no

SHOWN = 5  # changes that a summary names, and records of each


class TransactionOptions(TypedDict, total=False):
    """The keywords of a transaction.

    - `allow_partial_undo`: whether writes that cannot be taken back, or not wholly, are sent all
      the same, and reported as such (False)
    - `on_conflict`: what happens to a record that somebody else wrote to since: `"report"`
      (default) leaves it alone, `"overwrite"` writes the old values back
    - `unlink`: `"hold"` (default) keeps deletions back until the end, `"now"` deletes at once,
      which cannot be taken back
    - `archive_if_kept`: whether a created record that the server will not delete is archived when
      it is taken back (False); either way the report tells it
    """

    allow_partial_undo: bool
    archive_if_kept: bool
    on_conflict: Literal["report", "overwrite"]
    unlink: Literal["hold", "now"]


@attrs.frozen(kw_only=True)
class TransactionSettings:
    """A transaction's keywords, checked."""

    allow_partial_undo: bool = attrs.field(default=False, validator=validator(yes_or_no))
    archive_if_kept: bool = attrs.field(default=False, validator=validator(yes_or_no))
    on_conflict: Literal["report", "overwrite"] = attrs.field(
        default="report", validator=validator(one_of("report", "overwrite"))
    )
    unlink: Literal["hold", "now"] = attrs.field(
        default="hold", validator=validator(one_of("hold", "now"))
    )


class TransactionState(enum.Enum):
    """How far a transaction is."""

    ACTIVE = "active"
    COMMITTED = "committed"
    ROLLED_BACK = "rolled_back"
    PARTLY_ROLLED_BACK = "partly_rolled_back"

    @property
    def label(self) -> str:
        """The name as one writes it: `rolled back`."""
        return self.value.replace("_", " ")


@attrs.frozen
class Change:
    """Something done to records of a model: *action* is `create`, `update`, `unlink` or a method.

    *ids* are database ids; where a create had no answer there are none, and *records* are the
    places of its records in the batch. *reason* says why it was not taken back, or is unknown.
    """

    action: str
    model: str
    ids: tuple[int, ...] = ()
    reason: str = ""
    records: tuple[int, ...] = ()

    def __len__(self) -> int:
        return len(self.ids) or len(self.records)

    def __str__(self) -> str:
        numbers = self.records or self.ids
        shown = [str(number) for number in numbers[:SHOWN]]
        if len(numbers) > SHOWN:
            shown.append(f"... and {len(numbers) - SHOWN:,} more")
        where = "records" if self.records else "ids"
        text = f"{self.action} {self.model}, {where} [{', '.join(shown)}]"
        return f"{text}: {self.reason}" if self.reason else text


def total(changes: Iterable[Change]) -> int:
    """Return how many records were changed; what names none counts as one."""
    return sum(len(change) or 1 for change in changes)


@attrs.frozen(repr=False)
class TransactionReport:
    """What a transaction did: *applied* is in effect, *undone* was taken back.

    *not_undone* could not be taken back, *unknown* had no answer: it may be in effect or not. Of a
    transaction that was committed neither says more than that. *held* are the deletions that wait
    for its end; once it has ended, those that never came to be.
    """

    state: TransactionState
    applied: tuple[Change, ...] = ()
    undone: tuple[Change, ...] = ()
    not_undone: tuple[Change, ...] = ()
    unknown: tuple[Change, ...] = ()
    held: tuple[Change, ...] = ()

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {self.state.label}, {self._counted()}>"

    def _counted(self) -> str:
        held = "held back"
        if self.state in (TransactionState.ROLLED_BACK, TransactionState.PARTLY_ROLLED_BACK):
            held = f"deletion{'s' * (total(self.held) > 1)} not carried out"
        counts = [
            f"{total(changes):,} {name}"
            for name, changes in (
                ("applied", self.applied),
                ("undone", self.undone),
                ("not undone", self.not_undone),
                ("unknown", self.unknown),
                (held, self.held),
            )
            if changes
        ]
        return ", ".join(counts) or "nothing was written"

    def summary(self) -> str:
        """Return how many records of what, and the first changes that are still in effect."""
        left = [*self.not_undone, *self.unknown]
        lines = [f"the transaction is {self.state.label}: {self._counted()}"]
        lines += [f"  {change}" for change in left[:SHOWN]]
        if len(left) > SHOWN:
            lines.append(f"  ... and {len(left) - SHOWN:,} more in the report")
        if self.state is TransactionState.PARTLY_ROLLED_BACK:
            lines.append("`tx.rollback()` tries once more what is left")
        return "\n".join(lines)


class TransactionError(ZenooError):
    """Base of what can go wrong with a transaction."""


class TransactionStateError(TransactionError, UsageError):
    """A transaction used out of turn: written in after its end, ended twice."""


class HeldBackError(TransactionError):
    """Why a deletion was not sent: as nothing undoes it, it waits until the transaction ends.

    It *is_over* when the transaction has ended without it.
    """

    def __init__(self, is_over: bool = False) -> None:
        super().__init__(is_over)
        self.is_over = is_over

    def __str__(self) -> str:
        if self.is_over:
            return "not carried out: its transaction was taken back"
        return "held back until the transaction ends"


class NotUndoableError(TransactionError, UsageError):
    """A write that could not be taken back; it was not sent.

    *fields* are those that stand in the way, where it is them.
    """

    def __init__(self, action: str, reason: str, fields: Iterable[str] = ()) -> None:
        super().__init__(action, reason, tuple(fields))
        self.action = action
        self.reason = reason
        self.fields = tuple(fields)

    def __str__(self) -> str:
        return (
            f"{self.action}: {self.reason}. Nothing was sent; set allow_partial_undo to write it "
            "all the same"
        )


class TransactionRollbackError(TransactionError):
    """Not everything was taken back: `report` says what; `__cause__` is what went wrong first."""

    def __init__(self, report: TransactionReport) -> None:
        super().__init__(report)
        self.report = report

    def __str__(self) -> str:
        return f"{self.report.summary()}; all is in `error.report`"
