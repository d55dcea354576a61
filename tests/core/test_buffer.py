"""Items that come one by one -> one operation."""

import math

import attrs
import pytest

from zenoo_rpc._compat import draw
from zenoo_rpc._core.buffer import RecordBuffer
from zenoo_rpc.batch.exceptions import BatchValidationError
from zenoo_rpc.batch.operations import CreateOperation, UnlinkOperation, WriteManyOperation
from zenoo_rpc.batch.streams import CreateStream, UpdateStream
from zenoo_rpc.errors import UsageError


@attrs.frozen
class Partner:
    name: str
    id: int | None = 7


def collect(kind, *items):
    collected = RecordBuffer("m", kind)
    for item in items:
        collected.add(item)
    return collected


@pytest.mark.parametrize(
    ("kind", "items", "expected"),
    [
        ("create", [{"x": None}, {"x": 2}], CreateOperation("m", [{"x": False}, {"x": 2}])),
        ("create", [Partner("Ann", None)], CreateOperation("m", [{"name": "Ann"}])),
        ("update", [{"id": 7, "x": 1}, {"id": 8, "x": 2}], {7: {"x": 1}, 8: {"x": 2}}),
        ("update", [Partner("Ann")], {7: {"name": "Ann"}}),
        ("unlink", [7, 8], UnlinkOperation("m", [7, 8])),
        ("delete", [7, 8], UnlinkOperation("m", [7, 8])),
    ],
)
def test_operation(kind, items, expected):
    """What was added becomes the operation that takes it all."""
    if isinstance(expected, dict):
        expected = WriteManyOperation("m", expected)
    collected = collect(kind, *items)

    assert len(items) == len(collected)
    assert expected == collected.operation()


def test_item_is_copied_when_it_is_added():
    """A record that the caller uses again for the next one does not change the first."""
    collected = RecordBuffer("m", "create")
    record = {"tags": []}
    for number in range(3):
        record["tags"].append(number)
        collected.add(record)

    assert ({"tags": [0]}, {"tags": [0, 1]}, {"tags": [0, 1, 2]}) == collected.operation().records


@pytest.mark.parametrize(
    ("kind", "item", "reason"),
    [
        ("create", {"x": math.nan}, "field 'x': NaN and infinities have no JSON form"),
        ("create", 7, "it is a int, not a mapping, attrs or dataclass instance"),
        ("update", [7], "it is a list, not a mapping, attrs or dataclass instance"),
        ("update", {"x": 1}, "an id must be a whole number above 0, not this NoneType"),
        ("update", {"id": 0, "x": 1}, "an id must be a whole number above 0, not 0"),
        ("update", {"id": 7, "x": 2}, "the id 7 is there already, as record 0"),
        ("unlink", object(), "an id must be a whole number above 0, not this object"),
        ("unlink", "8", "an id must be a whole number above 0, not this str"),
        ("unlink", True, "an id must be a whole number above 0, not this bool"),
        ("delete", 7, "the id 7 is there already, as record 0"),
    ],
)
def test_bad_item(kind, item, reason):
    """A bad item is refused when it is added, by its index; those before it stay."""
    good = {"create": {"x": 1}, "update": {"id": 7, "x": 1}}
    collected = collect(kind, good.get(kind, 7))
    before = collected.operation()

    with pytest.raises(BatchValidationError) as caught:
        collected.add(item)

    assert f"{kind} m: record 1: {reason}" == str(caught.value)
    assert 1 == len(collected)
    assert before == collected.operation()


def test_item_after_a_bad_one():
    """What was refused leaves no trace: its id may still come, and the count goes on."""
    collected = collect("update", {"id": 7, "x": 1})
    with pytest.raises(BatchValidationError):
        collected.add({"id": 8, "x": {1}})

    collected.add({"id": 8, "x": 2})

    assert WriteManyOperation("m", {7: {"x": 1}, 8: {"x": 2}}) == collected.operation()


@pytest.mark.parametrize("kind", ["create", "update", "unlink"])
def test_bad_model(kind):
    """A model that has no name is refused at once."""
    with pytest.raises(BatchValidationError, match=f"{kind}: '' is no model's name"):
        RecordBuffer("", kind)


@pytest.mark.parametrize("kind", ["create", "update", "unlink", "delete"])
def test_nothing_collected(kind):
    """An operation over nothing has no records, and nothing to send."""
    assert 0 == len(RecordBuffer("m", kind).operation())


def test_unknown_kind():
    """Another word for what to do is refused, with the words there are."""
    with pytest.raises(UsageError) as caught:
        RecordBuffer("m", "upsert")

    expected = "operation_type is 'upsert': it must be one of create, update, unlink, delete"
    assert expected == str(caught.value)


def test_external_ids():
    """A create may have them; nothing else can."""
    collected = RecordBuffer("m", "create", "ref")
    collected.add({"ref": "a"})
    assert ("__import__.a",) == collected.operation().external_ids
    with pytest.raises(UsageError, match="an update takes no external_ids"):
        RecordBuffer("m", "update", "ref")


# -- iterators, to be read later -------------------------------------------------------------------


def read(operation):
    """Return all items of a stream."""
    items = []
    draw(operation.source.items, 99, items)
    return items


def test_iterator_is_read_later():
    """What was added one by one before, between and after comes in its place."""
    collected = collect("create", {"x": 0}, {"x": 1})
    assert collected.add_later(iter([{"x": 2}]))
    assert collected.add_later(iter([{"x": 3}]))
    collected.add({"x": 4})
    collected.add({"x": 5})
    assert collected.add_later(iter([{"x": 6}]))
    operation = collected.operation()

    assert isinstance(operation, CreateStream)
    assert (4, 0) == (len(collected), len(operation))
    assert [{"x": n} for n in range(7)] == read(operation)


def test_iterator_alone():
    """It is something, though nobody knows what it will bring."""
    collected = RecordBuffer("m", "create")
    assert collected.is_empty
    collected.add_later(iter([]))

    assert not collected.is_empty
    assert [] == read(collected.operation())


def test_iterator_with_external_ids():
    """They are found in each record as it is read."""
    collected = RecordBuffer("m", "create", "ref")
    collected.add_later(iter([{"ref": "a"}]))

    assert collected.operation().imports


def test_iterator_of_updates():
    """They are read while they are sent, too."""
    collected = RecordBuffer("m", "update")
    collected.add({"id": 1, "x": 1})
    assert collected.add_later(iter([{"id": 2, "x": 2}]))
    operation = collected.operation()

    assert isinstance(operation, UpdateStream)
    assert [{"id": 1, "x": 1}, {"id": 2, "x": 2}] == read(operation)


@pytest.mark.parametrize("kind", ["unlink", "delete"])
def test_iterator_of_ids_is_read_at_once(kind):
    """A number is as small as what is kept of it, and so each is checked before any is sent."""
    collected = RecordBuffer("m", kind)

    assert not collected.add_later(iter([7]))
    assert collected.is_empty
