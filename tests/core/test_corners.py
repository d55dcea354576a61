"""Corners of the core: what is cut off, given twice, empty, deep, or almost something else."""

import pytest

from zenoo_rpc._core.exchange import Answer
from zenoo_rpc._core.faults import Kind, odoo_fault, transport_fault
from zenoo_rpc._core.planner import PlannedOperation, calls
from zenoo_rpc._core.run import Run
from zenoo_rpc._core.sizes import Limits
from zenoo_rpc._core.steps.split import is_missing
from zenoo_rpc._core.ways import Ways
from zenoo_rpc.batch.exceptions import BatchStateError, BatchValidationError
from zenoo_rpc.batch.operations import CreateOperation, UpdateOperation, WriteManyOperation
from zenoo_rpc.batch.options import Way
from zenoo_rpc.batch.status import Status
from zenoo_rpc.batch.streams import CreateStream

from .batches import tell_fields

ROOMY = Limits(100, 2**20)
LOST = transport_fault(Kind.READ_TIMEOUT, "http://localhost:8069")
REFUSAL = odoo_fault("odoo.exceptions.ValidationError", "No.", (), "")
NO_METHOD = odoo_fault(
    "builtins.AttributeError", "The method 'm.web_save_multi' does not exist", (), ""
)


def different(count):
    return WriteManyOperation("m", {n: {"x": n} for n in range(1, count + 1)})


def test_unknown_has_a_reason_when_it_is_cut_off():
    """What may have been done by a lost try is unknown for the server's last word, once it ends."""
    run = Run([UpdateOperation("m", [7, 8], {"x": 1})], ROOMY)
    run.advance()
    run.record(run.take(), REFUSAL.seen_after(LOST))
    run.stop()

    assert [(Status.UNKNOWN, REFUSAL.error)] * 2 == [(o.status, o.error) for o in run.result()]


def test_import_that_is_cut_off_before_its_second_try_has_a_reason():
    """So is what was refused after a lost answer, and not asked for once more."""
    run = Run([CreateOperation("m", [{"x": "a"}], external_ids="x")], ROOMY)
    tell_fields(run, Answer({"x": {"type": "char"}}))
    run.record(run.take(), Answer([]))
    refused = {"ids": False, "messages": [{"type": "error", "message": "No", "record": 0}]}
    run.record(run.take(), Answer(refused).seen_after(LOST))
    run.stop()

    assert [(Status.UNKNOWN, "No")] == [(o.status, str(o.error)) for o in run.result()]


def test_stream_is_read_once():
    """A second batch over it would have no records, and tell of the first one's as not sent."""
    operation = CreateStream("m", [iter([{"x": 1}])])
    Run([operation], ROOMY)
    with pytest.raises(BatchStateError, match="can be read only once"):
        Run([operation], ROOMY)

    other = CreateStream("m", [iter([])])
    with pytest.raises(BatchStateError, match="can be read only once"):
        Run([other, other], ROOMY)


def test_stream_of_nothing():
    """Where there is nothing to read all was read."""
    run = Run([CreateStream("m", [])], ROOMY)
    run.advance()

    assert run.result().ok


@pytest.mark.parametrize("depth", [250, 260, 900])
def test_what_is_a_wire_value_can_be_encoded(depth):
    """What is nested more deeply than the encoders go is refused when the operation is built."""
    value = 1
    for _ in range(depth):
        value = [value]
    try:
        operation = CreateOperation("m", [{"x": value}])
    except BatchValidationError:
        return

    [call] = calls([PlannedOperation(operation, 0)], ROOMY)
    assert call.parts


def test_attribute_error_of_a_record_is_no_missing_method():
    """It is isolated like any other refusal, and the method is not given up for good."""
    fault = odoo_fault("builtins.AttributeError", "'bool' object has no attribute 'id'", (), "")
    [call] = calls([PlannedOperation(different(2), 0)], ROOMY, ways=Ways(19))

    assert not is_missing(call, fault)
    assert is_missing(call, NO_METHOD)


def test_attribute_error_after_the_commit_is_no_missing_method():
    """The same words of a hook: the method has run, and what it did must not be done again."""
    debug = "Traceback (most recent call last):\n  ..., in commit\n    self.postcommit.run()\n"
    fault = odoo_fault(NO_METHOD.error.name, NO_METHOD.error.message, (), debug)
    [call] = calls([PlannedOperation(different(2), 0)], ROOMY, ways=Ways(19))

    assert not is_missing(call, fault)


def test_fields_that_a_lost_answer_did_not_tell_are_asked_for_again():
    """A question without an answer says nothing of the server, so it is not remembered."""
    ways = Ways(14)
    run = Run([different(2)], ROOMY, ways=ways)
    run.advance()
    run.record(run.take(), LOST)

    run = Run([different(2)], ROOMY, ways=ways)
    run.advance()
    assert "fields_get" == run.take().method


def test_method_that_is_missing_is_not_tried_again():
    """Neither by the calls of the same operation that were not taken yet."""
    run = Run([different(6)], Limits(2, 2**20), ways=Ways(19))
    run.advance()
    run.record(run.take(), NO_METHOD)

    assert ["write"] * 6 == [call.method for call in iter(run.take, None)]


def test_zero_is_a_value_that_an_import_carries():
    """0 is not empty: Odoo reads the text `0` as the number."""
    ways = Ways(14, Way.LOAD, fields={"m": {"x": {"type": "integer"}, "y": {"type": "float"}}})

    assert [("x", "0"), ("y", "0.0")] == ways.cells("m", {"x": 0, "y": 0.0})
    assert None is ways.cells("m", {"x": False})


@pytest.mark.parametrize("way", [Way.SAVE, Way.LOAD])
def test_bytes_of_large_ids_count(way):
    """Ids take place beside short values."""
    ways = Ways(19, way, fields={"m": {"x": {"type": "integer"}}})
    updates = WriteManyOperation("m", {10**9 + n: {"x": n} for n in range(1, 60)})
    for call in calls([PlannedOperation(updates, 0)], Limits(100, 200), ways=ways):
        assert sum(map(len, call.arguments[:2])) <= 200 + len("[][]") + len('[".id","x"]')
