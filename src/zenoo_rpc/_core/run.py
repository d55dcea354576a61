"""The state of one batch in flight: what is next, what came back, what became of each record.

Nothing waits while its lock is held, so one kind of lock serves both twins.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence

import attrs

from ..batch.errors import NotSentError
from ..batch.operations import Operation
from ..batch.options import OnError, OnUnknown, Progress, Way
from ..batch.results import BatchResult, RecordOutcome
from ..batch.source import Source
from ..batch.status import Status
from ..batch.streams import StreamOperation
from .agenda import Agenda
from .call import Call
from .exchange import Answer
from .faults import Fault
from .ledger import IN_FLIGHT, Ledger
from .planner import numbered
from .replies import Replies
from .sizes import Sizes
from .steps.base import Step
from .ways import Ways

FORGOTTEN_AT_ONCE = 4096  # outcomes that were told


class Run:
    """Hands out the calls of a batch and keeps what became of every record.

    Any number of workers may share it. What follows from a reply decides `replies`; after records
    were refused later stages follow only if *ordered* is false. A stream whose outcomes are told
    one by one is read no further ahead of that than *look_ahead* calls.
    """

    def __init__(
        self,
        operations: Sequence[Operation],
        sizes: Sizes,
        *,
        ways: Ways | None = None,
        ordered: bool = True,
        on_error: OnError = "continue",
        on_unknown: OnUnknown = "continue",
        goes_on: bool = True,
        skip_unchanged: bool = True,
        look_ahead: int | None = None,
    ) -> None:
        for each in operations:
            if isinstance(each, StreamOperation):
                each.begin()
        self.operations = operations
        ways = ways or Ways(first=Way.WRITE)
        self._ledger = Ledger(sum(map(len, operations)))
        self._agenda = Agenda(
            operations,
            sizes,
            ways,
            self._ledger,
            ordered=ordered,
            look_ahead=look_ahead,
            on_error=on_error,
            skip_unchanged=skip_unchanged,
        )
        self._lock = threading.Lock()
        self._replies = Replies(
            self._ledger,
            self._agenda,
            sizes,
            ways,
            self._lock,
            on_error=on_error,
            settles=on_unknown != "report",
            goes_on=goes_on and on_unknown != "stop" and on_error != "stop",
        )
        self._calls_sent = 0
        self._told = 0  # how many outcomes of a stream were told
        self._closed = False

    @property
    def total(self) -> int:
        """How many records there are; of streams those that were read so far."""
        return len(self._ledger)

    @property
    def label(self) -> str:
        """What it does, as far as that is one thing: `create res.partner`."""
        labels = {each.label for each in self.operations}
        return labels.pop() if len(labels) == 1 else f"{len(self.operations)} operations"

    # -- what is next --------------------------------------------------------------------------

    def advance(self) -> bool:
        """Go on to the next round of calls; False when there is none.

        To be called when no call is in flight. A round is a stage, or what was left over when one
        was interrupted or had ended.
        """
        with self._lock:
            return self._agenda.advance()

    def wanted(self) -> tuple[Source, int] | None:
        """Return what has to be read before `take`, and how many items of it; None for nothing."""
        with self._lock:
            return self._agenda.wanted(self._told)

    def feed(self, items: Iterable[object]) -> None:
        """Take items that were read; a bad one is refused here, the server never gets it."""
        with self._lock:
            self._agenda.feed(items)

    def take(self) -> Step | Call | None:
        """Return the next call to send, None when the round has no other."""
        with self._lock:
            call = self._agenda.next()
            self._calls_sent += call is not None
            if isinstance(call, Call):
                self._ledger.mark(call.numbers, IN_FLIGHT)
                if not call.maybe_applied:  # what an earlier try ended with is over
                    self._ledger.excuse(call.numbers)
            return call

    def put_back(self, call: Step | Call) -> None:
        """Take a call back that was not sent."""
        with self._lock:
            if isinstance(call, Call):
                state = IN_FLIGHT if call.maybe_applied else Status.NOT_SENT
                self._ledger.mark(call.numbers, state)
            self._agenda.returned(call)
            self._agenda.again([call])

    # -- what came back ------------------------------------------------------------------------

    def record(self, call: Step | Call, reply: Answer | Fault, seconds: float = 0.0) -> None:
        """File what the server said to *call*, which took so many seconds."""
        with self._lock:
            self._agenda.returned(call)
            self._replies.file(call, reply, seconds)

    def stop(self, reason: str = "", cause: BaseException | None = None) -> None:
        """Let the calls in flight finish, and hand out no other; the *reason* is told."""
        with self._lock:
            self._agenda.stopped = True
            if reason:
                self._ledger.close(reason, cause)

    def cut_off(self, error: BaseException) -> None:
        """Stop because of what came from elsewhere."""
        self.stop(f"the batch was cut off by {type(error).__name__}", error)

    def goes_on(self) -> bool:
        """Whether it was not stopped."""
        return not self._agenda.stopped

    def close(self) -> None:
        """Stop for good, and let go of what was to be read."""
        with self._lock:
            self._agenda.stopped = self._closed = True
            for each in self.operations:
                if isinstance(each, StreamOperation):
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
            assert isinstance(operation, StreamOperation)
            outcome = self._ledger.outcome(operation, self._told, ended=ended)
            if outcome is None:
                return None
            record = operation.source.hand_back(self._told)
            outcome = attrs.evolve(outcome, record=record) if record is not None else outcome
            self._told += 1
            if self._told - self._ledger.first >= FORGOTTEN_AT_ONCE:
                self._ledger.forget(self._told)
            return outcome

    def why(self) -> NotSentError | None:
        """Return why a stream was read no further, None if nothing was said."""
        return self._ledger.why(self.operations[0])

    def result(self) -> BatchResult:
        """Return what is known now of every record; what is in flight counts as unknown."""
        with self._lock:
            each = numbered(self.operations, self._agenda.starts)
            return BatchResult(tuple(self._ledger.result(*e, final=self._closed) for e in each))
