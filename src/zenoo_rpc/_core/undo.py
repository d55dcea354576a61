"""What would take a write back: what is noted of it, and what is to be done afterwards.

A journal keeps an entry for each call of a transaction, in the order in which they were begun. Each
entry can name the change that it is and the operation that takes it back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Self

import attrs

from ..batch.operations import Operation, UnlinkOperation, UpdateOperation, WriteManyOperation
from ..batch.results import BatchExecutionError, BatchResult
from ..batch.status import Status
from ..batch.transaction import Change, HeldBackError
from ..errors import (
    MissingError,
    NotBegunError,
    OutcomeUnknownError,
    QuestionError,
    TooLargeError,
    TransportError,
)
from ..wire.values import WireRecord
from .exchange import Answer, Ending, Listener, Request
from .faults import Fault, Proof
from .imports import refusal
from .steps.known import found, question
from .writes import Rows, Write

TOGETHER = 100  # records that are taken back by one operation
ASKED_FOR = 30.0  # seconds that the server is asked for whether it is there

CUT_OFF = "cut off before it was taken back"
CONFLICT = "conflict: somebody else wrote to it since"
LATER = "not tried: a later change of the same records is left"
ARCHIVED = "archived, as the server would not delete it"
UNSEEN = "no answer came; it was not in effect yet when the rest was taken back"


# -- the entries of a journal ---------------------------------------------------------------------


@attrs.define(eq=False)
class Entry:
    """A call of a transaction; this one cannot be taken back, for the change's own reason.

    What *is_unknown* had no answer (yet): it may be in effect or not.
    """

    change: Change
    context: WireRecord = attrs.field(factory=dict, repr=False)
    is_unknown: bool = False

    def settled(self, result: BatchResult) -> tuple[Change | None, list[Entry]]:
        """Return what was undone by the operation that takes it back, and what is left of it."""
        undone: list[int] = []
        left: dict[str, list[int]] = {}
        for outcome in result:
            missing = outcome.status is Status.REFUSED and isinstance(outcome.error, MissingError)
            if outcome.status is Status.APPLIED or missing:
                undone.append(outcome.id or 0)
            else:
                error = outcome.error
                reason = f"{outcome.status.label}: {error}" if error else outcome.status.label
                left.setdefault(reason, []).append(outcome.id or 0)
        change = attrs.evolve(self.change, ids=tuple(undone), reason="") if undone else None
        return change, [self.only(ids, reason) for reason, ids in left.items()]

    def deletion(self) -> Operation:
        """Return the operation that deletes its records."""
        return UnlinkOperation(self.change.model, self.change.ids, context=self.context)

    def archiving(self, ids: Iterable[int]) -> Operation:
        """Return the operation that archives these of its records."""
        return UpdateOperation(self.change.model, ids, {"active": False}, context=self.context)

    def only(self, ids: Iterable[int], reason: str = "") -> Self:
        """Return the entry for just these records, with the reason why they are left."""
        return attrs.evolve(self, change=attrs.evolve(self.change, ids=tuple(ids), reason=reason))

    def with_reason(self, reason: str) -> Self:
        """Return the entry with the reason why it is left, if none is known."""
        return self if self.change.reason else self.only(self.change.ids, reason)


@attrs.define(eq=False)
class Unanswered(Entry):
    """A call without an answer; *names* are the external ids of a `load` that were not there."""

    names: tuple[str, ...] = ()
    is_unknown: bool = True

    def question(self) -> Request:
        """Return the request that asks which of its records are there now."""
        return Request("ir.model.data", "search_read", question(self.names), {}, self.context, True)

    def found(self, rows: object) -> Created | None:
        """Return the entry of what is there, None if that is nothing."""
        return created(self, [number for number in found(rows, self.names) or () if number])


@attrs.define(eq=False)
class Created(Entry):
    """Records that were created."""


@attrs.define(eq=False)
class Following(Entry):
    """Records that a create's own commands created: they go with it, or stay and are told."""

    def left(self, there: Iterable[int]) -> list[Entry]:
        """Return what is left of it, by which of its records are there."""
        ids = sorted(set(self.change.ids).intersection(there))
        return [self.only(ids, "created by a command, and still there")] if ids else []


@attrs.define(eq=False)
class Updated(Entry):
    """Records that were written to: what they were before and, where it was read, afterwards."""

    written: WireRecord = attrs.field(factory=dict, repr=False)
    before: Rows = attrs.field(factory=dict, repr=False)
    after_it: Rows | None = attrs.field(default=None, repr=False)
    each: Rows = attrs.field(factory=dict, repr=False)  # what was written, where that differs

    def restoration(self, now: Rows, *, overwrite: bool) -> tuple[Operation | None, list[Entry]]:
        """Return the operation that takes it back, and what is left alone.

        A record that is gone, or is as it was before, needs nothing; one that somebody else wrote
        to since is left, unless *overwrite*.
        """
        updates: dict[int, WireRecord] = {}
        others: list[int] = []
        unseen: list[int] = []
        for number in self.change.ids:
            was, is_now = self.before.get(number), now.get(number)
            if was is None or is_now is None:
                continue
            if was == is_now:
                unseen += [number] if self.is_unknown else []
            elif overwrite or self._is_ours(number, is_now):
                updates[number] = was
            else:
                others.append(number)
        reasons = {CONFLICT: others, UNSEEN: unseen}
        left: list[Entry] = [self.only(ids, why) for why, ids in reasons.items() if ids]
        if not updates:
            return None, left
        return WriteManyOperation(self.change.model, updates, context=self.context), left

    def _is_ours(self, number: int, is_now: WireRecord) -> bool:
        if self.after_it is not None and number in self.after_it:
            return self.after_it[number] == is_now
        written = self.each.get(number, self.written)
        return all(is_now.get(name) == value for name, value in written.items())


def gathered(entries: Iterable[Entry]) -> list[Entry]:
    """Put neighbouring updates of other records together: fewer calls take them back."""
    groups: list[list[Entry]] = []
    seen: set[int] = set()
    for entry in entries:
        ids = entry.change.ids
        fits = seen.isdisjoint(ids) and len(seen) + len(ids) <= TOGETHER
        if fits and groups and _are_alike(groups[-1][-1], entry):
            groups[-1].append(entry)
        else:
            groups.append([entry])
            seen = set()
        seen.update(ids)
    return [_together(group) for group in groups]


def _are_alike(one: Entry, other: Entry) -> bool:
    return (
        isinstance(one, Updated)
        and isinstance(other, Updated)
        and not (one.is_unknown or other.is_unknown)
        and one.after_it is not None
        and other.after_it is not None
        and (one.change.model, one.context) == (other.change.model, other.context)
        and one.written.keys() == other.written.keys()
    )


def _together(group: list[Entry]) -> Entry:
    first = group[0]
    if len(group) == 1 or not isinstance(first, Updated):
        return first
    updates = [entry for entry in group if isinstance(entry, Updated)]
    both = first.only(number for entry in updates for number in entry.change.ids)
    both.before = {number: row for entry in updates for number, row in entry.before.items()}
    both.after_it = {n: row for entry in updates for n, row in (entry.after_it or {}).items()}
    return both


@attrs.define(eq=False)
class Compensation(Entry):
    """What the caller wants done when the transaction is taken back.

    Its change is what the callback takes back, or, where that is nothing we know of, the `call`.
    """

    callback: Callable[[], object] = attrs.field(kw_only=True, repr=False)


@attrs.define(eq=False)
class Held(Entry):
    """Records that are to be deleted at the end; *listeners* hear then what became of them."""

    listeners: list[Listener] = attrs.field(factory=list, repr=False)

    def tell(self, endings: Mapping[int, Ending]) -> None:
        """Tell the listeners, once, what became of its records; of some there are no *endings*."""
        never = (Status.NOT_SENT, HeldBackError(is_over=True))
        told = [endings.get(number, never) for number in self.change.ids]
        while self.listeners:
            self.listeners.pop()(told)

    def carried_out(self, result: BatchResult) -> list[Entry]:
        """Return the entries of what was deleted, or may have been: nothing brings that back."""
        found = ((result.applied, "it is deleted"), (result.unknown, "no answer came"))
        return [
            Entry(
                attrs.evolve(self.change, ids=tuple(each.id or 0 for each in outcomes), reason=why),
                is_unknown=outcomes[0].status is Status.UNKNOWN,
            )
            for outcomes, why in found
            if outcomes
        ]


def deletions(held: Iterable[Held]) -> list[Held]:
    """Return what is to be deleted at the end in as few calls as possible, each record once.

    A call is all or nothing, so the fewer there are, the less can be deleted in vain.
    """
    calls: list[Held] = []
    seen: set[tuple[str, int]] = set()
    for entry in held:
        model = entry.change.model
        ids = [number for number in entry.change.ids if (model, number) not in seen]
        seen.update((model, number) for number in ids)
        last = calls[-1] if calls else None
        if last is not None and (last.change.model, last.context) == (model, entry.context):
            calls[-1] = last.only([*last.change.ids, *ids])
        elif ids:
            calls.append(entry.only(ids))
    return calls


# -- what a reply makes of an entry --------------------------------------------------------------


def begun(write: Write) -> Unanswered:
    """Return the entry of a call that is on its way: until its answer comes it is unknown."""
    action = "update" if write.method == "write" else write.method
    places = tuple(write.request.places) or tuple(range(write.count))
    change = Change(action, write.request.model, write.ids, "no answer came", places)
    return Unanswered(change, dict(write.request.context))


def final(entry: Entry, reason: str) -> Entry:
    """Return the entry as one that cannot be taken back."""
    return Entry(attrs.evolve(entry.change, reason=reason, records=()))


def left_nothing(write: Write, reply: Answer | Fault) -> bool:
    """Whether the reply proves that the call changed nothing."""
    if isinstance(reply, Answer):
        refused = write.method == "load" and refusal(reply.value, len(write.names)) is not None
        return refused and not reply.maybe_applied
    return reply.proof is not Proof.UNKNOWN and not reply.maybe_applied


def created(entry: Unanswered, ids: Iterable[object]) -> Created | None:
    """Return the entry of records that were created, None if these are no ids."""
    numbers = tuple(number for number in ids if type(number) is int)
    if not numbers:
        return None
    change = Change("create", entry.change.model, numbers)
    return Created(change, entry.context)


def without_later(entry: Entry, left: Iterable[Entry]) -> tuple[Entry | None, list[Entry]]:
    """Return what of an entry may be taken back, and what may not.

    What a record was before an update is written only when all later updates of it were taken back.
    """
    if not isinstance(entry, Updated):
        return entry, []
    later = {
        (each.change.model, number)
        for each in left
        if isinstance(each, Updated)
        for number in each.change.ids
    }
    barred = [number for number in entry.change.ids if (entry.change.model, number) in later]
    if not barred:
        return entry, []
    rest = [number for number in entry.change.ids if number not in barred]
    return entry.only(rest, entry.change.reason) if rest else None, [entry.only(barred, LATER)]


# -- whether to go on ------------------------------------------------------------------------------


def may_be_gone(error: object) -> bool:
    """Whether the server may be gone, by what one step ended with: no answer came, nor a refusal.

    The batch of a callback may have failed for that, too.
    """
    doubtful = (
        TransportError,
        QuestionError,
        NotBegunError,
        OutcomeUnknownError,
        BatchExecutionError,
    )
    return isinstance(error, doubtful) and not isinstance(error, TooLargeError)


def why_to_give_up(reply: Answer | Fault) -> str:
    """Return why nothing more is tried, by the reply to a question to the server; "" to go on."""
    if isinstance(reply, Answer) or reply.proof is Proof.ROLLED_BACK:
        return ""
    return f"the server does not answer ({reply.in_short})"
