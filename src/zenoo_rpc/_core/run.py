"""The state of one batch in flight: what is next, what came back, what became of each record.

Nothing waits while its lock is held, so one kind of lock serves both twins.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, Sequence

import attrs

from ..batch.operations import CreateStream, Operation
from ..batch.options import OnError, OnUnknown, Progress
from ..batch.results import BatchResult, RecordOutcome, Status, Told
from ..errors import ConflictError, ZenooError
from .agenda import Agenda, Question, numbered
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
from .lookup import Description, Lookup, Reconcile
from .pace import Sizes
from .planner import ONE_BY_ONE, Call
from .protocol import Answer, Ending, HeldBack
from .source import Source
from .values import is_ids, no_ids
from .ways import Way, Ways

FORGOTTEN_AT_ONCE = 4096  # outcomes that were told


class Run:
    """Hands out the calls of a batch and keeps what became of every record.

    Any number of workers may share it. What was refused is sent again in parts, at once, until each
    refused record stands alone (see `isolate`); later stages follow only if *ordered* is false.
    After the first failure that is no rollback nothing more is handed out: a server that does not
    answer is not asked again. Only an import without an answer is asked about first (see
    `_unanswered`), unless *on_unknown* says otherwise. A stream whose outcomes are told one by one
    is read no further ahead of that than *look_ahead* calls.
    """

    def __init__(
        self,
        operations: Sequence[Operation],
        sizes: Sizes,
        *,
        ways: Ways = ONE_BY_ONE,
        ordered: bool = True,
        on_error: OnError = "continue",
        on_unknown: OnUnknown = "reconcile",
        look_ahead: int | None = None,
    ) -> None:
        for each in operations:
            if isinstance(each, CreateStream):
                each.begin()
        self.operations = operations
        self._sizes = sizes
        self._ways = ways
        self._on_error = on_error
        self._on_unknown = on_unknown
        self._ledger = Ledger(sum(map(len, operations)))
        self._agenda = Agenda(
            operations, sizes, ways, self._ledger, ordered=ordered, look_ahead=look_ahead
        )
        self._asked: list[Probe] = []  # without an answer yet
        self._fine: set[tuple[str, str]] = set()  # model and right that a probe found there
        self._denied: set[tuple[str, str]] = set()  # and that it did not
        self._calls_sent = 0
        self._told = 0  # how many outcomes of a stream were told
        self._stopped = False
        self._closed = False
        self._lock = threading.Lock()

    @property
    def total(self) -> int:
        """How many records there are; of streams those that were read so far."""
        return len(self._ledger)

    def questions(self) -> list[Description]:
        """Return what has to be asked, and answered by `describe`, before the first round."""
        return self._agenda.questions()

    def describe(self, question: Description, reply: Answer | Fault) -> None:
        """Take what was answered; BatchValidationError for what an import cannot carry."""
        self._calls_sent += 1
        self._stopped = not self._agenda.describe(question, reply) or self._stopped

    # -- what is next --------------------------------------------------------------------------

    def advance(self) -> bool:
        """Go on to the next round of calls; False when there is none.

        To be called when no call is in flight. A round is a stage, or what was left over when one
        was interrupted or had ended.
        """
        with self._lock:
            return not self._stopped and self._agenda.advance()

    def wanted(self) -> tuple[Source, int] | None:
        """Return what has to be read before `take`, and how many items of it; None for nothing."""
        with self._lock:
            return None if self._stopped else self._agenda.wanted(self._told)

    def feed(self, items: Iterable[object]) -> None:
        """Take items that were read; a bad one is refused here, the server never gets it."""
        with self._lock:
            bad = self._agenda.feed(items)
            self._stopped = self._stopped or (bad and self._on_error == "stop")

    def take(self) -> Question | Call | None:
        """Return the next call to send, None when the round has no other."""
        with self._lock:
            call = None if self._stopped else self._agenda.next()
            self._calls_sent += call is not None
            if isinstance(call, Call):
                self._ledger.mark(call.numbers, IN_FLIGHT)
            return call

    # -- what came back ------------------------------------------------------------------------

    def record(self, call: Question | Call, reply: Answer | Fault, seconds: float = 0.0) -> None:
        """File what the server said to *call*, which took so many seconds."""
        with self._lock:
            if isinstance(call, Probe):
                self._probed(call, reply)
            elif isinstance(call, Survey):
                self._surveyed(call, reply)
            elif isinstance(call, Reconcile):
                self._reconciled(call, reply)
            elif isinstance(call, Lookup):
                self._looked_up(call, reply)
            elif isinstance(reply, HeldBack):
                self._held_back(call, reply)
            elif isinstance(reply, Answer):
                if not reply.after_unknown:
                    self._sizes.of(call.model, call.method).learn(len(call), seconds)
                self._answered(call, reply)
            else:
                if reply.is_for_size:
                    self._sizes.of(call.model, call.method).shrink(len(call))
                self._failed(call, reply)

    def stop(self) -> None:
        """Let the calls in flight finish, and hand out no other."""
        with self._lock:
            self._stopped = True

    def close(self) -> None:
        """Stop for good, and let go of what was to be read."""
        with self._lock:
            self._stopped = self._closed = True
            for each in self.operations:
                if isinstance(each, CreateStream):
                    each.source.close()

    def progress(self, *, ended: bool = False) -> Progress:
        """Return how far it is; *ended* says that no call will follow, so all is settled."""
        with self._lock:
            counts = self._ledger.counts(ended=ended)
            stats = {status.name.lower(): count for status, count in counts.items()}
            settled = sum(stats.values()) - stats["not_sent"]
            completed = self.total if ended else settled
            percentage = 100.0 * completed / self.total if self.total else 100.0
            return Progress(
                completed=completed,
                total=self.total,
                percentage=percentage,
                stats={**stats, "calls": self._calls_sent},
            )

    def tell(self, *, ended: bool = False) -> RecordOutcome | None:
        """Return the outcome of the next record of a stream, and forget it; None if it is open.

        Once the run has *ended* all are settled, and None says that there is no other.
        """
        with self._lock:
            if self._told == len(self._ledger):
                return None
            [operation] = self.operations
            outcome = self._ledger.outcome(operation, self._told, ended=ended)
            if outcome is None:
                return None
            self._told += 1
            if self._told - self._ledger.first >= FORGOTTEN_AT_ONCE:
                self._ledger.forget(self._told)
            return outcome

    def result(self) -> BatchResult:
        """Return what is known now of every record; what is in flight counts as unknown."""
        with self._lock:
            each = numbered(self.operations, self._agenda.starts)
            return BatchResult(tuple(self._ledger.result(*e, final=self._closed) for e in each))

    # -- what follows from it ------------------------------------------------------------------

    def _answered(self, call: Call, answer: Answer) -> None:
        value = answer.value
        if call.method == Way.LOAD:
            refused = refusal(value, len(call))
            if refused is not None:
                self._not_loaded(call, refused, again=answer.after_unknown)
                return
            value = imported_ids(value, len(call))
        if call.method in ("create", Way.LOAD):
            if not is_ids(value, len(call), new=call.method == "create"):
                self._give_up(call, Status.UNKNOWN, no_ids(call.method, len(call)))
                return
            self._ledger.name(call.numbers, value)
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
        if again and not call.may_be_done:
            # What was in the way may be the first try of this same call.
            self._unsure(call, refused.whole)
            self._agenda.again([attrs.evolve(call, may_be_done=True)])
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
        """Keep which records are there, and send them; a user who may not ask is not told."""
        found = lookup.found(reply)
        self._agenda.asks_for_ids = self._agenda.asks_for_ids and found is not None
        for number, there in zip(lookup.call.numbers, found or (), strict=False):
            self._ledger.tell(number, Told.THERE if there else Told.NEW)
        taken = lookup.taken(reply)
        self._refuse(lookup.call, taken)
        self._agenda.again([lookup.call.without(taken)])

    def _unanswered(self, call: Call, error: ZenooError) -> None:
        """Interrupt the round, until it is known what became of an import without an answer."""
        self._unsure(call, error)
        self._agenda.interrupt()
        if self._agenda.asks_for_ids:
            self._agenda.again([Reconcile(call, error)])
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
            self._agenda.again([attrs.evolve(call, may_be_done=True)])
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
        if fault.after_unknown:
            call = attrs.evolve(call, may_be_done=True)
        if fault.is_conflict and not call.alone:
            self._suspend(call, fault.error)
            self._agenda.put_aside(call)
            return
        if len(call) == 1 or not fault.may_isolate:
            self._settle(call, fault.status, fault.error)
            self._stopped |= self._on_error == "stop" or fault.proof is not Proof.ROLLED_BACK
            return
        self._suspend(call, fault.error)
        if not self._stopped and needs_probe(fault) and (call.model, call.right) not in self._fine:
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
            self._stopped |= isinstance(reply, Answer) or reply.proof is not Proof.ROLLED_BACK
            return
        gone, left = sorted_out
        if gone is not None:
            self._done(gone)
        if left is not None and gone is None and survey.call.may_be_done:
            self._settle(left, Status.UNKNOWN, survey.error)  # asking on would lead nowhere
        elif left is not None:
            self._agenda.again([attrs.evolve(left, may_be_done=True)])

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
        elif call.may_be_done:
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
        self._stopped |= bool(errors) and self._on_error == "stop"

    def _give_up(self, call: Call, status: Status, error: ZenooError) -> None:
        self._settle(call, status, error)
        self._stopped = True

    def _settle(self, call: Call, status: Status, error: ZenooError) -> None:
        status = Status.UNKNOWN if call.may_be_done else status
        self._ledger.mark(call.numbers, status)
        self._ledger.blame(call.numbers, error)
        if status is Status.REFUSED:
            self._agenda.settle(call.numbers)
