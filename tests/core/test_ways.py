"""Different values for many records: which way is taken, and what goes over the wire."""

import json

import pytest

from zenoo_rpc._core.exchange import Answer
from zenoo_rpc._core.faults import Kind, odoo_fault, transport_fault
from zenoo_rpc._core.planner import ONE_BY_ONE, PlannedOperation, calls
from zenoo_rpc._core.run import Run
from zenoo_rpc._core.sizes import Limits
from zenoo_rpc._core.steps.access import AccessCheck
from zenoo_rpc._core.steps.fields import FieldTypes
from zenoo_rpc._core.steps.split import is_missing
from zenoo_rpc._core.ways import Ways
from zenoo_rpc.batch.operations import CreateOperation, UnlinkOperation, WriteManyOperation
from zenoo_rpc.batch.options import Way
from zenoo_rpc.batch.status import Status

from .batches import FIELDS, ids_on_wire, tell_fields, values_on_wire
from .simulated import NO_METHOD

APPLIED, REFUSED, UNKNOWN, NOT_SENT = (
    Status.APPLIED,
    Status.REFUSED,
    Status.UNKNOWN,
    Status.NOT_SENT,
)
ROOMY = Limits(100, 2**20)
NEW, OLD = 19, 14  # servers
DENIED = odoo_fault("odoo.exceptions.AccessError", "You may not ...", (), "")
REFUSAL = odoo_fault("odoo.exceptions.ValidationError", "No.", (), "")
LOST = transport_fault(Kind.READ_TIMEOUT, "http://localhost:8069")


def knowing(first=Way.SAVE, version=NEW):
    """Return the ways of a server whose fields are known."""
    return Ways(version, first, fields={"m": FIELDS})


def different(count, **values):
    """Return an update with different values for the records 1, 2 ..."""
    return WriteManyOperation("m", {n: {"x": n, **values} for n in range(1, count + 1)})


def plan(operation, ways, limits=ROOMY):
    """Return the calls of one operation."""
    return list(calls([PlannedOperation(operation, 0)], limits, ways=ways))


def begun(operation, ways, size=100, **options):
    """Return a run at its first round."""
    run = Run([operation], Limits(size, 2**20), ways=ways, **options)
    assert run.advance()
    return run


def statuses(run):
    """Return the status of every record."""
    return [outcome.status for outcome in run.result()]


# -- which way -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("first", "version", "known", "missing", "expected"),
    [
        (Way.SAVE, NEW, True, set(), Way.SAVE),
        (Way.SAVE, 16, False, set(), Way.SAVE),
        (Way.SAVE, 15, True, set(), Way.LOAD),
        (Way.SAVE, OLD, False, set(), Way.WRITE),
        (Way.SAVE, 0, True, set(), Way.LOAD),
        (Way.SAVE, NEW, True, {Way.SAVE}, Way.LOAD),
        (Way.SAVE, NEW, False, {Way.SAVE}, Way.WRITE),
        (Way.LOAD, NEW, True, set(), Way.LOAD),
        (Way.LOAD, NEW, False, set(), Way.WRITE),
        (Way.WRITE, NEW, True, set(), Way.WRITE),
    ],
)
def test_way(first, version, known, missing, expected):
    """The best one that is wanted, that the server has, and whose question was answered."""
    ways = Ways(version, first, missing, {"m": FIELDS if known else None})

    assert expected is ways.of("m")


@pytest.mark.parametrize(
    ("first", "version", "expected"),
    [
        (Way.SAVE, NEW, []),
        (Way.SAVE, OLD, [FieldTypes("m")]),
        (Way.LOAD, NEW, [FieldTypes("m")]),
        (Way.WRITE, NEW, []),
    ],
)
def test_fields_are_asked_for(first, version, expected):
    """Once for a model, and only where the way depends on them."""
    operations = [different(2), different(2), UnlinkOperation("n", [7]), CreateOperation("m", [{}])]
    ways = Ways(version, first)
    run = Run(operations, ROOMY, ways=ways)
    run.advance()
    for question in expected:
        assert question == run.take()
        run.record(question, Answer(FIELDS))

    for each in (run, Run(operations, ROOMY, ways=ways)):
        each.advance()
        assert "fields_get" != each.take().method


@pytest.mark.parametrize("reply", [Answer(None), DENIED], ids=["no mapping", "denied"])
def test_without_the_fields_records_are_written_one_by_one(reply):
    """A user who may not ask is no reason to fail, and is not asked again."""
    ways = Ways(OLD)
    run = Run([different(2)], ROOMY, ways=ways)
    run.advance()
    run.record(run.take(), reply)

    for each in (run, Run([different(2)], ROOMY, ways=ways)):
        each.advance()
        assert ["write", "write"] == [each.take().method for _ in range(2)]


def test_fields_serve_both():
    """A create with external ids and an update by import ask one question together."""
    create = CreateOperation("m", [{"x": 1}], external_ids=["a"])
    run = Run([create, different(2)], ROOMY, ways=Ways(NEW, Way.LOAD))
    assert ["m"] == tell_fields(run, Answer(FIELDS))
    run.record(run.take(), Answer([]))
    run.record(run.take(), Answer({"ids": [7]}))
    run.record(run.take(), Answer([7]))
    run.advance()

    assert ("load", [[".id", "x"], [["1", "1"], ["2", "2"]]]) == shown(run.take())


def test_beginning():
    """Managers may want different ways; what is found out about the server is known to all."""
    ways = Ways(NEW)
    other = ways.beginning(Way.LOAD)
    other.missing.add(Way.SAVE)
    other.fields["m"] = FIELDS

    assert (Way.SAVE, Way.LOAD) == (ways.first, other.first)
    assert Way.LOAD is ways.of("m")


# -- what goes over the wire -----------------------------------------------------------------------


def shown(call):
    """Return the method and the arguments of a call."""
    return call.method, [json.loads(argument) for argument in call.arguments]


def test_save():
    """Odoo's web client saves several records so; an empty specification asks for ids only."""
    [call] = plan(different(3), knowing())

    assert ("web_save_multi", [[1, 2, 3], [{"x": 1}, {"x": 2}, {"x": 3}], {}]) == shown(call)
    assert (True, "write") == (call.idempotent, call.right)


def test_load():
    """An import knows a record by its database id; an empty cell would be a value too."""
    updates = {1: {"x": 1}, 2: {"y": "b", "x": 2}, 3: {"x": 3}, 4: {"x": 4, "y": "d"}}
    one, other = plan(WriteManyOperation("m", updates), knowing(Way.LOAD))

    assert ("load", [[".id", "x"], [["1", "1"], ["3", "3"]]]) == shown(one)
    assert ("load", [[".id", "x", "y"], [["2", "2", "b"], ["4", "4", "d"]]]) == shown(other)
    assert (True, "write") == (one.idempotent, one.right)


def test_write():
    """Each record has a call of its own, where no better way is wanted."""
    assert [("write", [[n], {"x": n}]) for n in (1, 2)] == list(
        map(shown, plan(different(2), ONE_BY_ONE))
    )


@pytest.mark.parametrize("way", Way)
def test_single_record_is_written(way):
    """Different values for one record are what everybody knows how to write."""
    assert [("write", [[1], {"x": 1}])] == [
        shown(call.plain) for call in plan(different(1), knowing(way))
    ]


@pytest.mark.parametrize(("way", "worth"), [(Way.SAVE, 20), (Way.LOAD, 5), (Way.WRITE, 1)])
def test_values_that_many_share(way, worth):
    """As many as make up for a call more are written at once; fewer go with the others."""
    updates = {n: {"x": 1} for n in range(1, worth + 1)}
    others = {90: {"x": 7}, 91: {"x": 8}}
    shared, *_ = plan(WriteManyOperation("m", {**updates, **others}), knowing(way))
    assert ("write", [[*updates], {"x": 1}]) == shown(shared)

    fewer = {number: updates[number] for number in list(updates)[1:]}
    planned = plan(WriteManyOperation("m", {**fewer, **others}), knowing(way))
    assert [way] * len(planned) == [call.method for call in planned]


@pytest.mark.parametrize(
    "value",
    [
        {"x": False},
        {"y": ""},
        {"nope": 1},
        {"tag_ids": [7]},
        {"at": "2026-11-24 10:00:00"},
        {"parent_id": "CH"},
    ],
    ids=lambda value: next(iter(value)),
)
def test_what_an_import_cannot_carry_is_written(value):
    """An empty value, a list, a time, an unknown field: a `write` says what the server thinks."""
    kinds = {"tag_ids": "many2many", "at": "datetime", "parent_id": "many2one"}
    fields = {**FIELDS, **{name: {"type": kind} for name, kind in kinds.items()}}
    ways = Ways(NEW, Way.LOAD, fields={"m": fields})
    updates = {1: {"x": 1}, 2: value, 3: {"x": 3}}

    written, loaded = plan(WriteManyOperation("m", updates), ways)

    assert ("write", [[2], value]) == shown(written)
    assert [1, 3] == ids_on_wire(loaded)


@pytest.mark.parametrize(
    ("kind", "value", "text"),
    [
        ("boolean", False, "0"),
        ("boolean", True, "1"),
        ("integer", 7, "7"),
        ("float", 0.5, "0.5"),
        ("date", "2026-11-24", "2026-11-24"),
        ("selection", "draft", "draft"),
        ("text", "a\nb", "a\nb"),
    ],
)
def test_what_an_import_can_carry(kind, value, text):
    """The text that Odoo reads as the value; a boolean has no empty one."""
    ways = Ways(NEW, Way.LOAD, fields={"m": {"v": {"type": kind}}})

    assert [("v", text)] == ways.cells("m", {"v": value})


@pytest.mark.parametrize("way", [Way.SAVE, Way.LOAD])
def test_calls_respect_the_limits(way):
    """No call has more records or bytes than allowed, ids and values together."""
    limits = Limits(4, 60)
    planned = plan(
        WriteManyOperation("m", {n: {"x": n} for n in range(1, 60)}), knowing(way), limits
    )

    assert list(range(1, 60)) == sorted(n for call in planned for n in ids_on_wire(call))
    for call in planned:
        assert len(call) <= limits.size
        assert sum(map(len, call.arguments[:2])) <= limits.bytes + len("[][]")


@pytest.mark.parametrize("way", [Way.SAVE, Way.LOAD])
def test_halves_keep_their_values(way):
    """What is sent again in parts has each record's own values, one alone as a `write`."""
    [call] = plan(different(3), knowing(way))
    one, rest = call.halves()

    assert ("write", [[1], {"x": 1}]) == shown(one.plain)
    assert [(2, {"x": 2}), (3, {"x": 3})] == list(
        zip(ids_on_wire(rest), values_on_wire(rest), strict=True)
    )
    assert [way, [1, 2]] == [rest.method, rest.numbers]


@pytest.mark.parametrize("way", Way)
def test_values_that_are_no_harm_twice(way):
    """A call may be repeated if all that it writes may be, and nothing follows on its records."""
    steps = WriteManyOperation("m", {1: {"x": 1}, 2: {"line_ids": [(0, 0, {})]}})
    kinds = {"m": {**FIELDS, "line_ids": {"type": "one2many"}}}
    planned = plan(steps, Ways(NEW, way, fields=kinds))

    assert not any(call.idempotent for call in planned if 2 in ids_on_wire(call))
    [call, *_] = calls([PlannedOperation(different(2), 0, last=False)], ROOMY, ways=knowing(way))
    assert not call.idempotent


# -- a method that is missing ----------------------------------------------------------------------


def test_missing_method():
    """The records are written one by one; nothing of the call was done, and nobody tries again."""
    ways = knowing()
    run = begun(different(3), ways)
    run.record(run.take(), NO_METHOD)
    assert [NOT_SENT] * 3 == statuses(run)

    assert [("write", [[n], {"x": n}]) for n in (1, 2, 3)] == [shown(run.take()) for _ in range(3)]
    assert {Way.SAVE} == ways.missing
    assert Way.LOAD is ways.of("m")


def test_missing_method_with_stop():
    """It is no refusal, so it does not stop."""
    run = begun(different(2), knowing(), on_error="stop")
    run.record(run.take(), NO_METHOD)

    assert "write" == run.take().method


@pytest.mark.parametrize("fault", [REFUSAL, LOST, odoo_fault("builtins.KeyError", "'x'", (), "")])
def test_what_does_not_tell_of_a_missing_method(fault):
    """Only Python's word for it does, and only about the method that may be missing."""
    [save] = plan(different(2), knowing())
    [load] = plan(different(2), knowing(Way.LOAD))

    assert not is_missing(save, fault)
    assert not is_missing(load, NO_METHOD)
    assert is_missing(save, NO_METHOD)


# -- what is refused -------------------------------------------------------------------------------


def test_refused_save_is_isolated():
    """It goes again in halves, as any other call."""
    run = begun(different(4), knowing())
    run.record(run.take(), REFUSAL)

    assert ["web_save_multi"] * 2 == [run.take().method for _ in range(2)]


def test_invalid_field_of_a_save():
    """Those that have the field are refused, all others go again in one call."""
    updates = {1: {"x": 1}, 2: {"x": 2, "nope": 1}, 3: {"x": 3}}
    run = begun(WriteManyOperation("m", updates), knowing())
    run.record(run.take(), odoo_fault("builtins.ValueError", "Invalid field 'nope' in 'm'", (), ""))

    assert [1, 3] == ids_on_wire(run.take())
    assert [UNKNOWN, REFUSED, UNKNOWN] == statuses(run)


def test_rows_that_an_import_names_are_written():
    """The words of a `write` are the same whichever way is taken; the other rows go again."""
    run = begun(different(4), knowing(Way.LOAD))
    messages = [{"type": "error", "message": "No", "record": place} for place in (1, 2)]
    run.record(run.take(), Answer({"ids": False, "messages": messages}))

    one, two, rest = (run.take() for _ in range(3))
    assert [("write", [[2], {"x": 2}]), ("write", [[3], {"x": 3}])] == [shown(one), shown(two)]
    assert ("load", [1, 4]) == (rest.method, ids_on_wire(rest))
    run.record(one, REFUSAL)
    run.record(two, Answer(True))
    run.record(rest, Answer({"ids": [1, 4]}))
    assert [APPLIED, REFUSED, APPLIED, APPLIED] == statuses(run)
    assert REFUSAL.error is run.result().refused[0].error


def test_import_that_names_no_row_is_halved():
    """Until each record that is refused stands alone, and is written."""
    run = begun(different(4), knowing(Way.LOAD))
    nobody = Answer({"ids": False, "messages": [{"type": "error", "message": "No"}]})
    run.record(run.take(), nobody)
    one, other = run.take(), run.take()
    run.record(one, nobody)

    assert ["load", "load"] == [one.method, other.method]
    assert ["write", "write"] == [run.take().method for _ in range(2)]


@pytest.mark.parametrize(("place", "expected"), [(1, [NOT_SENT, REFUSED]), (None, [NOT_SENT] * 2)])
def test_refused_import_stops(place, expected):
    """With on_error="stop" nothing follows; what was not named was not written either."""
    run = begun(different(2), knowing(Way.LOAD), on_error="stop")
    message = {"type": "error", "message": "No", "record": place}
    run.record(run.take(), Answer({"ids": False, "messages": [message]}))

    assert None is run.take()
    assert expected == statuses(run)


@pytest.mark.parametrize("way", Way)
def test_lack_of_the_right_to_write(way):
    """Whichever way is taken, the server is asked about the same right, once."""
    run = begun(different(4), knowing(way))
    for call in list(iter(run.take, None)):
        run.record(call, DENIED)
    probes = list(iter(run.take, None))

    for probe in probes:
        assert isinstance(probe, AccessCheck)
        assert ("m", "write") == (probe.model, probe.right)
        run.record(probe, Answer(False))
    assert [REFUSED] * 4 == statuses(run)
    assert len(probes) == (way is not Way.WRITE)


@pytest.mark.parametrize("way", [Way.SAVE, Way.LOAD])
def test_lost_answer(way):
    """It leaves the records of the call unknown, and nothing follows."""
    run = begun(different(4), knowing(way), size=2)
    run.record(run.take(), LOST)

    assert [UNKNOWN, UNKNOWN, NOT_SENT, NOT_SENT] == statuses(run)
    assert None is run.take()


@pytest.mark.parametrize("value", [None, {"ids": False}, {"ids": [1]}, True])
def test_import_with_a_strange_answer(value):
    """What an import does not confirm is unknown."""
    run = begun(different(2), knowing(Way.LOAD))
    run.record(run.take(), Answer(value))

    assert [UNKNOWN] * 2 == statuses(run)


def test_ids_are_the_callers():
    """An update gives back the ids that were given."""
    run = begun(different(2), knowing(Way.LOAD))
    run.record(run.take(), Answer({"ids": [1, 2], "messages": []}))

    assert ([1, 2], True) == (run.result().ids, run.result().ok)


@pytest.mark.parametrize(
    ("version", "first", "expected"),
    [
        (NEW, Way.SAVE, "web_save_multi"),
        (OLD, Way.SAVE, "load"),
        (NEW, Way.LOAD, "load"),
        (NEW, Way.WRITE, "write"),
        (0, Way.SAVE, "load"),
    ],
)
def test_the_best_way(version, first, expected):
    """What a server is said to be able to is the method that is tried first."""
    assert expected == Ways(version, first).best


def test_the_best_way_that_is_left():
    """What was found to be missing is the best no longer."""
    ways = Ways(NEW)
    ways.missing.add(Way.SAVE)

    assert "load" == ways.best
