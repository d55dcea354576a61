"""A server that is only a rule, and a driver that keeps several calls in flight over a run."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from random import Random

from zenoo_rpc._compat import draw
from zenoo_rpc._core.call import Call
from zenoo_rpc._core.exchange import Answer
from zenoo_rpc._core.faults import Fault, Kind, Proof, odoo_fault, transport_fault
from zenoo_rpc._core.run import Run
from zenoo_rpc._core.steps.access import AccessCheck
from zenoo_rpc._core.steps.base import Step
from zenoo_rpc.batch.operations import Operation
from zenoo_rpc.batch.options import Way
from zenoo_rpc.batch.source import Source
from zenoo_rpc.batch.status import Status
from zenoo_rpc.batch.streams import CreateStream

from .batches import FIELDS, Mark, ids_on_wire, marks, marks_on_wire, tell_fields, values_on_wire

ADDRESS = "http://localhost:8069"

# why a record is bad -> how Odoo says it
REFUSALS = {
    "constraint": ("odoo.exceptions.ValidationError", "The code must be unique!"),
    "rule": ("odoo.exceptions.AccessError", "Due to security restrictions ..."),
    "business": ("odoo.exceptions.UserError", "You cannot delete a posted entry."),
    "value": ("builtins.ValueError", "Wrong value for m.x: 'red'"),
    "gone": (
        "odoo.exceptions.MissingError",
        "It is gone.\n(Record: {model}({id},), User: 2)",
    ),
}
NO_METHOD = odoo_fault(
    "builtins.AttributeError", "The method 'm.web_save_multi' does not exist", (), ""
)

LOST = transport_fault(Kind.READ_TIMEOUT, ADDRESS)

# what can happen on the way -> whether the call is carried out, and what comes back
ACCIDENTS: dict[str, tuple[bool, Fault | Answer]] = {
    "reply lost": (True, LOST),
    "killed in the middle": (False, transport_fault(Kind.CLOSED, ADDRESS)),
    "bad gateway": (True, transport_fault(Kind.GATEWAY, ADDRESS, status=502)),
    "refused connection": (False, transport_fault(Kind.REFUSED, ADDRESS)),
    "busy": (False, transport_fault(Kind.BUSY, ADDRESS)),
    "conflict": (False, odoo_fault("psycopg2.errors.SerializationFailure", "again", (), "")),
    "bad key": (False, odoo_fault("odoo.exceptions.AccessDenied", "Access Denied", (), "")),
    "too large": (False, transport_fault(Kind.TOO_LARGE, ADDRESS, status=413)),
    "ids of another": (True, Answer([1] * 99)),
    "no ids": (True, Answer(True)),
}
TRIED_AGAIN = "tried again"  # the first try was lost and not carried out, and could be repeated


class Server:
    """Carries a call out whole or not at all: one bad record, and nothing of it is done."""

    def __init__(
        self,
        operations: Sequence[Operation],
        bad: Mapping[Mark, str],
        *,
        saves: bool = True,
        described: bool = True,
    ) -> None:
        self.operations = operations
        self.bad = bad
        self.fields: Answer = Answer(FIELDS if described else None)
        self.applied: Counter[Mark] = Counter()
        self.written: dict[Mark, dict[str, object]] = {}
        self.order: list[Mark] = []
        self.ids: dict[Mark, int] = {}
        self.calls = 0
        self._saves = saves

    def serve(self, call: Step | Call) -> Answer | Fault:
        """Return what Odoo would answer."""
        self.calls += 1
        if not isinstance(call, Call):
            return Answer(True)
        if call.method == Way.SAVE and not self._saves:
            return NO_METHOD
        seen = marks_on_wire(self.operations, call)
        for place, mark in enumerate(seen):
            if mark in self.bad:
                return self._refuse(call, place, mark)
        self.applied.update(seen)
        self.order += seen
        if call.method == "create":
            for mark in seen:
                self.ids[mark] = 1000 + len(self.ids)
            return Answer([self.ids[mark] for mark in seen])
        if call.method == "unlink":
            return Answer(True)
        self.written.update(zip(seen, values_on_wire(call), strict=True))
        ids = ids_on_wire(call)
        answers = {Way.SAVE: [{"id": number} for number in ids], Way.WRITE: True}
        return Answer(answers.get(Way(call.method), {"ids": ids, "messages": []}))

    def _refuse(self, call: Call, place: int, mark: Mark) -> Answer | Fault:
        name, message = REFUSALS[self.bad[mark]]
        if call.method == Way.LOAD:  # which names the row of some faults, and of others none
            named = place if mark[1] % 2 else None
            return Answer({"ids": False, "messages": [{"type": "error", "record": named}]})
        number = json.loads(call.arguments[0])[place]
        return odoo_fault(name, message.format(model=call.model, id=number), (), "")


class Driver:
    """Carries a run out with up to *slots* calls in flight, whose replies come in any order."""

    def __init__(
        self,
        run: Run,
        server: Server,
        random: Random,
        *,
        slots: int = 4,
        accidents: Mapping[int, str] | None = None,
    ) -> None:
        self.run = run
        self.server = server
        self.taken: list[Step | Call] = []
        self.lost: set[Mark] = set()  # of the records whose reply never came
        self.unsure: set[Mark] = set()  # of those that may have been carried out by a lost try
        self._marks: dict[int, Mark] = {}  # by the record's number
        self._random = random
        self._slots = slots
        self._size = 0  # of a call, as far as a stream was asked for one
        self._accidents = accidents or {}
        self._in_flight: list[tuple[Step | Call, Answer | Fault]] = []

    @property
    def own(self) -> list[Mark]:
        """The marks of the records, in the order of the results."""
        return marks(self.run.operations)

    def begin(self) -> bool:
        """Answer what is asked beforehand, and begin the first round."""
        self.asked = len(tell_fields(self.run, self.server.fields))
        return not self.run._agenda.stopped

    def drive(self) -> None:
        """Take and record until the run has nothing more."""
        more = self.begin()
        while more:
            idle = False
            while self._in_flight or not idle:
                if not idle and len(self._in_flight) < self._slots and self._random.random() < 0.6:
                    idle = not self.take()
                elif self._in_flight:
                    self.record()
            more = self.run.advance()

    def take(self) -> bool:
        """Take a call, if there is one, and let the server serve it."""
        while wanted := self.run.wanted():
            self._feed(*wanted)
        call = self.run.take()
        if call is None:
            return False
        self._check_taken(call)
        self.taken.append(call)
        self._in_flight.append((call, self._reply(call)))
        return True

    def record(self) -> None:
        """Hand one of the replies to the run."""
        call, reply = self._in_flight.pop(self._random.randrange(len(self._in_flight)))
        before = self.run.progress()
        self.run.record(call, reply)
        after = self.run.progress()
        assert before["completed"] <= after["completed"] <= after["total"]
        self._check_kept()

    def marks_of(self, call: Step | Call | None) -> set[Mark]:
        """Return the marks of the records that the call would change."""
        return set(marks_on_wire(self.run.operations, call)) if isinstance(call, Call) else set()

    def marks_in_flight(self) -> set[Mark]:
        """Return the marks of the records that are on their way."""
        return set().union(*(self.marks_of(call) for call, _ in self._in_flight))

    def _feed(self, source: Source, count: int) -> None:
        self._size = max(self._size, count)
        items: list[object] = []
        draw(source.items, count, items)
        assert len(items) == count or not source.items
        self.run.feed(items)
        self._check_kept()

    def _check_taken(self, call: Step | Call) -> None:
        """No record is sent again once its reply is lost, nor while it is on its way."""
        own = self.marks_of(call)
        assert not own & self.lost
        assert not own & self.marks_in_flight()
        for other, _ in self._in_flight:
            assert not self._touched(call) & self._touched(other)
        if isinstance(call, Call):
            seen = marks_on_wire(self.run.operations, call)
            assert len(own) == len(seen)
            for number, mark in zip(call.numbers, seen, strict=True):
                assert mark == self._marks.setdefault(number, mark)

    def _check_kept(self) -> None:
        """A stream keeps what is not settled and nothing else: a call beyond those in flight."""
        for each in self.run.result().operations:
            if not isinstance(each.operation, CreateStream):
                continue
            kept = each.operation.source.kept
            left = [outcome.index for outcome in each if outcome.status is Status.NOT_SENT]
            unknown = [outcome.index for outcome in each if outcome.status is Status.UNKNOWN]
            assert {*left} <= kept.keys() <= {*left, *unknown}
            asked = [call for call, _ in self._in_flight if isinstance(call, AccessCheck)]
            waiting = sum(len(call) for probe in asked for call, _ in probe.waiting)
            waiting += sum(map(len, self.run._agenda._aside))  # until the others are through
            assert len(kept) <= (self._slots + 1) * self._size + waiting

    def _touched(self, call: Step | Call) -> set[tuple[str, object]]:
        if not isinstance(call, Call) or call.method == "create":
            return set()
        return {(call.model, number) for number in ids_on_wire(call)}

    def _reply(self, call: Step | Call) -> Answer | Fault:
        accident = self._accidents.get(len(self.taken) - 1)
        if accident is None or (not isinstance(call, Call) and "ids" in accident):
            return self.server.serve(call)
        if accident == TRIED_AGAIN:
            served = self.server.serve(call)
            if not isinstance(call, Call) or not call.idempotent or call.method == "unlink":
                return served
            self.unsure |= self.marks_of(call)
            return served.seen_after(LOST)
        carried_out, reply = ACCIDENTS[accident]
        if carried_out:
            served = self.server.serve(call)
            if isinstance(reply, Answer) and (isinstance(served, Fault) or call.method != "create"):
                return served
        unknown = isinstance(reply, Answer) or reply.proof is Proof.UNKNOWN
        if unknown and isinstance(call, Call):
            self.lost |= self.marks_of(call)
        return reply
