"""Rows of an import that refer to each other: what is referred to goes before."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zenoo_rpc._core.exchange import Answer
from zenoo_rpc._core.faults import odoo_fault
from zenoo_rpc._core.imports import prepare
from zenoo_rpc._core.run import Run
from zenoo_rpc._core.sizes import Limits
from zenoo_rpc.batch.exceptions import BatchValidationError
from zenoo_rpc.batch.operations import CreateOperation, UnlinkOperation, UpdateOperation
from zenoo_rpc.batch.status import Status

from .batches import tell_fields

FIELDS = {
    "name": {"type": "char"},
    "parent_id": {"type": "many2one", "relation": "m"},
    "user_id": {"type": "many2one", "relation": "n"},
}
ROOMY = 10**6


def operation(parents, **other):
    """Return a create whose records have these parents, by their places."""
    records = [
        {"name": f"r{place}", **other, **({} if up is None else {"parent_id": f"__import__.r{up}"})}
        for place, up in enumerate(parents)
    ]
    return CreateOperation("m", records, external_ids="name")


def levels(parents, **other):
    """Return the places of the records, by level and parent."""
    return prepare(operation(parents, **other), FIELDS).levels


@st.composite
def forests(draw):
    """Draw the parent of each record: any order, no circle."""
    order = draw(st.permutations(range(draw(st.integers(1, 24)))))
    parents = [None] * len(order)
    for number, place in enumerate(order):
        if number and draw(st.booleans()):
            parents[place] = order[draw(st.integers(0, number - 1))]
    return parents


@given(forests())
def test_parents_go_before_their_children(parents):
    """Each record is there once, in a later level than its parent, beside all its siblings."""
    found = levels(parents)
    level = {place: n for n, each in enumerate(found) for family in each for place in family}
    assert sorted(level) == list(range(len(parents)))
    assert all(
        level[place] == (0 if up is None else level[up] + 1) for place, up in enumerate(parents)
    )
    for family in (family for each in found for family in each):
        ups = {parents[place] for place in family}
        assert 1 == len(ups)
        assert ups != {None} or 1 == len(family)
        assert family == sorted(family)


@given(forests(), st.integers(1, 7))
def test_calls_of_a_level_wait_for_the_one_before(parents, size):
    """No call goes out before all that its rows refer to was answered."""
    run = Run([operation(parents), UnlinkOperation("n", [1])], Limits(size, ROOMY))
    tell_fields(run, Answer(FIELDS))
    there, ids, more = set(), 100, True
    while more:
        taken = []
        while call := run.take():
            if call.method in ("search_read", "search"):
                run.record(call, Answer([]))
            else:
                taken.append(call)
        for call in taken:
            if call.method == "unlink":
                run.record(call, Answer(True))
                continue
            assert size >= len(call)
            assert {parents[number] for number in call.numbers} - {None} <= there
        for call in taken:
            if call.method == "load":
                there.update(call.numbers)
                run.record(call, Answer({"ids": [*range(ids, ids + len(call))], "messages": []}))
                ids += len(call)
        more = run.advance()
    assert {Status.APPLIED} == {outcome.status for outcome in run.result()}


def test_rows_of_one_parent_share_a_call():
    """A call is rather left with room than a family spread; one that is too large has to be."""
    parents = [None, None, None, *[0] * 3, *[1] * 3, *[2] * 5]
    made = prepare(operation(parents), FIELDS)
    calls = [list(each.numbers) for each in made.calls("m", 0, Limits(4, ROOMY), 1, last=True)]
    assert [[3, 4, 5], [6, 7, 8], [9, 10, 11, 12], [13]] == calls
    calls = [list(each.numbers) for each in made.calls("m", 0, Limits(6, ROOMY), 1, last=True)]
    assert [[3, 4, 5, 6, 7, 8], [9, 10, 11, 12, 13]] == calls
    assert [] == list(made.calls("m", 0, Limits(6, ROOMY), 2, last=True))


def test_parents_that_are_there_already():
    """However they are named, their children are together; other relations do not count."""
    records = [{"name": f"r{n}", "parent_id": 7 + n % 2, "user_id": n} for n in range(1, 5)]
    found = prepare(CreateOperation("m", records, external_ids="name"), FIELDS).levels
    assert [[[0, 2], [1, 3]]] == found


def test_a_relation_to_another_model():
    """An external id of the operation counts, whatever field names it; it has no siblings."""
    records = [{"name": "a", "user_id": "__import__.b"}, {"name": "b"}, {"name": "c"}]
    found = prepare(CreateOperation("m", records, external_ids="name"), FIELDS).levels
    assert [[[1], [2]], [[0]]] == found


@pytest.mark.parametrize(
    ("parents", "circle"),
    [([0], [0]), ([1, 0], [0, 1]), ([None, 2, 3, 1, 3, 4, 0], [1, 2, 3])],
)
def test_a_circle_is_told(parents, circle):
    """By the indexes of those that are in it; what only follows it is not to blame."""
    with pytest.raises(BatchValidationError, match="a circle") as caught:
        levels(parents)
    assert circle == [error.index for error in caught.value.errors]


def test_the_fields_are_told():
    """The question about the fields asks to what they refer."""
    run = Run([operation([None])], Limits(3, ROOMY))
    run.advance()
    question = run.take()
    assert ["type", "relation", "store", "related"] == json.loads(question.arguments[1])


def test_children_of_what_met_a_conflict_are_not_sent():
    """They would be refused for the want of their parent, which may be sent again."""
    conflict = odoo_fault("psycopg2.errors.SerializationFailure", "No.", (), "")
    run = Run([operation([None, 0])], Limits(9, ROOMY))
    tell_fields(run, Answer(FIELDS))
    run.record(run.take(), Answer([]))
    run.record(run.take(), conflict)
    assert run.advance()
    run.record(run.take(), Answer([]))  # it is asked again what is there: somebody else was at work
    assert run.advance()
    run.record(run.take(), conflict)
    assert not run.advance()
    assert [Status.NOT_SENT] * 2 == [outcome.status for outcome in run.result()]
    told = [str(outcome.error) for outcome in run.result()]
    assert ["No.", "something before it was not applied"] == told


def test_two_references():
    """A record goes after all that it refers to."""
    records = [
        {"name": "a", "parent_id": "__import__.b", "user_id": "__import__.c"},
        {"name": "b", "user_id": "__import__.c"},
        {"name": "c"},
    ]
    found = prepare(CreateOperation("m", records, external_ids="name"), FIELDS).levels
    assert [[[2]], [[1]], [[0]]] == found


def test_levels_beside_other_operations():
    """What does not wait for each other goes in the first round; a second one has the children."""
    operations = [operation([None, 0]), UnlinkOperation("n", [1])]
    run = Run(operations, Limits(9, ROOMY), ordered=False)
    tell_fields(run, Answer(FIELDS))
    lookup, unlink = run.take(), run.take()
    assert ("search_read", "unlink", None) == (lookup.method, unlink.method, run.take())
    run.record(unlink, Answer(True))
    run.record(lookup, Answer([]))
    run.record(run.take(), Answer({"ids": [7], "messages": []}))
    run.record(run.take(), Answer([7]))
    assert run.advance()
    run.record(run.take(), Answer([]))
    assert ([1], None) == (list(run.take().numbers), run.take())


def test_a_conflict_of_another_operation_leaves_nothing_out():
    """Only the children of what met it are not sent."""
    conflict = odoo_fault("psycopg2.errors.SerializationFailure", "No.", (), "")
    run = Run(
        [UpdateOperation("n", [7], {"x": 1}), operation([None, 0])], Limits(9, ROOMY), ordered=False
    )
    tell_fields(run, Answer(FIELDS))
    more = True
    while more:
        while (call := run.take()) is not None:
            if call.method == "load":
                run.record(call, Answer({"ids": [100 + n for n in call.numbers], "messages": []}))
            else:
                run.record(call, conflict if call.method == "write" else Answer([]))
        more = run.advance()
    assert [Status.NOT_SENT, Status.APPLIED, Status.APPLIED] == [o.status for o in run.result()]
