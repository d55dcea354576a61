"""Creates with external ids: rows, calls, questions, and what the answers mean."""

import json
import re

import pytest

from zenoo_rpc._core.call import Call
from zenoo_rpc._core.exchange import Answer
from zenoo_rpc._core.faults import Kind, Proof, odoo_fault, transport_fault
from zenoo_rpc._core.imports import as_conflict, prepare
from zenoo_rpc._core.run import Run
from zenoo_rpc._core.sizes import Limits
from zenoo_rpc._core.steps.known import KnownExternalIds
from zenoo_rpc.batch.exceptions import BatchValidationError
from zenoo_rpc.batch.operations import CreateOperation, UnlinkOperation, UpdateOperation
from zenoo_rpc.batch.status import Status
from zenoo_rpc.errors import AccessError, ConflictError

from .batches import tell_fields

FIELDS = {
    "name": {"type": "char"},
    "active": {"type": "boolean"},
    "color": {"type": "integer"},
    "price": {"type": "float"},
    "date": {"type": "date"},
    "at": {"type": "datetime"},
    "country_id": {"type": "many2one"},
    "tag_ids": {"type": "many2many"},
    "child_ids": {"type": "one2many"},
    "about": {"type": "reference"},
}
NO_REFERENCE = (
    "an id is wanted, or an external id with its module "
    "(`module.name`, or `__import__.name` where none was given)"
)
BOTH = r"2 records cannot be sent \(nothing was sent\)\n"
REFUSED = {"type": "error", "message": "No way ", "record": 1, "field": "color"}
FORBIDDEN = odoo_fault("odoo.exceptions.AccessError", "not you", (), "")
LOST = odoo_fault("psycopg2.InterfaceError", "gone", (), "")
TIMEOUT = transport_fault(Kind.READ_TIMEOUT, "http://localhost:8069")
GONE = transport_fault(Kind.REFUSED, "http://localhost:8069")


def row(values, **options):
    """Return the row of one record as a mapping of columns to texts."""
    made = prepare(CreateOperation("m", [values], external_ids=["x"]), FIELDS)
    [(columns, texts)] = made.rows
    return dict(zip(columns, texts, strict=True))


@pytest.mark.parametrize(
    ("values", "cells"),
    [
        ({}, {}),
        ({"name": "Ann"}, {"name": "Ann"}),
        ({"name": None}, {"name": ""}),
        ({"name": ""}, {"name": ""}),
        ({"active": ""}, {"active": ""}),
        ({"color": 3.0}, {"color": "3"}),
        ({"color": ""}, {"color": ""}),
        ({"date": ""}, {"date": ""}),
        ({"country_id": ""}, {"country_id/.id": ""}),
        ({"country_id": 43.0}, {"country_id/.id": "43"}),
        ({"tag_ids": ""}, {"tag_ids/.id": ""}),
        ({"tag_ids": [3.0, (4, 5.0)]}, {"tag_ids/.id": "3,5"}),
        ({"active": True}, {"active": "1"}),
        ({"active": None}, {"active": "0"}),
        ({"color": 0}, {"color": "0"}),
        ({"price": 0.1}, {"price": "0.1"}),
        ({"price": 1e300}, {"price": "1e+300"}),
        ({"date": "2026-11-24"}, {"date": "2026-11-24"}),
        ({"country_id": 43}, {"country_id/.id": "43"}),
        ({"country_id": None}, {"country_id/.id": ""}),
        ({"country_id": "base.ch"}, {"country_id/id": "base.ch"}),
        ({"child_ids": [(4, 3), 7]}, {"child_ids/.id": "3,7"}),
        ({"tag_ids": None}, {"tag_ids/.id": ""}),
        ({"tag_ids": [3, 4]}, {"tag_ids/.id": "3,4"}),
        ({"tag_ids": [(6, 0, [3, 4, 3])]}, {"tag_ids/.id": "3,4"}),
        ({"tag_ids": [(4, 3), (5,), (4, 7, 0), (4, 8)]}, {"tag_ids/.id": "7,8"}),
    ],
)
def test_values_become_texts(values, cells):
    """An import takes texts, by columns that say how a relation is named."""
    assert {"id": "__import__.x", **cells} == row(values)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"nope": 1}, "field 'nope': the model has no such field"),
        ({"child_ids": []}, "field 'child_ids': there is nothing to link: leave it out"),
        ({"child_ids": [(0, 0, {})]}, "field 'child_ids': only the commands set, link and clear"),
        ({"about": "m,7"}, "field 'about': a reference field cannot be written"),
        ({"tag_ids": 3}, "field 'tag_ids': it must be a list of ids or commands"),
        ({"tag_ids": [(0, 0, {})]}, "field 'tag_ids': only the commands set, link and clear"),
        ({"tag_ids": [[]]}, "field 'tag_ids': only the commands set, link and clear"),
        ({"tag_ids": [True]}, "field 'tag_ids': an id is wanted, not this bool"),
        ({"tag_ids": ["m.x"]}, "field 'tag_ids': an id is wanted, not this str"),
        (
            {"country_id": "CH"},
            rf"field 'country_id': {re.escape(NO_REFERENCE)}, not this str",
        ),
        ({"country_id": 0}, "field 'country_id': an id must be a whole number above 0, not 0"),
        ({"tag_ids": [-7]}, "field 'tag_ids': an id must be a whole number above 0, not -7"),
        ({"country_id": [7]}, "field 'country_id': an id is wanted, not this list"),
        ({"name": [1]}, "field 'name': a list is no value of a char field"),
    ],
)
def test_what_an_import_cannot_carry(values, words):
    """The error names the record, the field and the fault."""
    operation = CreateOperation("m", [{"name": "x"}, values], external_ids=["a", "b"])
    with pytest.raises(BatchValidationError, match=f"create m: record 1: {words}"):
        prepare(operation, FIELDS)


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (["a"], "1 external ids were given for 2 records"),
        (["a", "b", "c"], "3 external ids were given for 2 records"),
        (["a", "__import__.a"], "record 1: its external id is that of record 0"),
        (["a", ""], "record 1: an external id must be a text"),
        (["a", "b c"], "record 1: an external id must be a text"),
        (["a", "b.c.d"], "record 1: an external id must be a text"),
        (["a", 7], "record 1: an external id must be a text"),
        (
            "nope",
            f"{BOTH}  record 0: its external id is missing: the record has no field 'nope'",
        ),
        (7, "external_ids must be texts, a field's name, or a function of a record"),
        ({"a", "b"}, "external_ids must be in the order of the records: a set has none"),
        (
            lambda record: record["ref"],
            f"{BOTH}  record 0: external_ids raised KeyError",
        ),
    ],
)
def test_bad_external_ids(names, words):
    """Each has the form of Odoo's own, and is there once."""
    with pytest.raises(BatchValidationError, match=f"create m: {words}"):
        CreateOperation("m", [{"name": "A"}, {"name": "B"}], external_ids=names)


def test_external_ids_by_a_function():
    """It gets each record as it was given; the records may be an iterator."""
    records = iter([{"name": "A"}, {"name": "B"}])
    operation = CreateOperation("m", records, external_ids=lambda each: f"mod.{each['name']}")
    assert ("mod.A", "mod.B") == operation.external_ids
    assert ("mod.B",) == operation.only([1]).external_ids


def begun(*operations, **options):
    """Return a run that knows the fields, in its first round."""
    run = Run(operations, Limits(3, 10**6), **{"skip_unchanged": False, **options})
    tell_fields(run, Answer(FIELDS))
    return run


def named(count, model="m", **values):
    """Return a create with external ids."""
    return CreateOperation(
        model, [{"name": f"n{n}", **values} for n in range(count)], external_ids="name"
    )


def taken(run):
    """Return the next import, once it was told that nothing of it is there."""
    lookup = run.take()
    assert isinstance(lookup, KnownExternalIds)
    run.record(lookup, Answer([]))
    call = run.take()
    assert lookup.call is call
    return call


def states(run):
    """Return the status of every record."""
    return [outcome.status for outcome in run.result()]


def test_a_question_comes_first():
    """Each call of an import is preceded by its own question, and waits for no other."""
    run = begun(named(4))
    one, other = run.take(), run.take()
    assert isinstance(one, KnownExternalIds)
    assert isinstance(other, KnownExternalIds)
    assert run.take() is None
    [domain, fields] = map(json.loads, one.arguments)
    assert ["&", ["module", "=", "__import__"], ["name", "in", ["n0", "n1", "n2"]]] == domain
    assert ["module", "name", "model", "res_id"] == fields
    assert {} == one.context

    run.record(one, Answer([{"module": "__import__", "name": "n1", "res_id": 8}]))
    first = run.take()
    run.record(other, Answer([]))
    second = run.take()
    assert ("load", True) == (first.method, first.idempotent)
    columns, rows = map(json.loads, first.arguments)
    assert (["id", "name"], ["__import__.n1", "n1"]) == (columns, rows[1])
    run.record(first, Answer({"ids": [7, 8, 9], "messages": []}))
    run.record(second, Answer({"ids": [5], "messages": [{"type": "warning"}]}))
    run.record(run.take(), Answer([7, 9]))
    run.record(run.take(), Answer([5]))
    assert not run.advance()
    assert [7, 8, 9, 5] == run.result().ids
    assert [True, False, True, True] == [outcome.created for outcome in run.result()]


def test_ids_of_several_modules():
    """Each module's names are asked for in one question."""
    names = ["a.x", "b.x", "c.x"]
    run = begun(CreateOperation("m", [{"name": "A"}] * 3, external_ids=names))
    domain = json.loads(run.take().arguments[0])
    assert ["|", "|", "&", ["module", "=", "a"], ["name", "in", ["x"]], "&"] == domain[:6]


@pytest.mark.parametrize("reply", [FORBIDDEN, Answer(None), Answer([1])])
def test_who_may_not_ask_is_not_asked_again(reply):
    """The records are imported all the same, and it is not known which are new."""
    run = begun(named(4), named(1, "n"))
    run.record(run.take(), reply)
    run.record(run.take(), Answer({"ids": [1, 2, 3]}))
    run.record(run.take(), Answer({"ids": [4]}))
    assert run.advance()
    assert "load" == run.take().method
    assert [None] * 4 == [outcome.created for outcome in run.result()][:4]


def test_created_of_other_records():
    """A plain create made its records; of others there is nothing to tell."""
    run = Run([CreateOperation("m", [{}]), UnlinkOperation("m", [7])], Limits(3, 999))
    while run.advance():
        call = run.take()
        run.record(call, Answer([3] if call.method == "create" else True))
    assert [True, None] == [outcome.created for outcome in run.result()]


def test_named_rows_are_refused_and_the_rest_goes_again():
    """The messages of an import tell the bad rows apart."""
    run = begun(named(3))
    run.record(taken(run), Answer({"ids": False, "messages": [REFUSED, {"type": "warning"}]}))
    rest = run.take()
    assert [0, 2] == rest.numbers
    run.record(rest, Answer({"ids": [4, 5]}))
    assert [4, None, 5] == run.result().ids
    assert ["No way"] == [str(outcome.error) for outcome in run.result().refused]
    assert ["color"] == [outcome.field for outcome in run.result().refused]


FIRST = {**REFUSED, "record": 0}


@pytest.mark.parametrize("messages", [[FIRST], [FIRST, REFUSED], [FIRST, REFUSED, REFUSED]])
def test_a_first_row_that_is_named_first_goes_again(messages):
    """19 names it in what it says of all of them: that proves nothing, so it is sent alone."""
    run = begun(named(3))
    run.record(taken(run), Answer({"ids": False, "messages": messages}))
    alone, rest = run.take(), run.take()
    bad = [1] if len(messages) > 1 else []
    assert [0] == alone.numbers
    assert [n for n in (1, 2) if n not in bad] == rest.numbers
    run.record(alone, Answer({"ids": [7]}))
    run.record(rest, Answer({"ids": [8, 9][: len(rest)]}))
    assert bad == [outcome.index for outcome in run.result().refused]


def test_a_first_row_that_is_bad():
    """It is named twice, or alone in its call."""
    run = begun(named(2))
    run.record(taken(run), Answer({"ids": False, "messages": [FIRST, FIRST]}))
    run.record(run.take(), Answer({"ids": [7]}))
    assert [Status.REFUSED, Status.APPLIED] == states(run)
    run = begun(named(2))
    run.record(taken(run), Answer({"ids": False, "messages": [FIRST]}))
    run.record(run.take(), Answer({"ids": False, "messages": [FIRST]}))
    run.record(run.take(), Answer({"ids": [7]}))
    assert [Status.REFUSED, Status.APPLIED] == states(run)


def test_a_suspect_is_not_told_refused_when_it_stops():
    """With on_error="stop" nothing proves that the first row is bad."""
    run = begun(named(3), on_error="stop")
    run.record(taken(run), Answer({"ids": False, "messages": [FIRST, REFUSED]}))
    assert [Status.NOT_SENT, Status.REFUSED, Status.NOT_SENT] == states(run)
    assert run.take() is None


def test_ids_that_are_told_twice():
    """The first half is of a try that was taken back."""
    run = begun(named(3))
    run.record(taken(run), Answer({"ids": [4, 5, 6, 7, 8, 9], "messages": []}))
    assert [7, 8, 9] == run.result().ids
    run = begun(named(3))
    run.record(taken(run), Answer({"ids": [4, 5, 6, 7], "messages": []}))
    assert [Status.UNKNOWN] * 3 == states(run)


def test_rows_that_are_not_named_are_found_by_halves():
    """A message about no row is about some of them."""
    somewhere = Answer({"ids": False, "messages": [{**REFUSED, "record": None}]})
    run = begun(named(2))
    run.record(taken(run), somewhere)
    run.record(run.take(), somewhere)
    run.record(run.take(), Answer({"ids": [4]}))
    assert [Status.REFUSED, Status.APPLIED] == states(run)


@pytest.mark.parametrize("place", [1, None])
def test_stop(place):
    """With on_error="stop" nothing follows; what was not named was not written either."""
    run = begun(named(3), on_error="stop")
    run.record(taken(run), Answer({"ids": False, "messages": [{**REFUSED, "record": place}]}))
    assert not run.advance()
    bad, left = Status.REFUSED, Status.NOT_SENT
    assert ([left] * 3 if place is None else [left, bad, left]) == states(run)
    assert all(outcome.error for outcome in run.result())


def test_a_refusal_after_a_lost_answer_is_asked_for_once_more():
    """The first try may have been in the way; what is refused then is unknown, not refused."""
    run = begun(named(2))
    refused = Answer({"ids": False, "messages": [REFUSED]}).seen_after(LOST)
    run.record(taken(run), refused)
    again = run.take()
    assert [0, 1] == list(again.numbers)
    run.record(again, refused)
    run.record(run.take(), Answer({"ids": [4]}))
    assert [Status.APPLIED, Status.UNKNOWN] == states(run)


@pytest.mark.parametrize("value", [None, {}, {"ids": [1]}, {"ids": False, "messages": None}])
def test_an_answer_of_another_shape_proves_nothing(value):
    """What cannot be read is unknown, and not sent again."""
    run = begun(named(2))
    run.record(taken(run), Answer(value))
    assert [Status.UNKNOWN] * 2 == states(run)
    assert not run.advance()


def test_a_refusal_for_lack_of_rights_asks_about_the_right_to_create():
    """An import that fails as a whole is isolated as a create is."""
    run = begun(named(2))
    run.record(taken(run), FORBIDDEN)
    probe = run.take()
    assert b'"create"' == probe.arguments[0]
    run.record(probe, Answer(False))
    assert [Status.REFUSED] * 2 == states(run)
    assert isinstance(run.result().refused[0].error, AccessError)


def test_a_conflict_is_no_refusal():
    """PostgreSQL's word for a conflict comes as a row's message."""
    text = "could not serialize access due to concurrent update"
    fault = as_conflict(Answer({"ids": False, "messages": [{**REFUSED, "message": text}]}))
    assert Proof.ROLLED_BACK is fault.proof
    assert isinstance(fault.error, ConflictError)
    for reply in (
        Answer({"ids": False, "messages": [REFUSED]}),
        Answer({"ids": [1], "messages": []}),
        LOST,
    ):
        assert reply is as_conflict(reply)


def test_times_are_read_as_utc():
    """The context says so, where there is a time; records with the same fields go together."""
    run = begun(
        CreateOperation("m", [{"at": "2026-11-24 10:00:00"}], external_ids=["x"]), ordered=False
    )
    assert {"tz": "UTC"} == run.take().context


def test_records_with_other_fields_go_apart():
    """An empty cell would clear what the record does not speak of."""
    records = [{"name": "A"}, {"color": 1}, {"name": "B"}]
    run = begun(CreateOperation("m", records, external_ids=["a", "b", "c"]))
    assert [[0, 2], [1]] == [list(taken(run).numbers) for _ in range(2)]


def test_what_may_be_sent_again():
    """Unknown records with external ids may, other unknown ones may not."""
    plain = CreateOperation("m", [{"name": "A"}])
    run = begun(named(2))
    run.record(taken(run), LOST)
    [again] = run.result().resendable_operations()
    assert ("__import__.n0", "__import__.n1") == again.external_ids

    other = Run([plain], Limits(3, 999))
    other.advance()
    other.record(other.take(), LOST)
    assert [] == other.result().resendable_operations()


def found(*names):
    """Return the answer to a question about external ids: each record's id is 70 and its number."""
    return Answer(
        [{"module": "__import__", "name": name, "res_id": 70 + int(name[1:])} for name in names]
    )


def told_new(*operations, **options):
    """Return a run whose imports are not there yet, with the first of their calls."""
    run = begun(*operations, **options)
    return run, taken(run)


def test_an_import_without_an_answer_is_asked_about():
    """What was not there before and is there now was created: by this call."""
    run, call = told_new(named(5))
    other = run.take()
    run.record(call, LOST)
    assert isinstance(other, KnownExternalIds)
    run.record(other, Answer([]))
    assert run.take() is None  # nobody else asks a server that may be gone
    assert Status.UNKNOWN is states(run)[0]
    assert LOST.error is run.result().unknown[0].error

    assert run.advance()
    run.record(run.take(), found("n0", "n1", "n2"))
    assert run.advance()
    run.record(run.take(), Answer({"ids": [5, 6]}))
    run.record(run.take(), Answer([5, 6]))
    assert run.take() is None
    while run.advance():
        assert run.take() is None
    assert [70, 71, 72, 5, 6] == run.result().ids
    assert run.result().ok
    assert {None} == {outcome.error for outcome in run.result()}


def test_what_is_not_found_is_sent_again():
    """The first try may still land, so whatever is not applied then stays unknown."""
    run, call = told_new(named(3))
    run.record(call, LOST)
    assert run.advance()
    run.record(run.take(), found("n1"))
    assert run.advance()
    again = run.take()
    assert ([0, 2], True) == (list(again.numbers), again.maybe_applied)
    run.record(again, LOST)
    assert not run.advance()
    unknown, applied = Status.UNKNOWN, Status.APPLIED
    assert [unknown, applied, unknown] == states(run)


def test_what_was_there_before_proves_nothing():
    """Whether it was updated is not told by its being there."""
    run = begun(named(2))
    run.record(run.take(), found("n0"))
    run.record(run.take(), LOST)
    assert run.advance()
    run.record(run.take(), found("n0", "n1"))
    assert [Status.UNKNOWN, Status.APPLIED] == states(run)
    assert run.advance()
    run.record(run.take(), Answer({"ids": [70]}))
    assert [False, None] == [outcome.created for outcome in run.result()]


@pytest.mark.parametrize("reply", [FORBIDDEN, Answer(None), Answer(["n0"])])
def test_who_may_no_longer_ask_sends_it_again(reply):
    """The same rows again are harmless."""
    run, call = told_new(named(2))
    run.record(call, LOST)
    assert run.advance()
    run.record(run.take(), reply)
    assert run.advance()
    run.record(run.take(), Answer({"ids": [4, 5]}))
    assert [4, 5] == run.result().ids


def test_who_may_not_ask_sends_it_again():
    """Without a question first."""
    run = begun(named(4))
    run.record(run.take(), FORBIDDEN)
    run.record(run.take(), LOST)
    assert run.advance()
    run.record(run.take(), Answer({}))  # it answers again
    assert run.advance()
    again = run.take()
    assert ("load", [0, 1, 2]) == (again.method, list(again.numbers))
    run.record(again, Answer({"ids": [4, 5, 6]}))
    while (rest := run.take()) is None:
        assert run.advance()
    run.record(rest, Answer({"ids": [7]}))
    assert [4, 5, 6, 7] == run.result().ids


def test_a_server_that_does_not_answer_is_asked_once():
    """Then nothing more is handed out, and the first failure is the reason."""
    run, call = told_new(named(4))
    run.record(call, LOST)
    assert run.advance()
    run.record(run.take(), GONE)
    assert not run.advance()
    assert [Status.UNKNOWN] * 3 + [Status.NOT_SENT] == states(run)
    assert [LOST.error] * 3 == [outcome.error for outcome in run.result().unknown]


@pytest.mark.parametrize("on_unknown", ["continue", "stop"])
def test_an_import_is_not_sent_again_that_could_undo_a_later_operation(on_unknown):
    """It is settled as far as asking goes."""
    later = UpdateOperation("m", [7], {"x": 1})
    run, call = told_new(named(2), later, on_unknown=on_unknown)
    run.record(call, LOST)
    assert run.advance()
    run.record(run.take(), found("n0"))
    while run.advance():
        assert run.take() is None
    assert [Status.APPLIED, Status.UNKNOWN, Status.NOT_SENT] == states(run)


def test_several_imports_without_an_answer():
    """What was in flight beside the first one is asked about as well."""
    run = begun(named(6))
    first, second = taken(run), taken(run)
    run.record(first, LOST)
    run.record(second, LOST)
    assert run.advance()
    run.record(run.take(), found("n0", "n1", "n2"))
    run.record(run.take(), found("n3", "n4", "n5"))
    while run.advance():
        assert run.take() is None
    assert run.result().ok


def test_reported_as_unknown():
    """Where the caller wants to be told at once, nothing is asked."""
    run, call = told_new(named(2), on_unknown="report")
    run.record(call, LOST)
    assert not run.advance()
    assert [Status.UNKNOWN] * 2 == states(run)


def test_imports_beside_other_operations():
    """Operations that may overlap are cut together; only imports are asked about."""
    run = begun(UnlinkOperation("n", [7]), named(1), CreateOperation("m", [{}]), ordered=False)
    sent = [run.take(), taken(run), run.take()]
    assert all(isinstance(call, Call) for call in sent)
    assert ["unlink", "load", "create"] == [call.method for call in sent]


NO_MODEL = odoo_fault("builtins.KeyError", "'m'", (), "")


@pytest.mark.parametrize(
    ("reply", "status", "words"),
    [
        (TIMEOUT, Status.NOT_SENT, "a question about m got no answer, so it was not sent (the "),
        (Answer(None), Status.NOT_SENT, "(the answer to fields_get tells of no fields)"),
        (NO_MODEL, Status.REFUSED, "'m'"),
    ],
)
def test_without_the_fields_nothing_is_sent(reply, status, words):
    """The records that were to be imported are told why; nothing of them is unknown."""
    run = Run([CreateOperation("n", [{}]), named(2), named(1, "n")], Limits(3, 999))
    assert run.advance()
    asked = [run.take(), run.take()]
    assert ["m", "n"] == [question.model for question in asked]
    run.record(asked[0], reply)
    assert not run.advance()
    assert [Status.NOT_SENT, status, status, Status.NOT_SENT] == states(run)
    told = [outcome.error for outcome in run.result()]
    assert told[1] is told[2] is told[0].__cause__ is told[3].__cause__
    assert words in str(told[1])
    assert "unknown" not in str(told[1])


def test_what_cannot_be_sent_keeps_its_own_reason():
    """Where operations do not wait for each other, too."""
    refusal = odoo_fault("builtins.KeyError", "'m'", (), "")
    run = Run([named(2), CreateOperation("n", [{}])], Limits(3, 999), ordered=False)
    run.advance()
    run.record(run.take(), refusal)
    while run.advance():
        while call := run.take():
            run.record(call, Answer([7]))
    assert [Status.REFUSED, Status.REFUSED, Status.APPLIED] == states(run)
    assert [refusal.error] * 2 == [outcome.error for outcome in run.result().refused]


def test_part_of_a_create():
    """With external ids or without, it is a create of those records."""
    assert CreateOperation("m", [{"name": "n1"}], external_ids="name") == named(2).only([1])
    plain = CreateOperation("m", [{"name": "A"}, {"name": "B"}])
    assert CreateOperation("m", [{"name": "B"}]) == plain.only([1])


@pytest.mark.parametrize(
    ("first", "second", "may_be_repeated"),
    [
        (named(1), UpdateOperation("m", [7], {"x": 1}), False),
        (named(1), UnlinkOperation("m", [7]), False),
        (named(2), named(1), False),
        (UpdateOperation("m", [7], {"x": 1}), named(1), False),
        (named(1), CreateOperation("m", [{"name": "other"}], external_ids="name"), True),
        (named(1), CreateOperation("m", [{}]), True),
        (named(1), UpdateOperation("n", [7], {"x": 1}), True),
        (UpdateOperation("m", [7], {"x": 1}), named(1, "n"), True),
    ],
)
def test_nothing_is_repeated_that_a_later_operation_may_touch(first, second, may_be_repeated):
    """Which record an external id is of is not known, so a write by id may be to the same one."""
    run = begun(first, second)
    call = run.take()
    if isinstance(call, KnownExternalIds):
        run.record(call, Answer([]))
        call = run.take()
    assert may_be_repeated is call.idempotent


def test_imports_of_one_external_id_never_overlap():
    """Neither does what touches one record by its id."""
    run = begun(named(2), named(1), ordered=False)
    assert [0, 1] == list(taken(run).numbers)
    assert run.take() is None


@pytest.mark.parametrize("fault", [LOST, TIMEOUT, GONE])
def test_a_question_without_an_answer_is_asked_again(fault):
    """Once; what is not known to be another model's record is not overwritten."""
    run = begun(named(2))
    run.record(run.take(), fault)
    again = run.take()
    assert isinstance(again, KnownExternalIds)
    run.record(again, Answer([]))
    assert "load" == run.take().method

    run = begun(named(2))
    run.record(run.take(), fault)
    run.record(run.take(), fault)
    assert not run.advance()
    assert [Status.NOT_SENT] * 2 == states(run)
    assert "a question about ir.model.data" in str(run.result().not_sent[0].error)
