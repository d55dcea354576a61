"""After an answer that did not come the rest of the batch goes on, once the server answers."""

import pytest

from zenoo_rpc._core.call import Load
from zenoo_rpc._core.exchange import Answer
from zenoo_rpc._core.faults import Kind, odoo_fault, transport_fault
from zenoo_rpc._core.replies import LOST_IN_A_ROW
from zenoo_rpc._core.run import Run
from zenoo_rpc._core.sizes import Limits
from zenoo_rpc._core.steps.server_back import AnswersAgain
from zenoo_rpc.batch.operations import CreateOperation, UpdateOperation
from zenoo_rpc.batch.status import Status
from zenoo_rpc.batch.streams import CreateStream

from .batches import tell_fields

ADDRESS = "http://localhost:8069"
LOST = transport_fault(Kind.CLOSED, ADDRESS)
GONE = transport_fault(Kind.REFUSED, ADDRESS)
BUSY = transport_fault(Kind.BUSY, ADDRESS)
FORBIDDEN = odoo_fault("odoo.exceptions.AccessError", "not you", (), "")
APPLIED, UNKNOWN, NOT_SENT = Status.APPLIED, Status.UNKNOWN, Status.NOT_SENT


def creates(count, size=1, **options):
    """Return a run over records to create, in its first round."""
    operation = CreateOperation("m", [{"x": n} for n in range(count)])
    run = Run([operation, *options.pop("then", ())], Limits(size, 10**6), **options)
    assert run.advance()
    return run


def statuses(run):
    return [outcome.status for outcome in run.result()]


def ids(call, first=7):
    return Answer(list(range(first, first + len(call))))


def question(run):
    """Return the question that goes out before anything else, in a round of its own."""
    assert None is run.take()
    assert run.advance()
    asked = run.take()
    assert isinstance(asked, AnswersAgain)
    assert None is run.take()
    return asked


@pytest.mark.parametrize("alive", [Answer({"lang": "en_US"}), Answer(None), FORBIDDEN])
def test_the_rest_goes_on(alive):
    """The records of the lost call stay unknown, all others are applied."""
    run = creates(5)
    first, second = run.take(), run.take()
    run.record(second, LOST)
    run.record(first, ids(first))
    run.record(question(run), alive)
    while run.advance():
        while call := run.take():
            run.record(call, ids(call, 20))
    assert [APPLIED, UNKNOWN, APPLIED, APPLIED, APPLIED] == statuses(run)
    assert LOST.error is run.result().unknown[0].error


@pytest.mark.parametrize("away", [LOST, GONE, BUSY])
def test_a_server_that_stays_away(away):
    """What was not begun is not sent."""
    run = creates(5)
    run.record(run.take(), LOST)
    run.record(question(run), away)
    assert not run.advance()
    assert [UNKNOWN, *[NOT_SENT] * 4] == statuses(run)


def test_nothing_is_asked_if_nothing_is_left():
    """Of a single call, of the last one, and where what is left does not follow a failure."""
    later = UpdateOperation("n", [7], {"x": 1})
    for run in (creates(1), creates(1, then=[later])):
        run.record(run.take(), LOST)
        assert None is run.take()
        assert not run.advance()
        assert UNKNOWN is statuses(run)[0]
    assert "something before it was not applied" == str(run.result().operations[1].outcome(0).error)
    run = creates(1, then=[later], ordered=False)
    sent = [run.take(), run.take()]
    run.record(sent[0], LOST)
    run.record(sent[1], Answer(True))
    assert not run.advance()


def test_what_a_lost_call_could_undo_is_not_begun():
    """It may still land, late. Nor what follows that; other operations that may overlap go on."""
    later = [UpdateOperation("m", ids, {"x": 1}) for ids in ([7], [7, 8], [8], [9])]
    first = UpdateOperation("m", [7], {"y": [[0, 0, {}]]})
    run = Run([first, *later[1:]], Limits(9, 99), ordered=False)
    assert run.advance()
    lost, fine = run.take(), run.take()
    assert [0, 4] == [lost.numbers[0], fine.numbers[0]]
    run.record(lost, LOST)
    run.record(fine, Answer(True))
    run.record(question(run), Answer({}))
    while run.advance():
        while call := run.take():
            run.record(call, Answer(True))
    assert [UNKNOWN, NOT_SENT, NOT_SENT, NOT_SENT, APPLIED] == statuses(run)
    told = {str(each.error) for each in run.result().not_sent}
    assert {"an earlier operation on the same records was not applied, or may still be"} == told


def test_several_are_lost_together():
    """One question serves all that were in flight; what never got there goes again."""
    run = creates(6)
    lost, gone, busy, fine = (run.take() for _ in range(4))
    run.record(lost, LOST)
    run.record(gone, GONE)
    run.record(busy, BUSY)
    run.record(fine, ids(fine))
    assert [UNKNOWN, NOT_SENT, NOT_SENT, APPLIED, NOT_SENT, NOT_SENT] == statuses(run)
    assert [LOST.error, GONE.error, BUSY.error] == [each.error for each in run.result().failures][
        :3
    ]
    run.record(question(run), Answer({}))
    seen = []
    while run.advance():
        while call := run.take():
            seen += call.numbers
            run.record(call, ids(call, 20 + len(seen)))
    assert [1, 2, 4, 5] == seen
    assert [UNKNOWN, *[APPLIED] * 5] == statuses(run)


@pytest.mark.parametrize(
    "options", [{"on_unknown": "stop"}, {"on_error": "stop"}], ids=lambda each: next(iter(each))
)
def test_stop(options):
    """Nothing is asked, and nothing more is sent."""
    run = creates(3, **options)
    run.record(run.take(), LOST)
    assert None is run.take()
    assert not run.advance()
    assert [UNKNOWN, NOT_SENT, NOT_SENT] == statuses(run)


def test_never_sent_alone_ends_it():
    """Where nothing was lost its tries are what the policy says, as in a single call."""
    run = creates(3)
    run.record(run.take(), GONE)
    assert None is run.take()
    assert not run.advance()
    assert [NOT_SENT] * 3 == statuses(run)


def test_a_server_that_answers_questions_only():
    """After so many lost calls in a row it is left alone; one that passes begins the count anew."""
    run = creates(3 * LOST_IN_A_ROW)
    first, second = run.take(), run.take()
    run.record(first, LOST)
    run.record(second, ids(second))
    lost = 0
    while run.advance():
        while call := run.take():
            lost += not isinstance(call, AnswersAgain)
            run.record(call, Answer({}) if isinstance(call, AnswersAgain) else LOST)
    assert LOST_IN_A_ROW + 1 == lost


def test_a_refusal_is_an_answer():
    """The count begins anew with it."""
    run = creates(4 * LOST_IN_A_ROW)
    count = 0
    while True:
        while call := run.take():
            count += not isinstance(call, AnswersAgain)
            refused = odoo_fault("odoo.exceptions.ValidationError", "No.", (), "")
            answer = LOST if count % 2 else refused
            run.record(call, Answer({}) if isinstance(call, AnswersAgain) else answer)
        if not run.advance():
            break
    assert 4 * LOST_IN_A_ROW == count


def test_the_question_goes_alone():
    """Parts of a call that was refused meanwhile wait for its answer as well."""
    run = creates(4, size=2)
    refused, lost = run.take(), run.take()
    run.record(lost, LOST)
    run.record(refused, odoo_fault("odoo.exceptions.ValidationError", "No.", (), ""))
    run.record(question(run), Answer({}))
    assert run.advance()
    assert [[0], [1]] == [list(run.take().numbers), list(run.take().numbers)]


def test_report():
    """An import is told as unknown at once, and not sent again; the rest goes on."""
    names = {"external_ids": ["a", "b"]}
    operation = CreateOperation("m", [{"x": 1}] * 2, **names)
    run = Run([operation], Limits(1, 999), on_unknown="report", skip_unchanged=False)
    tell_fields(run, Answer({"x": {"type": "integer"}}))
    run.record(run.take(), FORBIDDEN)  # who may not ask for external ids
    load = run.take()
    assert isinstance(load, Load)
    run.record(load, LOST)
    run.record(question(run), Answer({}))
    seen = []
    while run.advance():
        while call := run.take():
            seen += call.numbers
            run.record(call, Answer({"ids": [7]}))
    assert [1] == seen
    assert [UNKNOWN, APPLIED] == statuses(run)


def test_a_stream_goes_on():
    """It is read no further before the server answers."""
    items = iter([{"x": n} for n in range(4)])
    run = Run([CreateStream("m", [items])], Limits(1, 999))
    assert run.advance()

    def fed():
        while wanted := run.wanted():
            source, count = wanted
            run.feed([next(source.items[0]) for _ in range(count)])
        return run.take()

    run.record(fed(), LOST)
    assert None is run.wanted()
    run.record(question(run), Answer({}))
    assert run.advance()
    run.record(fed(), Answer([7]))
    assert [UNKNOWN, APPLIED] == statuses(run)


def test_put_back():
    """What could not be sent in time was not sent, and is the next one."""
    run = creates(2)
    call = run.take()
    assert UNKNOWN is statuses(run)[0]
    run.put_back(call)
    assert [NOT_SENT] * 2 == statuses(run)
    assert call is run.take()
    run.record(call, LOST)
    asked = question(run)
    run.put_back(asked)
    assert run.advance()
    assert asked is run.take()


def test_one_record_that_is_too_large():
    """It is refused by itself: no other record is larger for it."""
    run = creates(10, size=4)
    too_large = transport_fault(Kind.TOO_LARGE, ADDRESS, status=413)
    more = True
    while more:
        while call := run.take():
            run.record(call, too_large if 1 in call.numbers else ids(call))
        more = run.advance()
    assert [APPLIED, Status.REFUSED, *[APPLIED] * 8] == statuses(run)


def test_what_is_cut_off_while_it_is_sent_again():
    """What its first try ended with says nothing of the second one: it may have run."""
    run = creates(3)
    lost, busy, fine = (run.take() for _ in range(3))
    run.record(lost, LOST)
    run.record(busy, BUSY)
    run.record(fine, ids(fine))
    run.record(question(run), Answer({}))
    assert run.advance()
    assert busy.numbers == run.take().numbers
    run.stop("it was cut off")
    outcome = run.result().operations[0].outcome(1)
    assert (UNKNOWN, "it was cut off") == (outcome.status, outcome.error.reason)


def test_what_may_have_run_is_not_told_as_turned_away():
    """That a later try was not carried out is no reason for what is unknown of the first one."""
    first = UpdateOperation("m", [7], {"x": 1})
    run = Run([first], Limits(9, 99), ordered=False)
    assert run.advance()
    run.record(
        run.take(),
        odoo_fault("psycopg2.errors.SerializationFailure", "No.", (), "").seen_after(LOST),
    )
    assert run.advance()
    run.record(run.take(), BUSY)
    while run.advance():
        while call := run.take():
            run.record(call, BUSY)
    [outcome] = run.result()
    assert UNKNOWN is outcome.status
    assert "did not run" not in str(outcome.error)
