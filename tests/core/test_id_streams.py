"""Updates and unlinks that are read while they are sent: each record once at a time."""

import json
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zenoo_rpc._core.call import Call
from zenoo_rpc._core.exchange import Answer, HeldBack
from zenoo_rpc._core.faults import Kind, odoo_fault, transport_fault
from zenoo_rpc._core.run import Run
from zenoo_rpc._core.sizes import Limits
from zenoo_rpc._core.ways import Ways
from zenoo_rpc.batch.errors import BatchStateError, BatchValidationError
from zenoo_rpc.batch.options import Way
from zenoo_rpc.batch.status import Status
from zenoo_rpc.batch.streams import UnlinkStream, UpdateStream, stream_operation
from zenoo_rpc.batch.transaction import HeldBackError

from .batches import ids_on_wire

APPLIED, REFUSED, UNKNOWN, NOT_SENT = (
    Status.APPLIED,
    Status.REFUSED,
    Status.UNKNOWN,
    Status.NOT_SENT,
)
ADDRESS = "http://localhost:8069"
REFUSAL = odoo_fault("odoo.exceptions.ValidationError", "No.", (), "")
LOST = transport_fault(Kind.CLOSED, ADDRESS)
CONFLICT = odoo_fault("psycopg2.errors.SerializationFailure", "No.", (), "")
FIELDS = {"m": {"x": {"type": "integer"}, "line_ids": {"type": "one2many"}}}


def updates(*ids, **values):
    """Return a stream of updates, whose values are their places."""
    return UpdateStream("m", [iter([{"id": n, "x": p, **values} for p, n in enumerate(ids)])])


def begun(operation, size=2, way=Way.SAVE, **options):
    """Return a run in its first round."""
    ways = Ways(19, way, fields=dict(FIELDS))
    run = Run([operation], Limits(size, 10**6), ways=ways, **options)
    assert run.advance()
    return run


def feed(run):
    """Read what is wanted."""
    while wanted := run.wanted():
        source, count = wanted
        items = []
        for item in source.items[0]:
            items.append(item)
            if len(items) == count:
                break
        else:
            source.items.clear()
        run.feed(items)


def taken(run):
    """Read what is wanted, and return the next call."""
    feed(run)
    return run.take()


def carry_out(run, serve=lambda _: Answer(True)):
    """Carry a run out, one call at a time; return the calls."""
    calls, more = [], True
    while more:
        while (call := taken(run)) is not None:
            calls.append(call)
            run.record(call, serve(call))
        more = run.advance()
    return calls


def told(run):
    return [(outcome.id, outcome.status) for outcome in run.result()]


def test_what_was_read_and_not_sent_has_its_id():
    """Its outcome names the record, whatever became of it."""
    run = begun(updates(7, 8, 9, 10, 11), on_error="stop")
    call = taken(run)
    feed(run)
    run.record(call, REFUSAL)

    assert not run.advance()
    assert [(number, NOT_SENT) for number in (7, 8, 9, 10)] == told(run)


@pytest.mark.parametrize(
    ("items", "ids"),
    [
        (
            [{"id": 7}, {"id": 8, "x": b"x"}, {"x": 1}, {"id": 0, "x": 1}, 9],
            [7, 8, None, None, None],
        ),
        ([{"id": 7, "x": object()}, {"id": 8, "x": 1}, {"id": True, "x": 1}], [7, 8, None]),
    ],
)
def test_what_is_refused_as_it_is_read_has_its_id(items, ids):
    """If that was none, nothing else is taken for one."""
    run = begun(UpdateStream("m", [iter(items)]), size=9)
    carry_out(run)
    assert ids == [number for number, _ in told(run)]


def test_what_may_be_sent_again_has_each_update_of_an_id():
    """All of them, in their order; of an unlink each id once, since it is gone then."""
    run = begun(updates(7, 8, 7, 8), size=4)
    feed(run)
    run.stop()
    [again] = run.result().resendable_operations()
    run = begun(again, size=4)
    assert 2 == len(carry_out(run))
    assert [(7, APPLIED), (8, APPLIED), (7, APPLIED), (8, APPLIED)] == told(run)

    run = begun(UnlinkStream("m", [iter([7, 8, 7])]), size=3)
    feed(run)
    run.stop()
    [again] = run.result().resendable_operations()
    assert (7, 8) == again.ids


def test_a_bad_record_does_not_let_another_one_of_its_id_pass():
    """What was refused as it was read was not on its way; the one before it still is."""
    stream = UpdateStream("m", [iter([{"id": 7, "x": 0}, {"id": 7, "x": b"x"}, {"id": 7, "x": 2}])])
    run = begun(stream, size=1)
    first = taken(run)
    feed(run)
    assert None is taken(run)
    run.record(first, Answer(True))
    calls = carry_out(run)
    assert 1 == len(calls)
    assert [(7, APPLIED), (7, APPLIED)] == [each for each in told(run) if each[1] is APPLIED]


@pytest.mark.parametrize("way", Way)
def test_updates_go_as_those_of_a_list_do(way):
    """In the best way there is, with the ids in the outcomes."""
    run = begun(updates(7, 8, 9), way=way)
    calls = carry_out(
        run, lambda call: Answer({"ids": ids_on_wire(call)} if call.method == "load" else True)
    )
    assert [7, 8, 9] == [number for call in calls for number in ids_on_wire(call)]
    assert way == calls[0].method
    assert [(7, APPLIED), (8, APPLIED), (9, APPLIED)] == told(run)
    assert all(call.idempotent for call in calls)
    assert {} == run.operations[0].source.kept


def test_equal_values_share_a_write():
    """Those that are read together."""
    stream = UpdateStream("m", [iter([{"id": n, "values": {"x": 1}} for n in range(1, 31)])])
    [call] = carry_out(begun(stream, size=30))
    assert "write" == call.method
    assert [list(range(1, 31)), {"x": 1}] == [json.loads(each) for each in call.arguments]


def test_unlinks():
    """Ids, a call's worth at a time."""
    run = begun(UnlinkStream("m", [iter([7, 8, 9])]))
    assert [[7, 8], [9]] == [ids_on_wire(call) for call in carry_out(run)]
    assert [(7, APPLIED), (8, APPLIED), (9, APPLIED)] == told(run)
    run = begun(UnlinkStream("m", [iter([7, 8, 9])]))
    carry_out(run, lambda call: CONFLICT if 8 in ids_on_wire(call) else Answer(True))
    [left] = run.result().resendable_operations()
    assert (7, 8) == left.ids


def test_bad_items_are_refused_by_themselves():
    """No id, no values, no mapping."""
    items = [{"id": 7, "x": 1}, {"x": 1}, {"id": 8}, 9, {"id": "9", "x": 1}, {"id": 10, "x": 2}]
    run = begun(UpdateStream("m", [iter(items)]), size=9)
    carry_out(run)
    assert [APPLIED, *[REFUSED] * 4, APPLIED] == [status for _, status in told(run)]
    run = begun(UnlinkStream("m", [iter([7, None, "8", 9])]), size=9)
    carry_out(run)
    assert [APPLIED, REFUSED, REFUSED, APPLIED] == [status for _, status in told(run)]


def test_a_record_that_comes_again_waits():
    """Until the call before is answered; then it goes, and nothing is refused for it."""
    run = begun(updates(7, 8, 7, 9), size=3)
    first = taken(run)
    assert [7, 8] == ids_on_wire(first)
    assert None is taken(run)
    run.record(first, Answer(True))
    second = taken(run)
    assert [7, 9] == ids_on_wire(second)
    run.record(second, Answer(True))
    assert not run.advance()
    assert run.result().ok


@pytest.mark.parametrize("end", [LOST, CONFLICT])
def test_a_record_that_comes_again_after_one_that_is_open(end):
    """It could be undone by the earlier one, when that lands late or is sent again: refused."""
    run = begun(updates(7, 8, 7, 9), size=1)
    calls = carry_out(run, lambda call: end if 0 in getattr(call, "numbers", ()) else Answer(True))
    assert 1 == sum(0 in getattr(call, "numbers", ()) for call in calls) - (end is CONFLICT)
    result = run.result()
    status = UNKNOWN if end is LOST else NOT_SENT
    statuses = dict(enumerate(status for _, status in told(run)))
    assert [status, APPLIED, APPLIED] == [statuses[n] for n in (0, 1, 3)]
    again = result.operations[0].outcome(2)
    assert REFUSED is again.status
    assert "record 0 has the same id" in str(again.error)
    if status is NOT_SENT:
        [left] = result.resendable_operations()
        assert {7} == set(left.ids)


def test_what_the_type_decides_waits_for_the_types():
    """A time of another day is converted by its field."""
    stream = UpdateStream("m", [iter([{"id": 7, "data": b"x"}, {"id": 8, "x": 1}])])
    run = Run([stream], Limits(9, 999), ways=Ways(19))
    assert run.advance()
    assert None is taken(run)
    assert run.advance()
    question = run.take()
    run.record(question, Answer({"data": {"type": "char"}, "x": {"type": "integer"}}))
    assert run.advance()
    [call] = carry_out(run)
    assert [8] == ids_on_wire(call)
    assert [REFUSED, APPLIED] == [status for _, status in told(run)]


def test_outcomes_are_told_in_order():
    """One by one, with their ids, also of what a transaction holds back."""
    run = begun(UnlinkStream("m", [iter([7, 8, 9])]), look_ahead=4)
    first, second = taken(run), taken(run)
    run.record(second, Answer(True))
    assert None is run.tell()
    run.record(first, HeldBack(True))
    outcomes = [run.tell() for _ in range(3)]
    assert [(7, NOT_SENT), (8, NOT_SENT), (9, APPLIED)] == [(o.id, o.status) for o in outcomes]
    assert "held back" in str(outcomes[0].error)
    assert None is run.tell(ended=True)


@pytest.mark.parametrize("kind", ["create", "update", "unlink"])
def test_conflicts_do_not_hold_up_a_stream(kind):
    """What was put aside goes before the outcomes that wait for it run out of room."""
    items = {"create": [{"x": n} for n in range(30)], "unlink": list(range(1, 31))}
    items["update"] = [{"id": n, "x": n} for n in range(1, 31)]
    stream = stream_operation(kind, "m", iter(items[kind]), None, None, keep=False)
    run = begun(stream, size=1, look_ahead=3)
    outcomes, more, rounds = [], True, 0
    while more:
        while (call := taken(run)) is not None:
            fails = 4 in call.numbers or (9 in call.numbers and not call.alone)
            answer = Answer([99 + call.numbers[0]] if kind == "create" else True)
            run.record(call, CONFLICT if fails else answer)
            outcomes += iter(run.tell, None)
        more = run.advance()
        rounds += 1
        assert rounds < 100
    outcomes += iter(lambda: run.tell(ended=True), None)
    assert list(range(30)) == [outcome.index for outcome in outcomes]
    assert [4] == [outcome.index for outcome in outcomes if outcome.status is not APPLIED]
    assert NOT_SENT is outcomes[4].status


@settings(max_examples=300)
@given(
    st.lists(st.integers(1, 5), max_size=20),
    st.integers(1, 4),
    st.sampled_from(Way),
    st.booleans(),
    st.dictionaries(st.integers(0, 8), st.sampled_from([LOST, REFUSAL, CONFLICT]), max_size=3),
    st.randoms(use_true_random=False),
)
def test_no_record_is_on_its_way_twice(ids, size, way, updates_, faults, rng):
    """Whatever fails: in order on each record, and each item has one outcome."""
    items = iter([{"id": n, "x": place} for place, n in enumerate(ids)] if updates_ else ids)
    run = begun((UpdateStream if updates_ else UnlinkStream)("m", [items]), size=size, way=way)
    in_flight, seen, done, sent, more = [], {}, Counter(), 0, True
    while more:
        while True:
            call = taken(run) if len(in_flight) < 3 and rng.random() < 0.7 else None
            if isinstance(call, Call):
                own = set(ids_on_wire(call))
                assert not own & {n for other, _ in in_flight for n in ids_on_wire(other)}
                for number, record in zip(call.numbers, ids_on_wire(call), strict=True):
                    assert seen.get(record, -1) <= number
                    seen[record] = number
                fault = faults.get(sent)
                sent += 1
                in_flight.append((call, fault))
            elif call is not None:
                run.record(call, Answer({}))
            elif in_flight:
                call, fault = in_flight.pop(rng.randrange(len(in_flight)))
                if fault is None:
                    done.update(call.numbers)
                ids_ = {"ids": ids_on_wire(call)} if call.method == "load" else True
                run.record(call, fault or Answer(ids_))
            elif (call := taken(run)) is None:
                break
            elif isinstance(call, Call):
                in_flight.append((call, None))
            else:
                run.record(call, Answer({}))
        more = run.advance()
    result = list(run.result())
    assert len(ids) == len(result)
    for outcome in result:
        assert (outcome.status is APPLIED) == (done[outcome.index] == 1)
        assert outcome.id in (ids[outcome.index], None)


def test_what_a_stream_takes():
    """Three operations, external ids for creates only, and iterators once."""
    with pytest.raises(BatchValidationError, match="operation must be one of create, update"):
        stream_operation("write", "m", iter([]), None, None, keep=False)
    with pytest.raises(BatchValidationError, match="takes no external_ids"):
        stream_operation("update", "m", iter([]), "ref", None, keep=False)
    operation = stream_operation("delete", "m", iter([7]), None, {"lang": "de_CH"}, keep=False)
    assert {"lang": "de_CH"} == operation.context
    begun(operation)
    with pytest.raises(BatchStateError, match="only once"):
        begun(operation)


def test_a_record_that_comes_again_after_one_that_was_repeated():
    """Its first try may still land, late, and undo what comes later."""
    run = begun(updates(7, 7), size=1)
    first = taken(run)
    run.record(first, Answer(True).seen_after(LOST))
    assert None is taken(run)
    assert [APPLIED, REFUSED] == [status for _, status in told(run)]
    assert {} == run.operations[0].source.kept


GONE = "Record does not exist or has been deleted.\n(Record: m(8,), User: 2)"
MISSING = odoo_fault("odoo.exceptions.MissingError", GONE, (), "")


def test_a_refusal_that_ends_a_stream_after_a_lost_try():
    """The records of the call stay unknown, the one that was named too."""
    run = begun(updates(7, 8, 9), size=9, on_error="stop")
    run.record(taken(run), MISSING.seen_after(LOST))
    assert not run.advance()
    assert [(7, UNKNOWN), (8, UNKNOWN), (9, UNKNOWN)] == told(run)


def test_deletions_that_were_held_back_may_be_sent_again():
    """Those of a stream that a rollback dropped; what named such a record later was refused."""
    run = begun(UnlinkStream("m", [iter([7, 8, 7])]), size=2)
    held = HeldBack(None)
    run.record(taken(run), held)
    assert None is taken(run)
    dropped = HeldBackError(is_over=True)
    held.listeners[0]([(NOT_SENT, dropped)] * 2)
    assert [(7, NOT_SENT), (8, NOT_SENT), (7, REFUSED)] == told(run)
    [again] = run.result().resendable_operations()
    assert (7, 8) == again.ids
