"""The state of one batch in flight: what is next, what came back, what became of each record.

Nothing waits while its lock is held, so one kind of lock serves both twins.
"""

from __future__ import annotations

import threading
from array import array
from collections.abc import Iterator, Sequence
from typing import TypeGuard

import attrs

from ..batch.operations import CreateOperation, Operation
from ..batch.options import OnError, Progress
from ..batch.results import BatchResult, OperationResult, Status, Told
from ..errors import ServerError, ZenooError
from .faults import Fault, Proof
from .isolate import Probe, Survey, concerns_all, isolate, needs_probe, needs_survey
from .load import Import, Refusal, prepare, refusal
from .lookup import Description, Lookup
from .planner import Call, Limits, Placed, calls, stages
from .protocol import Answer
from .values import INT_MAX

Question = Probe | Survey | Lookup

IN_FLIGHT = 255  # a record's state between take() and record(); at the end it reads UNKNOWN


class Run:
    """Hands out the calls of a batch and keeps what became of every record.

    Any number of workers may share it. After the first failure that is no rollback nothing more is
    handed out: a server that does not answer is not asked again. After a refusal the stage is
    finished, and what was refused is sent again in parts until each refused record stands alone
    (see `isolate`); later stages follow only if *ordered* is false.
    """

    def __init__(
        self,
        operations: Sequence[Operation],
        limits: Limits,
        *,
        ordered: bool = True,
        on_error: OnError = "continue",
    ) -> None:
        self.operations = operations
        self._limits = limits
        self._ordered = ordered
        self._on_error = on_error
        self.total = sum(map(len, operations))
        self._states = bytearray(self.total)
        self._ids = array("q", bytes(8 * self.total))
        self._errors: dict[int, ZenooError] = {}
        self._stages: Iterator[list[Placed]] = iter(stages(operations, ordered=ordered))
        self._calls: Iterator[Question | Call] = iter(())
        self._imports: dict[int, Import] = {}  # by the number of its first record
        self._there = bytearray(self.total)  # by record: a `Told`
        self._ask_for_ids = True
        self._again: list[Question | Call] = []
        self._fine: set[tuple[str, str]] = set()  # model and method that a probe found right
        self._calls_sent = 0
        self._stopped = False
        self._lock = threading.Lock()

    def questions(self) -> list[Description]:
        """Return what has to be asked, and answered by `describe`, before the first round."""
        models = (operation.model for _, operation in self._imported())
        return [Description(model) for model in dict.fromkeys(models)]

    def describe(self, question: Description, reply: Answer | Fault) -> None:
        """Make the rows of a model's creates with external ids, by what was answered.

        Raises BatchValidationError for what an import cannot carry. Without an answer nothing is
        handed out.
        """
        for start, operation in self._imported():
            if operation.model != question.model:
                continue
            if isinstance(reply, Answer) and isinstance(reply.value, dict):
                self._imports[start] = prepare(operation, reply.value)
                continue
            self._stopped = True
            strange = ServerError("the answer to fields_get is no mapping")
            error = reply.error if isinstance(reply, Fault) else strange
            self._errors.update(dict.fromkeys(range(start, start + len(operation)), error))

    def _imported(self) -> Iterator[tuple[int, CreateOperation]]:
        """Yield the creates with external ids, and the number of the first record of each."""
        start = 0
        for each in self.operations:
            if isinstance(each, CreateOperation) and each.external_ids:
                yield start, each
            start += len(each)

    def advance(self) -> bool:
        """Go on to the next round of calls; False when there is none.

        To be called when no call is in flight. A round is a stage, or the parts of what was
        refused in the round before.
        """
        with self._lock:
            if self._stopped:
                return False
            if self._again:
                self._calls, self._again = iter(self._again), []
                return True
            if self._ordered and self._errors:
                return False
            stage = next(self._stages, None)
            if stage is not None:
                self._begin(calls(stage, self._limits, self._imports), stage)
            return stage is not None

    def _begin(self, stage_calls: Iterator[Call], stage: list[Placed]) -> None:
        """Begin with the questions that a stage has, otherwise with its calls."""
        self._calls = stage_calls
        if self._ask_for_ids and any(each.start in self._imports for each in stage):
            wanted = list(stage_calls)
            self._calls = iter([Lookup(call) for call in wanted if call.method == "load"])
            self._again += wanted

    def take(self) -> Question | Call | None:
        """Return the next call to send, None when the round has no other."""
        with self._lock:
            call = None if self._stopped else next(self._calls, None)
            while isinstance(call, Lookup) and not self._ask_for_ids:
                call = next(self._calls, None)
            if call is not None:
                self._calls_sent += 1
            if isinstance(call, Call):
                self._mark(call, IN_FLIGHT)
            return call

    def record(self, call: Question | Call, reply: Answer | Fault) -> None:
        """File what the server said to *call*."""
        with self._lock:
            if isinstance(call, Probe):
                self._probed(call, reply)
            elif isinstance(call, Survey):
                self._surveyed(call, reply)
            elif isinstance(call, Lookup):
                self._looked_up(call, reply)
            elif isinstance(reply, Answer):
                self._answered(call, reply)
            else:
                self._failed(call, reply)

    def stop(self) -> None:
        """Let the calls in flight finish, and hand out no other."""
        with self._lock:
            self._stopped = True

    def progress(self, *, ended: bool = False) -> Progress:
        """Return how far it is; *ended* says that no call will follow, so all is settled."""
        with self._lock:
            states = self._settled() if ended else self._states
            stats = {status.name.lower(): states.count(status) for status in Status}
            settled = sum(stats.values()) - stats["not_sent"]
            completed = self.total if ended else settled
            percentage = 100.0 * completed / self.total if self.total else 100.0
            return Progress(
                completed=completed,
                total=self.total,
                percentage=percentage,
                stats={**stats, "calls": self._calls_sent},
            )

    def result(self) -> BatchResult:
        """Return what is known now of every record; what is in flight counts as unknown."""
        with self._lock:
            states = self._settled()
            results = []
            start = 0
            for operation in self.operations:
                end = start + len(operation)
                own = {n - start: self._errors[n] for n in range(start, end) if n in self._errors}
                part = slice(start, end)
                results.append(
                    OperationResult(
                        operation,
                        bytes(states[part]),
                        self._ids[part],
                        own,
                        bytes(self._there[part]),
                    )
                )
                start = end
            return BatchResult(tuple(results))

    def _settled(self) -> bytearray:
        """Return the states if the run ended now: what is in flight is unknown."""
        return self._states.replace(bytes([IN_FLIGHT]), bytes([Status.UNKNOWN]))

    def _mark(self, call: Call, state: int) -> None:
        for number in call.numbers:
            self._states[number] = state

    def _answered(self, call: Call, answer: Answer) -> None:
        value = answer.value
        if call.method == "load":
            refused = refusal(value, len(call))
            if refused is not None:
                self._not_loaded(call, refused, again=answer.after_unknown)
                return
            value = value.get("ids") if isinstance(value, dict) else None
        self._applied(call, value)

    def _not_loaded(self, call: Call, refused: Refusal, *, again: bool) -> None:
        """Nothing of the call was written: go on with the rows that were not named."""
        if again and not call.may_be_done:
            # What was in the way may be the first try of this same call.
            self._again.append(attrs.evolve(call, may_be_done=True))
            return
        stop = self._on_error == "stop"
        self._mark(call, IN_FLIGHT if call.may_be_done else Status.NOT_SENT)
        self._stopped = self._stopped or stop
        if not refused.errors and len(call) > 1 and not stop:
            self._again += call.halves()
            return
        errors = refused.errors or dict.fromkeys(range(len(call)), refused.whole)
        for place, error in errors.items():
            self._settle(call.only([place]), Status.REFUSED, error)
        rest = call.without(errors)
        if rest is not None and not stop:
            self._again.append(rest)

    def _looked_up(self, lookup: Lookup, reply: Answer | Fault) -> None:
        """Keep which records are there; a user who may not ask is not told."""
        found = lookup.found(reply.value) if isinstance(reply, Answer) else None
        if found is None:
            self._ask_for_ids = False
            return
        for number, there in zip(lookup.call.numbers, found, strict=True):
            self._there[number] = Told.THERE if there else Told.NEW

    def _applied(self, call: Call, value: object) -> None:
        if call.method in ("create", "load"):
            if not _is_ids(value, len(call)):
                error = ServerError(f"the answer to {call.method} is no list of {len(call)} ids")
                self._settle(call, Status.UNKNOWN, error)
                self._stopped = True
                return
            for number, record_id in zip(call.numbers, value, strict=True):
                self._ids[number] = record_id
        self._mark(call, Status.APPLIED)

    def _failed(self, call: Call, fault: Fault) -> None:
        if needs_survey(call, fault):
            self._mark(call, IN_FLIGHT)
            self._again.append(Survey(call, fault.error))
            return
        if fault.after_unknown:
            call = attrs.evolve(call, may_be_done=True)
        if len(call) == 1 or not fault.may_isolate or self._on_error == "stop":
            self._settle(call, fault.status, fault.error)
            if fault.proof is not Proof.ROLLED_BACK or self._on_error == "stop":
                self._stopped = True
            return
        self._mark(call, IN_FLIGHT if call.may_be_done else Status.NOT_SENT)
        if needs_probe(fault) and (call.model, call.method) not in self._fine:
            self._ask(call, fault)
            return
        told = isolate(call, fault)
        self._again += told.again
        if told.refused is not None:
            self._settle(told.refused, Status.REFUSED, fault.error)

    def _ask(self, call: Call, fault: Fault) -> None:
        """Queue a probe for the call, or add the call to one that waits already."""
        probe = Probe(call.model, call.method, call.context, [(call, fault)])
        for other in self._again:
            if isinstance(other, Probe) and other == probe:
                other.waiting.extend(probe.waiting)
                return
        self._again.append(probe)

    def _probed(self, probe: Probe, reply: Answer | Fault) -> None:
        for call, fault in probe.waiting:
            if concerns_all(reply, fault):
                self._settle(call, Status.REFUSED, fault.error)
            elif isinstance(reply, Fault) and reply.proof is not Proof.ROLLED_BACK:
                self._settle(call, Status.NOT_SENT, reply.error)
                self._stopped = True
            else:
                self._fine.add((call.model, call.method))
                self._again += call.halves()

    def _surveyed(self, survey: Survey, reply: Answer | Fault) -> None:
        sorted_out = survey.sort(reply.value) if isinstance(reply, Answer) else None
        if sorted_out is None:
            error = reply.error if isinstance(reply, Fault) else ServerError("no list of ids")
            self._settle(survey.call, Status.UNKNOWN, error)
            self._stopped = True
            return
        gone, left = sorted_out
        if gone is not None:
            self._mark(gone, Status.APPLIED)
        if left is not None and gone is None and survey.call.may_be_done:
            self._settle(left, Status.UNKNOWN, survey.error)  # asking on would lead nowhere
        elif left is not None:
            self._again.append(attrs.evolve(left, may_be_done=True))

    def _settle(self, call: Call, status: Status, error: ZenooError) -> None:
        self._mark(call, Status.UNKNOWN if call.may_be_done else status)
        self._errors.update(dict.fromkeys(call.numbers, error))


def _is_ids(value: object, length: int) -> TypeGuard[list[int]]:
    if not isinstance(value, list) or len(value) != length:
        return False
    return all(type(number) is int and 0 < number <= INT_MAX for number in value)
