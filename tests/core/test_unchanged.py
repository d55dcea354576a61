"""What is there already, and is as it is to be, is not sent."""

import json

import pytest

from zenoo_rpc._core.exchange import Answer
from zenoo_rpc._core.faults import Kind, odoo_fault, transport_fault
from zenoo_rpc._core.run import Run
from zenoo_rpc._core.sizes import Limits
from zenoo_rpc._core.steps.unchanged import Comparison
from zenoo_rpc.batch.operations import CreateOperation
from zenoo_rpc.batch.status import Status

from .batches import tell_fields

FIELDS = {
    name: {"type": name.removeprefix("a_"), "relation": "country", "store": True}
    for name in (
        *("a_boolean", "a_char", "a_date", "a_datetime", "a_float", "a_integer", "a_many2many"),
        *("a_many2one", "a_monetary", "a_selection", "a_text", "a_html", "a_binary"),
    )
}
FORBIDDEN = odoo_fault("odoo.exceptions.AccessError", "not you", (), "Traceback ...")
GONE = transport_fault(Kind.REFUSED, "http://localhost:8069")


def there(*names, model="m"):
    """Return an answer that names these records, with ids from 7 on."""
    return Answer(
        [
            {"module": "__import__", "name": name, "model": model, "res_id": 7 + n}
            for n, name in enumerate(names)
        ]
    )


def begun(*records, **options):
    """Return a run over a create of records, each named by its place, and the question for ids."""
    names = [f"n{place}" for place in range(len(records))]
    run = Run([CreateOperation("m", records, external_ids=names)], Limits(9, 10**6), **options)
    tell_fields(run, Answer(FIELDS))
    return run, run.take()


def changed(run):
    """Return what is told of each record."""
    return [(each.status.label, each.created, each.changed) for each in run.result()]


SAME, OTHER, NEW = ("applied", False, False), ("applied", False, True), ("applied", True, None)


@pytest.mark.parametrize(
    ("given", "read", "same"),
    [
        ({"a_boolean": True}, True, True),
        ({"a_boolean": False}, False, True),
        ({"a_boolean": True}, False, False),
        ({"a_boolean": 1.0}, True, True),
        ({"a_boolean": "true"}, False, False),
        ({"a_boolean": "yes"}, True, False),
        ({"a_boolean": ""}, False, True),
        ({"a_char": "Ann"}, "Ann", True),
        ({"a_char": "Ann"}, "ann", False),
        ({"a_char": None}, False, True),
        ({"a_char": ""}, "Ann", False),
        ({"a_text": "a\nb"}, "a\nb", True),
        ({"a_date": "2024-07-01"}, "2024-07-01", True),
        ({"a_date": "2024-07-01 12:00:00"}, "2024-07-01", True),
        ({"a_date": "2024-07-02 00:00:00"}, "2024-07-01", False),
        ({"a_date": None}, "2024-07-01", False),
        ({"a_datetime": "2024-07-01 10:00:00"}, "2024-07-01 10:00:00", True),
        ({"a_float": 0.1}, 0.1, True),
        ({"a_float": 0.123456}, 0.12, False),
        ({"a_float": 3}, 3.0, True),
        ({"a_float": 0}, 0.0, True),
        ({"a_float": None}, 0.0, True),
        ({"a_monetary": 4.5}, 4.5, True),
        ({"a_integer": 3}, 3, True),
        ({"a_integer": 0}, 0, True),
        ({"a_integer": "x"}, 3, False),
        ({"a_selection": "contact"}, "contact", True),
        ({"a_selection": "Contact"}, "contact", False),
        ({"a_many2one": 43}, 43, True),
        ({"a_many2one": 43}, False, False),
        ({"a_many2one": None}, False, True),
        ({"a_many2many": [3, 4]}, [4, 3], True),
        ({"a_many2many": [3, 4]}, [4], False),
        ({"a_many2many": []}, [], True),
        ({"a_many2many": []}, [3], False),
    ],
)
def test_values(given, read, same):
    """A value is compared as `read` gives it; a doubt is a difference."""
    run, lookup = begun(given)
    run.record(lookup, there("n0"))
    comparison = run.take()
    [name] = given
    assert isinstance(comparison, Comparison)
    assert ("m", "read", True) == (comparison.model, comparison.method, comparison.idempotent)
    assert [[7], [name], None] == [json.loads(part) for part in comparison.arguments]
    assert comparison.call.context == comparison.context
    run.record(comparison, Answer([{"id": 7, name: read}]))
    if not same:
        load = run.take()
        assert "load" == load.method
        run.record(load, Answer({"ids": [7], "messages": []}))
    assert None is run.take()
    assert [SAME if same else OTHER] == changed(run)
    assert [7] == run.result().ids


def test_only_what_differs_is_sent():
    """New records and changed ones go out together; the rest has its ids."""
    run, lookup = begun(*({"a_char": name} for name in "abcd"))
    run.record(lookup, there("n0", "n2", "n3"))
    rows = [{"id": 9, "a_char": "d"}, {"id": 7, "a_char": "a"}, {"id": 8, "a_char": "other"}]
    run.record(run.take(), Answer(rows))
    load = run.take()
    assert [1, 2] == list(load.numbers)
    run.record(load, Answer({"ids": [10, 8], "messages": []}))
    run.record(run.take(), Answer([10]))
    assert [SAME, NEW, OTHER, SAME] == changed(run)
    assert [7, 10, 8, 9] == run.result().ids


def test_references_by_external_id():
    """What a row refers to is looked up in the same question."""
    run, lookup = begun({"a_many2one": "base.ch"}, {"a_many2one": "base.de"})
    assert b'"base"' in lookup.arguments[0]
    country = {"module": "base", "name": "ch", "model": "country", "res_id": 43}
    run.record(lookup, Answer([*there("n0", "n1").value, country]))
    run.record(run.take(), Answer([{"id": 7, "a_many2one": 43}, {"id": 8, "a_many2one": 57}]))
    assert [1] == list(run.take().numbers)


def test_a_reference_to_another_model():
    """The same number there is not the same record."""
    run, lookup = begun({"a_many2one": "base.ch"})
    company = {"module": "base", "name": "ch", "model": "company", "res_id": 43}
    run.record(lookup, Answer([*there("n0").value, company]))
    run.record(run.take(), Answer([{"id": 7, "a_many2one": 43}]))
    assert "load" == run.take().method


def test_a_record_with_two_external_ids():
    """Two rows of one record depend on each other; both are sent."""
    run, lookup = begun({"a_char": "a"}, {"a_char": "b"})
    rows = [{**each, "res_id": 7} for each in there("n0", "n1").value]
    run.record(lookup, Answer(rows))
    run.record(run.take(), Answer([{"id": 7, "a_char": "b"}]))
    assert [0, 1] == list(run.take().numbers)


def test_an_external_id_that_outlives_its_record():
    """Whether what comes is new nobody can tell."""
    run, lookup = begun({"a_char": "a"})
    run.record(lookup, there("n0"))
    run.record(run.take(), Answer([]))
    run.record(run.take(), Answer({"ids": [9], "messages": []}))
    assert [("applied", None, None)] == changed(run)


@pytest.mark.parametrize(
    ("about", "asked"),
    [({"store": True}, True), ({"related": ["a", "b"]}, True), ({"store": False}, False)],
)
def test_fields_that_do_not_give_back_what_is_written(about, asked):
    """A password reads as empty, whatever it is; the name of a user is that of the partner."""
    run = Run([CreateOperation("m", [{"x": "a"}], external_ids=["n0"])], Limits(9, 10**6))
    tell_fields(run, Answer({"x": {"type": "char", **about}}))
    run.record(run.take(), there("n0"))
    assert ("read" if asked else "load") == run.take().method


@pytest.mark.parametrize("name", ["a_html", "a_binary"])
def test_types_that_change_on_the_way(name):
    """Where equality is not certain nothing is compared; the record is sent."""
    run, lookup = begun({name: "x"})
    run.record(lookup, there("n0"))
    load = run.take()
    assert "load" == load.method
    run.record(load, Answer({"ids": [7], "messages": []}))
    assert [("applied", False, None)] == changed(run)


@pytest.mark.parametrize("reply", [FORBIDDEN, GONE, Answer(None), Answer([1]), Answer([])])
def test_who_may_not_read_sends_all(reply):
    """Nothing is taken for unchanged that was not seen."""
    run, lookup = begun({"a_char": "a"})
    run.record(lookup, there("n0"))
    run.record(run.take(), reply)
    load = run.take()
    run.record(load, Answer({"ids": [7], "messages": []}))
    [(status, created, _)] = changed(run)
    assert ("applied", None if reply.__class__ is Answer else False) == (status, created)


def test_a_field_that_is_not_read():
    """A column that the answer lacks is no proof either."""
    run, lookup = begun({"a_char": "a"})
    run.record(lookup, there("n0"))
    run.record(run.take(), Answer([{"id": 7}]))
    assert "load" == run.take().method


def test_all_may_be_sent():
    """With skip_unchanged=False nothing is read."""
    run, lookup = begun({"a_char": "a"}, skip_unchanged=False)
    run.record(lookup, there("n0"))
    assert "load" == run.take().method


def test_an_external_id_of_another_model():
    """It is refused; the others go on."""
    run, lookup = begun({"a_char": "a"}, {"a_char": "b"})
    run.record(lookup, there("n0", model="other"))
    assert [1] == list(run.take().numbers)
    [outcome, _] = run.result()
    assert Status.REFUSED is outcome.status
    assert "its external id is that of a record of other" == str(outcome.error)
    run, lookup = begun({"a_char": "a"}, {"a_char": "b"}, on_error="stop")
    run.record(lookup, there("n0", model="other"))
    assert None is run.take()


def test_external_ids_of_another_model_only():
    """Nothing is left to send."""
    run, lookup = begun({"a_char": "a"})
    run.record(lookup, there("n0", model="other"))
    assert None is run.take()
    assert not run.advance()
    assert [("refused", None, None)] == changed(run)
