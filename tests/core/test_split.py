"""A refused call -> what of it is bad, and what to send again: as few calls as will tell."""

import json
import math
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zenoo_rpc._core.call import Create, Unlink, Write
from zenoo_rpc._core.exchange import Answer
from zenoo_rpc._core.faults import Kind, odoo_fault, transport_fault
from zenoo_rpc._core.run import Run
from zenoo_rpc._core.sizes import Limits
from zenoo_rpc._core.steps.access import AccessCheck, Rights, concerns_all, needs_probe
from zenoo_rpc._core.steps.fields import FieldTypes
from zenoo_rpc._core.steps.split import Split, isolate
from zenoo_rpc._core.ways import Ways
from zenoo_rpc.batch.operations import CreateOperation, UnlinkOperation, UpdateOperation
from zenoo_rpc.batch.options import Way
from zenoo_rpc.batch.status import Status

from .simulated import ADDRESS, Driver, Server

VALIDATION = "odoo.exceptions.ValidationError"
MISSING = "odoo.exceptions.MissingError"
ACCESS = "odoo.exceptions.AccessError"
VALUE = "builtins.ValueError"


def refusal(name, message):
    return odoo_fault(name, message, (message,), "")


def create(*records, model="m"):
    """Return a call that creates the records; their numbers are 10, 11 ..."""
    parts = [json.dumps(record).encode() for record in records]
    return Create(model, {}, range(10, 10 + len(parts)), parts)


def write(ids, values, model="m"):
    numbers, parts = range(10, 10 + len(ids)), [b"%d" % each for each in ids]
    return Write(model, {}, numbers, parts, json.dumps(values).encode())


def unlink(ids, model="m"):
    return Unlink(model, {}, range(10, 10 + len(ids)), [b"%d" % each for each in ids])


def shown(isolation):
    """Return the numbers of the refused records, and of those in each call to send."""
    refused = [] if isolation.refused is None else list(isolation.refused.numbers)
    return refused, [list(call.numbers) for call in isolation.again]


# -- what the server's words name ------------------------------------------------------------------


@pytest.mark.parametrize("words", ["in", "on model"], ids=["19", "14"])
def test_invalid_field_of_created_records(words):
    """All records that have the field are refused, all others go again in one call."""
    call = create({"a": 1}, {"nofield": 1}, {"a": 2}, {"a": 3, "nofield": 0})
    fault = refusal(VALUE, f"Invalid field 'nofield' {words} 'm'")

    assert ([11, 13], [[10, 12]]) == shown(isolate(call, fault, ()))


def test_invalid_field_of_all():
    """Where every record has the field there is nothing to send again."""
    call = create({"nofield": 1}, {"nofield": 2})
    fault = refusal(VALUE, "Invalid field 'nofield' in 'm'")

    assert Split(call, ()) == isolate(call, fault, ())


@pytest.mark.parametrize(
    "fault",
    [
        refusal(VALUE, "Invalid field 'nofield' on model 'm'"),
        refusal("builtins.KeyError", "'nofield'"),
        refusal("builtins.KeyError", "nofield"),
    ],
    ids=["ValueError", "KeyError", "KeyError without quotes"],
)
def test_invalid_field_of_a_write(fault):
    """A write has the same values for all records, so its invalid field is all records'."""
    call = write([7, 8, 9], {"nofield": 1})

    assert Split(call, ()) == isolate(call, fault, ())


@pytest.mark.parametrize(
    ("call", "fault"),
    [
        pytest.param(
            create({"line_ids": [[0, 0, {"nofield": 1}]], "nofield": 1}, {}),
            refusal(VALUE, "Invalid field 'nofield' in 'm.line'"),
            id="field of another model",
        ),
        pytest.param(
            create({"a": 1}, {"b": 1}),
            refusal(VALUE, "Invalid field 'computed' in 'm'"),
            id="field that no record has",
        ),
        pytest.param(
            write([7, 8], {"a": 1}),
            refusal(VALUE, "Invalid field 'computed' in 'm'"),
            id="field that the values have not",
        ),
        pytest.param(
            write([7, 8], {"a": 1}), refusal("builtins.KeyError", "'key'"), id="some other key"
        ),
        pytest.param(
            create({"a": 1}, {}), refusal("builtins.KeyError", "'a'"), id="key of a create"
        ),
        pytest.param(
            unlink([7, 8]), refusal(VALUE, "Invalid field 'a' in 'm'"), id="field of an unlink"
        ),
        pytest.param(
            create({"a": 1}, {}),
            refusal(VALIDATION, "Invalid field 'a' in 'm'"),
            id="words of another exception",
        ),
        pytest.param(
            create({"a": 1}, {}),
            refusal(VALUE, "Cannot import: Invalid field 'a' in 'm'"),
            id="words inside of others",
        ),
        pytest.param(
            unlink([7, 8]),
            refusal(MISSING, "Record does not exist.\n(Record: res.users(7,), User: 7)"),
            id="record of another model",
        ),
        pytest.param(
            create({"parent_id": 7}, {}),
            refusal(MISSING, "Record does not exist.\n(Record: m(7,), User: 2)"),
            id="record that is only referred to",
        ),
        pytest.param(
            unlink([7, 8]),
            refusal(MISSING, "Record does not exist.\n(Record: m(70,), User: 2)"),
            id="record that is not in the call",
        ),
        pytest.param(unlink([7, 8]), refusal(MISSING, "It is gone."), id="nothing named"),
        pytest.param(unlink([7, 8]), refusal(VALIDATION, "No."), id="refusal without names"),
        pytest.param(
            unlink([7, 8]), transport_fault(Kind.TOO_LARGE, ADDRESS, status=413), id="too large"
        ),
    ],
)
def test_halves_where_nothing_is_named(call, fault):
    """Where the words name no record of the call, it goes again in halves."""
    assert ([], [[10], [11]]) == shown(isolate(call, fault, ()))


@pytest.mark.parametrize("make", [unlink, lambda ids: write(ids, {"a": 1})])
def test_missing_record(make):
    """The missing record is refused; the others go in halves, as there may be more."""
    fault = refusal(MISSING, "Record does not exist.\n(Record: m(8,), User: 2)")

    told = isolate(make([7, 8, 9, 80]), fault, ())

    assert ([11], [[10], [12, 13]]) == shown(told)


def test_missing_record_of_two():
    """What is left of two records is one call."""
    fault = refusal(MISSING, "Record does not exist.\n(Record: m(8,), User: 2)")

    assert ([11], [[10]]) == shown(isolate(unlink([7, 8]), fault, ()))


MESSAGES = st.sampled_from(
    [
        (VALIDATION, "No."),
        (VALUE, "Invalid field 'a' in 'm'"),
        (VALUE, "Invalid field 'b' on model 'm'"),
        ("builtins.KeyError", "'a'"),
        (MISSING, "(Record: m(3,), User: 2)"),
        (ACCESS, "No."),
    ]
)
CALLS = st.one_of(
    st.lists(st.dictionaries(st.sampled_from("ab"), st.integers()), min_size=2).map(
        lambda records: create(*records)
    ),
    st.lists(st.integers(1, 9), min_size=2, unique=True).map(unlink),
    st.lists(st.integers(1, 9), min_size=2, unique=True).map(lambda ids: write(ids, {"a": 1})),
)


@given(CALLS, MESSAGES)
def test_each_record_stays_or_goes_again(call, words):
    """Every record is either refused or in exactly one call, and no call is as big as it was."""
    told = isolate(call, refusal(*words), ())

    refused, again = shown(told)
    assert list(call.numbers) == sorted([*refused, *(n for numbers in again for n in numbers)])
    assert all(0 < len(each) < len(call) for each in told.again)


# -- the probe -------------------------------------------------------------------------------------


@pytest.mark.parametrize("call", [create({}, {}), write([7, 8], {"a": 1}), unlink([7, 8])])
def test_probe(call):
    """The server is asked, without changing anything, whether it gives the right at all."""
    probe = AccessCheck(call.model, call.method, {"lang": "de_CH"}, [], Rights())

    assert ("m", "check_access_rights", {"lang": "de_CH"}) == (
        probe.model,
        probe.method,
        probe.context,
    )
    assert [call.method, False] == [json.loads(argument) for argument in probe.arguments]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (ACCESS, True),
        ("odoo.exceptions.UserError", True),
        (VALIDATION, False),
        (VALUE, False),
        (MISSING, False),
    ],
)
def test_needs_probe(name, expected):
    """Only a missing right, or model, could be the reason for all records alike."""
    assert expected is needs_probe(refusal(name, "No."))


def test_too_large_needs_no_probe():
    """A body that is too large says nothing about the model."""
    assert not needs_probe(transport_fault(Kind.TOO_LARGE, ADDRESS, status=413))


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        (Answer(False), True),
        (Answer(True), False),
        (Answer(None), False),
        (Answer(0), False),
        (refusal(ACCESS, "No."), True),
        (refusal(ACCESS, "Another."), False),
        (refusal(VALUE, "No."), False),
        (transport_fault(Kind.READ_TIMEOUT, ADDRESS), False),
    ],
    ids=repr,
)
def test_concerns_all(reply, expected):
    """Only a plain no, or the very words of the refusal, say that no record can pass."""
    assert expected is concerns_all(reply, refusal(ACCESS, "No."))


# -- how many calls it takes -----------------------------------------------------------------------


def carry_out(operation, bad, limits):
    """Return the run and how many calls the server got."""
    run = Run([operation], limits)
    server = Server([operation], bad)
    Driver(run, server, Random(7)).drive()
    return run, server.calls


def refused(run):
    return [outcome.index for outcome in run.result() if outcome.status is Status.REFUSED]


@settings(max_examples=150)
@given(
    st.integers(2, 300),
    st.sets(st.integers(0, 299), max_size=6),
    st.sampled_from(["constraint", "value", "rule", "business"]),
)
def test_number_of_calls(count, places, reason):
    """k bad records among n are found with at most 2 k log2(n) calls more, and one probe."""
    bad = {(0, place): reason for place in places if place < count}
    operation = CreateOperation("m", [{"mark": [0, n]} for n in range(count)])

    run, calls = carry_out(operation, bad, Limits(1000, 2**20))

    probe = 1 if bad and reason in ("rule", "business") else 0
    assert calls <= 1 + probe + 2 * len(bad) * math.ceil(math.log2(count))
    assert sorted(place for _, place in bad) == refused(run)


@settings(max_examples=50)
@given(st.integers(2, 200), st.sets(st.integers(0, 199), max_size=6))
def test_missing_records_cost_no_more(count, places):
    """The server names one missing record at a time; each costs at most two calls more."""
    gone = [place for place in places if place < count]
    operation = UnlinkOperation("m", range(1, count + 1), context={"place": 0})

    run, calls = carry_out(operation, {(0, place): "gone" for place in gone}, Limits(1000, 2**20))

    assert calls <= 1 + 2 * len(gone)
    assert sorted(gone) == refused(run)


def test_one_bad_of_a_thousand():
    """One bad record among 1,000 costs at most 14 calls more than the ten that it takes anyway."""
    operation = CreateOperation("m", [{"mark": [0, n]} for n in range(1000)])

    run, calls = carry_out(operation, {(0, 777): "constraint"}, Limits(100, 2**20))

    assert [777] == refused(run)
    assert calls <= 10 + 14


def marked(records):
    """Return a create whose records can be told apart on the wire."""
    return CreateOperation("m", [{"mark": [0, n], **each} for n, each in enumerate(records)])


class FieldServer(Server):
    """Refuses by name the first field that its model does not have."""

    def serve(self, call):
        self.calls += 1
        values = map(json.loads, call.written)
        for field in (field for each in values for field in each if field.startswith("no")):
            return refusal(VALUE, f"Invalid field '{field}' in 'm'")
        return Answer([1000 + number for number in call.numbers])


@pytest.mark.parametrize(
    ("operation", "expected", "calls"),
    [
        pytest.param(
            marked([{"a": n} if n % 3 else {"nofield": n} for n in range(99)]),
            list(range(0, 99, 3)),
            2,
            id="a third has it",
        ),
        pytest.param(
            marked([{"nofield": n} for n in range(99)]),
            list(range(99)),
            1,
            id="all have it",
        ),
        pytest.param(
            marked([{"a": 1}, {"no1": 1}, {"no2": 1}, {"a": 1, "no2": 1}]),
            [1, 2, 3],
            3,
            id="two fields",
        ),
        pytest.param(
            UpdateOperation("m", range(1, 100), {"nofield": 1}, context={"place": 0}),
            list(range(99)),
            1,
            id="a write",
        ),
    ],
)
def test_named_fields_cost_the_minimum(operation, expected, calls):
    """One more call for each invalid field, and none where nothing is left to send."""
    run = Run([operation], Limits(100, 2**20))
    server = FieldServer([operation], {})
    Driver(run, server, Random(7)).drive()

    assert expected == refused(run)
    assert calls == server.calls


@pytest.mark.parametrize("field", ["state", "nope"])
@pytest.mark.parametrize(
    ("described", "asked"),
    [
        (None, 0),  # they are known
        (Answer({"state": {"type": "char"}}), 1),
        (Answer(7), 1),
        (transport_fault(Kind.CLOSED, ADDRESS), 1),
    ],
)
def test_a_key_error_that_names_a_field(described, asked, field):
    """Of one that is there it says nothing: it may be any key. The fields are asked for once."""
    ways = Ways(19, first=Way.WRITE)
    if described is None:
        ways.fields["m"] = {"state": {"type": "char"}}
    run = Run([UpdateOperation("m", range(1, 9), {field: "x"})], Limits(4, 999), ways=ways)
    in_flight, questions = [], 0
    while run.advance():
        while (call := run.take()) is not None or in_flight:
            if call is not None:
                in_flight.append(call)
                continue
            call = in_flight.pop(0)
            if isinstance(call, FieldTypes):
                questions += 1
                run.record(call, described)
            elif field == "nope" or b"3" in call.parts:
                run.record(call, refusal("builtins.KeyError", f"'{field}'"))
            else:
                run.record(call, Answer(True))
    bad = [outcome.id for outcome in run.result() if outcome.status is Status.REFUSED]
    assert asked == questions
    assert ([3] if field == "state" else list(range(1, 9))) == bad
