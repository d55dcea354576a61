"""A server that is only a rule, and a driver that keeps several calls in flight over a run."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from random import Random

from zenoo_rpc._core.faults import Fault, Kind, Proof, odoo_fault, transport_fault
from zenoo_rpc._core.isolate import Probe
from zenoo_rpc._core.planner import Call
from zenoo_rpc._core.protocol import Answer
from zenoo_rpc._core.run import Run
from zenoo_rpc.batch.operations import Operation

from .batches import Mark, marks, marks_on_wire

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

# what can happen on the way -> whether the call is carried out, and what comes back
ACCIDENTS: dict[str, tuple[bool, Fault | Answer]] = {
    "reply lost": (True, transport_fault(Kind.READ_TIMEOUT, ADDRESS)),
    "killed in the middle": (False, transport_fault(Kind.CLOSED, ADDRESS)),
    "bad gateway": (True, transport_fault(Kind.NOT_ODOO, ADDRESS, status=502)),
    "refused connection": (False, transport_fault(Kind.REFUSED, ADDRESS)),
    "busy": (False, transport_fault(Kind.BUSY, ADDRESS)),
    "conflict": (False, odoo_fault("psycopg2.errors.SerializationFailure", "again", (), "")),
    "bad key": (False, odoo_fault("odoo.exceptions.AccessDenied", "Access Denied", (), "")),
    "too large": (False, transport_fault(Kind.REJECTED, ADDRESS, status=413)),
    "ids of another": (True, Answer([1] * 99)),
    "no ids": (True, Answer(True)),
}


class Server:
    """Carries a call out whole or not at all: one bad record, and nothing of it is done."""

    def __init__(self, operations: Sequence[Operation], bad: Mapping[Mark, str]) -> None:
        self.operations = operations
        self.bad = bad
        self.applied: Counter[Mark] = Counter()
        self.order: list[Mark] = []
        self.ids: dict[Mark, int] = {}
        self.calls = 0

    def serve(self, call: Call | Probe) -> Answer | Fault:
        """Return what Odoo would answer."""
        self.calls += 1
        if isinstance(call, Probe):
            return Answer(True)
        seen = marks_on_wire(self.operations, call)
        for place, mark in enumerate(seen):
            if mark in self.bad:
                name, message = REFUSALS[self.bad[mark]]
                number = json.loads(call.arguments[0])[place]
                return odoo_fault(name, message.format(model=call.model, id=number), (), "")
        self.applied.update(seen)
        self.order += seen
        if call.method != "create":
            return Answer(True)
        for mark in seen:
            self.ids[mark] = 1000 + len(self.ids)
        return Answer([self.ids[mark] for mark in seen])


def numbers(call: Call | Probe) -> Sequence[int]:
    """Return the numbers of the records that the call would change."""
    return call.numbers if isinstance(call, Call) else ()


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
        self.own = marks(run.operations)
        self.taken: list[Call | Probe] = []
        self.lost: set[int] = set()  # numbers of the records whose reply never came
        self._random = random
        self._slots = slots
        self._accidents = accidents or {}
        self._in_flight: list[tuple[Call | Probe, Answer | Fault]] = []

    def drive(self) -> None:
        """Take and record until the run has nothing more."""
        while self.run.advance():
            idle = False
            while self._in_flight or not idle:
                if not idle and len(self._in_flight) < self._slots and self._random.random() < 0.6:
                    idle = not self.take()
                elif self._in_flight:
                    self.record()

    def take(self) -> bool:
        """Take a call, if there is one, and let the server serve it."""
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

    def numbers_in_flight(self) -> set[int]:
        return {number for call, _ in self._in_flight for number in numbers(call)}

    def _check_taken(self, call: Call | Probe) -> None:
        """No record is sent again once its reply is lost, nor while it is on its way."""
        own = set(numbers(call))
        assert len(own) == len(numbers(call))
        assert not own & self.lost
        assert not own & self.numbers_in_flight()
        for other, _ in self._in_flight:
            assert not self._touched(call) & self._touched(other)

    def _touched(self, call: Call | Probe) -> set[tuple[str, object]]:
        if call.method not in ("write", "unlink"):
            return set()
        return {(call.model, number) for number in json.loads(call.arguments[0])}

    def _reply(self, call: Call | Probe) -> Answer | Fault:
        accident = self._accidents.get(len(self.taken) - 1)
        if accident is None or (isinstance(call, Probe) and "ids" in accident):
            return self.server.serve(call)
        carried_out, reply = ACCIDENTS[accident]
        if carried_out:
            served = self.server.serve(call)
            if isinstance(reply, Answer) and (isinstance(served, Fault) or call.method != "create"):
                return served
        unknown = isinstance(reply, Answer) or reply.proof is Proof.UNKNOWN
        if unknown:
            self.lost.update(numbers(call))
        return reply
