"""Operations: validated, in wire values and the caller's no more, when they are built."""

import csv
import dataclasses
import datetime
import enum
import math
import pickle
from decimal import Decimal

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zenoo_rpc.batch.exceptions import BatchValidationError
from zenoo_rpc.batch.operations import (
    CreateOperation,
    Operation,
    UnlinkOperation,
    UpdateOperation,
    WriteManyOperation,
    update_operation,
)
from zenoo_rpc.batch.streams import CreateStream


@attrs.frozen
class Partner:
    name: str
    born: datetime.date | None = None


@dataclasses.dataclass
class Country:
    code: str


WEST = datetime.timezone(-datetime.timedelta(hours=1))


class Known(enum.IntEnum):
    ADMIN = 2


def refusal(build, *args, **kwargs):
    with pytest.raises(BatchValidationError) as caught:
        build(*args, **kwargs)
    return str(caught.value).removesuffix(" (nothing was sent)")


# -- what is accepted ------------------------------------------------------------------------------


def test_create():
    """Mappings, attrs and dataclass instances are records; their values are wire values."""
    operation = CreateOperation(
        "m", [{"name": "Ann"}, Partner("Bob", datetime.date(1990, 5, 1)), Country("CH")]
    )

    expected = ({"name": "Ann"}, {"name": "Bob", "born": "1990-05-01"}, {"code": "CH"})
    assert expected == operation.records
    assert 3 == len(operation)
    assert () == operation.ids
    assert "create m" == operation.label


def test_update():
    """The same values for many records."""
    operation = UpdateOperation("m", [7, 8], {"born": None}, context={"lang": "de_CH"})

    assert (7, 8) == operation.ids
    assert {"born": False} == operation.values
    assert {"lang": "de_CH"} == operation.context
    assert (2, "update m") == (len(operation), operation.label)


def test_write_many():
    """Different values for many records, as a list or as a mapping of ids."""
    expected = {7: {"name": "Ann"}, 8: {"name": "Bob", "born": False}}
    as_list = [{"id": 7, "values": {"name": "Ann"}}, {"id": 8, "values": Partner("Bob")}]
    as_mapping = {7: {"name": "Ann"}, 8: Partner("Bob")}

    for updates in (as_list, as_mapping):
        operation = WriteManyOperation("m", updates)
        assert expected == operation.updates
        assert (7, 8) == operation.ids
        assert (2, "update m") == (len(operation), operation.label)


def test_updates_in_one_mapping_each():
    """The values stand beside the id, or by themselves; a field may have that name."""
    mixed = [{"id": 7, "x": 1}, {"id": 8, "values": {"x": 2}}, {"id": 9, "values": "a text"}]
    expected = {7: {"x": 1}, 8: {"x": 2}, 9: {"values": "a text"}}

    assert expected == update_operation("m", mixed).updates


def test_unlink():
    """Ids of records to delete."""
    operation = UnlinkOperation("m", [7, 8])

    assert (7, 8) == operation.ids
    assert (2, "unlink m") == (len(operation), operation.label)


def test_single_id():
    """One id stands for a list of one."""
    assert (7,) == UnlinkOperation("m", 7).ids
    assert (7,) == UpdateOperation("m", 7, {"x": 1}).ids


def test_id_of_an_enum():
    """An id may come from an IntEnum; it is a plain number then."""
    [number] = UnlinkOperation("m", [Known.ADMIN]).ids

    assert (2, int) == (number, type(number))


def test_generators():
    """Any iterable will do, also one that can be read only once."""
    numbers = [7, 8]

    assert 2 == len(CreateOperation("m", ({"x": n} for n in numbers)))
    assert (7, 8) == UpdateOperation("m", (n for n in numbers), {"x": 1}).ids
    assert (7, 8) == WriteManyOperation("m", ({"id": n, "values": {"x": n}} for n in numbers)).ids
    assert (7, 8) == UnlinkOperation("m", iter(numbers)).ids
    assert (7, 8) == update_operation("m", ({"id": n, "x": n} for n in numbers)).ids
    assert (7, 8) == update_operation("m", {"x": 1}, record_ids=iter(numbers)).ids


def test_record_without_values():
    """A record may be created from nothing but the server's defaults."""
    assert ({},) == CreateOperation("m", [{}]).records


def test_base_has_no_length():
    """The base of the operations is none."""
    with pytest.raises(NotImplementedError):
        Operation("m", {}).only([])
    with pytest.raises(NotImplementedError):
        len(Operation("m", {}))


# -- the three forms of an update ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("args", "kwargs"),
    [
        (({"x": 1},), {"record_ids": [7, 8]}),
        ((None, {"x": 1}), {"record_ids": [7, 8]}),
        (({"x": 1}, [7, 8]), {}),
        (([7, 8], {"x": 1}), {}),
        (((7, 8), {"x": 1}), {}),
    ],
)
def test_same_values(args, kwargs):
    """Values and ids are told apart by their types."""
    expected = UpdateOperation("m", [7, 8], {"x": 1}, context={"a": 1})

    assert expected == update_operation("m", *args, **kwargs, context={"a": 1})


@pytest.mark.parametrize("values", [Country("CH"), Partner("Ann")], ids=["dataclass", "attrs"])
def test_same_values_of_a_record(values):
    """The values may be an attrs or a dataclass instance, on either side of the ids."""
    expected = UpdateOperation("m", [7, 8], values)

    assert expected == update_operation("m", values, record_ids=[7, 8])
    assert expected == update_operation("m", values, [7, 8])
    assert expected == update_operation("m", [7, 8], values)


@pytest.mark.parametrize("args", [({"x": 1}, 7), (7, {"x": 1})])
def test_same_values_for_one(args):
    """A single id may stand for a list of one."""
    assert UpdateOperation("m", [7], {"x": 1}) == update_operation("m", *args)


def test_different_values():
    """A list of mappings with ids is an update of each with its own values."""
    rows = [{"id": 7, "x": 1}, {"id": 8, "x": 2, "y": 3}]
    expected = WriteManyOperation("m", {7: {"x": 1}, 8: {"x": 2, "y": 3}}, context={"a": 1})

    assert expected == update_operation("m", rows, context={"a": 1})


@pytest.mark.parametrize(
    ("args", "kwargs"),
    [
        ((), {}),
        (({"x": 1},), {}),
        ((), {"record_ids": [7]}),
        (([7], [8]), {}),
        (([7],), {"record_ids": [8]}),
        (({"x": 1}, {"y": 2}), {}),
        (({"x": 1}, [7]), {"record_ids": [8]}),
        (({"x": 1},), {"record_ids": {7: 8}}),
    ],
)
def test_update_that_means_nothing(args, kwargs):
    """What is neither of the forms is refused with a word about both."""
    expected = "update m: give values and record ids, or a list of mappings that each have an id"

    assert expected == refusal(update_operation, "m", *args, **kwargs)


# -- what is refused: the message names the operation, the index and the fault ---------------------


@pytest.mark.parametrize(
    ("build", "expected"),
    [
        pytest.param(
            lambda: CreateOperation("m", {"name": "Ann"}),
            "create m: records must be an iterable of mappings, attrs or dataclass instances",
            id="one record",
        ),
        pytest.param(
            lambda: CreateOperation("m", "Ann"),
            "create m: records must be an iterable of mappings, attrs or dataclass instances",
            id="text for records",
        ),
        pytest.param(
            lambda: CreateOperation("m", None),
            "create m: records must be an iterable of mappings, attrs or dataclass instances",
            id="None for records",
        ),
        pytest.param(
            lambda: CreateOperation("m", [{}, ["name", "Ann"]]),
            "create m: record 1: it is a list, not a mapping, attrs or dataclass instance",
            id="list for a record",
        ),
        pytest.param(
            lambda: CreateOperation("m", [{}, {}, {"a": [{"b": math.nan}]}]),
            "create m: record 2: field 'a[0].b': NaN and infinities have no JSON form",
            id="NaN",
        ),
        pytest.param(
            lambda: CreateOperation("m", [{"a": {1}}]),
            "create m: record 0: field 'a': a value of type set has no wire form",
            id="set",
        ),
        pytest.param(
            lambda: CreateOperation("m", [{1: 1}]),
            "create m: record 0: a field's name must be a text that is not empty",
            id="number for a field",
        ),
        pytest.param(
            lambda: CreateOperation("m", list(csv.DictReader(["name,ref", "Ann,a,x"]))),
            "create m: record 0: a field's name must be a text that is not empty, not None: "
            "csv.DictReader puts under it what a row has beyond the header",
            id="too many cells in a file",
        ),
        pytest.param(
            lambda: CreateOperation("m", [{}], context=["lang"]),
            "create m: the context must be a mapping",
            id="list for a context",
        ),
        pytest.param(
            lambda: CreateOperation("m", [{}], context={"tz": object()}),
            "create m: context: field 'tz': a value of type object has no wire form",
            id="object in the context",
        ),
        pytest.param(
            lambda: UpdateOperation("m", [7], {}),
            "update m: there are no values to write",
            id="nothing to write",
        ),
        pytest.param(
            lambda: UpdateOperation("m", [7], [1]),
            "update m: it is a list, not a mapping, attrs or dataclass instance",
            id="list for values",
        ),
        pytest.param(
            lambda: UpdateOperation("m", "78", {"x": 1}),
            "update m: record ids must be an iterable of ids",
            id="text for ids",
        ),
        pytest.param(
            lambda: UnlinkOperation("m", [7, 8, 7]),
            "unlink m: record 2: the id 7 is there already, as record 0",
            id="repeated id",
        ),
        pytest.param(
            lambda: UnlinkOperation("m", None),
            "unlink m: record ids must be an iterable of ids",
            id="None for ids",
        ),
        pytest.param(
            lambda: WriteManyOperation("m", [{"id": 7, "values": {"x": 1}}, {"id": 8}]),
            'update m: record 1: it must be a mapping with just "id" and "values"',
            id="no values",
        ),
        pytest.param(
            lambda: WriteManyOperation("m", [{"id": 7, "values": {"x": 1}, "x": 1}]),
            'update m: record 0: it must be a mapping with just "id" and "values"',
            id="values on both levels",
        ),
        pytest.param(
            lambda: WriteManyOperation("m", [7]),
            'update m: record 0: it must be a mapping with just "id" and "values"',
            id="id for an update",
        ),
        pytest.param(
            lambda: WriteManyOperation("m", [{"id": 7, "values": {}}]),
            "update m: record 0: there are no values to write",
            id="nothing to write to one",
        ),
        pytest.param(
            lambda: WriteManyOperation("m", [{"id": 7, "values": {"x": 1}}] * 2),
            "update m: record 1: the id 7 is there already, as record 0",
            id="repeated update",
        ),
        pytest.param(
            lambda: WriteManyOperation("m", 7),
            'update m: updates must be an iterable of {"id": ..., "values": {...}}',
            id="number for updates",
        ),
        pytest.param(
            lambda: update_operation("m", [{"id": 7, "x": 1}, {"x": 2}]),
            "update m: record 1: it has no id",
            id="row without id",
        ),
        pytest.param(
            lambda: update_operation("m", [{"id": 7, "x": 1}, 8]),
            "update m: record 1: it is a int, not a mapping with an id",
            id="row that is none",
        ),
        pytest.param(
            lambda: update_operation("m", [{"id": 7}]),
            "update m: record 0: there are no values to write",
            id="row of an id only",
        ),
        pytest.param(
            lambda: update_operation("m", 7),
            "update m: give record ids beside the values",
            id="id only",
        ),
    ],
)
def test_refused(build, expected):
    """What cannot be sent is refused at once, by operation, index and fault."""
    assert expected == refusal(build)


@pytest.mark.parametrize(
    "number", [True, False, 0, -1, "1", 1.0, None, math.nan, 2**63, [1], object()]
)
def test_id(number):
    """An id is a whole number above 0; True, "1" and 1.0 are not taken for one, and 0 is told."""
    told = number if number in (0, -1) and number is not False else f"this {type(number).__name__}"
    reason = f"record 1: an id must be a whole number above 0, not {told}"

    assert f"unlink m: {reason}" == refusal(UnlinkOperation, "m", [7, number])
    assert f"update m: {reason}" == refusal(UpdateOperation, "m", [7, number], {"x": 1})
    rows = [{"id": 7, "x": 1}, {"id": number, "x": 1}]
    assert f"update m: {reason}" == refusal(update_operation, "m", rows)


@pytest.mark.parametrize("model", ["", " ", "res partner", "res.partner\n", None, 7])
def test_model(model):
    """A model has a name without blanks."""
    for build in (
        lambda: CreateOperation(model, [{}]),
        lambda: UpdateOperation(model, [7], {"x": 1}),
        lambda: WriteManyOperation(model, {7: {"x": 1}}),
        lambda: UnlinkOperation(model, [7]),
        lambda: update_operation(model, {"x": 1}, record_ids=[7]),
    ):
        assert "is no model's name" in refusal(build)


def test_arguments_in_the_wrong_order():
    """Records in the model's place are refused without their values in the text."""
    assert "hunter2" not in refusal(CreateOperation, [{"password": "hunter2"}], "res.users")


@pytest.mark.parametrize("value", [{"hunter2"}, [1, {"hunter2"}], ("hunter2", math.nan)])
def test_refusal_holds_no_values(value):
    """The error names the place of a bad value, not the value nor its neighbours."""
    text = refusal(CreateOperation, "m", [{"password": value, "other": "hunter2"}])

    assert "hunter2" not in text


@pytest.mark.parametrize(
    ("value", "quoted"),
    [
        ("hunter2\ud800", "hunter2"),
        (Decimal("sNaN4711"), "4711"),
        (datetime.datetime.max.replace(tzinfo=WEST), "59"),
    ],
    ids=["text", "number", "time"],
)
def test_chain_of_a_refusal_holds_no_values(value, quoted):
    """None of the exceptions that hang on the error quotes the value."""
    with pytest.raises(BatchValidationError) as caught:
        CreateOperation("m", [{"lines": [(0, 0, {"x": value})]}])

    error, chain = caught.value, []
    while error is not None:
        chain.append(repr(error))
        error = error.__cause__ or error.__context__
    assert not [text for text in chain if quoted in text]


def test_exception_of_a_generator():
    """What a caller's own generator raises is the caller's own."""

    def records():
        yield {"x": 1}
        raise OSError("the file ended early")

    with pytest.raises(OSError, match="the file ended early"):
        CreateOperation("m", records())


# -- the caller's data -----------------------------------------------------------------------------


def test_later_changes_do_not_show():
    """An operation has its own copy of everything: what the caller changes later stays out."""
    tags = [1, 2]
    record = {"name": "Ann", "tags": tags}
    context = {"lang": "de_CH", "ids": tags}
    ids = [7, 8]
    operations = [
        CreateOperation("m", [record], context=context),
        UpdateOperation("m", ids, record, context=context),
        WriteManyOperation("m", {7: record}, context=context),
        UnlinkOperation("m", ids, context=context),
    ]
    before = pickle.dumps(operations)

    tags.append(3)
    record["name"] = "Bob"
    context.clear()
    ids.clear()

    assert before == pickle.dumps(operations)


@given(st.lists(st.dictionaries(st.sampled_from("ab"), st.lists(st.none())), min_size=1))
def test_input_is_not_changed(records):
    """What the caller gave is as it was."""
    before = [{field: list(value) for field, value in record.items()} for record in records]

    CreateOperation("m", records)

    assert before == records


BAD = math.nan


@pytest.mark.parametrize(
    ("build", "indexes"),
    [
        (lambda: CreateOperation("m", [{"x": BAD}, {}, {"id": 7}, 7]), [0, 2, 3]),
        (lambda: CreateOperation("m", [{}] * 3, external_ids=["a", "", "a"]), [1, 2]),
        (lambda: CreateOperation("m", [{"x": BAD}, {}, {}], external_ids=["a", "b", ""]), [0, 2]),
        (
            lambda: CreateOperation("m", [{"x": BAD}, {}], external_ids=lambda each: each["r"]),
            [0, 1],
        ),
        (lambda: UnlinkOperation("m", [7, 0, 8, 7, "9"]), [1, 3, 4]),
        (lambda: UpdateOperation("m", [None, 7, False], {"x": 1}), [0, 2]),
        (lambda: WriteManyOperation("m", {0: {"x": 1}, 7: {}, 8: {"x": 1}}), [0, 1]),
        (lambda: update_operation("m", [7, {"id": 7, "x": 1}, {"x": 1}]), [0, 2]),
        (lambda: update_operation("m", [{"id": 7, "x": BAD}, {"x": 1}, {"id": 7}]), [0, 1, 2]),
    ],
)
def test_all_bad_records_are_told(build, indexes):
    """One error has one for each, and is like the first of them."""
    with pytest.raises(BatchValidationError) as caught:
        build()

    error = caught.value
    assert indexes == [each.index for each in error.errors]
    assert (error.index, error.reason) == (indexes[0], error.errors[0].reason)
    assert all(
        f"record {index}: {each.reason}" in str(error)
        for index, each in zip(indexes, error.errors, strict=True)
    )
    assert [(each.index, each.reason) for each in error.errors] == [
        (each.index, each.reason) for each in pickle.loads(pickle.dumps(error)).errors
    ]


def test_the_text_tells_of_the_first_bad_records():
    """And of how many there are."""
    with pytest.raises(BatchValidationError) as caught:
        CreateOperation("m", [{"x": BAD}] * 1200)

    lines = str(caught.value).splitlines()
    assert "create m: 1,200 records cannot be sent (nothing was sent)" == lines[0]
    assert "  record 4: field 'x': NaN and infinities have no JSON form" == lines[5]
    assert "  ... and 1,195 more in error.errors" == lines[6]
    assert 1200 == len(caught.value.errors)


def test_a_list_with_a_bad_record_says_that_nothing_was_sent():
    """The good ones stay behind too; what is told of each record by itself does not say it."""
    with pytest.raises(BatchValidationError) as caught:
        CreateOperation("m", [{"x": 1}, {"x": BAD}])

    told = "create m: record 1: field 'x': NaN and infinities have no JSON form"
    assert f"{told} (nothing was sent)" == str(caught.value)
    assert [told] == [str(each) for each in caught.value.errors]
    assert str(caught.value) == str(pickle.loads(pickle.dumps(caught.value)))


def test_the_error_of_a_streamed_record_does_not():
    """Others are on their way."""
    [(_, error)] = CreateStream("m", [iter([])]).source.feed([{"x": BAD}])

    assert "create m: record 0: field 'x': NaN and infinities have no JSON form" == str(error)


@pytest.mark.parametrize(
    "operation",
    [
        CreateOperation("m", []),
        CreateOperation("m", iter(()), external_ids=[]),
        CreateOperation("m", [], external_ids="ref"),
        UpdateOperation("m", [], {"x": 1}),
        WriteManyOperation("m", []),
        WriteManyOperation("m", {}),
        UnlinkOperation("m", []),
        update_operation("m", {"x": 1}, record_ids=[]),
        update_operation("m", []),
    ],
)
def test_nothing_to_do(operation):
    """It is an operation over no records."""
    assert 0 == len(operation)


@pytest.mark.parametrize(
    ("name", "cure"),
    [
        ("id", ""),
        (".id", ""),
        (
            "parent_id/id",
            ": in an import give 'parent_id' an external id with its module, `module.name`",
        ),
        ("parent_id/.id", ": give 'parent_id' the id"),
        ("child_ids/name", ""),
    ],
)
def test_names_that_are_no_fields(name, cure):
    """What the server would drop, or read as something else, is refused; with a cure, if any."""
    no_field = f"{name!r} is no field that can be written{cure}"
    expected = f"create m: record 1: {no_field}"
    for options in ({}, {"external_ids": ["a", "b"]}):
        assert expected == refusal(CreateOperation, "m", [{}, {name: 7}], **options)
    expected = f"update m: record 0: {no_field}"
    assert expected == refusal(WriteManyOperation, "m", {7: {name: 8}})
    assert expected.replace("record 0: ", "") == refusal(UpdateOperation, "m", [7], {name: 8})


def test_an_id_that_is_empty():
    """A class whose new records have an `id` of None is welcome."""
    assert ({"x": 1},) == CreateOperation("m", [{"id": None, "x": 1}]).records


def test_external_ids_in_a_column_of_their_own():
    """As in a file for Odoo's own import, `id` may hold them; it is no value then."""
    operation = CreateOperation("m", [{"id": "a", "x": 1}, {"id": "m.b"}], external_ids="id")
    assert (("__import__.a", "m.b"), ({"x": 1}, {})) == (operation.external_ids, operation.records)
    stream = CreateStream("m", [iter([{"id": "a", "x": 1}, {".id": 7}])], external_ids="id")
    stream.source.fields = {"x": {"type": "integer"}}
    [(index, error)] = stream.source.feed([{".id": 7}])
    assert (0, "'.id' is no field that can be written") == (index, error.reason)
    assert [] == stream.source.feed([{"id": "a", "x": 1}])
    assert ({"x": 1}, "__import__.a") == stream.source.kept[1]


def test_external_ids_that_are_missing_in_a_column_of_their_own():
    """An empty `id` is there, and no external id."""
    for empty in ("", None):
        told = refusal(CreateOperation, "m", [{"id": empty}], external_ids="id")
        assert told.startswith("create m: record 0: an external id must be a text like")
    expected = "create m: record 0: its external id is missing: the record has no field 'id'"
    assert expected == refusal(CreateOperation, "m", [{"x": 1}], external_ids="id")


def test_row_keeps_its_id():
    """The rows of an update keep the id that the operation takes out for itself."""
    rows = [{"id": 7, "x": 1}]

    update_operation("m", rows)

    assert [{"id": 7, "x": 1}] == rows


def test_operations_are_frozen():
    """An operation cannot be changed after it was checked."""
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        UnlinkOperation("m", [7]).record_ids = (8,)


# -- repr and pickle -------------------------------------------------------------------------------

OPERATIONS = [
    CreateOperation("m", [{"password": "hunter2"}], context={"key": "hunter2"}),
    UpdateOperation("m", [7], {"password": "hunter2"}, context={"key": "hunter2"}),
    WriteManyOperation("m", {7: {"password": "hunter2"}}, context={"key": "hunter2"}),
    UnlinkOperation("m", [7], context={"key": "hunter2"}),
]


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda each: type(each).__name__)
def test_text_holds_no_values(operation):
    """An operation can be logged: its text says what and how many."""
    expected = f"<{type(operation).__name__}: {operation.label}, 1 records>"

    assert expected == repr(operation) == str(operation) == f"{operation}"


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda each: type(each).__name__)
def test_pickle(operation):
    """An operation survives pickling."""
    copy = pickle.loads(pickle.dumps(operation))

    assert operation == copy
    assert operation is not copy
