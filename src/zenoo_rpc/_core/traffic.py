"""How fast the calls of a manager follow each other, and how many at once: one pace for all.

A server that turns calls away says nothing of the pace that it would take. What it let pass in its
best second says it; with a pause for all in between, and a little more from call to call.
"""

from __future__ import annotations

import threading
from collections import deque

from ..errors import NotBegunError, ServerBusyError
from .exchange import Answer
from .faults import Fault
from .retry import RetryPolicy, retry_after

WINDOW = 1.0  # seconds
MOST_PASSES = 256  # that are remembered: a faster server is fast enough
FASTER = 0.95  # of the time between two calls, after each that passed
WIDER = 0.1  # calls in flight, after each that passed


def is_turned_away(reply: Answer | Fault) -> bool:
    """Whether a call did not run because others were in its way, and may soon."""
    return isinstance(reply, Fault) and isinstance(reply.error, ServerBusyError | NotBegunError)


class Traffic:
    """Gives each call its turn; *rate* is how many calls may begin in a second.

    *most* is how many may be in flight. A conflict halves that, and it grows again slowly. Times
    are those of one clock, in seconds.
    """

    def __init__(self, most: int, rate: float | None = None) -> None:
        self.passed = 0  # how many calls were carried out
        self._most, self._room = most, float(most)
        self._shortest = self._gap = 1 / rate if rate else 0.0  # between the beginnings of two
        self._free = 0.0  # the next turn
        self._slowed = self._narrowed = 0.0  # until when; calls begun before do not count again
        self._in_a_row = 0  # how often calls were turned away, and none passed
        self._passes: deque[float] = deque(maxlen=MOST_PASSES)  # in the last second
        self._best = 0  # how many there ever were
        self._lock = threading.Lock()

    @property
    def room(self) -> int:
        """How many calls may be in flight now."""
        return int(self._room)

    def turn(self, now: float) -> float:
        """Take the next turn, and return the seconds until it comes."""
        with self._lock:
            turn = max(now, self._free)
            self._free = turn + self._gap
            return turn - now

    def give_back(self) -> None:
        """Give up a turn that was taken: those who take theirs from now on are earlier by it."""
        with self._lock:
            self._free = max(0.0, self._free - self._gap)

    def note(
        self, reply: Answer | Fault, began: float, now: float, retry: RetryPolicy, chance: float
    ) -> None:
        """Take in what came of a call; *chance*, drawn from [0, 1), is for the pause of *retry*.

        A pause that is longer than the policy's total is nobody's.
        """
        with self._lock:
            if isinstance(reply, Answer):
                self._pass(now)
            elif is_turned_away(reply):
                pause = self._pause(retry, chance) if self._slow_down(began, retry.maximum) else 0.0
                pause = max(pause, retry_after(reply) or 0.0)
                if pause <= retry.total:
                    self._free = max(self._free, now + pause)
                    self._slowed = max(self._slowed, now + pause)
            elif reply.is_conflict and began >= self._narrowed:
                self._narrowed = now
                self._room = max(1.0, self._room / 2)

    def _pass(self, now: float) -> None:
        self.passed += 1
        self._in_a_row = 0
        self._passes.append(now)
        while self._passes[0] <= now - WINDOW:
            self._passes.popleft()
        self._best = max(self._best, len(self._passes))
        self._gap = max(self._shortest, self._gap * FASTER)
        self._room = min(self._most, self._room + WIDER)

    def _slow_down(self, began: float, longest: float) -> bool:
        if began < self._slowed:
            return False
        self._in_a_row += 1
        if self._best:
            self._gap = max(self._gap, min(WINDOW / self._best, longest))
        return True

    def _pause(self, retry: RetryPolicy, chance: float) -> float:
        """Return the policy's backoff, but begin with the time of one call, where that is less."""
        first = min(retry.initial, self._gap) if self._gap else retry.initial
        doubled = first * 2.0 ** min(self._in_a_row - 1, 60)
        return min(retry.maximum, doubled) * (1 - retry.jitter * chance / 2)
