"""The gate: connections are closed under no request."""

from zenoo_rpc._core.gate import Gate


def test_the_last_to_leave_is_waited_for():
    """Whoever shuts the gate is told when the last one has left, not before."""
    told = []
    gate = Gate()
    assert gate.enter(1)
    assert gate.enter(2)

    gate.shut(lambda: told.append("empty"))
    gate.leave(1)
    assert [] == told
    gate.leave(2)
    assert ["empty"] == told


def test_nobody_enters_a_shut_gate():
    """After that it stays shut, and whoever shuts it again is told at once."""
    told = []
    gate = Gate()

    gate.shut(lambda: told.append("first"))
    gate.shut(lambda: told.append("second"))

    assert gate.is_shut
    assert not gate.enter(1)
    assert ["first", "second"] == told


def test_who_is_inside():
    """A caller that is inside would wait for itself; it may have entered more than once."""
    gate = Gate()
    gate.enter(1)
    gate.enter(1)

    gate.leave(1)

    assert gate.holds(1)
    assert not gate.holds(2)
