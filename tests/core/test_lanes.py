"""Records of one lane: one call at a time, in their order, whatever becomes of it."""

import json
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zenoo_rpc._core.call import Call, Load
from zenoo_rpc._core.exchange import Answer
from zenoo_rpc._core.faults import Kind, odoo_fault, transport_fault
from zenoo_rpc._core.run import Run
from zenoo_rpc._core.sizes import Limits
from zenoo_rpc._core.steps.created import CreatedByItself
from zenoo_rpc._core.steps.known import KnownExternalIds
from zenoo_rpc.batch.errors import BatchValidationError
from zenoo_rpc.batch.operations import CreateOperation
from zenoo_rpc.batch.status import Status
from zenoo_rpc.batch.streams import CreateStream

from .batches import tell_fields

LOST = transport_fault(Kind.CLOSED, "http://localhost:8069")
REFUSAL = odoo_fault("odoo.exceptions.ValidationError", "No.", (), "")
CONFLICT = odoo_fault("psycopg2.errors.SerializationFailure", "No.", (), "")
FIELDS = {"x": {"type": "integer"}, "parent": {"type": "integer"}, "y": {"type": "char"}}


def records(parents, more=0):
    """Return records with a parent each, None for none, and their places; some have *more*."""
    made = [{"x": place, "parent": parent} for place, parent in enumerate(parents)]
    for record in made[::more] if more else ():
        record["y"] = "z"
    return made


def places(call):
    """Return the places of the records in a call."""
    if isinstance(call, Load):
        return [int(row[call.columns.index("x")]) for row in call.rows]
    return [json.loads(part)["x"] for part in call.parts]


def taken(run):
    """Read what is wanted, and return the next call."""
    while wanted := run.wanted():
        source, count = wanted
        items = [item for _, item in zip(range(count), source.items[0], strict=False)]
        if len(items) < count:
            source.items.clear()
        run.feed(items)
    return run.take()


PARENTS = st.one_of(
    st.lists(st.sampled_from([None, "a", "b", "c"]), min_size=1, max_size=25),
    st.integers(1, 60).map(lambda count: ["a"] * count),
)
GONE = transport_fault(Kind.REFUSED, "http://localhost:8069")
NAMED = "some rows are named"  # by an import; a create is refused
FAULTS = [LOST, REFUSAL, CONFLICT, NAMED, GONE]


def fault_of(call, fault, rng):
    """Return the fault of a call, which may name some of its rows."""
    if fault is not NAMED or not isinstance(call, Load):
        return REFUSAL if fault is NAMED else fault
    rows = {0, rng.randrange(len(call))}
    messages = [{"type": "error", "message": "No.", "record": row} for row in rows]
    return Answer({"ids": False, "messages": messages})


@settings(max_examples=300)
@given(
    PARENTS,
    st.integers(1, 4),
    st.sampled_from(["list", "stream"]),
    st.integers(1, 5),
    st.booleans(),
    st.dictionaries(st.integers(0, 8), st.sampled_from(FAULTS), max_size=4),
    st.randoms(use_true_random=False),
)
def test_one_call_of_a_lane_at_a_time(parents, size, kind, more_columns, named, faults, rng):
    """And every record once, those of a lane in their order, also after failures."""
    given_ = records(parents, more_columns)
    names = (lambda record: f"n{record['x']}") if named else None
    if kind == "list":
        operation = CreateOperation("m", given_, external_ids=names, lane="parent")
    else:
        operation = CreateStream("m", [iter(given_)], external_ids=names, lane="parent")
    run = Run([operation], Limits(size, 10**6), skip_unchanged=False)
    more = bool(tell_fields(run, Answer(FIELDS))) or not run._agenda.stopped
    in_flight, done, sent, landed, rounds = [], Counter(), 0, [], 0

    def record(call, reply):
        if isinstance(call, KnownExternalIds):
            reply = Answer([])
        elif isinstance(call, CreatedByItself):
            reply = Answer(list(call.new.values()))
        elif not isinstance(call, Call):
            reply = Answer({})
        elif reply is None:
            done.update(places(call))
            landed.extend(places(call))
            ids = [100 + place for place in places(call)]
            reply = Answer({"ids": ids} if isinstance(call, Load) else ids)
        run.record(call, reply)

    while more:
        while True:
            call = taken(run) if len(in_flight) < 3 else None
            if call is not None:
                fault = None
                if isinstance(call, Call):
                    own = {parents[place] for place in places(call)} - {None}
                    for other, _ in in_flight:
                        if isinstance(other, Call):
                            assert not own & {parents[place] for place in places(other)}
                    fault = fault_of(call, faults.get(sent), rng)
                    sent += 1
                in_flight.append((call, fault))
            elif in_flight:
                record(*in_flight.pop(rng.randrange(len(in_flight))))
            else:
                break
        more = run.advance()
        rounds += 1
        assert rounds < 1000
    outcomes = list(run.result())
    assert len(parents) == len(outcomes) or GONE in faults.values()
    for outcome in outcomes:
        if outcome.status is Status.APPLIED:
            assert 1 == done[outcome.index]
        elif outcome.status is not Status.UNKNOWN:
            assert 0 == done[outcome.index]
    for parent in "abc":
        own = [place for place in landed if parents[place] == parent]
        assert sorted(own) == own


def test_lanes_share_calls():
    """Records without a value go together, those of a lane too."""
    operation = CreateOperation("m", records([None, "a", None, "a"]), lane="parent")
    run = Run([operation], Limits(9, 999))
    assert run.advance()
    calls = [run.take(), run.take()]
    assert run.take() is None
    assert [[0, 2], [1, 3]] == [places(call) for call in calls]
    assert [None] == [call.lane for call in calls][:1]


@pytest.mark.parametrize("lane", ["parent", lambda record: record["parent"], ["a", None]])
def test_what_names_a_lane(lane):
    """A field, a function of the record as it was given, or a list."""
    operation = CreateOperation("m", records(["a", None]), lane=lane)
    first, second = operation.lane
    assert (True, None) == (isinstance(first, int), second)
    assert (first,) == operation.only([0]).lane[:1] or operation.only([0]).lane


def test_what_names_none():
    """It is told before anything is sent, of a record by its index."""
    with pytest.raises(BatchValidationError, match="lane must be a field's name or a function"):
        CreateOperation("m", [{}], lane=7)
    for lanes in ([], ["a"], ["a", "b", "c"]):
        with pytest.raises(BatchValidationError, match="lanes were given for 2 records"):
            CreateOperation("m", [{}, {}], lane=lanes)
    with pytest.raises(BatchValidationError, match="record 1: lane raised KeyError"):
        CreateOperation("m", [{"x": 1}, {}], lane=lambda record: record["x"])
    with pytest.raises(BatchValidationError, match="lane must be"):
        CreateStream("m", [iter([])], lane=["a"])


def test_parts_go_one_at_a_time_when_the_server_is_back():
    """Of a call that was refused while another one got no answer."""
    run = Run([CreateOperation("m", records(["a", "a", None]), lane="parent")], Limits(2, 999))
    assert run.advance()
    refused, lost = run.take(), run.take()
    run.record(lost, LOST)
    run.record(refused, REFUSAL)
    assert run.advance()
    run.record(run.take(), Answer({}))
    assert run.advance()
    first = run.take()
    assert [0] == places(first)
    assert run.take() is None
    run.record(first, Answer([7]))
    assert run.advance()
    second = run.take()
    assert [1] == places(second)
    run.record(second, Answer([8]))
    assert [Status.APPLIED, Status.APPLIED, Status.UNKNOWN] == [
        outcome.status for outcome in run.result()
    ]


def test_a_single_lane_is_not_cut_ahead():
    """Its calls follow each other, and only some of them wait."""
    run = Run([CreateOperation("m", records(["a"] * 40), lane="parent")], Limits(1, 999))
    assert run.advance()
    seen, more = [], True
    while more:
        while (call := run.take()) is not None:
            assert run.take() is None
            seen += places(call)
            run.record(call, Answer([7 + call.numbers[0]]))
        more = run.advance()
    assert list(range(40)) == seen


@pytest.mark.parametrize("fault", [CONFLICT, LOST], ids=["conflict", "lost"])
@pytest.mark.parametrize("kind", ["list", "stream"])
def test_a_long_lane_goes_on(fault, kind):
    """However many calls wait for it; after a lost answer the server is asked first."""
    items = records(["a"] * 50)
    operation = (
        CreateOperation("m", items, lane="parent")
        if kind == "list"
        else CreateStream("m", [iter(items)], lane="parent")
    )
    run = Run([operation], Limits(1, 999))
    methods, landed, failed = [], [], False
    while run.advance():
        while (call := taken(run)) is not None:
            methods.append(call.method)
            if call.method == "create" and not failed:
                failed = True
                run.record(call, fault)
            elif call.method == "create":
                landed += places(call)
                run.record(call, Answer([7 + call.numbers[0]]))
            else:
                run.record(call, Answer({}))
        assert len(methods) < 60
    asked = ["context_get"] if fault is LOST else []
    assert ["create", *asked, "create"] == methods[: 2 + len(asked)]
    assert list(range(fault is LOST, 50)) == landed


def test_parts_that_are_held_up_go_on():
    """Those of a lane, while the server is asked: they are not taken for new ones."""
    run = Run([CreateOperation("m", records(["a"] * 4), lane="parent")], Limits(4, 999))
    answers = iter([CONFLICT, REFUSAL, LOST])
    rounds = 0
    while run.advance():
        while (call := run.take()) is not None:
            fine = Answer([7 + number for number in getattr(call, "numbers", [])])
            run.record(call, next(answers, fine) if isinstance(call, Call) else Answer({}))
        rounds += 1
        assert rounds < 20
    told = [outcome.status for outcome in run.result()]
    assert [Status.UNKNOWN, Status.UNKNOWN, Status.APPLIED, Status.APPLIED] == told


def test_what_was_not_sent_keeps_its_lane():
    """As an operation to send again, of a list and of a stream."""
    stream = CreateStream("m", [iter(records(["a", None, "a"]))], lane="parent")
    run = Run([stream], Limits(9, 999))
    assert run.advance()
    source, count = run.wanted()
    run.feed([item for _, item in zip(range(count), source.items[0], strict=False)])
    run.stop("because")
    [again] = run.result().resendable_operations()
    assert again.lane[0] == again.lane[2] is not None
    assert None is again.lane[1]


def test_a_record_without_a_lane_to_go_to_is_let_go():
    """Its lane could not be told, so it is refused, and kept no longer."""
    stream = CreateStream("m", [iter(records(["a"]))], lane=lambda record: record["nope"])
    run = Run([stream], Limits(9, 999))
    assert run.advance()
    assert None is taken(run)
    assert ([Status.REFUSED], {}) == ([each.status for each in run.result()], stream.source.kept)


@given(st.integers(1, 5), st.lists(st.integers(0, 3), min_size=1, max_size=40), st.booleans())
def test_rows_of_an_import_that_are_sent_by_families(size, ups, columns):
    """Their calls are not in the order of the records, which holds nobody up."""
    fields = {**FIELDS, "parent": {"type": "many2one", "relation": "n"}, "y": {"type": "char"}}
    items = [
        {"x": n, "parent": 1 + up, **({"y": "z"} if columns and n % 4 == 3 else {})}
        for n, up in enumerate(ups)
    ]
    names = [f"n{n}" for n in range(len(items))]
    lanes = ["one"] * len(items)
    run = Run([CreateOperation("m", items, external_ids=names, lane=lanes)], Limits(size, 10**6))
    tell_fields(run, Answer(fields))
    rounds, more = 0, True
    while more:
        while (call := run.take()) is not None:
            if isinstance(call, Load):
                assert run.take() is None
                ids = [100 + number for number in call.numbers]
                run.record(call, Answer({"ids": ids, "messages": []}))
            else:
                run.record(call, Answer([]))
        more = run.advance()
        rounds += 1
        assert rounds < 500
    assert run.result().ok
