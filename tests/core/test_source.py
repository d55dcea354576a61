"""Records that are read while they are sent: what was read, what waits, what is left."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zenoo_rpc import errors
from zenoo_rpc._compat import draw
from zenoo_rpc._core.exchange import Answer
from zenoo_rpc._core.faults import Kind, odoo_fault, transport_fault
from zenoo_rpc._core.run import Run
from zenoo_rpc._core.sizes import Limits
from zenoo_rpc._core.steps.known import KnownExternalIds
from zenoo_rpc.batch.exceptions import BatchValidationError
from zenoo_rpc.batch.operations import CreateOperation, UnlinkOperation, UpdateOperation
from zenoo_rpc.batch.source import CreateSource
from zenoo_rpc.batch.status import Status
from zenoo_rpc.batch.streams import CreateStream, UpdateStream
from zenoo_rpc.batch.validate import Checker

from .batches import tell_fields

APPLIED, REFUSED, UNKNOWN, NOT_SENT = (
    Status.APPLIED,
    Status.REFUSED,
    Status.UNKNOWN,
    Status.NOT_SENT,
)
FIELDS = {"x": {"type": "integer"}, "name": {"type": "char"}, "at": {"type": "datetime"}}
REFUSAL = odoo_fault("odoo.exceptions.ValidationError", "No.", (), "")
TIMEOUT = transport_fault(Kind.READ_TIMEOUT, "http://localhost:8069")
ROOMY = 2**20


def source(*items, external_ids=None):
    """Return a source over the items, which knows the fields."""
    made = CreateSource(Checker("create", "m"), [iter(items)], external_ids)
    made.fields = FIELDS
    return made


def fed(*items, external_ids=None):
    """Return a source that has read all items, and the errors of the bad ones."""
    made = source(external_ids=external_ids)
    made.items.clear()
    return made, made.feed(items)


def indexes(cut):
    """Return the indexes of the records of a call."""
    _, _, parts = cut
    return [part.index for part in parts]


# -- the parts of calls ----------------------------------------------------------------------------


@given(
    st.lists(st.dictionaries(st.sampled_from(["x", "name"]), st.just(7)), max_size=30),
    st.integers(1, 6),
    st.integers(1, 60),
)
def test_each_record_is_in_one_call(records, size, bytes_):
    """Calls are within both limits, and the records of one keep their order."""
    made, errors_ = fed(*records)
    calls = list(iter(lambda: made.cut(size, bytes_), None))

    assert [] == errors_
    assert list(range(len(records))) == [part.index for _, _, parts in calls for part in parts]
    assert records == [json.loads(part.part) for _, _, parts in calls for part in parts]
    for _, _, parts in calls:
        total = len(b",".join(part.part for part in parts))
        assert len(parts) == 1 or (len(parts) <= size and total <= bytes_)
    assert made.is_used_up


@given(
    st.lists(st.sets(st.sampled_from(["x", "name"])), max_size=20),
    st.integers(1, 4),
)
def test_rows_of_one_call_fill_the_same_columns(names, size):
    """Records with external ids go by the fields that they have: an empty cell is a value too."""
    records = [dict.fromkeys(sorted(fields), 7) for fields in names]
    by_place = iter(range(len(records)))
    made, _ = fed(*records, external_ids=lambda _: f"n{next(by_place)}")
    calls = list(iter(lambda: made.cut(size, ROOMY), None))

    found = {}
    for columns, _, parts in calls:
        assert 1 <= len(parts) <= size
        assert sorted(part.index for part in parts) == [part.index for part in parts]
        for part in parts:
            cells = dict(zip(columns, json.loads(part.part), strict=True))
            assert f"__import__.n{part.index}" == cells.pop("id")
            found[part.index] = {name: int(text) for name, text in cells.items()}
    assert dict(enumerate(records)) == found


def test_the_longest_queue_goes_first():
    """So calls are as full as they can be."""
    made, _ = fed(
        {"x": 1},
        {"name": "b"},
        {"name": "c"},
        external_ids=lambda each: f"n{len(each)}{[*each.values()]}".replace("[", "").replace(
            "]", ""
        ),
    )

    assert [[1, 2], [0]] == [indexes(made.cut(9, ROOMY)) for _ in range(2)]
    assert None is made.cut(9, ROOMY)


def test_what_is_lacking():
    """As many items are wanted as make a full call with those that wait; none at the end."""
    made = source(*range(9))
    made.feed([{"x": 1}, 7, {"x": 2}])

    assert [8, 1, 0, 0] == [made.lacks(size) for size in (10, 3, 2, 1)]
    made.items.clear()
    assert 0 == made.lacks(10)


# -- items that cannot be sent ---------------------------------------------------------------------


def test_bad_items():
    """Each has an error of its own, by its index, and the others wait for their call."""
    made, found = fed({"x": 1}, 7, {"x": object()}, {"x": 2}, {"x": {1, 2}})

    assert [
        (1, "create m: record 1: it is a int, not a mapping, attrs or dataclass instance"),
        (2, "create m: record 2: field 'x': a value of type object has no wire form"),
        (4, "create m: record 4: field 'x': a value of type set has no wire form"),
    ] == [(index, str(error)) for index, error in found]
    assert {BatchValidationError} == {type(error) for _, error in found}
    assert (5, [0, 3], [0, 3]) == (made.count, indexes(made.cut(9, ROOMY)), [*made.kept])


@pytest.mark.parametrize(
    ("names", "item", "words"),
    [
        ("name", {"x": 1}, "its external id is missing: the record has no field 'name'"),
        ("name", {"name": None}, "an external id must be a text like `name` or `module.name`"),
        ("name", {"name": "a b"}, "an external id must be a text like `name` or `module.name`"),
        ("name", {"name": "first"}, "its external id is that of record 0"),
        ("name", {"name": "other", "nope": 1}, "field 'nope': the model has no such field"),
        (lambda each: each["name"], {"x": 1}, "external_ids raised KeyError"),
        (lambda each: each["name"], {"name": 7}, "an external id must be a text like"),
    ],
    ids=["missing", "empty", "bad", "repeated", "no such field", "failing function", "no text"],
)
def test_bad_external_ids(names, item, words):
    """A record whose external id is none is refused by itself, with the reason."""
    made = source(external_ids=names)
    assert [] == made.feed([{"name": "first"}])
    [(index, error)] = made.feed([item])

    assert 1 == index
    assert str(error).startswith(f"create m: record 1: {words}")
    assert [0] == [*made.kept]


def test_error_of_a_function():
    """What it raised is the cause of what is told."""
    _, [(_, error)] = fed({"x": 1}, external_ids=lambda each: each["key"])

    assert isinstance(error.__cause__, KeyError)


@pytest.mark.parametrize("given_names", [["a", "b"], ("a",), {"a": 1}, 7], ids=repr)
def test_external_ids_cannot_be_listed(given_names):
    """Nobody knows how many there will be."""
    with pytest.raises(BatchValidationError, match="must be a field's name or a function"):
        CreateStream("m", [iter([])], external_ids=given_names)


@pytest.mark.parametrize("items", [5, None, "abc", b"", {"name": 1}], ids=repr)
def test_what_cannot_be_read(items):
    """Records come one after the other."""
    with pytest.raises(BatchValidationError, match=r"^create m: records must be an iterable"):
        CreateStream("m", [items])


# -- what is kept ----------------------------------------------------------------------------------


def test_settled_records_are_let_go():
    """What was read is kept until it is settled."""
    made, _ = fed({"x": 1}, {"x": 2}, {"x": 3})
    made.settle([0, 2])
    made.settle([2])

    assert {1: ({"x": 2}, "")} == made.kept


def test_unread():
    """It is told until the end was seen."""
    made = source({"x": 1})
    items = []
    draw(made.items, 1, items)
    made.feed(items)
    assert made.unread
    assert not made.is_used_up

    items = []
    draw(made.items, 1, items)
    made.feed(items)
    assert not made.unread
    assert not made.is_used_up
    made.cut(9, ROOMY)
    assert made.is_used_up


def test_close():
    """Nothing more is wanted of what is closed."""
    made = source({"x": 1})
    made.close()

    assert ([], 0, True) == (made.items, made.lacks(9), made.is_used_up)
    assert made.unread


def test_async_items():
    """What is async is kept as what can be awaited; nothing is read before it is wanted."""

    async def items():
        yield {"x": 1}

    asked = items()

    assert [asked] == CreateSource(Checker("create", "m"), [asked]).items


@pytest.mark.parametrize(
    ("record", "expected"),
    [({"x": 1}, {"lang": "de"}), ({"at": "2026-11-24 10:00:00"}, {"lang": "de", "tz": "UTC"})],
)
def test_context(record, expected):
    """Times are read as UTC, where there are some."""
    made, _ = fed(record, external_ids=lambda _: "n")
    _, _, [part] = made.cut(9, ROOMY)

    assert expected == made.context({"lang": "de"}, part)


# -- a run over streams ----------------------------------------------------------------------------


def stream(*items, model="m", **options):
    """Return a create of the items, read while they are sent."""
    return CreateStream(model, [iter(items)], **options)


def begun(*operations, size=2, **options):
    """Return a run at its first round."""
    run = Run(operations, Limits(size, ROOMY), **{"skip_unchanged": False, **options})
    tell_fields(run, Answer(FIELDS))
    return run


def read(run):
    """Read what is wanted, and return how much that was."""
    source_, count = run.wanted()
    items = []
    draw(source_.items, count, items)
    run.feed(items)
    return len(items)


def taken(run):
    """Read what is wanted, and return the next call."""
    while run.wanted():
        read(run)
    return run.take()


def statuses(run):
    """Return the status of every record."""
    return [outcome.status for outcome in run.result()]


def records(count):
    """Return records that can be told apart."""
    return [{"x": n} for n in range(count)]


def test_stream():
    """Its records are numbered as they are read; a call at a time is read, and no more."""
    operation = stream(*records(5))
    run = begun(operation)
    assert (0, 0, 100.0) == (run.total, len(operation), run.progress()["percentage"])

    assert (2, 2) == (read(run), run.total)
    assert None is run.wanted()
    first = run.take()
    assert (range(2), b'[{"x":0},{"x":1}]') == (first.numbers, first.arguments[0])
    second, third = taken(run), taken(run)
    assert [[2, 3], [4]] == [list(second.numbers), list(third.numbers)]
    assert None is taken(run)

    run.record(third, Answer([9]))
    run.record(first, Answer([7, 8]))
    run.record(second, Answer([5, 6]))
    assert not run.advance()
    [result] = run.result().operations
    assert ([7, 8, 5, 6, 9], True, False) == (result.ids, result.ok, result.unread)
    assert {} == operation.source.kept


def test_bad_item_is_refused_by_us():
    """The server never gets it, and the numbers of the others are their own."""
    run = begun(stream({"x": 0}, 7, {"x": 2}, {"x": 3}))
    first, second = taken(run), taken(run)
    assert [[0, 2], [3]] == [list(first.numbers), list(second.numbers)]
    run.record(first, Answer([7, 8]))
    run.record(second, Answer([9]))

    assert [7, None, 8, 9] == run.result().ids
    assert [1] == [outcome.index for outcome in run.result().refused]
    assert not run.advance()


def test_bad_item_stops():
    """With on_error="stop" nothing follows it, and what was read with it is not sent."""
    run = begun(stream({"x": 0}, 7, {"x": 2}), size=3, on_error="stop")
    read(run)

    assert (None, None) == (run.wanted(), run.take())
    assert [NOT_SENT, REFUSED, NOT_SENT] == statuses(run)


def test_refused_record_is_let_go():
    """So is an applied one, and one that is unknown for good; what was not sent is kept."""
    operation = stream(*records(6))
    run = begun(operation, size=2)
    first, second, third = (taken(run) for _ in range(3))
    run.record(first, REFUSAL)
    run.record(run.take(), REFUSAL)
    run.record(run.take(), Answer([7]))
    run.record(second, TIMEOUT)
    run.record(third, transport_fault(Kind.REFUSED, "http://localhost:8069"))

    assert [REFUSED, APPLIED, UNKNOWN, UNKNOWN, NOT_SENT, NOT_SENT] == statuses(run)
    assert [4, 5] == [*operation.source.kept]
    [again] = run.result().resendable_operations()
    assert CreateOperation("m", [{"x": 4}, {"x": 5}]) == again


def test_what_goes_again_comes_before_what_is_to_be_read():
    """So a stream is not read on while its records are sorted out."""
    run = begun(stream(*records(4)))
    run.record(taken(run), REFUSAL)
    assert None is run.wanted()

    assert [[0], [1]] == [list(run.take().numbers) for _ in range(2)]
    assert 2 == run.wanted()[1]


def test_streams_stand_alone():
    """Their records follow all others in number, and each result has its own."""
    operations = [
        CreateOperation("m", [{}]),
        stream(*records(1)),
        CreateOperation("m", [{}]),
        stream(*records(2)),
    ]
    run = begun(*operations)
    numbers = []
    more = True
    while more:
        call = taken(run)
        assert None is taken(run)
        numbers.append(list(call.numbers))
        run.record(call, Answer([10 + n for n in call.numbers]))
        more = run.advance()

    assert [[0], [2], [1], [3, 4]] == numbers
    assert [[10], [12], [11], [13, 14]] == [each.ids for each in run.result().operations]


def test_stream_that_is_not_reached():
    """After a refusal nothing of a later stream is read, and its result says so."""
    later = stream(*records(3))
    run = begun(UnlinkOperation("m", [7]), later)
    assert None is run.wanted()
    run.record(run.take(), REFUSAL)

    assert not run.advance()
    assert (0, True) == (len(later), later.source.unread)
    assert not run.result().operations[1].ok
    told = "  create m: not all of its records were read: something before it was not applied"
    assert told in run.result().summary().splitlines()


def test_what_was_read_of_a_stream_that_is_over():
    """That it is over is told, though each record that was read has an outcome."""
    run = begun(stream(*records(9)))
    run.record(taken(run), Answer([7, 8]))
    run.stop("the time limit was over")
    run.close()

    told = "  create m: not all of its records were read: the time limit was over"
    assert ["2 records: 2 applied", told] == run.result().summary().splitlines()


def test_a_stream_that_would_be_in_the_way():
    """One that is not begun, as a call without an answer could undo it, says that."""
    first = UpdateOperation("m", [7], {"y": [[0, 0, {}]]})
    later = UpdateStream("m", [iter([{"id": 8, "x": 1}])])
    run = begun(first, later, ordered=False)
    run.record(run.take(), TIMEOUT)
    while run.advance():
        while call := run.take():
            run.record(call, Answer({}))
    [_, result] = run.result().operations
    assert (True, "an earlier operation on the same records was not applied, or may still be") == (
        result.unread,
        str(result.reason),
    )


def test_empty_stream():
    """Nothing is sent, and all is well."""
    run = begun(stream())
    assert None is taken(run)

    assert not run.advance()
    assert run.result().ok


def test_close_lets_go():
    """A run that is closed wants nothing more, and its streams hold no iterator."""
    operation = stream(*records(9))
    run = begun(operation)
    taken(run)
    run.close()

    assert (None, None, []) == (run.wanted(), run.take(), operation.source.items)
    assert not run.advance()
    assert operation.source.unread


# -- streams with external ids ---------------------------------------------------------------------


def named(count):
    """Return a stream of records with external ids, and a run over it, before its first call."""
    operation = stream(*({"name": f"n{n}"} for n in range(count)), external_ids="name")
    return operation, begun(operation)


def test_import_of_a_stream():
    """Each of its calls is preceded by a question of its own, and may be repeated."""
    operation, run = named(3)
    lookup = taken(run)
    assert isinstance(lookup, KnownExternalIds)
    run.record(lookup, Answer([{"module": "__import__", "name": "n1", "res_id": 8}]))
    call = run.take()
    assert ("load", True, [0, 1]) == (call.method, call.idempotent, list(call.numbers))
    assert [["id", "name"], [["__import__.n0", "n0"], ["__import__.n1", "n1"]]] == [
        json.loads(argument) for argument in call.arguments
    ]
    run.record(call, Answer({"ids": [7, 8]}))
    run.record(run.take(), Answer([7]))

    assert [True, False] == [outcome.created for outcome in run.result()]
    assert {} == operation.source.kept


@pytest.mark.parametrize(
    ("later", "may_be_repeated"),
    [
        (UnlinkOperation("m", [7]), False),
        (UnlinkOperation("n", [7]), True),
        (CreateOperation("m", [{"name": "other"}], external_ids="name"), False),
        (CreateOperation("m", [{}]), True),
    ],
)
def test_import_that_a_later_operation_may_touch(later, may_be_repeated):
    """Nobody knows what a stream will bring, so it may be any record of its model."""
    operation = stream({"name": "n"}, external_ids="name")
    run = begun(operation, later)
    run.record(taken(run), Answer([]))

    assert may_be_repeated is run.take().idempotent


def test_import_before_a_stream_of_imports():
    """Nor may an import be repeated that a later stream may bring again."""
    run = begun(
        CreateOperation("m", [{"name": "n"}], external_ids="name"),
        stream({"name": "n"}, external_ids="name"),
    )
    run.record(run.take(), Answer([]))

    assert not run.take().idempotent


def test_unknown_import_may_be_sent_again():
    """Its records are kept, whatever was said to a later try."""
    _, run = named(1)
    run.record(taken(run), Answer([]))
    run.record(run.take(), REFUSAL.seen_after(TIMEOUT))

    assert [UNKNOWN] == statuses(run)
    [again] = run.result().resendable_operations()
    assert CreateOperation("m", [{"name": "n0"}], external_ids="name") == again


def test_interrupted_stream():
    """While it is asked what became of an import, nothing more is read; then it goes on."""
    _, run = named(4)
    run.record(taken(run), Answer([]))
    run.record(run.take(), TIMEOUT)
    assert (None, None) == (run.wanted(), run.take())
    assert run.advance()
    run.record(run.take(), Answer([{"module": "__import__", "name": "n0", "res_id": 7}]))
    assert (None, None) == (run.wanted(), run.take())
    assert run.advance()
    again = run.take()
    assert ([1], True) == (list(again.numbers), again.maybe_applied)
    run.record(again, Answer({"ids": [8]}))
    assert run.advance()
    run.record(run.take(), Answer([8]))  # who created it

    while run.take() is None and not run.wanted():
        assert run.advance()
    run.record(taken(run), Answer([]))
    run.record(run.take(), Answer({"ids": [9, 10]}))
    assert [7, 8, 9, 10] == run.result().ids


def test_without_the_fields_nothing_is_read():
    """The result says why."""
    operation = stream({"name": "n"}, external_ids="name")
    run = Run([operation, CreateOperation("n", [{}])], Limits(2, ROOMY))
    assert ["m"] == tell_fields(run, TIMEOUT)
    assert not run.advance()
    assert (0, [NOT_SENT]) == (len(operation), statuses(run))
    assert "a question about m got no answer" in str(run.result().operations[0].reason)
    assert run.result().operations[0].unread


def test_error_is_ours():
    """It is one of the library's, like all that is told of a record."""
    _, [(_, error)] = fed(7)

    assert isinstance(error, errors.ZenooError)
