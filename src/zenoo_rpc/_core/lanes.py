"""Lanes: of the records of one lane only one call is in flight, and they keep their order."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from .call import Call
from .steps.base import Step


class Lanes:
    """Which lanes are begun, until all of the records that were are settled; and which are taken.

    What is begun may be sent again in parts; these go one at a time, in the order of their records,
    and nothing new before them.
    """

    def __init__(self) -> None:
        self._open: dict[int, dict[int, None]] = {}  # by lane, the numbers of records, in order
        self._taken: set[int] = set()

    @property
    def begun(self) -> Collection[int | None]:
        """The lanes to which nothing new may go."""
        return self._open.keys()

    def may_begin(self, call: Call) -> bool:
        """Whether a call that was not sent yet may go."""
        return call.lane not in self._open

    def may_go_on(self, step: Step | Call) -> bool:
        """Whether what is sent again may go: only what has the first record that is left."""
        if not isinstance(step, Call) or step.lane not in self._open:
            return True
        return step.lane not in self._taken and step.numbers[0] == next(iter(self._open[step.lane]))

    def begin(self, call: Call) -> None:
        """Let no other call of its lane begin before its records are settled."""
        if call.lane is not None:
            self._open[call.lane] = dict.fromkeys(call.numbers)

    def send(self, call: Call) -> None:
        """Take note that a call is in flight."""
        if call.lane is not None:
            self._taken.add(call.lane)

    def back(self, step: Step | Call) -> None:
        """Take note that it is not any more."""
        if isinstance(step, Call) and step.lane is not None:
            self._taken.discard(step.lane)

    def settle(self, numbers: Iterable[int]) -> None:
        """Take note that it is known what became of these records."""
        if self._open:
            settled = set(numbers)
            for lane, own in list(self._open.items()):
                left = {number: None for number in own if number not in settled}
                self._open[lane] = left
                if not left:
                    del self._open[lane]
