"""How long something may still take."""

from zenoo_rpc._core.deadline import Deadline


class Clock:
    """A clock that goes when it is told to."""

    now = 100.0

    def __call__(self):
        return self.now


def test_a_limit_runs_out():
    """What is left shrinks to nothing, and then the moment has passed."""
    clock = Clock()
    deadline = Deadline(10, clock)
    assert (10.0, False) == (deadline.left, deadline.passed)

    clock.now += 7
    assert 3.0 == deadline.left
    assert (2, 3.0, 3.0) == tuple(deadline.shorten(timeout) for timeout in (2, 5, None))
    assert (True, False) == (deadline.allows(2), deadline.allows(3))

    clock.now += 7
    assert (0.0, True) == (deadline.left, deadline.passed)
    assert 0.0 < deadline.shorten(5) < 0.1


def test_without_a_limit_it_never_comes():
    """Everything is allowed, and nothing shortened."""
    deadline = Deadline(None, Clock())

    assert (None, False) == (deadline.left, deadline.passed)
    assert (5, None) == (deadline.shorten(5), deadline.shorten(None))
    assert deadline.allows(1e9)
