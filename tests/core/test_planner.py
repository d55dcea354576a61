"""Operations -> calls: which records go together, in which order, how much fits in one."""

import itertools
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zenoo_rpc._core import planner
from zenoo_rpc._core.call import Write
from zenoo_rpc._core.planner import PlannedOperation, calls, stages
from zenoo_rpc._core.sizes import Limits
from zenoo_rpc.batch.operations import (
    CreateOperation,
    Operation,
    UnlinkOperation,
    UpdateOperation,
    WriteManyOperation,
)

from .batches import batches, blocks, marks, marks_on_wire

ROOMY = Limits(100, 2**20)
LIMITS = st.builds(Limits, st.integers(1, 5), st.integers(1, 120))


def plan(operations, limits=ROOMY, *, ordered=True):
    """Return the calls of each stage."""
    return [list(calls(stage, limits)) for stage in stages(operations, ordered=ordered)]


def joined(parts):
    """Return how many bytes the parts take between the brackets of their array."""
    return len(b",".join(parts))


# -- rules that hold for any batch -----------------------------------------------------------------


@given(batches(), LIMITS, st.booleans())
def test_each_record_is_in_one_call(operations, limits, ordered):
    """Every record number is in exactly one call, beside the record that it stands for."""
    own = marks(operations)
    planned = list(itertools.chain(*plan(operations, limits, ordered=ordered)))

    numbers = [number for call in planned for number in call.numbers]
    seen = [mark for call in planned for mark in marks_on_wire(operations, call)]

    assert list(range(len(own))) == sorted(numbers)
    assert [own[number] for number in numbers] == seen


@given(batches(), LIMITS, st.booleans())
def test_each_call_says_what_its_operation_says(operations, limits, ordered):
    """Model, method, context and values on the wire are those of the record's operation."""
    own = marks(operations)
    for call in itertools.chain(*plan(operations, limits, ordered=ordered)):
        for number, part in zip(call.numbers, call.parts, strict=True):
            place, index = own[number]
            operation = operations[place]
            assert operation.model == call.model
            assert operation.context == call.context
            match operation:
                case CreateOperation(records=records):
                    expected = "create", records[index], None
                case UpdateOperation(record_ids=ids, values=values):
                    expected = "write", ids[index], values
                case WriteManyOperation(ids=ids, updates=updates):
                    expected = "write", ids[index], updates[ids[index]]
                case UnlinkOperation(record_ids=ids):
                    expected = "unlink", ids[index], None
            written = json.loads(call.values) if isinstance(call, Write) else None
            assert expected == (call.method, json.loads(part), written)


@given(batches(), LIMITS, st.booleans())
def test_calls_respect_the_limits(operations, limits, ordered):
    """No call has more records or bytes than allowed; a part that is too big goes alone."""
    for call in itertools.chain(*plan(operations, limits, ordered=ordered)):
        assert 1 <= len(call) <= limits.size
        assert 1 == len(call) or joined(call.parts) <= limits.bytes


@given(batches(), LIMITS)
def test_calls_are_full(operations, limits):
    """Where two calls of one kind follow each other, what begins the second had no place."""
    for stage in plan(operations, limits):
        for call, following in itertools.pairwise(stage):
            if getattr(call, "values", None) == getattr(following, "values", None):
                no_place = joined([*call.parts, following.parts[0]]) > limits.bytes
                assert len(call) == limits.size or no_place


@given(batches(), LIMITS, st.booleans())
def test_no_record_is_touched_twice_in_a_stage(operations, limits, ordered):
    """Calls that may overlap never touch the same record."""
    for stage in plan(operations, limits, ordered=ordered):
        touched = [
            (call.model, part) for call in stage if call.method != "create" for part in call.parts
        ]
        assert len(set(touched)) == len(touched)


@given(batches(), LIMITS, st.booleans())
def test_order_on_a_record_is_kept(operations, limits, ordered):
    """Operations that touch the same record are carried out in the order they were added."""
    own = marks(operations)
    last = {}
    for call in itertools.chain(*plan(operations, limits, ordered=ordered)):
        if call.method == "create":
            continue
        for number, part in zip(call.numbers, call.parts, strict=True):
            place = own[number][0]
            assert last.get((call.model, part), -1) < place
            last[call.model, part] = place


@given(batches(), LIMITS)
def test_ordered_stages_follow_the_operations(operations, limits):
    """Ordered, each stage is one operation, or neighbouring creates of one model and context."""
    own = marks(operations)
    block = blocks(operations)
    planned = plan(operations, limits)

    shown = [{block[own[n][0]] for call in stage for n in call.numbers} for stage in planned]

    assert [{number} for number in range(block[-1] + 1)] == shown


@given(batches())
def test_unordered_stages_are_few(operations):
    """Unordered, there are only as many stages as one record is touched in a row."""
    heights = {}
    for operation in operations:
        records = [(operation.model, number) for number in operation.ids]
        height = max((heights.get(record, 0) for record in records), default=0) + 1
        heights.update(dict.fromkeys(records, height))

    assert max(heights.values(), default=1) == len(stages(operations, ordered=False))


# -- what goes together ----------------------------------------------------------------------------


def test_single_creates_are_coalesced():
    """1,000 creates of one record each become 10 calls of 100."""
    operations = [CreateOperation("m", [{"x": n}]) for n in range(1000)]

    [stage] = plan(operations)

    assert [100] * 10 == list(map(len, stage))
    assert list(range(1000)) == [number for call in stage for number in call.numbers]
    assert [{"x": n} for n in range(1000)] == [json.loads(p) for call in stage for p in call.parts]


@pytest.mark.parametrize(
    "between",
    [
        pytest.param(CreateOperation("n", [{}]), id="another model"),
        pytest.param(CreateOperation("m", [{}], context={"lang": "de_CH"}), id="another context"),
        pytest.param(UnlinkOperation("m", [7]), id="another method"),
    ],
)
def test_creates_that_are_no_neighbours(between):
    """Creates are not coalesced over an operation of another kind: the order is kept."""
    planned = plan([CreateOperation("m", [{}]), between, CreateOperation("m", [{}])])

    assert [[[0]], [[1]], [[2]]] == [[list(call.numbers) for call in stage] for stage in planned]


def test_creates_that_overlap_others():
    """Unordered, creates go together over what is between them, each under its own number."""
    operations = [
        UpdateOperation("m", [7], {"x": 1}),
        CreateOperation("m", [{"x": 1}, {"x": 2}]),
        UnlinkOperation("m", [7]),  # later than the update of the same record
        CreateOperation("m", [{"x": 4}]),
    ]

    [[_, create], [unlink]] = plan(operations, ordered=False)

    assert ([1, 2, 4], [3]) == (list(create.numbers), list(unlink.numbers))
    assert [{"x": 1}, {"x": 2}, {"x": 4}] == json.loads(create.arguments[0])


def test_values_that_are_equal_are_written_at_once():
    """Records that get equal values share a call, in whichever order the fields were given."""
    updates = {1: {"a": 1, "b": 2}, 2: {"a": 0, "b": 0}, 3: {"b": 2, "a": 1}}

    [[one, other]] = plan([WriteManyOperation("m", updates)])

    assert (["1", "3"], {"a": 1, "b": 2}) == (texts(one), json.loads(one.values))
    assert (["2"], {"a": 0, "b": 0}) == (texts(other), json.loads(other.values))
    assert [(0, 2), (1,)] == [tuple(one.numbers), tuple(other.numbers)]


@pytest.mark.parametrize(("one", "other"), [(True, 1), (False, 0), (1, 1.0), ("1", 1), (None, 0)])
def test_values_that_only_python_takes_for_equal(one, other):
    """True and 1 are two values for Odoo, so they are written apart."""
    [stage] = plan([WriteManyOperation("m", {7: {"x": one}, 8: {"x": other}})])

    assert [["7"], ["8"]] == [texts(call) for call in stage]


def texts(call):
    return [part.decode() for part in call.parts]


class Unheard(Operation):
    """An operation of a kind that the planner does not know."""

    verb = "unheard"

    def __len__(self):
        return 1


def test_unknown_operation():
    """What the planner does not know is not sent."""
    assert [[]] == plan([Unheard("m", {})])


def test_operation_without_records():
    """There is no call over nothing."""
    nothing = UnlinkOperation.__new__(UnlinkOperation)
    nothing.__attrs_init__("m", {}, ())  # past the check

    assert [[]] == plan([nothing])


# -- limits ----------------------------------------------------------------------------------------


def test_bytes_are_counted_with_the_commas():
    """A call is filled to the last byte of what is allowed, and not beyond."""
    operation = CreateOperation("m", [{"x": 1}] * 4)  # 7 bytes each, two with a comma 15

    assert [2, 2] == list(map(len, plan([operation], Limits(100, 15))[0]))
    assert [1, 1, 1, 1] == list(map(len, plan([operation], Limits(100, 14))[0]))


def test_big_part_goes_alone():
    """A record above the limit has a call of its own, and its neighbours keep theirs."""
    records = [{"x": 1}, {"x": "y" * 100}, {"x": 2}, {"x": 3}]

    [stage] = plan([CreateOperation("m", records)], Limits(100, 50))

    assert [[0], [1], [2, 3]] == [list(call.numbers) for call in stage]


# -- laziness --------------------------------------------------------------------------------------


def test_records_are_encoded_when_their_call_is_taken(monkeypatch):
    """The first call is cut before the records of the others are looked at."""
    encoded = []
    monkeypatch.setattr(planner, "encode", lambda value: encoded.append(value) or b"{}")
    records = [{"x": n} for n in range(1000)]
    [stage] = stages([CreateOperation("m", records)], ordered=True)

    next(calls(stage, ROOMY))

    beyond = 1  # the record that no longer fits
    assert records[: 100 + beyond] == [value for value in encoded if value]


def test_stage_that_never_ends():
    """A call needs no more of the stage than its own operations."""
    endless = (
        PlannedOperation(UpdateOperation("m", [n + 1], {"x": n}), n) for n in itertools.count()
    )

    taken = list(itertools.islice(calls(endless, ROOMY), 3))

    assert [[0], [1], [2]] == [list(call.numbers) for call in taken]


# -- a call ----------------------------------------------------------------------------------------

CALL = Write("m", {}, [3, 5, 8], [b"7", b"8", b"9"], b'{"x":1}')


def test_arguments():
    """A method's arguments are its records and, for a write, the values."""
    [[create]] = plan([CreateOperation("m", [{"x": 1}, {"x": 2}])])

    assert [b"[7,8,9]", b'{"x":1}'] == CALL.arguments
    assert [b'[{"x":1},{"x":2}]'] == create.arguments


def test_repr_of_a_call_holds_no_values():
    """A call can be logged."""
    assert "<Call write m, 3 records>" == repr(CALL)


def test_halves():
    """Half of the records go into each half."""
    first, second = CALL.halves()

    assert ([3], [b"7"]) == (first.numbers, first.parts)
    assert ([5, 8], [b"8", b"9"]) == (second.numbers, second.parts)
    assert b'{"x":1}' == first.values == second.values


def test_only_keeps_the_order():
    """A part of a call has its records in the call's order."""
    assert ([3, 8], [b"7", b"9"]) == (CALL.only([2, 0]).numbers, CALL.only([2, 0]).parts)


def test_without():
    """A call without some of its records has the others; without all of them it is none."""
    assert [5] == CALL.without({0, 2}).numbers
    assert None is CALL.without({0, 1, 2})


def test_only_the_last_write_to_a_record_may_be_repeated():
    """A try without an answer may still land, and would undo a later operation on the record."""
    operations = [
        UpdateOperation("m", [1, 2], {"name": "first"}),
        UpdateOperation("m", [2], {"name": "second"}),
        WriteManyOperation("m", {3: {"name": "x"}}),
        UpdateOperation("other", [1, 2, 3], {"name": "x"}),
        UpdateOperation("other", [4], {"child_ids": [(0, 0, {"name": "child"})]}),
        UnlinkOperation("m", [3]),
    ]

    planned = [
        call.idempotent
        for stage in stages(operations, ordered=True)
        for call in calls(stage, Limits(10, 1000))
    ]

    assert [False, True, False, True, False, True] == planned
