"""When a call is sent again, and after how long."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zenoo_rpc import InvalidValueError, RetryPolicy
from zenoo_rpc._core.dialect.json2 import JSON2
from zenoo_rpc._core.dialect.jsonrpc import JSONRPC
from zenoo_rpc._core.faults import (
    NO_DATABASE,
    ODOO,
    Kind,
    Proof,
    Repeat,
    never_sent,
    odoo_fault,
    transport_fault,
)
from zenoo_rpc._core.foreign import Reply
from zenoo_rpc._core.retry import is_idempotent, may_repeat, retry_after
from zenoo_rpc.errors import ClientClosedError
from zenoo_rpc.wire.values import is_absolute, record_to_wire

ADDRESS = "http://odoo"
POLICIES = st.builds(
    RetryPolicy,
    attempts=st.integers(1, 9),
    initial=st.floats(0, 5),
    maximum=st.floats(0, 60),
    jitter=st.floats(0, 1),
    total=st.floats(0, 500),
)
CHANCE = st.floats(0, 1, exclude_max=True)


@given(POLICIES, st.integers(1, 12), CHANCE, st.none() | st.floats(0, 90))
def test_pauses_keep_to_the_policy(policy, tried, chance, retry_after):
    """There is no pause after the last try; none is too long, or shorter than wished."""
    pause = policy.pause(tried, chance, retry_after)

    assert (pause is None) == (tried >= policy.attempts)
    if pause is not None:
        assert (retry_after or 0) <= pause <= max(policy.maximum, retry_after or 0)


def test_pauses_double_up_to_the_maximum():
    """Without chance, each pause is twice the one before."""
    policy = RetryPolicy(attempts=7, initial=1, maximum=10, jitter=0)

    assert [1, 2, 4, 8, 10, 10, None] == [policy.pause(tried, 0.5) for tried in range(1, 8)]


def test_full_jitter_leaves_all_to_chance():
    """With jitter 1 the pause is anything from nothing to the whole."""
    policy = RetryPolicy(initial=2, jitter=1)

    assert [2.0, 1.0, 0.5] == [policy.pause(1, chance) for chance in (0, 0.5, 0.75)]


@pytest.mark.parametrize(
    "options",
    [
        {"attempts": 0},
        {"attempts": True},
        {"initial": -1},
        {"maximum": "1"},
        {"jitter": 1.1},
        {"total": float("nan")},
    ],
)
def test_bad_policies_are_refused(options):
    """A policy that cannot work is told by the option's name."""
    with pytest.raises(InvalidValueError, match=next(iter(options))):
        RetryPolicy(**options)


EXPECTED = {
    Proof.NEVER_SENT: (True, True),
    Proof.UNKNOWN: (False, True),
    Proof.ROLLED_BACK: (False, False),
}


@pytest.mark.parametrize("kind", list(Kind))
def test_what_no_answer_allows(kind):
    """Never sent and turned away: always; unknown: only what is idempotent; refused: never."""
    fault = transport_fault(kind, ADDRESS)
    never = dict.fromkeys((Kind.TOO_LARGE, Kind.FORBIDDEN), (False, False))
    special = {Kind.BUSY: (True, True), **never}

    repeats = tuple(may_repeat(fault, idempotent=idempotent) for idempotent in (False, True))

    assert (special.get(kind) or EXPECTED[fault.proof]) == repeats


@pytest.mark.parametrize("name", [*ODOO, "builtins.ValueError"])
def test_what_an_error_of_odoo_allows(name):
    """Conflicts and an exhausted pool: always; a lost database: if idempotent; refusals: never."""
    fault = odoo_fault(name, "no", (), "")
    always = "Serialization" in name or "Deadlock" in name or "Lock" in name or "Pool" in name

    repeats = tuple(may_repeat(fault, idempotent=idempotent) for idempotent in (False, True))

    lost = fault.proof is Proof.UNKNOWN
    assert (always or "Concurrency" in name, always or "Concurrency" in name or lost) == repeats


def test_what_is_never_repeated():
    """A missing database and a closed client do not come back by asking again."""
    assert Repeat.NEVER is NO_DATABASE.repeat
    assert not may_repeat(never_sent(ClientClosedError("closed")), idempotent=True)


def test_a_later_failure_does_not_hide_an_unknown_one():
    """A try that had no answer stays unknown, though the next one never reached the server."""
    unknown = transport_fault(Kind.CLOSED, ADDRESS)
    refused = transport_fault(Kind.REFUSED, ADDRESS)
    no = odoo_fault("odoo.exceptions.ValidationError", "no", (), "")

    assert refused == refused.seen_after(None)
    assert unknown == refused.seen_after(unknown)
    assert no.seen_after(unknown).maybe_applied
    assert "no" == str(no.seen_after(unknown).error)
    assert unknown == unknown.seen_after(transport_fault(Kind.READ_TIMEOUT, ADDRESS))


@pytest.mark.parametrize(
    ("method", "args", "expected"),
    [
        ("search", [], True),
        ("write", [[1], {"name": "x"}], True),
        ("write", [[1], {"child_ids": [[0, 0, {"name": "x"}]]}], False),
        ("write", [[1]], False),
        ("create", [{"name": "x"}], False),
        ("unlink", [[1]], False),
        ("action_post", [[1]], False),
    ],
)
def test_which_calls_are_idempotent(method, args, expected):
    """Reads, and writes of absolute values."""
    assert expected is is_idempotent(method, args)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ([(6, 0, [1, 2])], True),
        ([(4, 7)], True),
        ([(5,)], True),
        ([1, 2], True),
        ([(1, 7, {"name": "x"})], True),
        ([(1, 7, {"child_ids": [(0, 0, {})]})], False),
        ([(0, 0, {"name": "x"})], False),
        ([(2, 7)], False),
        ([(3, 7)], False),
        ([(4, 7), (3, 8)], False),
        ([], True),
        ("text", True),
    ],
)
def test_which_values_are_absolute(value, expected):
    """Commands that make, delete or unlink one record are steps, not states."""
    assert expected is is_absolute(record_to_wire({"name": "x", "field": value}))


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "7"}, 7.0),
        (
            {
                "retry-after": "Mon, 23 Nov 2026 10:00:30 GMT",
                "date": "Mon, 23 Nov 2026 10:00:00 GMT",
            },
            30.0,
        ),
        (
            {
                "retry-after": "Mon, 23 Nov 2026 09:00:00 GMT",
                "date": "Mon, 23 Nov 2026 10:00:00 GMT",
            },
            0.0,
        ),
        ({"retry-after": "Mon, 23 Nov 2026 10:00:30 GMT"}, None),
        ({"retry-after": "soon"}, None),
    ],
)
@pytest.mark.parametrize(("status", "repeat"), [(429, Repeat.ALWAYS), (503, Repeat.IF_IDEMPOTENT)])
@pytest.mark.parametrize("dialect", [JSONRPC, JSON2], ids=lambda dialect: dialect.name)
def test_retry_after(dialect, status, repeat, headers, seconds):
    """Seconds are taken as they are, a date by the answer's own clock, nonsense not at all.

    That somebody asks for a pause does not say that the call did not run: Varnish asks for one when
    the server was too slow.
    """
    fault = dialect.read(1, None, Reply(status, headers, b""), ADDRESS)

    assert seconds == fault.error.retry_after
    assert repeat is fault.repeat


@pytest.mark.parametrize(
    ("fault", "idempotent", "expected"),
    [
        (transport_fault(Kind.REFUSED, ADDRESS), False, 1.0),
        (transport_fault(Kind.BUSY, ADDRESS, retry_after=7.0), False, 7.0),
        (transport_fault(Kind.BUSY, ADDRESS), False, 1.0),
        (transport_fault(Kind.CLOSED, ADDRESS), True, 1.0),
        (transport_fault(Kind.CLOSED, ADDRESS), False, None),
        (transport_fault(Kind.GATEWAY, ADDRESS, retry_after=7.0), True, 7.0),
        (transport_fault(Kind.GATEWAY, ADDRESS), False, None),
        (transport_fault(Kind.FORBIDDEN, ADDRESS), True, None),
        (transport_fault(Kind.TOO_LARGE, ADDRESS), True, None),
    ],
)
def test_pause_after_a_fault(fault, idempotent, expected):
    """It is the policy's, or the server's retry_after, where the call may be repeated at all."""
    policy = RetryPolicy(initial=1, jitter=0)

    assert expected == policy.pause_after(fault, idempotent, tried=1, chance=0.0)
    assert None is policy.pause_after(fault, idempotent, tried=policy.attempts, chance=0.0)
    assert (7.0 if expected == 7.0 else None) == retry_after(fault)
