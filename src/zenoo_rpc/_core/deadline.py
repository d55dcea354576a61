"""How long something may still take: a limit in seconds, and the clock that measures it."""

from __future__ import annotations

from collections.abc import Callable

SHORTEST = 0.001  # seconds: the network layer takes 0 for no time-out at all


class Deadline:
    """A moment after which nothing is begun; with no limit it never comes."""

    def __init__(self, seconds: float | None, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._ends = None if seconds is None else clock() + seconds

    @property
    def left(self) -> float | None:
        """The seconds that are left, 0 once it has passed, None without a limit."""
        return None if self._ends is None else max(0.0, self._ends - self._clock())

    @property
    def passed(self) -> bool:
        """Whether the moment has come."""
        return self.left == 0.0

    def shorten(self, timeout: float | None) -> float | None:
        """Return *timeout*, or what is left if that is less, but never quite nothing."""
        limits = [seconds for seconds in (timeout, self.left) if seconds is not None]
        return max(min(limits), SHORTEST) if limits else None

    def allows(self, seconds: float) -> bool:
        """Whether so many seconds are left."""
        left = self.left
        return left is None or seconds < left


NO_DEADLINE = Deadline(None, lambda: 0.0)
