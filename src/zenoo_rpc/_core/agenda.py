"""What of a batch is still to be sent, and in which order."""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Iterable, Iterator, Sequence

import attrs

from ..batch.errors import NotSentError
from ..batch.operations import Operation
from ..batch.options import OnError
from ..batch.source import Source
from ..batch.status import Status
from ..batch.streams import StreamOperation
from ..batch.validate import LANES
from ..errors import ZenooError
from .call import Call, Load
from .exchange import Answer
from .faults import Fault
from .footprint import Footprints
from .lanes import Lanes
from .ledger import IN_THE_WAY, NOT_WHOLE, Ledger
from .planner import PlannedOperation, numbered, rounds, stages
from .preparation import Preparation
from .reading import Reading
from .sizes import Sizes
from .steps.base import Step
from .steps.fields import FieldTypes
from .steps.known import KnownExternalIds
from .steps.server_back import AnswersAgain
from .steps.unchanged import Cells
from .ways import Ways


class Agenda:
    """The stages of a batch, one after the other; within one, what is to be sent again goes first.

    What interrupts a round goes before anything else, with nothing else beside it.
    """

    def __init__(
        self,
        operations: Sequence[Operation],
        sizes: Sizes,
        ways: Ways,
        ledger: Ledger,
        *,
        ordered: bool,
        look_ahead: int | None,
        on_error: OnError = "continue",
        skip_unchanged: bool = True,
    ) -> None:
        self.asks_for_ids = True  # before each import, which of its records are there
        self.starts: dict[int, int] = {}  # by the `id` of a stream: the number of its first record
        self._operations = operations
        self._on_error = on_error
        self._skip_unchanged = skip_unchanged
        self._preparation = Preparation(operations, ways, ledger)
        self._sizes = sizes
        self._ways = ways
        self._ledger = ledger
        self._ordered = ordered
        self._look_ahead = look_ahead
        self._stages = deque(stages(operations, ordered=ordered))
        self._reading: Reading | None = None
        self._calls: Iterator[Call] = iter(())
        self._again: deque[Step | Call] = deque()
        self._rounds: list[Iterator[Call]] = []  # of the stage, after this one
        self._left_out: list[range] = []  # numbers of records that go in none of these
        self._lanes = Lanes()
        self._parked: deque[Call] = deque()  # what waits for its lane
        self._aside: deque[Call] = deque()  # what another transaction was in the way of
        self.awaited: AnswersAgain | None = None  # before anything else is sent
        self._first: deque[Step | Call] = deque()  # what interrupted the round; `awaited` leads
        self._now = 0  # how many of these may go
        self._flows = True  # whether all else may
        self._is_stuck: bool | None = None  # nothing came of this round; None for not known yet
        self.stopped = False  # nothing more is to be sent

    def describe(self, model: str, reply: Answer | Fault) -> None:
        """Take what the fields of a model are; what cannot go without them is not sent."""
        for operation, numbers, status, error in self._preparation.describe(model, reply):
            own: Sequence[int] = numbers
            if isinstance(operation, StreamOperation):
                self._ledger.close_one(operation, str(error), error)
                start = self.starts.get(id(operation), 0)
                stuck = operation.source.give_up(forget=status is Status.REFUSED)
                own = [start + index for index in stuck]
            self._ledger.mark(own, status)
            self._ledger.blame(own, error)
            if status is not Status.REFUSED or self._ordered or self._on_error == "stop":
                self.stop(error)
        if self._reading is not None:
            self._refuse(self._reading, self._reading.source.resume())

    def advance(self) -> bool:
        """Go on to the next round; False when there is none.

        The first ones ask what has to be known. Raises BatchValidationError, before anything is
        written, for what an import cannot carry, and for values that are none of their fields.
        """
        if self.stopped:
            return False
        was_stuck, self._is_stuck = self._is_stuck, None
        if not self._preparation.is_done:
            questions = self._preparation.questions()
            self.go_first(questions)
            if not questions:
                self._preparation.finish()
        if self._waits_for_nothing():
            self._ledger.close(NOT_WHOLE)
            return False
        if self._first:
            self._now = 1 if self.awaited is not None else len(self._first)
            return True
        self._flows = True
        if self._has_more() and not (was_stuck and self._aside):
            assert not was_stuck or self._look_ahead, "what is left waits for itself"
            return True
        if self._aside:
            self.go_first([self._asked_before(self._aside.popleft())])
            self._now = 1
            return True
        while self._rounds:
            self._calls = filter(self._goes_in, self._rounds.pop(0))
            if self._has_more():
                return True
        if self._ordered and self._ledger.errors:
            self._ledger.close(NOT_WHOLE)
            return False
        self._reading = None
        if self._stages:
            self._begin(self._stages.popleft())
            return True
        return False

    def _has_more(self) -> bool:
        """Whether there is more of the round, or a stream has more records."""
        if self._again or self._parked:
            return True
        call = next(self._calls, None)
        if call is not None:
            self._calls = itertools.chain([call], self._calls)
            return True
        return self._reading is not None and not self._reading.source.is_used_up

    def _begin(self, stage: list[PlannedOperation]) -> None:
        if self._ledger.errors:
            self._pass_over(stage)
        stage = [each for each in stage if id(each.operation) not in self._preparation.barred]
        if not stage:
            return
        operation = stage[0].operation
        if isinstance(operation, StreamOperation):
            start, last = len(self._ledger), stage[0].last
            own = (self._sizes, self._ways, self._ledger)
            self._reading = Reading(operation, start, last, *own)
            self.starts[id(operation)] = len(self._ledger)
        else:
            self._left_out.clear()
            self._calls, *self._rounds = rounds(
                stage, self._sizes, self._preparation.imports, self._ways
            )

    def _pass_over(self, stage: list[PlannedOperation]) -> None:
        """Do not begin what a call without an answer could undo: it may still land, late.

        Neither what follows such an operation, or sending that again would undo it.
        """
        lost = Footprints()
        for operation, numbers in numbered(self._operations, self.starts):
            if id(operation) in self._preparation.barred or self._ledger.has_unknown(numbers):
                lost.add(operation)
        for each in stage:
            if (
                id(each.operation) not in self._preparation.barred
                and lost.last_met(each.operation) >= 0
            ):
                self._preparation.barred.add(id(each.operation))
                self._ledger.close_one(each.operation, IN_THE_WAY)

    def stop(self, error: ZenooError) -> None:
        """Send nothing more, because of an error."""
        self.stopped = True
        self._ledger.close(f"the batch had ended with: {error}", error)

    def again(self, new: Iterable[Step | Call | None]) -> None:
        """Send these before anything else; None is a call of which nothing was left."""
        self._again += (each for each in new if each is not None)

    def ask_for_fields(self, model: str) -> bool:
        """Ask for the fields of a model, once; whether the question is still to be sent."""
        if self._preparation.is_new(model):
            self.go_first([FieldTypes(model)])
        return FieldTypes(model) in self._first

    def go_first(self, steps: Iterable[Step | Call]) -> None:
        """Send these before anything else, when all that is in flight has come back."""
        self._first.extend(steps)
        self.interrupt()

    def interrupt(self) -> None:
        """Send nothing before all that is in flight has come back."""
        self._flows, self._now = False, 0

    def wait_for_server(self) -> list[Call]:
        """Send nothing before the server answers a question; return what is to go then."""
        if self.awaited is None:
            self.awaited = AnswersAgain()
            self._first.appendleft(self.awaited)
            self.interrupt()
        return self.awaited.waiting

    def _waits_for_nothing(self) -> bool:
        """Whether it would wait for the server, and then had nothing to send."""
        if self.awaited is None or self.awaited.waiting or len(self._first) > 1:
            return False
        if self._has_more() or self._aside or self._rounds:
            return False
        return not self._stages or (self._ordered and bool(self._ledger.errors))

    def put_aside(self, call: Call) -> None:
        """Send it once more when the others of its stage are through, with nothing beside it."""
        self._aside.append(attrs.evolve(call, alone=True))

    def cut_short(self, call: Call) -> None:
        """Leave out the later rounds of an import: their rows may refer to some of this call."""
        each = numbered(self._operations, self.starts)
        self._left_out += [numbers for _, numbers in each if call.numbers[0] in numbers]

    def _goes_in(self, call: Call) -> bool:
        goes = not any(call.numbers[0] in numbers for numbers in self._left_out)
        if not goes:
            self._ledger.blame(call.numbers, NotSentError(NOT_WHOLE))
        return goes

    def next(self) -> Step | Call | None:
        """Return what is to be sent next, None when the round has no other."""
        if self.stopped:
            return None
        if not self._flows:
            step = self._first.popleft() if self._now else None
            self._now -= step is not None
            return self._handed_out(step)
        step = self._next_again()
        if step is None:
            step = self._next_new()
        if step is not None:
            self._is_stuck = False
        elif self._is_stuck is None:
            self._is_stuck = True
        return self._handed_out(step)

    def _asked_before(self, call: Step | Call) -> Step | Call:
        """Return what asks which records of an import are there; any other call itself.

        After a try without an answer it is not asked: what is there may be of that.
        """
        if isinstance(call, Load) and self.asks_for_ids and not call.maybe_applied:
            return KnownExternalIds(call, self._cells(call))
        return call

    def _next_again(self) -> Step | Call | None:
        for place, step in enumerate(self._again):
            if self._lanes.may_go_on(step):
                del self._again[place]
                return step
        return None

    def _next_new(self) -> Step | Call | None:
        """Return the next call that may go; those before it wait for their lanes."""
        for place, waiting in enumerate(self._parked):
            if self._lanes.may_begin(waiting):
                del self._parked[place]
                return self._begun(waiting)
        while len(self._parked) < LANES:
            call = next(self._calls, None)
            if call is None and self._reading is not None:
                call = self._cut(self._reading)
            if call is None:
                return None
            if self._lanes.may_begin(call):
                return self._begun(call)
            self._parked.append(call)
        return None

    def _begun(self, call: Call) -> Step | Call:
        self._lanes.begin(call)
        return self._asked_before(call)

    def _handed_out(self, step: Step | Call | None) -> Step | Call | None:
        if not isinstance(step, Call):
            return step
        self._lanes.send(step)
        return step.plain

    def returned(self, step: Step | Call) -> None:
        """Take note that a call is not in flight any more."""
        self._lanes.back(step)

    def _cut(self, reading: Reading) -> Call | None:
        """Cut what goes next from what was read; None if nothing may go yet."""
        if models := reading.source.lacking():
            self.go_first(FieldTypes(model) for model in sorted(models))
            return None
        self._calls = reading.cut(self._lanes.begun)
        call = next(self._calls, None)
        self._refuse(reading, reading.source.rejected())
        return None if self.stopped else call

    def _cells(self, call: Load) -> Cells | None:
        return Cells.of(call, self._ways.fields[call.model] or {}) if self._skip_unchanged else None

    # -- streams -------------------------------------------------------------------------------

    def wanted(self, told: int) -> tuple[Source, int] | None:
        """Return what has to be read before `next`, and how many items; None for nothing.

        *told* is how many outcomes were told; it is read no further ahead of that than it may.
        """
        reading = self._reading
        if self.stopped or reading is None or not self._flows:
            return None
        if any(map(self._lanes.may_go_on, self._again)):
            return None
        size = reading.size.size
        if self._look_ahead is not None and len(self._ledger) - told >= self._look_ahead * size:
            return None
        count = reading.source.lacks(size)
        return (reading.source, count) if count else None

    def feed(self, items: Iterable[object]) -> None:
        """Take items that were read; bad ones are refused."""
        assert self._reading is not None
        self._is_stuck = False
        self._refuse(self._reading, self._reading.feed(items))

    def _refuse(self, reading: Reading, errors: Iterable[tuple[int, ZenooError]]) -> None:
        for index, error in errors:
            self._is_stuck = False
            self._ledger.mark([reading.start + index], Status.REFUSED)
            self._ledger.blame([reading.start + index], error)
            if self._on_error == "stop":
                self.stop(error)

    def settle(self, numbers: Sequence[int], status: Status = Status.APPLIED) -> None:
        """Keep the records of a stream no longer than until they are settled."""
        self._lanes.settle(numbers)
        if self._reading is not None:
            self._reading.settle(numbers, status)

    def may_land_late(self, numbers: Sequence[int]) -> None:
        """Let a stream send nothing later that an earlier try of a call could undo."""
        if self._reading is not None:
            self._reading.settle(numbers, Status.NOT_SENT)
