"""Who created what an import found absent, if somebody else may have been at work as well."""

import itertools
import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zenoo_rpc._core.call import Load
from zenoo_rpc._core.exchange import Answer
from zenoo_rpc._core.faults import Kind, odoo_fault, transport_fault
from zenoo_rpc._core.ledger import Ledger
from zenoo_rpc._core.run import Run
from zenoo_rpc._core.sizes import Limits
from zenoo_rpc._core.steps.created import CreatedByItself
from zenoo_rpc._core.steps.known import KnownExternalIds
from zenoo_rpc.batch.operations import CreateOperation
from zenoo_rpc.batch.status import Existence, Status

from .batches import tell_fields

FORBIDDEN = odoo_fault("odoo.exceptions.AccessError", "not you", (), "")
TIMES = st.datetimes().map(lambda time: time.strftime("2026-11-26 08:%M:%S.%f").rstrip("0"))


def finds(domain, record):
    """Whether a condition of the kind that is asked finds a record."""
    terms = iter(domain)

    def value(term):
        match term:
            case "|":
                left, right = value(next(terms)), value(next(terms))
                return left or right
            case "!":
                return not value(next(terms))
            case [name, "in", some]:
                return record[name] in some
            case [name, "=like", pattern]:
                expression = pattern.replace(".", r"\.").replace("_", ".").replace("%", ".*")
                return re.fullmatch(expression, record[name]) is not None
        raise AssertionError(term)

    return all(value(term) for term in terms)


@given(TIMES, TIMES, st.booleans())
def test_only_what_was_written_once_is_found(created, written, same):
    """The two times differ somewhere from the seconds to the thousandths, or are the same."""
    question = CreatedByItself(Load("m", {}, range(1), [b"[]"], ["id"], ["a"], [["a"]]), {0: 7})
    [domain] = map(json.loads, question.arguments)
    written = created if same else written
    found = finds(domain, {"id": 7, "create_date": created, "write_date": written})
    second = slice(17, 23)
    assert found or created != written
    if "." in created[second] and created[second].ljust(6, "0") != written[second].ljust(6, "0"):
        digits = itertools.zip_longest(created[second], written[second], fillvalue="")
        assert not found or any(not own for own, _ in digits)
    assert not finds(domain, {"id": 8, "create_date": created, "write_date": created})


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        (Answer([5, 7]), [True, False, True]),
        (Answer([7]), [None, False, True]),
        (Answer([]), [None, False, None]),
        (Answer(False), [None, False, None]),
        (Answer([True, None, "7"]), [None, False, None]),
        (FORBIDDEN, [None, False, None]),
        (None, [None, False, None]),
    ],
)
def test_only_what_is_sure_is_told(reply, expected):
    """What the question finds was created by us, of the rest nobody knows; all is applied."""
    run = Run([CreateOperation("m", [{"x": 1}] * 3, external_ids=["a", "b", "c"])], Limits(9, 999))
    tell_fields(run, Answer({"x": {"type": "integer"}}))
    lookup = run.take()
    assert isinstance(lookup, KnownExternalIds)
    there = {"module": "__import__", "name": "b", "model": "m", "res_id": 6}
    run.record(lookup, Answer([there]))
    run.record(run.take(), Answer({"ids": [5, 6, 7], "messages": []}))
    assert [None, False, None] == [each.created for each in run.result()]
    question = run.take()
    assert isinstance(question, CreatedByItself)
    assert {"active_test": False} == question.context
    assert ["id", "in", [5, 7]] == json.loads(question.arguments[0])[0]
    if reply is not None:
        run.record(question, reply)
    assert run.take() is None
    assert not run.advance()
    result = run.result()
    assert {Status.APPLIED} == {each.status for each in result}
    assert expected == [each.created for each in result]


def test_who_created_it_is_not_told_before_it_is_known():
    """The outcome of a stream's record waits for it, unless nobody asks any more."""
    operation = CreateOperation("m", [{"x": 1}], external_ids=["a"])
    ledger = Ledger(1)
    ledger.mark(range(1), Status.APPLIED)
    ledger.find(0, Existence.ASKED)
    assert ledger.outcome(operation, 0, ended=False) is None
    assert ledger.outcome(operation, 0, ended=True).created is None
    ledger.find(0, Existence.ABSENT)
    assert ledger.outcome(operation, 0, ended=False).created


LOST = transport_fault(Kind.CLOSED, "http://localhost:8069")
CONFLICT = odoo_fault("psycopg2.errors.SerializationFailure", "No.", (), "")


@pytest.mark.parametrize("skip_unchanged", [True, False])
def test_what_a_lost_try_created_was_not_there_before(skip_unchanged):
    """After a conflict of its second try: it is not asked anew what is there, and nobody knows."""
    create = CreateOperation("m", [{"x": 1}, {"x": 2}], external_ids=["a.a", "a.b"])
    run = Run([create], Limits(9, 10**6), skip_unchanged=skip_unchanged)
    tell_fields(run, Answer({"x": {"type": "integer", "store": True}}))
    there, loads = [], 0
    more = True
    while more:
        while (call := run.take()) is not None:
            if not isinstance(call, Load):
                run.record(call, Answer(there if call.method == "search_read" else []))
                continue
            loads += 1
            names = enumerate(["a", "b"], 10)
            there = [{"module": "a", "name": n, "model": "m", "res_id": i} for i, n in names]
            fine = Answer({"ids": [10, 11], "messages": []})
            run.record(call, CONFLICT.seen_after(LOST) if loads == 1 else fine)
        more = run.advance()
    assert [(True, None, None)] * 2 == [
        (each.status is Status.APPLIED, each.created, each.changed) for each in run.result()
    ]
