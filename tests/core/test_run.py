"""The state of one batch in flight: every record has one outcome, and it is the true one."""

import json
import threading
from collections import Counter
from unittest import mock

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from zenoo_rpc import errors
from zenoo_rpc._core import run as run_module
from zenoo_rpc._core.exchange import Answer
from zenoo_rpc._core.faults import Fault, Kind, never_sent, odoo_fault, transport_fault
from zenoo_rpc._core.ledger import Ledger
from zenoo_rpc._core.run import Run
from zenoo_rpc._core.sizes import Limits
from zenoo_rpc._core.steps.access import AccessCheck
from zenoo_rpc._core.ways import Ways
from zenoo_rpc.batch.operations import (
    CreateOperation,
    UnlinkOperation,
    UpdateOperation,
    WriteManyOperation,
)
from zenoo_rpc.batch.options import Way
from zenoo_rpc.batch.status import Status

from .batches import ALL_KINDS, all_marks, batches, blocks, marks, unsendable
from .simulated import ACCIDENTS, ADDRESS, REFUSALS, TRIED_AGAIN, Driver, Server

APPLIED, REFUSED, UNKNOWN, NOT_SENT = (
    Status.APPLIED,
    Status.REFUSED,
    Status.UNKNOWN,
    Status.NOT_SENT,
)
ROOMY = Limits(100, 2**20)
LIMITS = st.builds(Limits, st.integers(1, 6), st.integers(30, 500))

REFUSAL = odoo_fault("odoo.exceptions.ValidationError", "No.", (), "")
TIMEOUT = transport_fault(Kind.READ_TIMEOUT, ADDRESS)
UNREACHABLE = transport_fault(Kind.REFUSED, ADDRESS)


@st.composite
def batches_with_bad_records(draw, max_operations=5, kinds=ALL_KINDS):
    """Draw operations, and which of their records the server refuses for what reason."""
    operations = draw(batches(max_operations, kinds=kinds))
    own = all_marks(operations)
    reasons = st.sampled_from(sorted(REFUSALS))
    bad = draw(st.dictionaries(st.sampled_from(own), reasons, max_size=5)) if own else {}
    for place, index in list(bad):
        if bad[place, index] == "gone" and not operations[place].ids:
            bad[place, index] = "value"  # what is yet to be created cannot be gone
    return operations, bad


ACCIDENT_PLACES = st.dictionaries(
    st.integers(0, 12), st.sampled_from([*sorted(ACCIDENTS), TRIED_AGAIN]), max_size=3
)
WAYS = st.builds(Ways, version=st.sampled_from([14, 19]), first=st.sampled_from(Way))
SERVERS = st.fixed_dictionaries({"saves": st.booleans(), "described": st.booleans()})


def statuses(run):
    return [outcome.status for outcome in run.result()]


# -- rules that hold for any batch, any server and any order of replies ----------------------------


@settings(max_examples=400)
@given(
    batches_with_bad_records(),
    LIMITS,
    WAYS,
    SERVERS,
    st.booleans(),
    st.sampled_from(["continue", "stop"]),
    st.sampled_from(["continue", "stop"]),
    st.integers(1, 4),
    ACCIDENT_PLACES,
    st.randoms(use_true_random=False),
)
def test_outcomes_are_true(
    batch, limits, ways, kind, ordered, on_error, on_unknown, slots, accidents, random
):
    """Applied was done once, refused and not sent never; only a lost reply leaves it unknown."""
    operations, bad = batch
    modes = {"on_error": on_error, "on_unknown": on_unknown}
    run = Run(operations, limits, ways=ways, ordered=ordered, **modes)
    server = Server(operations, bad, **kind)
    driver = Driver(run, server, random, slots=slots, accidents=accidents)

    driver.drive()

    result = run.result()
    outcomes = list(result)
    assert len(driver.own) == len(outcomes) == sum(result.counts.values())
    for mark, outcome in zip(driver.own, outcomes, strict=True):
        event(outcome.status.label)
        match outcome.status:
            case Status.APPLIED:
                assert 1 == server.applied[mark]
                assert None is outcome.error
            case Status.REFUSED:
                assert 0 == server.applied[mark]
                assert outcome.error is not None
            case Status.NOT_SENT:
                assert 0 == server.applied[mark]
            case Status.UNKNOWN:
                assert mark in driver.lost | driver.unsure
                assert outcome.error is not None
                assert 1 >= server.applied[mark]
    unknown = {m for m, each in zip(driver.own, outcomes, strict=True) if each.status is UNKNOWN}
    assert driver.lost <= unknown


@given(
    batches_with_bad_records(),
    LIMITS,
    st.booleans(),
    ACCIDENT_PLACES,
    st.randoms(use_true_random=False),
)
def test_ids_belong_to_their_records(batch, limits, ordered, accidents, random):
    """`ids[i]` is the id that the server gave to `records[i]`, or None."""
    operations, bad = batch
    run = Run(operations, limits, ordered=ordered)
    server = Server(operations, bad)

    Driver(run, server, random, accidents=accidents).drive()

    result = run.result()
    for (place, index), outcome in zip(marks(operations), result, strict=True):
        known = server.ids.get((place, index)) if outcome.status is APPLIED else None
        expected = operations[place].ids[index] if operations[place].ids else known
        assert expected == outcome.id == result.operations[place].ids[index]


@given(
    batches_with_bad_records(),
    LIMITS,
    WAYS,
    SERVERS,
    ACCIDENT_PLACES,
    st.randoms(use_true_random=False),
)
def test_values_belong_to_their_records(batch, limits, ways, kind, accidents, random):
    """Whichever way is taken, each record gets the values that it was to get."""
    operations, bad = batch
    run = Run(operations, limits, ways=ways, ordered=False)
    server = Server(operations, bad, **kind)

    Driver(run, server, random, accidents=accidents).drive()

    for (place, index), written in server.written.items():
        match operations[place]:
            case UpdateOperation(values=values):
                assert values == written
            case WriteManyOperation(ids=ids, updates=updates):
                assert updates[ids[index]] == written


@given(
    batches_with_bad_records(),
    LIMITS,
    WAYS,
    SERVERS,
    st.booleans(),
    st.randoms(use_true_random=False),
)
def test_bad_records_are_named(batch, limits, ways, kind, ordered, random):
    """Without accidents each bad record is refused, and no good one with it."""
    operations, bad = batch
    run = Run(operations, limits, ways=ways, ordered=ordered)
    Driver(run, Server(operations, bad, **kind), random).drive()

    refused = {*bad, *unsendable(operations)}
    block = blocks(operations)
    last = block[-1]
    reached = min((block[place] for place, _ in refused), default=last) if ordered else last
    expected = {
        mark: NOT_SENT if block[mark[0]] > reached else REFUSED if mark in refused else APPLIED
        for mark in all_marks(operations)
    }
    found = dict(zip(marks(operations), statuses(run), strict=True))
    unread = {mark for mark, status in expected.items() if mark not in found}
    assert {mark: expected[mark] for mark in found} == found
    assert {(NOT_SENT, True)} >= {(expected[n, m], n in operations.items) for n, m in unread}
    assert all(str(outcome.error) for outcome in run.result().refused)


@given(
    batches_with_bad_records(),
    LIMITS,
    st.booleans(),
    st.sampled_from(["continue", "stop"]),
    ACCIDENT_PLACES,
    st.randoms(use_true_random=False),
)
def test_what_was_not_read_is_told(batch, limits, ordered, on_error, accidents, random):
    """The result of a stream is whole, or says why not; nobody reads on once the run is closed."""
    operations, bad = batch
    run = Run(operations, limits, ordered=ordered, on_error=on_error)
    Driver(run, Server(operations, bad), random, accidents=accidents).drive()
    run.close()

    for place, items in operations.items.items():
        result = run.result().operations[place]
        assert result.unread or len(items) == len(result)
        assert not result.unread or not result.ok
        assert [] == operations[place].source.items
    assert None is run.wanted()


@given(
    batches_with_bad_records(),
    LIMITS,
    st.booleans(),
    ACCIDENT_PLACES,
    st.randoms(use_true_random=False),
)
def test_what_was_not_sent_may_be_sent_again(batch, limits, ordered, accidents, random):
    """There are operations over just the records that were not sent, in their order."""
    operations, bad = batch
    run = Run(operations, limits, ordered=ordered)
    Driver(run, Server(operations, bad), random, accidents=accidents).drive()

    result = run.result()
    own = [
        mark
        for mark, status in zip(marks(operations), statuses(run), strict=True)
        if status is NOT_SENT
    ]
    again = result.resendable_operations()

    found = []
    for operation, place in zip(again, dict.fromkeys(place for place, _ in own), strict=True):
        if isinstance(operation, CreateOperation):
            found += [tuple(record["mark"]) for record in operation.records]
        else:
            found += [(place, operations[place].ids.index(number)) for number in operation.ids]
    assert own == found


@given(
    batches_with_bad_records(),
    LIMITS,
    WAYS,
    SERVERS,
    ACCIDENT_PLACES,
    st.sampled_from(["continue", "stop"]),
    st.randoms(use_true_random=False),
)
def test_ordered_waits_for_the_block_before(batch, limits, ways, kind, accidents, on_error, random):
    """Ordered, nothing of an operation is sent before all before it ended well."""
    operations, bad = batch
    run = Run(operations, limits, ways=ways, on_error=on_error)
    driver = Driver(run, Server(operations, bad, **kind), random, accidents=accidents)
    block = blocks(operations)
    take = run.take

    def checked_take():
        before = dict(zip(driver.own, statuses(run), strict=True))
        call = take()
        for place, _ in driver.marks_of(call):
            earlier = [each for (other, _), each in before.items() if block[other] < block[place]]
            assert {APPLIED} >= set(earlier)
        return call

    run.take = checked_take
    driver.drive()


@given(batches_with_bad_records(), LIMITS, WAYS, SERVERS, st.randoms(use_true_random=False))
def test_unordered_keeps_the_order_on_a_record(batch, limits, ways, kind, random):
    """Unordered, what touches the same record still follows the order of the operations."""
    operations, bad = batch
    run = Run(operations, limits, ways=ways, ordered=False)
    server = Server(operations, bad, **kind)

    Driver(run, server, random).drive()

    touched = {}
    for place, index in server.order:
        if operations[place].ids:
            record = operations[place].model, operations[place].ids[index]
            touched.setdefault(record, []).append(place)
    for places in touched.values():
        assert sorted(places) == places


@given(
    batches_with_bad_records(),
    LIMITS,
    WAYS,
    SERVERS,
    st.booleans(),
    ACCIDENT_PLACES,
    st.randoms(use_true_random=False),
)
def test_stop_hands_out_nothing_after_a_refusal(
    batch, limits, ways, kind, ordered, accidents, random
):
    """With on_error="stop" no call follows the first reply that says no."""
    operations, bad = batch
    run = Run(operations, limits, ways=ways, ordered=ordered, on_error="stop")
    driver = Driver(run, Server(operations, bad, **kind), random, accidents=accidents)
    take = run.take

    def checked_take():
        failed = any(outcome.error for outcome in run.result())
        call = take()
        assert not failed or call is None
        return call

    run.take = checked_take
    driver.drive()


@given(
    batches_with_bad_records(),
    LIMITS,
    WAYS,
    SERVERS,
    st.booleans(),
    ACCIDENT_PLACES,
    st.randoms(use_true_random=False),
)
def test_progress_ends_with_everything(batch, limits, ways, kind, ordered, accidents, random):
    """The last progress says 100 %, and its numbers are those of the result."""
    operations, bad = batch
    run = Run(operations, limits, ways=ways, ordered=ordered)
    driver = Driver(run, Server(operations, bad, **kind), random, accidents=accidents)
    driver.drive()
    last = run.progress(ended=True)

    assert (run.total, run.total, 100.0) == (last["completed"], last["total"], last["percentage"])
    counts = {status.name.lower(): n for status, n in run.result().counts.items()}
    assert {**counts, "calls": driver.asked + len(driver.taken)} == last["stats"]


@given(
    batches_with_bad_records(),
    LIMITS,
    WAYS,
    st.integers(0, 8),
    st.randoms(use_true_random=False),
)
def test_cut_off_in_the_middle(batch, limits, ways, steps, random):
    """At any moment what is in flight counts as unknown, and the rest as what it is."""
    operations, bad = batch
    run = Run(operations, limits, ways=ways)
    server = Server(operations, bad)
    driver = Driver(run, server, random, slots=8)
    driver.begin()
    for _ in range(steps):
        if random.random() < 0.5:
            driver.take()
        elif driver.marks_in_flight():
            driver.record()

    run.stop()
    found = dict(zip(driver.own, statuses(run), strict=True))

    assert driver.marks_in_flight() == {mark for mark, each in found.items() if each is UNKNOWN}
    assert None is run.wanted()
    assert None is run.take()
    assert not run.advance()
    for mark, status in found.items():
        assert status is not APPLIED or 1 == server.applied[mark]
        assert status in (APPLIED, UNKNOWN) or 0 == server.applied[mark]


class Teller(Driver):
    """Asks for each outcome of a stream as soon as it can be had."""

    def __init__(self, *args, **options):
        super().__init__(*args, **options)
        self.told = []
        self.longest = 0  # how many records were read whose outcomes were not told yet

    def record(self):
        super().record()
        self.told += iter(self.run.tell, None)

    def _check_kept(self):
        self.longest = max(self.longest, self.run.total - len(self.told))


@given(
    batches_with_bad_records(1, ["stream"]),
    LIMITS,
    st.integers(1, 4),
    st.integers(1, 3),
    st.integers(1, 5),
    ACCIDENT_PLACES,
    st.randoms(use_true_random=False),
)
def test_outcomes_are_told_in_order(batch, limits, slots, ahead, forgotten, accidents, random):
    """Each is told once, as soon as it and those before are settled; what was told is forgotten."""
    operations, bad = batch
    run = Run(operations, limits, look_ahead=ahead)
    server = Server(operations, bad)
    kept = []  # how many records are left after each time that some were forgotten
    forget = Ledger.forget

    def noted(ledger, number):
        forget(ledger, number)
        kept.append(len(ledger.states))

    with (
        mock.patch.object(run_module, "FORGOTTEN_AT_ONCE", forgotten),
        mock.patch.object(Ledger, "forget", noted),
    ):
        driver = Teller(run, server, random, slots=slots, accidents=accidents)
        driver.drive()
        driver.told += iter(lambda: run.tell(ended=True), None)

    assert list(range(run.total)) == [outcome.index for outcome in driver.told]
    for outcome in driver.told:
        mark = 0, outcome.index
        known = server.ids.get(mark) if outcome.status is APPLIED else None
        assert known == outcome.id
        assert (outcome.status in (APPLIED, NOT_SENT)) >= (outcome.error is None)
        assert True if outcome.status is APPLIED else outcome.created is None
        if outcome.status is UNKNOWN:
            assert mark in driver.lost
        else:
            assert (outcome.status is APPLIED) == server.applied[mark]
    counts = Counter(outcome.status.name.lower() for outcome in driver.told)
    assert counts == +Counter(run.progress(ended=True)["stats"]) - Counter(calls=len(driver.taken))
    assert driver.longest <= (ahead + 1) * limits.size
    assert run.total // forgotten == len(kept)
    assert max(kept, default=0) <= driver.longest


# -- single steps ----------------------------------------------------------------------------------


def creates(count, size=100, **options):
    """Return a run over one create, at its first round."""
    operation = CreateOperation("m", [{"x": n} for n in range(count)])
    run = Run([operation], Limits(size, 2**20), **options)
    assert run.advance()
    return run


def test_fresh_run():
    """Before anything is taken nothing is sent, and nothing is done."""
    run = creates(3)

    assert [NOT_SENT] * 3 == statuses(run)
    assert {
        "completed": 0,
        "total": 3,
        "percentage": 0.0,
        "stats": {"applied": 0, "refused": 0, "unknown": 0, "not_sent": 3, "calls": 0},
    } == run.progress()


def test_empty_run():
    """A run over nothing is done."""
    run = Run([], ROOMY)

    assert not run.advance()
    assert None is run.take()
    assert 100.0 == run.progress()["percentage"]
    assert [] == list(run.result())
    assert run.result().ok


def test_progress_counts_records():
    """The unit of progress is the record; what is in flight is not done."""
    run = creates(4, size=1)
    one, _ = run.take(), run.take()
    run.record(one, Answer([7]))

    assert {
        "completed": 1,
        "total": 4,
        "percentage": 25.0,
        "stats": {"applied": 1, "refused": 0, "unknown": 0, "not_sent": 2, "calls": 2},
    } == run.progress()


def test_in_flight_counts_as_unknown():
    """A result in the middle says that what is on its way is unknown, and later what came."""
    run = creates(2, size=1)
    call = run.take()

    assert [UNKNOWN, NOT_SENT] == statuses(run)
    run.record(call, Answer([7]))
    assert [APPLIED, NOT_SENT] == statuses(run)


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(None, id="none"),
        pytest.param(True, id="true"),
        pytest.param(7, id="one id"),
        pytest.param([], id="no ids"),
        pytest.param([7], id="too few"),
        pytest.param([7, 8, 9], id="too many"),
        pytest.param([7, "8"], id="text"),
        pytest.param([7, True], id="boolean"),
        pytest.param([7, None], id="none inside"),
        pytest.param({"ids": [7, 8]}, id="object"),
        pytest.param([7, 0], id="zero"),
        pytest.param([7, -8], id="negative"),
        pytest.param([7, 2**63], id="beyond 64 bits"),
        pytest.param([7, 7], id="twice the same"),
    ],
)
def test_create_without_ids(value):
    """An answer to a create that is no list of its new ids leaves them unknown, and stops."""
    run = creates(4, size=2)
    run.record(run.take(), Answer(value))

    assert [UNKNOWN, UNKNOWN, NOT_SENT, NOT_SENT] == statuses(run)
    assert [None] * 4 == run.result().ids
    error = run.result().unknown[0].error
    assert errors.OutcomeUnknownError is type(error)
    assert str(error).startswith("the answer to create is no list of 2 new ids (whether")
    assert None is run.take()


@pytest.mark.parametrize("value", [True, False, None, []])
def test_write_applies_whatever_it_returns(value):
    """A write or unlink that did not fail was carried out, whatever an override returns."""
    for operation in (UpdateOperation("m", [7, 8], {"x": 1}), UnlinkOperation("m", [7, 8])):
        run = Run([operation], ROOMY)
        run.advance()
        run.record(run.take(), Answer(value))
        assert [APPLIED, APPLIED] == statuses(run)


@pytest.mark.parametrize(
    ("fault", "status"),
    [
        (TIMEOUT, UNKNOWN),
        (transport_fault(Kind.CLOSED, ADDRESS), UNKNOWN),
        (transport_fault(Kind.GATEWAY, ADDRESS, "HTTP 502"), UNKNOWN),
        (transport_fault(Kind.FORBIDDEN, ADDRESS, "HTTP 403"), UNKNOWN),
        (transport_fault(Kind.NOT_THERE, ADDRESS, "HTTP 404"), UNKNOWN),
        (odoo_fault("psycopg2.OperationalError", "server closed", (), ""), UNKNOWN),
        (UNREACHABLE, NOT_SENT),
        (transport_fault(Kind.BUSY, ADDRESS), NOT_SENT),
        (odoo_fault("odoo.exceptions.AccessDenied", "Access Denied", (), ""), NOT_SENT),
        (odoo_fault("psycopg2.pool.PoolError", "The Connection Pool Is Full", (), ""), NOT_SENT),
        (never_sent(errors.ClientClosedError("closed")), NOT_SENT),
    ],
    ids=lambda each: repr(each.error) if isinstance(each, Fault) else each.label,
)
def test_failure_that_is_no_rollback(fault, status):
    """It says of the call's records what it proves, and nothing more is handed out."""
    run = creates(6, size=2, on_unknown="stop")
    one, other = run.take(), run.take()
    run.record(one, fault)

    assert [status, status, UNKNOWN, UNKNOWN, NOT_SENT, NOT_SENT] == statuses(run)
    assert None is run.take()
    run.record(other, Answer([7, 8]))  # what was on its way still counts
    assert not run.advance()
    assert [status, status, APPLIED, APPLIED, NOT_SENT, NOT_SENT] == statuses(run)
    assert [None, None, 7, 8, None, None] == run.result().ids
    errors = [outcome.error for outcome in run.result()]
    assert [fault.error] * 2 + [None] * 2 == errors[:4]
    assert [f"the batch had ended with: {fault.error}"] * 2 == list(map(str, errors[4:]))
    assert [fault.error] * 2 == [error.__cause__ for error in errors[4:]]


CONFLICT = odoo_fault("psycopg2.errors.SerializationFailure", "No.", (), "")


@pytest.mark.parametrize("on_error", ["continue", "stop"])
def test_conflict(on_error):
    """A call that another one was in the way of goes again when the others are through, alone."""
    run = creates(6, size=2, on_error=on_error)
    one, other, last = run.take(), run.take(), run.take()
    run.record(one, CONFLICT)
    run.record(other, CONFLICT)
    assert None is run.take()
    run.record(last, Answer([5, 6]))

    for numbers, reply in (([0, 1], Answer([7, 8])), ([2, 3], CONFLICT)):
        assert run.advance()
        call = run.take()
        assert (numbers, None) == (list(call.numbers), run.take())
        run.record(call, reply)
    assert not run.advance()
    assert [APPLIED] * 2 + [NOT_SENT] * 2 + [APPLIED] * 2 == statuses(run)
    assert [CONFLICT.error] * 2 == [outcome.error for outcome in run.result().not_sent]
    assert 2 == sum(map(len, run.result().resendable_operations()))


def test_label():
    """A run is named by what all its operations do, or by how many there are."""
    assert "create m" == creates(2).label
    assert (
        "2 operations" == Run([CreateOperation("m", [{}]), UnlinkOperation("n", [1])], ROOMY).label
    )


def test_conflicts_come_before_what_follows():
    """The next operation of an ordered batch waits for a call that goes again."""
    run = Run([CreateOperation("m", [{"x": 0}]), UnlinkOperation("n", [1])], ROOMY)
    run.advance()
    run.record(run.take(), CONFLICT)
    run.advance()
    run.record(run.take(), Answer([7]))
    assert run.advance()
    assert "unlink" == run.take().method


def test_a_conflict_after_a_try_without_an_answer():
    """That try may be in effect: the call goes again alone, and is unknown if that fails too."""
    run = Run([UpdateOperation("m", [7], {"x": 1})], ROOMY)
    run.advance()
    for _ in range(2):
        run.record(run.take(), CONFLICT.seen_after(TIMEOUT))
        assert [UNKNOWN] == statuses(run)
        run.advance()
    assert None is run.take()


def test_refusal_is_isolated_at_once():
    """What was refused goes again in parts, before the rest of the operation."""
    run = creates(9, size=3)
    one, _ = run.take(), run.take()
    run.record(one, REFUSAL)

    assert [[0], [1, 2], [6, 7, 8]] == [list(run.take().numbers) for _ in range(3)]
    assert None is run.take()


def test_refusal_in_the_last_call_is_isolated_in_a_further_round():
    """A round that had nothing more to hand out is followed by one for what was refused."""
    run = creates(2)
    call = run.take()
    assert None is run.take()
    run.record(call, REFUSAL)

    assert run.advance()
    assert [[0], [1]] == [list(run.take().numbers) for _ in range(2)]


def test_refused_record_does_not_stop_its_operation():
    """By default what is good is applied, and later operations are not sent."""
    later = UnlinkOperation("n", [1])
    run = Run([CreateOperation("m", [{"x": 0}, {"x": 1}]), later], Limits(1, 2**20))
    run.advance()
    run.record(run.take(), REFUSAL)
    run.record(run.take(), Answer([7]))

    assert not run.advance()
    assert [REFUSED, APPLIED, NOT_SENT] == statuses(run)


def test_unordered_goes_on_after_a_refusal():
    """Unordered, a refusal concerns nothing but itself."""
    operations = [UnlinkOperation("m", [7]), UpdateOperation("m", [7], {"x": 1})]
    run = Run(operations, ROOMY, ordered=False)
    run.advance()
    run.record(run.take(), REFUSAL)

    assert run.advance()
    assert "write" == run.take().method


def test_stop_refuses_nobody_without_proof():
    """With on_error="stop" a call is not isolated; none of it was written, and is told why."""
    run = creates(4, size=2, on_error="stop")
    run.record(run.take(), REFUSAL)

    assert [NOT_SENT] * 4 == statuses(run)
    reasons = [outcome.error for outcome in run.result()]
    assert [REFUSAL.error] * 4 == reasons[:2] + [error.__cause__ for error in reasons[2:]]
    assert 4 == sum(map(len, run.result().resendable_operations()))
    assert None is run.take()
    assert not run.advance()


def test_what_is_not_begun_has_a_reason():
    """Later operations of an ordered batch; it may be sent again, and is told last."""
    operations = [CreateOperation("m", [{}]), UpdateOperation("m", [7, 8], {"x": 1})]
    run = Run(operations, ROOMY)
    run.advance()
    run.record(run.take(), REFUSAL)
    assert not run.advance()

    reason = "something before it was not applied"
    told = run.result().not_sent
    assert [f"update m: record {n}: not sent (id {7 + n}): {reason}" for n in (0, 1)] == [
        str(outcome) for outcome in told
    ]
    assert f"  2 were not sent: {reason}" in run.result().summary().splitlines()
    assert 2 == sum(map(len, run.result().resendable_operations()))


def test_the_first_reason_is_told():
    """Whatever ends a run that has ended, what was not sent was so before."""
    run = creates(2)
    run.stop("the time limit was over")
    run.stop("it was cut off")
    run.stop()

    assert {"the time limit was over"} == {str(outcome.error) for outcome in run.result()}


def test_stop_refuses_who_was_named():
    """With on_error="stop" who is named by the server is refused, as is who was alone."""
    gone = odoo_fault("odoo.exceptions.MissingError", "(Record: m(8,), User: 2)", (), "")
    run = Run([UnlinkOperation("m", [7, 8, 9])], ROOMY, on_error="stop")
    run.advance()
    run.record(run.take(), gone)
    assert [NOT_SENT, REFUSED, NOT_SENT] == statuses(run)

    run = creates(2, size=1, on_error="stop")
    run.record(run.take(), REFUSAL)
    assert [REFUSED, NOT_SENT] == statuses(run)


def test_stop_after_a_try_without_an_answer():
    """With on_error="stop" what was refused after a lost try may be there: it is unknown."""
    run = Run([UpdateOperation("m", [7, 8], {"x": 1})], ROOMY, on_error="stop")
    run.advance()
    run.record(run.take(), REFUSAL.seen_after(TIMEOUT))

    assert [Status.UNKNOWN] * 2 == statuses(run)
    assert not run.advance()


def test_body_that_is_too_large_is_halved():
    """A proxy's 413 did not run: the call goes again in halves; one record alone stops the run."""
    too_large = transport_fault(Kind.TOO_LARGE, ADDRESS, status=413)
    run = creates(2)
    run.record(run.take(), too_large)

    assert run.advance()
    one, other = run.take(), run.take()
    run.record(one, too_large)
    run.record(other, Answer([8]))
    assert [REFUSED, APPLIED] == statuses(run)
    assert too_large.error is run.result().refused[0].error
    assert not run.advance()


def test_stop_lets_the_calls_in_flight_finish():
    """After stop() nothing is handed out, and what comes in still counts."""
    run = creates(2, size=1)
    call = run.take()
    run.stop()

    assert None is run.take()
    run.record(call, Answer([7]))
    assert [APPLIED, NOT_SENT] == statuses(run)


# -- the probe -------------------------------------------------------------------------------------

DENIED = odoo_fault("odoo.exceptions.AccessError", "You are not allowed to create ...", (), "")
ABSENT = odoo_fault("odoo.exceptions.UserError", "Object m doesn't exist", (), "")


def refuse_all(run, fault):
    """Refuse all calls in flight together, and return the probes that follow."""
    in_flight = list(iter(run.take, None))
    for call in in_flight:
        run.record(call, fault)
    return list(iter(run.take, None))


def probed(fault, count=4, size=100):
    """Return a run whose calls were all refused by *fault*, and its probes."""
    run = creates(count, size)
    return run, refuse_all(run, fault)


@pytest.mark.parametrize(("fault", "reply"), [(DENIED, Answer(False)), (ABSENT, ABSENT)])
def test_probe_that_says_all(fault, reply):
    """A missing right, or model, refuses all records of the call in one more call."""
    run, [probe] = probed(fault)
    run.record(probe, reply)

    assert not run.advance()
    assert [REFUSED] * 4 == statuses(run)
    assert {fault.error} == {outcome.error for outcome in run.result()}


@pytest.mark.parametrize("reply", [Answer(True), Answer(None), REFUSAL])
def test_probe_that_says_some(reply):
    """Any other answer says that the reason lies in the records: the call goes in halves."""
    run, [probe] = probed(DENIED)
    run.record(probe, reply)

    halves = [run.take(), run.take()]
    assert [[0, 1], [2, 3]] == [list(half.numbers) for half in halves]
    run.record(halves[0], DENIED)  # no second question
    run.record(halves[1], Answer([7, 8]))
    assert [[0], [1]] == [list(run.take().numbers) for _ in range(2)]


@pytest.mark.parametrize("reply", [TIMEOUT, UNREACHABLE], ids=["lost", "unreachable"])
def test_probe_without_an_answer(reply):
    """A probe changes nothing, so its lost answer makes nothing unknown; but it stops."""
    run, [probe] = probed(DENIED)
    run.record(probe, reply)

    assert not run.advance()
    assert [NOT_SENT] * 4 == statuses(run)
    told = {str(outcome.error) for outcome in run.result()}
    assert [reply.error.summary] == [text.partition("(")[2][:-1] for text in told]


def test_probe_in_flight_makes_nothing_unknown():
    """While the question is on its way, the records are where the refusal left them."""
    run, [probe] = probed(DENIED)

    assert isinstance(probe, AccessCheck)
    assert [NOT_SENT] * 4 == statuses(run)
    assert 2 == run.progress()["stats"]["calls"]


def test_probe_is_sent_once():
    """One question about a right serves all calls that met its lack."""
    run, [probe] = probed(DENIED, count=20, size=2)
    run.record(probe, Answer(False))

    assert [REFUSED] * 20 == statuses(run)
    assert 11 == run.progress()["stats"]["calls"]


def test_probe_is_in_flight_once():
    """What is refused while the question is on its way waits for the same answer."""
    run = creates(6, size=2)
    first, second = run.take(), run.take()
    run.record(first, DENIED)
    probe = run.take()
    run.record(second, DENIED)
    third = run.take()
    assert (True, [4, 5]) == (isinstance(probe, AccessCheck), list(third.numbers))
    run.record(third, DENIED)

    assert None is run.take()
    run.record(probe, Answer(False))
    assert [REFUSED] * 6 == statuses(run)
    assert 4 == run.progress()["stats"]["calls"]


def test_what_was_denied_once_is_not_asked_again():
    """A call that meets the lack of the right after the answer is refused at once."""
    run = creates(4, size=2)
    run.record(run.take(), DENIED)
    run.record(run.take(), Answer(False))
    run.record(run.take(), DENIED)

    assert None is run.take()
    assert not run.advance()
    assert [REFUSED] * 4 == statuses(run)


def test_probe_that_says_some_of_many():
    """Where the right is given, all calls that waited for the answer go again in halves."""
    run, [probe] = probed(DENIED, count=6, size=2)
    run.record(probe, Answer(True))

    assert [[n] for n in range(6)] == [list(call.numbers) for call in iter(run.take, None)]


def test_probe_for_each_right():
    """Another model, or another right, is another question."""
    operations = [
        CreateOperation("m", [{}, {}]),
        CreateOperation("n", [{}, {}]),
        UnlinkOperation("m", [7, 8]),
    ]
    run = Run(operations, ROOMY, ordered=False)
    run.advance()

    asked = [(probe.model, probe.right) for probe in refuse_all(run, DENIED)]
    assert [("m", "create"), ("n", "create"), ("m", "unlink")] == asked


def test_lost_probe_stops_the_others():
    """After a question without an answer no other is asked."""
    operations = [CreateOperation("m", [{}, {}]), CreateOperation("n", [{}, {}])]
    run = Run(operations, ROOMY, ordered=False)
    run.advance()
    one, other = run.take(), run.take()
    run.record(one, DENIED)
    run.record(other, DENIED)

    run.record(run.take(), TIMEOUT)

    assert None is run.take()
    assert not run.advance()


# -- several threads -------------------------------------------------------------------------------


def test_threads_share_a_run():
    """Eight threads that take and record at will hand each record over once."""
    operation = CreateOperation("m", [{"mark": [0, n]} for n in range(2000)])
    run = Run([operation], Limits(3, 2**20))
    server = Server([operation], {(0, 777): "constraint"})
    serving = threading.Lock()

    def worker():
        while (call := run.take()) is not None:
            with serving:
                reply = server.serve(call)
            run.record(call, reply)

    while run.advance():
        threads = [threading.Thread(target=worker) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert {APPLIED: 1999, REFUSED: 1} == {s: n for s, n in run.result().counts.items() if n}
    assert [777] == [outcome.index for outcome in run.result().refused]
    assert [1] * 1999 == list(server.applied.values())
    assert [server.ids.get((0, n)) for n in range(2000)] == run.result().ids


# -- mixed operations ------------------------------------------------------------------------------


def test_each_operation_has_its_own_result():
    """The outcomes of a batch are told by operation, and by the caller's own index there."""
    operations = [
        CreateOperation("m", [{"x": 0}, {"x": 1}]),
        CreateOperation("m", [{"x": 2}]),
        WriteManyOperation("m", {7: {"x": 1}, 8: {"x": 2}, 9: {"x": 1}}),
    ]
    run = Run(operations, ROOMY)
    run.advance()
    run.record(run.take(), Answer([11, 12, 13]))
    run.advance()
    first, second = run.take(), run.take()
    run.record(first, Answer(True))
    run.record(second, REFUSAL)

    assert [[7, 9], [8]] == [json.loads(call.arguments[0]) for call in (first, second)]
    one, other, written = run.result().operations
    assert ([11, 12], [13], [7, 8, 9]) == (one.ids, other.ids, written.ids)
    assert [APPLIED, REFUSED, APPLIED] == [outcome.status for outcome in written]
    assert {1: REFUSAL.error} == written.errors
