"""Values whose form the field's type decides: marked, and unmarked again by the types."""

import copy
import json
import pickle
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zenoo_rpc import BatchValidationError, InvalidValueError, NotSentError, Status, errors
from zenoo_rpc._compat import draw
from zenoo_rpc._core.exchange import Answer
from zenoo_rpc._core.faults import Kind, odoo_fault, transport_fault
from zenoo_rpc._core.run import Run
from zenoo_rpc._core.sizes import Limits
from zenoo_rpc._core.steps.fields import FieldTypes
from zenoo_rpc._core.ways import Ways
from zenoo_rpc.batch.operations import CreateOperation, UpdateOperation, WriteManyOperation
from zenoo_rpc.batch.streams import CreateStream
from zenoo_rpc.wire.encoding import encode
from zenoo_rpc.wire.typed import Marked, typed, unknown
from zenoo_rpc.wire.values import record_to_wire, to_wire

from .batches import tell_fields

ZURICH = timezone(timedelta(hours=2))
MIDNIGHT = datetime(2024, 7, 1, tzinfo=ZURICH)
FIELDS = {
    "day": {"type": "date"},
    "time": {"type": "datetime"},
    "text": {"type": "char"},
    "file": {"type": "binary"},
    "lines": {"type": "one2many", "relation": "n"},
}
OTHERS = {"day": {"type": "date"}, "file": {"type": "binary"}, "ups": {"type": "many2many"}}
YEARS = datetime(1000, 1, 2), datetime(9998, 12, 31)  # noqa: DTZ001
KNOWN = {"m": FIELDS, "n": OTHERS}
ROOMY = Limits(9, 2**20)
LOST = transport_fault(Kind.CLOSED, "http://localhost")


def line(**values):
    """Return the command that creates a record along with another."""
    return (0, 0, values)


def wire(**values):
    """Return values as wire values."""
    return record_to_wire(values)


# -- what is marked --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "value",
    [
        MIDNIGHT,
        b"",
        bytearray(b"x"),
        [MIDNIGHT],
        {"a": b"x"},
        [line(day=MIDNIGHT)],
        [line(a=[line(b=b"x")])],
    ],
    ids=repr,
)
def test_what_is_marked(value):
    """Whatever holds something that is marked; it stays so when it is taken up once more."""
    once = to_wire(value)
    assert isinstance(once, Marked)
    assert isinstance(to_wire(once), Marked)
    for other in (copy.deepcopy(once), pickle.loads(pickle.dumps(once))):
        assert (once, type(once)) == (other, type(other))


@pytest.mark.parametrize(
    "value",
    [
        datetime(2024, 7, 1, 2, 0, tzinfo=ZURICH),
        datetime(2024, 7, 1),  # noqa: DTZ001
        datetime(2024, 7, 1, tzinfo=UTC),
        "2024-07-01",
        [1, "a", [6, 0, [7]]],
        {"a": {"b": None}},
    ],
    ids=repr,
)
def test_what_is_not(value):
    """What looks the same in every field."""
    assert not isinstance(to_wire(value), Marked)


@given(st.datetimes(*YEARS), st.integers(-14, 14))
def test_day_and_time(naive, hours):
    """A Date field gets the day on the wall, a Datetime field the time in UTC."""
    moment = naive.replace(tzinfo=timezone(timedelta(hours=hours)))
    record = wire(day=moment, time=moment)
    own = typed(record, "m", KNOWN)
    assert naive.date().isoformat() == own["day"][:10]
    assert moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S") == own["time"]


# -- what must be known ----------------------------------------------------------------------------


def test_unknown():
    """The fields of the models of what is marked, one level after the other."""
    record = wire(lines=[line(day=MIDNIGHT, ups=[line(day=MIDNIGHT)]), (4, 7), line(x=1)])
    assert {"m"} == unknown(record, "m", {})
    assert {"m"} == unknown(record, "m", {"m": None})
    assert {"n"} == unknown(record, "m", {"m": FIELDS})
    assert set() == unknown(record, "m", KNOWN)  # `ups` tells of no other model
    assert set() == unknown(wire(lines=[line(x=1)]), "m", {})


# -- what becomes of it ----------------------------------------------------------------------------


def test_typed():
    """Each value has its field's form; what is not marked is as it was."""
    record = wire(
        day=MIDNIGHT,
        time=MIDNIGHT,
        file=b"x",
        other=b"x",
        text="a",
        lines=[line(day=MIDNIGHT), (6, 0, [7]), (4, 7)],
    )
    own = typed(record, "m", KNOWN)
    assert {
        "day": "2024-07-01",
        "time": "2024-06-30 22:00:00",
        "file": "eA==",
        "other": "eA==",
        "text": "a",
        "lines": [[0, 0, {"day": "2024-07-01"}], [6, 0, [7]], [4, 7]],
    } == own
    assert not any(isinstance(value, Marked) for value in own.values())
    plain = wire(text="a")
    assert typed(plain, "m", {}) is plain


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"text": b"x"}, "field 'text': bytes go into binary fields, and this is a char field"),
        ({"day": b"x"}, "field 'day': bytes go into binary fields, and this is a date"),
        ({"lines": [(6, 0, [7, b"x"])]}, r"field 'lines\[0\]\[2\]\[1\]': bytes go into"),
        (
            {"lines": [b"x"]},
            r"field 'lines\[0\]': bytes go into binary fields, and this is a one2many",
        ),
        ({"text": {"a": [b"x"]}}, r"field 'text\.a\[0\]': bytes go into binary fields"),
        ({"lines": [line(x=1), line(day=b"x")]}, r"field 'lines\[1\]\[2\]\.day': bytes go into"),
    ],
)
def test_bytes_that_fit_nowhere(values, told):
    """The error leads to them."""
    with pytest.raises(InvalidValueError, match=told):
        typed(wire(**values), "m", KNOWN)


# -- in a batch ------------------------------------------------------------------------------------


def carried_out(run):
    """Carry a run out; return what was sent but for questions."""
    sent = []
    while run.advance():
        while (wanted := run.wanted()) or (call := run.take()):
            if wanted:
                source, count = wanted
                items = []
                draw(source.items, count, items)
                run.feed(items)
                continue
            if isinstance(call, FieldTypes):
                run.record(call, Answer(KNOWN.get(call.model)))
                continue
            sent.append((call.method, [json.loads(part) for part in call.arguments]))
            ids = [*range(1, len(call) + 1)]
            run.record(call, Answer(ids if call.method == "create" else True))
    return sent


def test_a_batch():
    """Questions about one level after the other, then the calls, each value in its form."""
    operations = [
        CreateOperation("m", [{"lines": [line(day=MIDNIGHT)]}, {"text": "a"}]),
        UpdateOperation("m", [7], {"day": MIDNIGHT}),
        WriteManyOperation("m", {7: {"time": MIDNIGHT}, 8: {"day": MIDNIGHT}}),
    ]
    ways = Ways(0)
    ways.missing.add("web_save_multi")
    ways.missing.add("load")
    run = Run(operations, ROOMY, ways=ways)
    day, time = "2024-07-01", "2024-06-30 22:00:00"
    assert [
        ("create", [[{"lines": [[0, 0, {"day": day}]]}, {"text": "a"}]]),
        ("write", [[7], {"day": day}]),
        ("write", [[7], {"time": time}]),
        ("write", [[8], {"day": day}]),
    ] == carried_out(run)
    assert run.result().ok
    assert KNOWN == ways.fields
    again = Run(operations, ROOMY, ways=ways)
    assert again.advance()
    assert "create" == again.take().method


def test_all_bad_values_of_an_operation():
    """They are told before anything is written; those of an update have no index."""
    for operation, told in (
        (CreateOperation("m", [{"text": b"x"}, {"text": "a"}, {"day": b"x"}]), [0, 2]),
        (WriteManyOperation("m", {7: {"text": "a"}, 8: {"day": b"x"}}), [1]),
        (UpdateOperation("m", [7, 8], {"text": b"x"}), [None]),
    ):
        run = Run([operation], ROOMY)
        assert run.advance()
        run.record(run.take(), Answer(FIELDS))
        with pytest.raises(BatchValidationError) as caught:
            run.advance()
        assert told == [each.index for each in caught.value.errors]


@pytest.mark.parametrize(
    ("reply", "status", "error"),
    [
        (LOST, Status.NOT_SENT, errors.QuestionError),
        (Answer(7), Status.NOT_SENT, errors.QuestionError),
        (
            odoo_fault("odoo.exceptions.UserError", "no m", (), "x"),
            Status.REFUSED,
            errors.UserError,
        ),
    ],
)
def test_without_the_fields(reply, status, error):
    """What depends on them is not sent, and nothing else follows."""
    marked = CreateOperation("m", [{"file": b"x"}, {}])
    run = Run([CreateOperation("n", [{}]), marked], ROOMY)
    assert ["m"] == tell_fields(run, reply)
    assert not run.advance()
    outcomes = list(run.result())
    assert [Status.NOT_SENT, status, status] == [each.status for each in outcomes]
    assert [NotSentError, error, error] == [type(each.error) for each in outcomes]


def test_nested_fields_that_are_not_told():
    """They stand for the whole operation that they are in."""
    run = Run([CreateOperation("m", [{"lines": [line(day=MIDNIGHT)]}])], ROOMY)
    run.advance()
    run.record(run.take(), Answer(FIELDS))
    run.advance()
    question = run.take()
    assert "n" == question.model
    run.record(question, LOST)
    assert not run.advance()
    assert [Status.NOT_SENT] == [each.status for each in run.result()]


# -- in a stream -----------------------------------------------------------------------------------


def streamed(*items, **options):
    """Return a run over a stream of items in calls of two."""
    operation = CreateStream("m", [iter(items)], **options)
    return Run([operation], Limits(2, 2**20), skip_unchanged=False)


ITEMS = st.sampled_from(
    [
        lambda n: {"text": n},
        lambda n: {"text": n},
        lambda n: {"text": n, "day": MIDNIGHT},
        lambda n: {"text": n, "lines": [line(day=MIDNIGHT)]},
        lambda n: {"text": n, "lines": [line(day=b"x")]},
        lambda n: {"text": b"x"},
        lambda n: n,
    ]
)


def test_a_stream_asks_when_the_first_one_comes():
    """What came before goes on its way; each record has its own id afterwards."""
    run = streamed({"text": "a"}, {"text": "b"}, {"day": MIDNIGHT}, {"text": "c"}, {"file": b"x"})
    assert [
        ("create", [[{"text": "a"}, {"text": "b"}]]),
        ("create", [[{"day": "2024-07-01"}, {"text": "c"}]]),
        ("create", [[{"file": "eA=="}]]),
    ] == carried_out(run)
    assert [1, 2, 1, 2, 1] == run.result().operations[0].ids


def test_a_stream_refuses_what_does_not_fit():
    """That record alone; with nested ones it asks twice."""
    run = streamed({"text": b"x"}, {"lines": [line(day=MIDNIGHT)]}, {"text": "a"})
    assert 1 == len(carried_out(run)[0][1][0][0]["lines"])
    assert [Status.REFUSED, Status.APPLIED, Status.APPLIED] == [e.status for e in run.result()]


@pytest.mark.parametrize("on_error", ["continue", "stop"])
def test_a_stream_that_stops(on_error):
    """A value that does not fit counts as a refusal."""
    operation = CreateStream("m", [iter([{"text": b"x"}, {"text": "a"}])])
    run = Run([operation], Limits(1, 2**20), on_error=on_error)
    sent = carried_out(run)
    assert ("stop" == on_error) == (sent == [])


def test_a_stream_whose_fields_are_not_told():
    """What waits for them is not sent, nor what comes after; what was sent is told."""
    run = streamed({"text": "a"}, {"text": "b"}, {"day": MIDNIGHT}, {"text": "c"})
    run.advance()
    source, count = run.wanted()
    run.feed([next(source.items[0]) for _ in range(count)])
    run.record(run.take(), Answer([7, 8]))
    source, count = run.wanted()
    run.feed([next(source.items[0]) for _ in range(count)])
    assert run.take() is None
    assert run.advance()
    run.record(run.take(), LOST)
    assert not run.advance()
    told = list(run.result())
    assert [1, 1, 0, 0] == [int(each.status) for each in told]
    assert isinstance(told[2].error, errors.QuestionError)
    assert "a question about m got no answer" in str(run.result().operations[0].reason)
    assert run.result().operations[0].unread


@given(st.lists(ITEMS, max_size=9), st.integers(1, 4))
def test_whoever_waits_keeps_its_place(kinds, size):
    """Records are sent in their order, and each is told its own id; bad ones are refused."""
    items = [make(number) for number, make in enumerate(kinds)]
    run = Run([CreateStream("m", [iter(items)])], Limits(size, 10**6))
    sent = []
    while run.advance():
        while (wanted := run.wanted()) or (call := run.take()):
            if wanted:
                given_items = []
                draw(wanted[0].items, wanted[1], given_items)
                run.feed(given_items)
            elif isinstance(call, FieldTypes):
                run.record(call, Answer(KNOWN[call.model]))
            else:
                own = [json.loads(part)["text"] for part in call.parts]
                assert own == list(call.numbers)
                sent += own
                run.record(call, Answer([100 + number for number in own]))
    good = [
        number
        for number, item in enumerate(items)
        if isinstance(item, dict) and repr(b"x") not in repr(item)
    ]
    assert good == sent
    assert {n: 100 + n for n in good} == {e.index: e.id for e in run.result().applied}
    assert len(items) - len(good) == len(run.result().refused)


@pytest.mark.parametrize("streamed", [False, True])
def test_an_external_id_among_the_values(streamed):
    """Taking it away leaves the marks."""
    items = [{"id": "a", "day": MIDNIGHT}]
    operation = (
        CreateStream("m", [iter(items)], external_ids="id")
        if streamed
        else CreateOperation("m", items, external_ids="id")
    )
    run = Run([operation], ROOMY, skip_unchanged=False)
    tell_fields(run, Answer(FIELDS))
    if wanted := run.wanted():
        run.feed([next(wanted[0].items[0])])
    run.record(run.take(), Answer([]))
    assert '["__import__.a","2024-07-01"]' == run.take().parts[0].decode()


def test_what_is_known_is_not_forgotten():
    """A question that fails later says nothing of the fields that were told before."""
    ways = Ways(0)
    first = Run([CreateOperation("m", [{"day": MIDNIGHT}] * 3)], Limits(1, 999), ways=ways)
    tell_fields(first, Answer(FIELDS))
    other = Run([CreateOperation("m", [{"new": 1}], external_ids=["a"])], ROOMY, ways=ways)
    denied = odoo_fault("odoo.exceptions.AccessError", "no", (), "x")
    assert ["m"] == tell_fields(other, denied)
    assert FIELDS == ways.fields["m"]
    assert [{"day": "2024-07-01"}] * 3 == [json.loads(first.take().parts[0]) for _ in range(3)]


NO_MODEL = odoo_fault("odoo.exceptions.UserError", "no m", (), "x")


def test_a_stream_that_was_read_to_its_end():
    """It is no stream that was not, though its model is not there."""
    run = streamed({"file": b"x"})
    while run.advance():
        if wanted := run.wanted():
            items = list(wanted[0].items[0])
            wanted[0].items.clear()
            run.feed(items)
        while call := run.take():
            run.record(call, NO_MODEL)
    assert [Status.REFUSED] == [each.status for each in run.result()]
    assert not run.result().operations[0].unread
    assert {} == run.operations[0].source.kept


@pytest.mark.parametrize("ordered", [True, False])
@pytest.mark.parametrize("kind", ["create", "import", "stream"])
def test_a_model_that_is_not_there(ordered, kind):
    """It keeps others back only where they are to follow."""
    bad = {
        "create": lambda: CreateOperation("m", [{"file": b"x"}]),
        "import": lambda: CreateOperation("m", [{"text": "x"}], external_ids=["a"]),
        "stream": lambda: CreateStream("m", [iter([{"text": "x"}])], external_ids=lambda _: "a"),
    }[kind]()
    run = Run([bad, CreateOperation("n", [{}])], ROOMY, ordered=ordered)
    while run.advance():
        while call := run.take():
            run.record(call, NO_MODEL if isinstance(call, FieldTypes) else Answer([7]))
    own, other = run.result().operations
    assert (other.ok, [7] if other.ok else [None]) == (not ordered, other.ids)
    assert kind == "stream" or [Status.REFUSED] == [each.status for each in own]
    assert (kind == "stream") == own.unread


def test_bad_values_of_several_operations():
    """All are told, each with its operation's place; the result tells who is refused."""
    run = Run(
        [
            CreateOperation("m", [{"text": "a"}]),
            CreateOperation("m", [{"text": "a"}, {"text": b"x"}]),
            UpdateOperation("m", [7, 8], {"day": b"x"}),
        ],
        ROOMY,
    )
    run.advance()
    run.record(run.take(), Answer(FIELDS))
    with pytest.raises(BatchValidationError, match="2 records cannot be sent") as caught:
        run.advance()
    told = [(each.operation, each.index) for each in caught.value.errors]
    assert [("create m (operation 1)", 1), ("update m (operation 2)", None)] == told
    assert "create m (operation 1): record 1: field 'text': bytes go into" in str(caught.value)
    assert [0, 0, 2, 2, 2] == [int(each.status) for each in run.result()]


@pytest.mark.parametrize(
    "answer",
    [
        7,
        [],
        {"day": None},
        {"day": "date"},
        {"day": {}},
        {"day": {"type": 7}},
        {"day": {"type": "many2one", "relation": ["m"]}},
    ],
    ids=repr,
)
def test_an_answer_that_tells_of_no_fields(answer):
    """It is none, whatever it is."""
    run = Run([CreateOperation("m", [{"day": MIDNIGHT}])], ROOMY)
    assert ["m"] == tell_fields(run, Answer(answer))
    [outcome] = run.result()
    assert "tells of no fields" in str(outcome)


def test_a_record_that_is_tried_again_keeps_its_marks():
    """What was not sent may go again, in the right form."""
    operation = CreateOperation("m", [{"text": "a"}, {"day": MIDNIGHT}]).only([1])
    assert [("create", [[{"day": "2024-07-01"}]])] == carried_out(Run([operation], ROOMY))
    assert b'"2024-06-30 22:00:00"' == encode(operation.records[0]["day"])


def test_imports():
    """The same values go into the rows of an import; the types that are known are not asked for."""
    ways = Ways(0)
    operation = CreateOperation("m", [{"day": MIDNIGHT}], external_ids=["a"])
    for asked in (["m"], []):
        run = Run([operation], ROOMY, ways=ways, skip_unchanged=False)
        assert asked == tell_fields(run, Answer(FIELDS))
        run.record(run.take(), Answer([]))
        assert '["__import__.a","2024-07-01"]' == run.take().parts[0].decode()
    other = CreateOperation("m", [{"new": 1}], external_ids=["a"])
    run = Run([other], ROOMY, ways=ways)
    assert ["m"] == tell_fields(run, Answer({**FIELDS, "new": {"type": "integer"}}))
