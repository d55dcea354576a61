"""Records in, outcomes out, in the same order, while both are on their way."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from types import TracebackType
from typing import Self

from .._compat import Crew
from .._core.run import Run
from ..batch.errors import BatchStateError, StreamStoppedError
from ..batch.results import RecordOutcome
from ..batch.status import Status
from ..batch.streams import StreamOperation
from .execution import Execution


class OutcomeStream:
    """Writes the records of an iterator and yields what became of each, in their order.

    Records are read, and calls begun, only while the next outcome is asked for: whoever takes
    outcomes slowly is run ahead of by a few calls only. What was told is forgotten, so memory does
    not grow. A refused record is told like any other; StreamStoppedError is raised at the end if
    the records were not all read.

    What an iterator raises comes out when the outcomes of all that was read were told. What else
    cuts it off comes out at once, and what was not told is in `rest`.

    It may be iterated at once; then no call is in flight while an outcome is worked on, and calls
    go out in bursts. Opened by a with statement it is faster: calls go on side by side. What was
    read and nobody asked for is in `rest` after that block.

    >>> with ZenooClient(url) as client:
    ...     uid = client.login("demo", "admin", "admin")
    ...     names = ({"name": f"Partner {number}"} for number in range(3))
    ...     with client.batch_manager.stream("res.partner", names) as outcomes:
    ...         for outcome in outcomes:
    ...             print(outcome.index, outcome.status.label)
    0 applied
    1 applied
    2 applied
    """

    def __init__(
        self, operation: StreamOperation, run: Run, execution: Execution, end: Callable[[], None]
    ) -> None:
        self._operation = operation
        self._run = run
        self._execution = execution
        self._end = end
        self._crew: Crew | None = None
        self._is_begun = self._is_closed = False
        self._seen = -1  # how many calls had returned when others were begun last
        self._counts: Counter[str] = Counter()
        self.rest: list[RecordOutcome] = []

    def __enter__(self) -> Self:
        if self._is_begun or self._crew is not None:
            raise BatchStateError("the stream was begun already: make another one")
        self._crew = self._execution.crew()
        self._crew.__enter__()
        return self

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> RecordOutcome:
        self._is_begun = True
        outcome: RecordOutcome | None = None
        if self._crew is None or self._crew.returned == self._seen:  # nothing else is to be done
            outcome = self._run.tell()
        if outcome is None:
            outcome = self._next()
        if outcome is None:
            try:
                self._execution.finish()
            finally:
                self._close()
            if self._operation.source.unread:
                counts = {status.label: self._counts[status.label] for status in Status}
                why = self._run.why()
                reason, cause = (why.reason, why.__cause__) if why else ("", None)
                raise StreamStoppedError(self._operation.label, counts, reason) from cause
            raise StopIteration
        self._counts[outcome.status.label] += 1
        return outcome

    def _next(self) -> RecordOutcome | None:
        if self._crew is not None:
            return self._flowing(self._crew)
        try:
            return self._in_bursts()
        except BaseException as error:  # there is no block whose end would tell the rest
            self._run.cut_off(error)
            self._leave(error)
            raise

    def _in_bursts(self) -> RecordOutcome | None:
        while True:
            outcome: RecordOutcome | None = self._run.tell()
            if outcome is not None:
                return outcome
            if not self._execution.carry_on():
                return self._run.tell(ended=True)

    def _flowing(self, crew: Crew) -> RecordOutcome | None:
        while True:
            if crew.returned != self._seen:
                self._seen = crew.returned
                while self._execution.has_room(crew) and self._execution.begin_call(crew):
                    pass
            returned = crew.returned
            outcome: RecordOutcome | None = self._run.tell()
            if outcome is not None:
                return outcome
            if crew.busy:
                crew.another(returned)
            elif crew.returned != self._seen:
                continue
            elif self._execution.advance():
                self._seen = -1
            else:
                return self._run.tell(ended=True)

    def __exit__(
        self,
        error_class: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            if error is None:
                self._run.stop("its stream was left")
            else:
                self._run.cut_off(error)
            if self._crew is not None:
                self._crew.__exit__(error_class, error, traceback)
        finally:
            self._leave(error)

    def _leave(self, error: BaseException | None) -> None:
        """Keep what was not told, and say so on what cuts it off."""
        self._close()
        self.rest += iter(lambda: self._run.tell(ended=True), None)
        if error is not None and self.rest:
            error.add_note(
                f"zenoo_rpc: {len(self.rest):,} outcomes more are in the stream's `rest`"
            )

    def _close(self) -> None:
        if not self._is_closed:
            self._is_closed = True
            self._execution.close()
            self._end()
