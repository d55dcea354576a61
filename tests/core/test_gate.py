"""The gate: connections are closed under no request."""

from zenoo_rpc._core.gate import Gate


def test_the_last_to_leave_is_waited_for():
    """Whoever shuts the gate is told when the last one has left, not before."""
    told = []
    gate = Gate()
    assert gate.enter()
    assert gate.enter()

    gate.shut(lambda: told.append("empty"))
    gate.leave()
    assert [] == told
    gate.leave()
    assert ["empty"] == told


def test_nobody_enters_a_shut_gate():
    """After that it stays shut, and whoever shuts it again is told at once."""
    told = []
    gate = Gate()

    gate.shut(lambda: told.append("first"))
    gate.shut(lambda: told.append("second"))

    assert gate.is_shut
    assert not gate.enter()
    assert ["first", "second"] == told
