"""What a request writes, of the calls that give each record its own values."""

import json

import pytest

from zenoo_rpc._core.exchange import Request
from zenoo_rpc._core.planner import PlannedOperation, calls
from zenoo_rpc._core.sizes import Limits
from zenoo_rpc._core.ways import Ways
from zenoo_rpc._core.writes import Write, is_known, not_restorable, write_of
from zenoo_rpc.batch.operations import WriteManyOperation
from zenoo_rpc.batch.options import Way

FIELDS = {
    "x": {"type": "integer", "store": True},
    "y": {"type": "char", "store": True},
    "parent_id": {"type": "many2one", "store": True},
}
UPDATES = {7: {"x": 1}, 8: {"y": "b", "x": 2}, 9: {"x": 3}}


def asked(method, *args):
    """Return a request with these arguments."""
    return Request("m", method, [json.dumps(arg).encode() for arg in args], {}, {}, False)


def planned(updates, way):
    """Return the requests of an update with different values."""
    ways = Ways(19, way, fields={"m": FIELDS})
    operation = WriteManyOperation("m", updates)
    return [
        Request(call.model, call.method, call.arguments, {}, {}, call.idempotent)
        for call in calls([PlannedOperation(operation, 0)], Limits(99, 2**20), ways=ways)
    ]


@pytest.mark.parametrize(("way", "count"), [(Way.SAVE, 1), (Way.LOAD, 2), (Way.WRITE, 3)])
def test_different_values_are_read_from_the_call(way, count):
    """Whichever way they go, it is told which record gets what."""
    requests = planned(UPDATES, way)
    found = {}
    for request in requests:
        write = write_of(request)
        assert write.updates
        found |= write.each or {write.ids[0]: write.values}

    assert count == len(requests)
    wanted = {
        number: {name: str(v) for name, v in each.items()} for number, each in UPDATES.items()
    }
    assert wanted == {
        number: {name: str(value) for name, value in each.items()} for number, each in found.items()
    }


def test_records_with_the_same_fields_are_alike():
    """What is read of them before is the same; each part has the values of its own records."""
    [request] = planned(UPDATES, Way.SAVE)
    one, other = write_of(request).alike()

    assert ((7, 9), {"x": 1}, {7: {"x": 1}, 9: {"x": 3}}) == (one.ids, one.values, one.each)
    assert ((8,), ["x", "y"]) == (other.ids, list(other.values))
    assert request is one.request is other.request


def test_equal_values_are_alike_already():
    """A plain write is one part: itself."""
    write = write_of(asked("write", [7, 8], {"x": 1}))

    assert [write] == write.alike()


def test_relation_in_an_import():
    """A column says how a record is named; the field is what comes before."""
    write = write_of(asked("load", [".id", "parent_id/.id"], [["7", "3"], ["8", "4"]]))

    assert {7: {"parent_id": "3"}, 8: {"parent_id": "4"}} == write.each
    assert {} == not_restorable(write, FIELDS)


def test_field_that_cannot_be_restored():
    """One record that writes it is enough."""
    [request] = planned({7: {"x": 1}, 8: {"nope": 2}}, Way.SAVE)

    reasons = {"nope": "it is not there, or may not be read"}
    assert reasons == not_restorable(write_of(request), FIELDS)


@pytest.mark.parametrize(
    "request_",
    [
        asked("web_save_multi", [7, 8], [{"x": 1}], {}),
        asked("web_save_multi", [7, 7], [{"x": 1}, {"x": 2}], {}),
        asked("web_save_multi", [7, "8"], [{"x": 1}, {"x": 2}], {}),
        asked("web_save_multi", [7, 8], [{"x": 1}, 2], {}),
        asked("web_save_multi", [7]),
        asked("load", [".id", "x"], [["7"]]),
        asked("load", [".id", "x"], ["7"]),
        asked("load", ["x"], [["7"]]),
    ],
    ids=[
        "too few",
        "repeated",
        "no id",
        "no values",
        "no list",
        "ragged",
        "no rows",
        "no id column",
    ],
)
def test_what_is_not_understood(request_):
    """Then nobody can tell how to take it back."""
    assert Write(request_) == write_of(request_)
    assert not is_known(write_of(request_))


def test_one_record_is_created():
    """A create may be given a record instead of a list of them."""
    assert 1 == write_of(asked("create", {"x": 1})).count
