"""How many records go into a call: as many as were asked for, or as many as suit the server."""

from __future__ import annotations

import attrs

START = 100  # records of the first call: fine for a slow model, and not far from fast for others
MOST = 5_000  # calls of 1,000 are as fast as calls get (Odoo 19 and 14)
MOST_ROWS = 400  # of an import: larger ones are no faster (19), and dearer when they are refused
FEWEST_ROWS = 50  # as small as refusals make an import; smaller ones cost more than they save
CLEAN = 16  # imports in a row that pass before larger ones are tried again
MODEST = 0.5  # of the best rate: what is below has become slower, and grows no more


@attrs.frozen
class Limits:
    """How much goes into one call: at most *size* records and *bytes* bytes of them."""

    size: int
    bytes: int

    def of(self, model: str, method: str) -> Limits:
        """Return the limits of one kind of call: the same for all."""
        return self

    def learn(self, count: int, seconds: float) -> None:
        """Take no notice: what was asked for is obeyed."""

    def skipped(self, count: int, seconds: float) -> None:
        """Take no notice: what was asked for is obeyed."""

    def shrink(self, count: int) -> None:
        """Take no notice: what was asked for is obeyed."""

    def refused(self, count: int, seconds: float) -> None:
        """Take no notice: what was asked for is obeyed."""


class Pace:
    """The limits of one kind of call, learnt from how long its calls take.

    The size doubles as long as twice as many records would take less than *target* seconds and the
    rate has not fallen; a call that takes longer brings it down in proportion, one that failed for
    its size or its time by half. With several calls in flight the rates of single ones scatter
    widely, so a rate counts as fallen only below half of the best.

    An import that is refused has taken the time of all its rows one by one, so the most that go
    into one halves then; it doubles when many have passed in a row.
    """

    def __init__(self, bytes_: int, target: float, most: int = MOST) -> None:
        self.bytes = bytes_
        self.size = START
        self._target = target
        self._best = 0.0
        self._limit = most
        self._most = most  # for now
        self._clean = 0  # calls since the last one that was refused

    def learn(self, count: int, seconds: float) -> None:
        """Adapt to a call of *count* records that took so many seconds."""
        self._take_time(count, seconds)
        if count < self.size or seconds <= 0:
            return  # a last call, or one that was cut before the size was changed
        rate = count / seconds
        self._passed(2 * seconds <= self._target and rate >= MODEST * self._best)
        self._best = max(self._best, rate)

    def skipped(self, count: int, seconds: float) -> None:
        """Adapt to an import of *count* rows that were all there; to compare took so long."""
        if count >= self.size:
            self._passed(2 * seconds <= self._target)

    def shrink(self, count: int) -> None:
        """Adapt to a call of *count* records that was too large, or took too long."""
        self._bring_down(count // 2)

    def refused(self, count: int, seconds: float) -> None:
        """Adapt to an import of *count* rows that was refused after so many seconds."""
        self._clean = 0
        self._take_time(count, seconds)
        if count > FEWEST_ROWS:
            self._most = min(self._most, max(FEWEST_ROWS, count // 2))
            self._bring_down(self._most)

    def _passed(self, may_grow: bool) -> None:
        self._clean += 1
        if self._clean >= CLEAN:
            self._clean, self._most = 0, min(2 * self._most, self._limit)
        if may_grow:
            self.size = min(2 * self.size, self._most)

    def _take_time(self, count: int, seconds: float) -> None:
        if seconds > self._target:
            self._bring_down(int(count * self._target / seconds))

    def _bring_down(self, size: int) -> None:
        if size < self.size:
            self.size = max(1, size)
            self._best = 0.0  # smaller calls have a lower rate, and may grow again


class Pacing:
    """The paces of a manager's calls, one for each model and method, kept from batch to batch."""

    def __init__(self, bytes_: int, target: float) -> None:
        self._bytes = bytes_
        self._target = target
        self._paces: dict[tuple[str, str], Pace] = {}

    def of(self, model: str, method: str) -> Pace:
        """Return the limits of one kind of call."""
        most = MOST_ROWS if method == "load" else MOST
        return self._paces.setdefault((model, method), Pace(self._bytes, self._target, most))


Size = Limits | Pace
Sizes = Limits | Pacing
