"""What follows from a reply: the outcomes that it settles, and the calls that it calls for.

What was refused is sent again in parts, at once, until each refused record stands alone (see
`split`). After a failure that is no rollback nothing more is handed out before the server answers a
question again, if it *goes on* after that (see `lose`); of an import without an answer it is asked
what became of it, if it *settles* that (see `_unanswered`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager

import attrs

from ..batch.options import OnError, Way
from ..batch.status import Existence, Status
from ..errors import ConflictError, ZenooError
from ..wire.values import is_ids, no_ids
from .agenda import Agenda
from .call import Call, Create, Load, LoadById
from .exchange import Answer, Ending, HeldBack
from .faults import Fault, Proof
from .imports import Refusal, imported_ids, refusal
from .ledger import HELD, IN_FLIGHT, LEFT, Ledger
from .sizes import Sizes
from .steps.access import Rights, needs_probe
from .steps.base import Step
from .steps.created import CreatedByItself
from .steps.known import Reconcile, needs_reconcile
from .steps.remaining import RemainingIds, needs_survey
from .steps.split import is_missing, isolate, names_a_field
from .ways import Ways

LOST_IN_A_ROW = 10  # waits for a server that answers questions and nothing else


class Replies:
    """Files replies in the ledger, and puts what follows on the agenda: the book of the steps.

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
        settles: bool,
        goes_on: bool,
    ) -> None:
        self._ledger = ledger
        self._agenda = agenda
        self._sizes = sizes
        self._ways = ways
        self._lock = lock
        self._on_error = on_error
        self._settles = settles
        self._goes_on = goes_on
        self._rights = Rights()
        self._seconds = 0.0  # that the answer took on which a step decides
        self._lost_in_a_row = 0  # how often it had to wait, and no call was answered in between

    def file(self, call: Step | Call, reply: Answer | Fault, seconds: float = 0.0) -> None:
        """Take what the server said to *call*, which took so many seconds."""
        if not isinstance(call, Call):
            if call is self._agenda.awaited:
                self._agenda.awaited = None
            self._seconds = seconds
            call.decide(reply, self)
        elif isinstance(reply, HeldBack):
            self._held_back(call, reply)
        elif isinstance(reply, Answer):
            self._answered(call, reply, seconds)
        else:
            if reply.proof is Proof.ROLLED_BACK and not needs_survey(call, reply):
                self._lost_in_a_row = 0
            if reply.is_for_size:
                self._sizes.of(call.model, call.method).shrink(len(call))
            self._failed(call, reply)

    def _answered(self, call: Call, answer: Answer, seconds: float) -> None:
        self._lost_in_a_row = 0
        value, size = answer.value, self._sizes.of(call.model, call.method)
        if isinstance(call, Load | LoadById):
            refused = refusal(value, len(call))
            if refused is not None:
                size.refused(len(call), seconds)
                self._not_loaded(call, refused, again=answer.maybe_applied)
                return
            value = imported_ids(value, len(call))
        if not answer.maybe_applied:
            size.learn(len(call), seconds)
        if isinstance(call, Create | Load | LoadById):
            if not is_ids(value, len(call), new=isinstance(call, Create)):
                self.lose(call, no_ids(call.method, len(call)))
                return
            self._ledger.name(call.numbers, value)
            if isinstance(call, Load):
                self._ask_who_created(call, value)
        if call.maybe_applied or answer.maybe_applied:
            self._agenda.may_land_late(call.numbers)
        self.done(call)

    def _ask_who_created(self, call: Load, ids: Sequence[int]) -> None:
        """Of what an import found absent: somebody else may have created it since."""
        numbers = enumerate(call.numbers)
        new = {place: ids[place] for place, number in numbers if self._ledger.was_new(number)}
        if new:
            self.find(call, dict.fromkeys(new, Existence.ASKED))
            self._agenda.again([CreatedByItself(call, new)])

    def _held_back(self, call: Call, reply: HeldBack) -> None:
        """A transaction keeps the call back until its end, and tells then what became of it."""
        self._ledger.mark(call.numbers, HELD)
        self._agenda.settle(call.numbers, Status.NOT_SENT)
        reply.listeners.append(lambda endings: self._ended(call, endings))

    def _ended(self, call: Call, endings: Sequence[Ending]) -> None:
        with self._lock:
            self._ledger.end(call.numbers, endings)

    def _not_loaded(self, call: Load | LoadById, refused: Refusal, *, again: bool) -> None:
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
        if isinstance(call, Load) or self._on_error == "stop":
            self.refuse(call, refused.errors)
            alone = refused.suspects
        if call.lane is not None and alone:
            self._agenda.again(call.apart(alone, without=refused.errors))
            return
        self._agenda.again(call.only([place]) for place in sorted(alone))
        self._agenda.again([call.without(named)] if named else call.halves())

    def _unanswered(self, call: Load, error: ZenooError) -> None:
        """Interrupt the round, until it is known what became of an import without an answer."""
        self._unsure(call, error)
        if self._agenda.asks_for_ids:
            self._agenda.go_first([Reconcile(call, error=error)])
        elif self._goes_on and call.idempotent:
            self._agenda.wait_for_server().append(attrs.evolve(call, maybe_applied=True))
        else:
            self._agenda.interrupt()
            self.load_again(call, error)

    def load_again(self, call: Call, error: ZenooError) -> None:
        """Send an import whose answer was lost once more, if that is harmless."""
        if call.idempotent:
            self._agenda.again([attrs.evolve(call, maybe_applied=True)])
        else:
            self.lose(call, error)

    def _failed(self, call: Call, fault: Fault) -> None:
        if is_missing(call, fault):
            self._ways.missing.add(Way(call.method))
            self._agenda.again(call.singles())
            self._ledger.mark(call.numbers, Status.NOT_SENT)
            return
        if needs_survey(call, fault):
            self._unsure(call, fault.error)
            self._agenda.again([RemainingIds(call, fault.error)])
            return
        if self._settles and needs_reconcile(call, fault):
            self._unanswered(call, fault.error)
            return
        if fault.maybe_applied:
            call = attrs.evolve(call, maybe_applied=True)
        if fault.is_conflict and not call.alone:
            self._suspend(call, fault.error)
            self._agenda.put_aside(call)
            return
        if fault.proof is Proof.UNKNOWN or (self._agenda.awaited and fault.may_pass):
            self.lose(call, fault.error, fault.status)
            return
        if len(call) == 1 or not fault.may_isolate:
            self.settle(call, fault.status, fault.error)
            if fault.is_conflict:
                self._agenda.cut_short(call)
            if self._on_error == "stop" or not (fault.may_isolate or fault.is_conflict):
                self.stop(fault.error)
            return
        self._suspend(call, fault.error)
        if (
            not self._agenda.stopped
            and needs_probe(fault)
            and (call.model, call.right) not in self._rights.fine
        ):
            self._ask(call, fault)
            return
        asks = names_a_field(call, fault.error) and not self._agenda.stopped
        if asks and self._agenda.ask_for_fields(call.model):
            self._agenda.again([call])
            return
        told = isolate(call, fault, self._ways.fields.get(call.model))
        self._agenda.again(told.again)
        if told.refused is not None:
            self.settle(told.refused, Status.REFUSED, fault.error)

    def _ask(self, call: Call, fault: Fault) -> None:
        """Send a probe for the call, or let it wait for one that is under way already."""
        if (call.model, call.right) in self._rights.denied:
            self.settle(call, Status.REFUSED, fault.error)
            return
        self.again([self._rights.check(call, fault)])

    # -- the book ------------------------------------------------------------------------------

    def again(self, steps: Iterable[Step | Call | None]) -> None:
        """Send these before anything else; None is a call of which nothing was left."""
        self._agenda.again(steps)

    def stop(self, error: ZenooError) -> None:
        """Send nothing more, because of an error."""
        self._agenda.stop(error)

    def name(self, call: Call, ids: Iterable[int]) -> None:
        """Tell the ids of a call's records."""
        self._ledger.name(call.numbers, ids)

    def find(self, call: Call, existence: Mapping[int, Existence]) -> None:
        """Tell what was found of the records at these places in a call."""
        for place, what in existence.items():
            self._ledger.find(call.numbers[place], what)

    def was_new(self, number: int) -> bool:
        """Whether a record is known not to have been there before."""
        return self._ledger.was_new(number)

    def ask_no_more_for_ids(self) -> None:
        """Ask no more which external ids are there: the user may not."""
        self._agenda.asks_for_ids = False

    def describe(self, model: str, reply: Answer | Fault) -> None:
        """Take what the fields of a model are."""
        self._agenda.describe(model, reply)

    def done(self, call: Call) -> None:
        """Tell the records of a call as applied."""
        self._ledger.mark(call.numbers, Status.APPLIED)
        self._ledger.excuse(call.numbers)
        self._agenda.settle(call.numbers)

    def _suspend(self, call: Call, error: ZenooError) -> None:
        """Keep what is true of a refused call if the run ended before its parts are sent.

        With `on_error="stop"` it ends now; who is to blame is known only if the server named it.
        """
        if self._on_error == "stop" and not isinstance(error, ConflictError):
            self.give_up(call, Status.NOT_SENT, error)
        elif call.maybe_applied:
            self._unsure(call, error)
        else:
            self._ledger.mark(call.numbers, Status.NOT_SENT)

    def _unsure(self, call: Call, error: ZenooError) -> None:
        """Keep the reason why it would be unknown, if the run ended before it is found out."""
        self._ledger.mark(call.numbers, IN_FLIGHT)
        self._ledger.blame(call.numbers, error)

    def skip(self, call: Call) -> None:
        """Take note that nothing of an import had to be sent."""
        self._sizes.of(call.model, call.method).skipped(len(call), self._seconds)

    def refuse(self, call: Call, errors: Mapping[int, ZenooError]) -> None:
        """Tell the records at these places in a call as refused."""
        for place, error in errors.items():
            self.settle(call.only([place]), Status.REFUSED, error)
            if self._on_error == "stop":
                self.stop(error)

    def lose(self, call: Call, error: ZenooError, status: Status = Status.UNKNOWN) -> None:
        """Tell the records of a call, and go on as soon as the server answers again, if wanted.

        What it turned away, or never got, goes again then.
        """
        if not self._goes_on or self._lost_in_a_row == LOST_IN_A_ROW:
            self.give_up(call, status, error)
            return
        if self._agenda.awaited is None:
            self._lost_in_a_row += 1
        waiting = self._agenda.wait_for_server()
        if status is Status.NOT_SENT:
            waiting.append(call)
            self._suspend(call, error)
            self._ledger.blame(call.numbers, error)
        else:
            self.settle(call, status, error)

    def give_up(self, call: Call, status: Status, error: ZenooError) -> None:
        """Tell the records of a call, and send nothing more."""
        self.settle(call, status, error)
        self.stop(error)

    def settle(self, call: Call, status: Status, error: ZenooError) -> None:
        """Tell the records of a call, and why.

        That a later try was not carried out is no reason for what is unknown of an earlier one.
        """
        reasons = self._ledger.errors if call.maybe_applied and status is Status.NOT_SENT else {}
        self._ledger.blame([each for each in call.numbers if each not in reasons], error)
        status = Status.UNKNOWN if call.maybe_applied else status
        self._ledger.mark(call.numbers, LEFT if status is Status.NOT_SENT else status)
        self._agenda.settle(call.numbers, status)
