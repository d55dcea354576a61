"""An unlink that was sent twice: what is gone is done, what is there is sent again."""

import attrs
import pytest

from zenoo_rpc import Status, UnlinkOperation, UpdateOperation
from zenoo_rpc._core.exchange import Answer
from zenoo_rpc._core.faults import Kind, odoo_fault, transport_fault
from zenoo_rpc._core.replies import LOST_IN_A_ROW
from zenoo_rpc._core.run import Run
from zenoo_rpc._core.sizes import Limits
from zenoo_rpc._core.steps.remaining import RemainingIds
from zenoo_rpc._core.steps.server_back import AnswersAgain

LOST = transport_fault(Kind.CLOSED, "http://odoo")
GONE = "Record does not exist or has been deleted.\n(Record: res.partner(8,), User: 2)"
MISSING = odoo_fault("odoo.exceptions.MissingError", GONE, (), "").seen_after(LOST)
HIDDEN = odoo_fault("odoo.exceptions.AccessError", "You may not see it.", (), "")
INVALID = odoo_fault("odoo.exceptions.ValidationError", "no", (), "").seen_after(LOST)


def begun(operation):
    """Return a run over one operation, and its first call."""
    run = Run([operation], Limits(10, 1000))
    assert run.advance()
    return run, run.take()


def there(*ids):
    """Return the answer of a server on which these records are there."""
    return Answer([{"id": number, "create_date": "2026-11-26 07:00:00"} for number in ids])


def statuses(run):
    """Return what became of each record."""
    return [outcome.status for outcome in run.result()]


def test_what_is_gone_is_done_and_the_rest_is_sent_again():
    """The server is asked for a column of each record; `search` would not tell what is hidden."""
    run, call = begun(UnlinkOperation("res.partner", [7, 8, 9], context={"lang": "de_CH"}))

    run.record(call, MISSING)
    assert [Status.UNKNOWN] * 3 == statuses(run)
    assert run.advance()
    survey = run.take()
    assert isinstance(survey, RemainingIds)
    assert ("res.partner", "read") == (survey.model, survey.method)
    assert [b"[7,8,9]", b'["create_date"]'] == survey.arguments
    assert {"lang": "de_CH"} == survey.context

    run.record(survey, there(9))
    assert [Status.APPLIED, Status.APPLIED, Status.UNKNOWN] == statuses(run)
    assert run.advance()
    rest = run.take()
    assert [b"9"] == list(rest.parts)
    run.record(rest, Answer(True))
    assert run.result().ok


def gone_when_sent_again():
    """Return a run whose records were there when asked, and gone when they were sent again."""
    run, call = begun(UnlinkOperation("res.partner", [7, 8]))
    run.record(call, MISSING)
    run.advance()
    run.record(run.take(), there(7, 8))
    run.advance()
    run.record(run.take(), attrs.evolve(MISSING, maybe_applied=False))
    run.advance()
    return run


def test_the_first_try_may_land_in_between():
    """What was there when asked, and gone when sent again, is asked about once more."""
    run = gone_when_sent_again()
    run.record(run.take(), there())

    assert run.result().ok


def test_asking_comes_to_an_end():
    """What the server says to be there, and to be missing, stays unknown, with its words."""
    run = gone_when_sent_again()
    run.record(run.take(), there(7, 8))

    assert [Status.UNKNOWN] * 2 == statuses(run)
    assert all("does not exist" in str(outcome.error) for outcome in run.result())
    assert not run.advance()


def test_all_gone_is_all_done():
    """Then there is nothing left to send."""
    run, call = begun(UnlinkOperation("res.partner", [7, 8]))
    run.record(call, MISSING)
    run.advance()

    run.record(run.take(), there())

    assert run.result().ok
    assert not run.advance()


def test_what_is_hidden_is_not_gone():
    """A record rule refuses the question: it is asked in halves, and what it hides is not told."""
    run, call = begun(UnlinkOperation("res.partner", [7, 8, 9]))
    run.record(call, MISSING)
    run.advance()
    run.record(run.take(), HIDDEN)

    replies = {b"[7]": HIDDEN, b"[8,9]": HIDDEN, b"[8]": there(), b"[9]": there(9)}
    while run.advance():
        while (each := run.take()) is not None:
            if isinstance(each, RemainingIds):
                run.record(each, replies[each.arguments[0]])
            else:
                assert "unlink" == each.method
                run.record(each, HIDDEN if each.parts == [b"7"] else Answer(True))

    assert [Status.UNKNOWN, Status.APPLIED, Status.APPLIED] == statuses(run)
    [unknown] = run.result().unknown
    assert "You may not see it." == str(unknown.error)


def test_what_is_hidden_and_missing_by_turns_stays_unknown():
    """A record that may be read no longer, but was missing a moment ago, is not asked for ever."""
    run, call = begun(UnlinkOperation("res.partner", [7]))
    for _ in range(2):
        run.record(call, MISSING)
        run.advance()
        run.record(run.take(), HIDDEN)
        run.advance()
        call = run.take()

    assert None is call
    assert [Status.UNKNOWN] == statuses(run)


def test_what_has_no_such_column_stays_unknown():
    """Some models keep no time of creation: nothing is settled, and the batch goes on."""
    no_column = odoo_fault("builtins.ValueError", "Invalid field 'create_date' on 'x'", (), "")
    operations = [UnlinkOperation("x", [7, 8]), UnlinkOperation("res.partner", [9])]
    run = Run(operations, Limits(10, 1000), ordered=False)
    run.advance()
    run.record(run.take(), MISSING)
    run.record(run.take(), no_column)
    run.record(run.take(), Answer(True))

    assert [Status.UNKNOWN, Status.UNKNOWN, Status.APPLIED] == statuses(run)
    assert all("does not exist" in str(each.error) for each in run.result().unknown)


@pytest.mark.parametrize(
    "reply",
    [LOST, Answer("nonsense"), Answer([7]), Answer([{"id": True}]), Answer([{}]), there(7, 99)],
    ids=["lost", "text", "ids", "a strange id", "no id", "another record"],
)
def test_without_an_answer_it_stays_unknown(reply):
    """A question that is not answered settles nothing, and nothing more is sent."""
    run, call = begun(UnlinkOperation("res.partner", [7, 8]))
    run.record(call, MISSING)
    run.advance()

    run.record(run.take(), reply)

    assert [Status.UNKNOWN] * 2 == statuses(run)
    assert all(outcome.error is not None for outcome in run.result())
    assert not run.advance()


def test_without_an_answer_the_rest_goes_on():
    """As soon as the server answers again, as after any other answer that was lost."""
    run = Run([UnlinkOperation("res.partner", [7, 8])], Limits(1, 1000))
    replies = {"unlink": [MISSING, Answer(True)], "read": [LOST], "context_get": [Answer({})]}
    while run.advance():
        while (each := run.take()) is not None:
            run.record(each, replies[each.method].pop(0))

    assert [Status.UNKNOWN, Status.APPLIED] == statuses(run)


def test_a_server_that_answers_no_deletes_is_left_alone():
    """That each begins with a MissingError of a second try is no answer to it."""
    run = Run([UnlinkOperation("res.partner", range(1, 40))], Limits(1, 1000))
    lost = 0
    while run.advance():
        while (call := run.take()) is not None:
            if isinstance(call, AnswersAgain):
                run.record(call, Answer({}))
            else:
                lost += isinstance(call, RemainingIds)
                run.record(call, LOST if isinstance(call, RemainingIds) else MISSING)
    assert LOST_IN_A_ROW + 1 == lost
    [told] = {str(each.error) for each in run.result().unknown}
    assert told.startswith("a question about res.partner got no answer")


def test_a_refusal_after_an_unknown_try_is_unknown():
    """The first try may have been carried out, whatever was said to the second."""
    run, call = begun(UpdateOperation("res.partner", [7], {"name": "x"}))

    run.record(call, INVALID)

    (outcome,) = run.result()
    assert Status.UNKNOWN is outcome.status
    assert "no" == str(outcome.error)


def test_parts_of_an_unknown_call_stay_unknown_until_they_are_applied():
    """Split goes on, as the call is idempotent; what it does not confirm stays unknown."""
    run, call = begun(UpdateOperation("res.partner", [7, 8], {"name": "x"}))

    run.record(call, INVALID)
    assert [Status.UNKNOWN] * 2 == statuses(run)
    run.advance()
    first, second = run.take(), run.take()
    run.record(first, Answer(True))
    run.record(second, attrs.evolve(INVALID, maybe_applied=False))

    assert [Status.APPLIED, Status.UNKNOWN] == statuses(run)
