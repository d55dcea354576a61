"""What follows from a reply: the outcomes that it settles, and the calls that it calls for.

What was refused is sent again in parts, at once, until each refused record stands alone (see
`isolate`). After the first failure that is no rollback nothing more is handed out: a server that
does not answer is not asked again. Only an import without an answer is asked about first (see
`_unanswered`), unless *on_unknown* says otherwise.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager

import attrs

from ..batch.options import OnError, OnUnknown, Way
from ..batch.results import Existence, Status
from ..errors import ConflictError, ZenooError
from ..wire.values import is_ids, no_ids
from .agenda import Agenda, Question
from .call import Call
from .descriptions import Description
from .exchange import Answer, Ending, HeldBack
from .faults import Fault, Proof, not_answered
from .isolate import (
    Probe,
    Survey,
    concerns_all,
    is_missing,
    isolate,
    needs_probe,
    needs_reconcile,
    needs_survey,
)
from .ledger import HELD, IN_FLIGHT, Ledger
from .load import Refusal, imported_ids, refusal
from .lookup import Lookup, Reconcile
from .pace import Sizes
from .unchanged import Comparison
from .ways import Ways


class Replies:
    """Files replies in the ledger, and puts what follows on the agenda.

    The caller holds *lock* when it files one; what a transaction holds back is told later.
    """

    def __init__(
        self,
        ledger: Ledger,
        agenda: Agenda,
        sizes: Sizes,
        ways: Ways,
        lock: AbstractContextManager[object],
        *,
        on_error: OnError,
        on_unknown: OnUnknown,
    ) -> None:
        self._ledger = ledger
        self._agenda = agenda
        self._sizes = sizes
        self._ways = ways
        self._lock = lock
        self._on_error = on_error
        self._on_unknown = on_unknown
        self._asked: list[Probe] = []  # without an answer yet
        self._fine: set[tuple[str, str]] = set()  # model and right that a probe found there
        self._denied: set[tuple[str, str]] = set()  # and that it did not

    def file(self, call: Question | Call, reply: Answer | Fault, seconds: float = 0.0) -> None:
        """Take what the server said to *call*, which took so many seconds."""
        if isinstance(call, Description):
            self._agenda.describe(call, reply)
        elif isinstance(call, Probe):
            self._probed(call, reply)
        elif isinstance(call, Survey):
            self._surveyed(call, reply)
        elif isinstance(call, Reconcile):
            self._reconciled(call, reply)
        elif isinstance(call, Lookup):
            self._looked_up(call, reply)
        elif isinstance(call, Comparison):
            self._compared(call, reply)
        elif isinstance(reply, HeldBack):
            self._held_back(call, reply)
        elif isinstance(reply, Answer):
            if not reply.maybe_applied:
                self._sizes.of(call.model, call.method).learn(len(call), seconds)
            self._answered(call, reply)
        else:
            if reply.is_for_size:
                self._sizes.of(call.model, call.method).shrink(len(call))
            self._failed(call, reply)

    def _answered(self, call: Call, answer: Answer) -> None:
        value = answer.value
        if call.method == Way.LOAD:
            refused = refusal(value, len(call))
            if refused is not None:
                self._not_loaded(call, refused, again=answer.maybe_applied)
                return
            value = imported_ids(value, len(call))
        if call.method in ("create", Way.LOAD):
            if not is_ids(value, len(call), new=call.method == "create"):
                self._give_up(call, Status.UNKNOWN, no_ids(call.method, len(call)))
                return
            self._ledger.name(call.numbers, value)
            if answer.after_conflict:
                self._ledger.doubt(call.numbers)
        self._done(call)

    def _held_back(self, call: Call, reply: HeldBack) -> None:
        """A transaction keeps the call back until its end, and tells then what became of it."""
        self._ledger.mark(call.numbers, HELD)
        self._agenda.settle(call.numbers)
        reply.listeners.append(lambda endings: self._ended(call, endings))

    def _ended(self, call: Call, endings: Sequence[Ending]) -> None:
        with self._lock:
            self._ledger.end(call.numbers, endings)

    def _not_loaded(self, call: Call, refused: Refusal, *, again: bool) -> None:
        """Nothing of the call was written: go on with the rows that were not named.

        A named row of an update by id goes again as a `write`, whose words everybody knows.
        """
        if again and not call.maybe_applied:
            # What was in the way may be the first try of this same call.
            self._unsure(call, refused.whole)
            self._agenda.again([attrs.evolve(call, maybe_applied=True)])
            return
        self._suspend(call, refused.whole)
        named = refused.suspects | refused.errors.keys()
        alone = named
        if call.is_import or self._on_error == "stop":
            self._refuse(call, refused.errors)
            alone = refused.suspects
        self._agenda.again(call.only([place]) for place in sorted(alone))
        self._agenda.again([call.without(named)] if named else call.halves())

    def _looked_up(self, lookup: Lookup, reply: Answer | Fault) -> None:
        """Keep which records are there, if the user may ask, and send them."""
        found = lookup.found(reply)
        self._agenda.asks_for_ids = self._agenda.asks_for_ids and found is not None
        for number, there in zip(lookup.call.numbers, found or (), strict=False):
            self._ledger.find(number, Existence.PRESENT if there else Existence.ABSENT)
        taken = lookup.taken(reply)
        self._refuse(lookup.call, taken)
        rest = lookup.call.without(taken)
        if rest is not None:
            lookup = attrs.evolve(lookup, call=rest) if taken else lookup
            self._agenda.again([lookup.comparison(reply) or rest])

    def _compared(self, comparison: Comparison, reply: Answer | Fault) -> None:
        """Send what would change something; the rest is as it is to be."""
        call, found = comparison.call, comparison.found(reply)
        for place, what in found.items():
            self._ledger.find(call.numbers[place], what)
        same = [place for place in sorted(found) if found[place] is Existence.UNCHANGED]
        done = call.only(same)
        self._ledger.name(done.numbers, (comparison.there[place] for place in same))
        self._done(done)
        self._agenda.again([call.without(same)])

    def _unanswered(self, call: Call, error: ZenooError) -> None:
        """Interrupt the round, until it is known what became of an import without an answer."""
        self._unsure(call, error)
        self._agenda.interrupt()
        if self._agenda.asks_for_ids:
            self._agenda.again([Reconcile(call, error=error)])
        else:
            self._load_again(call, error)

    def _reconciled(self, question: Reconcile, reply: Answer | Fault) -> None:
        """What was not there before and is there now was created; the rest is sent once more."""
        call, error = question.call, question.error
        if isinstance(reply, Fault) and reply.proof is not Proof.ROLLED_BACK:
            self._give_up(call, Status.UNKNOWN, error)
            return
        created = question.created(reply, self._ledger.was_new)
        done = call.only(created)
        self._ledger.name(done.numbers, list(created.values()))  # by place, as they were found
        self._done(done)
        rest = call.without(created)
        if rest is not None:
            self._load_again(rest, error)

    def _load_again(self, call: Call, error: ZenooError) -> None:
        if call.idempotent:
            self._agenda.again([attrs.evolve(call, maybe_applied=True)])
            return
        self._give_up(call, Status.UNKNOWN, error)

    def _failed(self, call: Call, fault: Fault) -> None:
        if is_missing(call, fault):
            self._ways.missing.add(Way(call.method))
            self._agenda.again(call.singles())
            self._ledger.mark(call.numbers, Status.NOT_SENT)
            return
        if needs_survey(call, fault):
            self._unsure(call, fault.error)
            self._agenda.again([Survey(call, fault.error)])
            return
        if needs_reconcile(call, fault) and self._on_unknown == "reconcile":
            self._unanswered(call, fault.error)
            return
        if fault.maybe_applied:
            call = attrs.evolve(call, maybe_applied=True)
        if fault.is_conflict and not call.alone:
            self._suspend(call, fault.error)
            self._agenda.put_aside(call)
            return
        if len(call) == 1 or not fault.may_isolate:
            self._settle(call, fault.status, fault.error)
            if fault.is_conflict:
                self._agenda.cut_short()
            self._agenda.stopped |= self._on_error == "stop" or fault.proof is not Proof.ROLLED_BACK
            return
        self._suspend(call, fault.error)
        if (
            not self._agenda.stopped
            and needs_probe(fault)
            and (call.model, call.right) not in self._fine
        ):
            self._ask(call, fault)
            return
        told = isolate(call, fault)
        self._agenda.again(told.again)
        if told.refused is not None:
            self._settle(told.refused, Status.REFUSED, fault.error)

    def _ask(self, call: Call, fault: Fault) -> None:
        """Send a probe for the call, or let it wait for one that is under way already."""
        if (call.model, call.right) in self._denied:
            self._settle(call, Status.REFUSED, fault.error)
            return
        probe = Probe(call.model, call.right, call.context, [(call, fault)])
        for other in self._asked:
            if other == probe:
                other.waiting.extend(probe.waiting)
                return
        self._asked.append(probe)
        self._agenda.again([probe])

    def _probed(self, probe: Probe, reply: Answer | Fault) -> None:
        self._asked.remove(probe)
        for call, fault in probe.waiting:
            if concerns_all(reply, fault):
                self._denied.add((call.model, call.right))
                self._settle(call, Status.REFUSED, fault.error)
            elif isinstance(reply, Fault) and reply.proof is not Proof.ROLLED_BACK:
                self._give_up(call, Status.NOT_SENT, not_answered(call.model, reply))
            else:
                self._fine.add((call.model, call.right))
                self._agenda.again(call.halves())

    def _surveyed(self, survey: Survey, reply: Answer | Fault) -> None:
        if parts := survey.parts(reply):
            self._agenda.again(parts)
            return
        sorted_out = survey.sort(reply)
        if sorted_out is None:
            self._settle(survey.call, Status.UNKNOWN, survey.reason(reply))
            self._agenda.stopped |= (
                isinstance(reply, Answer) or reply.proof is not Proof.ROLLED_BACK
            )
            return
        gone, left = sorted_out
        if gone is not None:
            self._done(gone)
        if left is not None and gone is None and survey.call.maybe_applied:
            self._settle(left, Status.UNKNOWN, survey.error)  # asking on would lead nowhere
        elif left is not None:
            self._agenda.again([attrs.evolve(left, maybe_applied=True)])

    def _done(self, call: Call) -> None:
        self._ledger.mark(call.numbers, Status.APPLIED)
        self._ledger.excuse(call.numbers)
        self._agenda.settle(call.numbers)

    def _suspend(self, call: Call, error: ZenooError) -> None:
        """Keep what is true of a refused call if the run ended before its parts are sent.

        With `on_error="stop"` it ends now; who is to blame is known only if the server named it.
        """
        if self._on_error == "stop" and not isinstance(error, ConflictError):
            self._give_up(call, Status.NOT_SENT, error)
        elif call.maybe_applied:
            self._unsure(call, error)
        else:
            self._ledger.mark(call.numbers, Status.NOT_SENT)

    def _unsure(self, call: Call, error: ZenooError) -> None:
        """Keep the reason why it would be unknown, if the run ended before it is found out."""
        self._ledger.mark(call.numbers, IN_FLIGHT)
        self._ledger.blame(call.numbers, error)

    def _refuse(self, call: Call, errors: Mapping[int, ZenooError]) -> None:
        for place, error in errors.items():
            self._settle(call.only([place]), Status.REFUSED, error)
        self._agenda.stopped |= bool(errors) and self._on_error == "stop"

    def _give_up(self, call: Call, status: Status, error: ZenooError) -> None:
        self._settle(call, status, error)
        self._agenda.stopped = True

    def _settle(self, call: Call, status: Status, error: ZenooError) -> None:
        status = Status.UNKNOWN if call.maybe_applied else status
        self._ledger.mark(call.numbers, status)
        self._ledger.blame(call.numbers, error)
        if status is Status.REFUSED:
            self._agenda.settle(call.numbers)
