"""An unlink that was sent twice: what is gone is done, what is there is sent again."""

import attrs
import pytest

from zenoo_rpc import Status, UnlinkOperation, UpdateOperation
from zenoo_rpc._core.faults import Kind, odoo_fault, transport_fault
from zenoo_rpc._core.isolate import Survey
from zenoo_rpc._core.pace import Limits
from zenoo_rpc._core.protocol import Answer
from zenoo_rpc._core.run import Run

LOST = transport_fault(Kind.CLOSED, "http://odoo")
GONE = "Record does not exist or has been deleted.\n(Record: res.partner(8,), User: 2)"
MISSING = odoo_fault("odoo.exceptions.MissingError", GONE, (), "").seen_after(LOST)
INVALID = odoo_fault("odoo.exceptions.ValidationError", "no", (), "").seen_after(LOST)


def begun(operation):
    """Return a run over one operation, and its first call."""
    run = Run([operation], Limits(10, 1000))
    assert run.advance()
    return run, run.take()


def statuses(run):
    """Return what became of each record."""
    return [outcome.status for outcome in run.result()]


def test_what_is_gone_is_done_and_the_rest_is_sent_again():
    """The server is asked which records are there, archived ones included."""
    run, call = begun(UnlinkOperation("res.partner", [7, 8, 9], context={"lang": "de_CH"}))

    run.record(call, MISSING)
    assert [Status.UNKNOWN] * 3 == statuses(run)
    assert run.advance()
    survey = run.take()
    assert isinstance(survey, Survey)
    assert ("res.partner", "search") == (survey.model, survey.method)
    assert [b'[["id","in",[7,8,9]]]'] == survey.arguments
    assert {"lang": "de_CH", "active_test": False} == survey.context

    run.record(survey, Answer([9]))
    assert [Status.APPLIED, Status.APPLIED, Status.UNKNOWN] == statuses(run)
    assert run.advance()
    rest = run.take()
    assert [b"9"] == list(rest.parts)
    run.record(rest, Answer(True))
    assert run.result().ok


def test_the_first_try_may_land_in_between():
    """What was there when asked, and gone when sent again, is asked about once more."""
    run, call = begun(UnlinkOperation("res.partner", [7, 8]))
    run.record(call, MISSING)
    run.advance()
    run.record(run.take(), Answer([7, 8]))
    run.advance()

    run.record(run.take(), attrs.evolve(MISSING, after_unknown=False))
    run.advance()
    run.record(run.take(), Answer([]))

    assert run.result().ok


def test_asking_comes_to_an_end():
    """What the server says to be there, and to be missing, stays unknown, with its words."""
    run, call = begun(UnlinkOperation("res.partner", [7, 8]))
    run.record(call, MISSING)
    run.advance()
    run.record(run.take(), Answer([7, 8]))
    run.advance()
    run.record(run.take(), attrs.evolve(MISSING, after_unknown=False))
    run.advance()

    run.record(run.take(), Answer([7, 8]))

    assert [Status.UNKNOWN] * 2 == statuses(run)
    assert all("does not exist" in str(outcome.error) for outcome in run.result())
    assert not run.advance()


def test_all_gone_is_all_done():
    """Then there is nothing left to send."""
    run, call = begun(UnlinkOperation("res.partner", [7, 8]))
    run.record(call, MISSING)
    run.advance()

    run.record(run.take(), Answer([]))

    assert run.result().ok
    assert not run.advance()


@pytest.mark.parametrize("reply", [LOST, Answer("nonsense")])
def test_without_an_answer_it_stays_unknown(reply):
    """A question that is not answered settles nothing, and nothing more is sent."""
    run, call = begun(UnlinkOperation("res.partner", [7, 8]))
    run.record(call, MISSING)
    run.advance()

    run.record(run.take(), reply)

    assert [Status.UNKNOWN] * 2 == statuses(run)
    assert all(outcome.error is not None for outcome in run.result())
    assert not run.advance()


def test_a_refusal_after_an_unknown_try_is_unknown():
    """The first try may have been carried out, whatever was said to the second."""
    run, call = begun(UpdateOperation("res.partner", [7], {"name": "x"}))

    run.record(call, INVALID)

    (outcome,) = run.result()
    assert Status.UNKNOWN is outcome.status
    assert "no" == str(outcome.error)


def test_parts_of_an_unknown_call_stay_unknown_until_they_are_applied():
    """Isolation goes on, as the call is idempotent; what it does not confirm stays unknown."""
    run, call = begun(UpdateOperation("res.partner", [7, 8], {"name": "x"}))

    run.record(call, INVALID)
    assert [Status.UNKNOWN] * 2 == statuses(run)
    run.advance()
    first, second = run.take(), run.take()
    run.record(first, Answer(True))
    run.record(second, attrs.evolve(INVALID, after_unknown=False))

    assert [Status.APPLIED, Status.UNKNOWN] == statuses(run)
