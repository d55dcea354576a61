"""One pace for all calls of a manager: what is turned away slows them, what passes lets them go."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zenoo_rpc._core.exchange import Answer
from zenoo_rpc._core.faults import Kind, odoo_fault, transport_fault
from zenoo_rpc._core.retry import RetryPolicy
from zenoo_rpc._core.traffic import Traffic, is_turned_away

RETRY = RetryPolicy()
ADDRESS = "http://localhost:8069"
PASSED = Answer(True)
BUSY = transport_fault(Kind.BUSY, ADDRESS)
NO_CONNECTION = odoo_fault("psycopg2.pool.PoolError", "The Connection Pool Is Full", (), "")
CONFLICT = odoo_fault("psycopg2.errors.SerializationFailure", "No.", (), "")
LOST = transport_fault(Kind.CLOSED, ADDRESS)


def test_what_is_turned_away():
    """A busy server, and one without a free database connection."""
    assert [is_turned_away(each) for each in (BUSY, NO_CONNECTION)] == [True, True]
    assert [is_turned_away(each) for each in (PASSED, LOST, CONFLICT)] == [False] * 3


def test_calls_begin_at_once_as_long_as_all_pass():
    """Without a rate nothing waits."""
    traffic = Traffic(4)
    for _ in range(9):
        assert 0 == traffic.turn(1.0)
        traffic.note(PASSED, 1.0, 1.1, RETRY, 0.5)
    assert (9, 4) == (traffic.passed, traffic.room)


@given(st.floats(0.1, 1000), st.integers(2, 20))
def test_a_rate_is_kept(rate, count):
    """Turns are as far from each other as it says, however they are taken."""
    traffic = Traffic(4, rate)
    turns = [traffic.turn(5.0) for _ in range(count)]
    assert turns == pytest.approx([place / rate for place in range(count)])
    assert pytest.approx(0) == traffic.turn(5.0 + count / rate)
    traffic.note(PASSED, 5.0, 6.0, RETRY, 0.5)
    before = traffic.turn(100.0)
    assert 1 / rate == pytest.approx(traffic.turn(100.0 + before))


@pytest.mark.parametrize("reply", [BUSY, NO_CONNECTION])
def test_one_pause_for_all(reply):
    """It is the policy's, doubles while nothing passes, and those in flight count once."""
    traffic = Traffic(4)
    traffic.note(reply, 1.0, 1.1, RETRY, 0.0)
    traffic.note(reply, 1.0, 1.1, RETRY, 0.0)  # it was in flight beside the first one
    assert 0.5 == pytest.approx(traffic.turn(1.1))
    traffic.note(reply, 1.6, 1.7, RETRY, 0.0)
    assert 1.0 == pytest.approx(traffic.turn(1.7))
    traffic.note(PASSED, 2.7, 2.8, RETRY, 0.0)
    traffic.note(reply, 4.0, 4.0, RETRY, 0.0)
    assert 0.5 == pytest.approx(traffic.turn(4.0))


def test_the_pause_that_the_server_asks_for():
    """It is everybody's; one that is longer than the policy's total is nobody's."""
    traffic = Traffic(4)
    traffic.note(transport_fault(Kind.BUSY, ADDRESS, retry_after=7.0), 1.0, 1.0, RETRY, 0.0)
    assert 7.0 == traffic.turn(1.0)
    traffic = Traffic(4)
    traffic.note(transport_fault(Kind.BUSY, ADDRESS, retry_after=3600.0), 1.0, 1.0, RETRY, 0.0)
    assert 0.0 == traffic.turn(1.0)


def test_conflicts_narrow_the_road():
    """To the half, once for those that were in flight together, never below one; then it widens."""
    traffic = Traffic(8)
    for began, room in ((1.0, 4), (1.0, 4), (2.1, 2), (3.1, 1), (4.1, 1)):
        traffic.note(CONFLICT, began, began + 1, RETRY, 0.0)
        assert room == traffic.room
    for _ in range(11):
        traffic.note(PASSED, 6.0, 6.1, RETRY, 0.0)
    assert 2 == traffic.room
    for _ in range(200):
        traffic.note(PASSED, 6.0, 6.1, RETRY, 0.0)
    assert 8 == traffic.room


def test_another_failure_changes_nothing():
    """A lost answer tells nothing of the pace."""
    traffic = Traffic(4)
    traffic.note(LOST, 1.0, 1.1, RETRY, 0.0)
    assert (0.0, 4) == (traffic.turn(1.1), traffic.room)


def fixed_window(now, state):
    """Let five pass in each second of the clock."""
    state[int(now)] = state.get(int(now), 0) + 1
    return state[int(now)] <= 5


def sliding_window(now, state):
    """Let one pass if fewer than five did in the last second."""
    passes = state.setdefault("passes", [])
    if sum(each > now - 1 for each in passes) >= 5:
        return False
    passes.append(now)
    return True


def bucket(now, state):
    """Let five pass at once, and one more each fifth of a second."""
    since, tokens = state.get("bucket", (now, 5.0))
    tokens = min(5.0, tokens + 5 * (now - since))
    state["bucket"] = now, tokens - (tokens >= 1)
    return tokens >= 1


@pytest.mark.parametrize("limiter", [fixed_window, sliding_window, bucket])
@pytest.mark.parametrize("seed", range(5))
def test_it_finds_the_pace_of_a_server(limiter, seed):
    """60 calls, 4 at a time, where 5 a second pass: hardly longer than the 12 s that it takes."""
    rng, traffic, state = random.Random(seed), Traffic(4), {}
    waiting, done, now = [0.0] * 4, 0, 0.0
    while done < 60:
        waiting.sort()
        now = waiting.pop(0)
        if limiter(now, state):
            done += 1
            traffic.note(PASSED, now, now + 0.01, RETRY, rng.random())
        else:
            traffic.note(BUSY, now, now + 0.01, RETRY, rng.random())
        waiting.append(now + 0.01 + traffic.turn(now + 0.01))
    assert 10.5 < now < 15.0
