"""Python values -> Odoo's wire values, and back."""

import base64
import collections
import dataclasses
import datetime
import decimal
import enum
import fractions
import json
import math
import numbers
import types
import uuid
from datetime import date, timedelta, timezone
from decimal import Decimal
from typing import NamedTuple, Optional

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zenoo_rpc.errors import InvalidValueError, OutcomeUnknownError
from zenoo_rpc.wire.encoding import encode
from zenoo_rpc.wire.values import check_new_ids, from_wire, is_ids, record_to_wire, to_wire

UTC = datetime.UTC
EARLY, LATE = map(datetime.datetime.fromisoformat, ["0002-01-01", "9998-01-01"])


class Color(enum.Enum):
    RED = "red"


class Kind(enum.StrEnum):
    CONTACT = "contact"


class OldKind(str, enum.Enum):  # noqa: UP042  what programs had before StrEnum
    OTHER = "other"


class Level(enum.IntEnum):
    HIGH = 3


class Day(enum.Enum):
    FIRST = date(2024, 1, 1)


@attrs.frozen
class Country:
    code: str
    founded: date | None = None


@dataclasses.dataclass
class Partner:
    name: str
    country: Country | None = None


class Point(NamedTuple):
    x: int
    y: int


class Name(str):
    __slots__ = ()


class Bytes(bytes):
    __slots__ = ()


# -- to the wire -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        pytest.param(None, False, id="none"),
        pytest.param(True, True, id="true"),
        pytest.param(False, False, id="false"),
        pytest.param(7, 7, id="int"),
        pytest.param(-(2**63), -(2**63), id="least int"),
        pytest.param(2**63 - 1, 2**63 - 1, id="greatest int"),
        pytest.param(1.5, 1.5, id="float"),
        pytest.param(Decimal("19.90"), 19.9, id="decimal"),
        pytest.param(fractions.Fraction(1, 4), 0.25, id="fraction"),
        pytest.param("Zürich", "Zürich", id="text"),
        pytest.param("", "", id="empty text"),
        pytest.param(Name("Ann"), "Ann", id="text subclass"),
        pytest.param(b"\x00\xff", "AP8=", id="bytes"),
        pytest.param(Bytes(b"\x00\xff"), "AP8=", id="bytes subclass"),
        pytest.param(bytearray(b"\x00\xff"), "AP8=", id="bytearray"),
        pytest.param(memoryview(b"\x00\xff"), "AP8=", id="memoryview"),
        pytest.param(memoryview(b"\x00_\xff_")[::2], "AP8=", id="memoryview with gaps"),
        pytest.param(date(2024, 2, 29), "2024-02-29", id="date"),
        pytest.param(date(987, 1, 2), "0987-01-02", id="early date"),
        pytest.param(
            datetime.datetime.fromisoformat("2024-02-29T12:30:15"),
            "2024-02-29 12:30:15",
            id="naive time is UTC",
        ),
        pytest.param(
            datetime.datetime(2024, 2, 29, 12, 30, 15, 999_999, tzinfo=UTC),
            "2024-02-29 12:30:15",
            id="time in whole seconds",
        ),
        pytest.param(
            datetime.datetime(2024, 3, 1, 0, 30, tzinfo=timezone(timedelta(hours=1))),
            "2024-02-29 23:30:00",
            id="aware time",
        ),
        pytest.param(EARLY, "0002-01-01 00:00:00", id="early time"),
        pytest.param(uuid.UUID(int=1), "00000000-0000-0000-0000-000000000001", id="uuid"),
        pytest.param(Color.RED, "red", id="enum"),
        pytest.param(Kind.CONTACT, "contact", id="StrEnum"),
        pytest.param(OldKind.OTHER, "other", id="str and Enum"),
        pytest.param(Level.HIGH, 3, id="IntEnum"),
        pytest.param(Day.FIRST, "2024-01-01", id="enum of a date"),
        pytest.param([1, [None, "a"]], [1, [False, "a"]], id="list"),
        pytest.param((6, 0, (7, 8)), [6, 0, [7, 8]], id="command"),
        pytest.param(Point(1, 2), [1, 2], id="named tuple"),
        pytest.param({"a": {"b": None}}, {"a": {"b": False}}, id="mapping"),
        pytest.param(types.MappingProxyType({"a": 1}), {"a": 1}, id="mapping proxy"),
        pytest.param(collections.OrderedDict(a=1), {"a": 1}, id="ordered dict"),
        pytest.param(
            Country("CH", date(1291, 8, 1)), {"code": "CH", "founded": "1291-08-01"}, id="attrs"
        ),
        pytest.param(
            Partner("Ann", Country("CH")),
            {"name": "Ann", "country": {"code": "CH", "founded": False}},
            id="dataclass",
        ),
        pytest.param(
            [(0, 0, Partner("Bob"))],
            [[0, 0, {"name": "Bob", "country": False}]],
            id="record in a command",
        ),
    ],
)
def test_to_wire(value, expected):
    """Each type has one wire form, of JSON's own types."""
    wire = to_wire(value)

    assert expected == wire
    assert isinstance(wire, type(expected))


@pytest.mark.parametrize("value", [Name("Zoë"), Name("Ann"), Kind.CONTACT, Level.HIGH])
def test_subclass_becomes_plain(value):
    """A subclass of a text or a number does not reach the wire."""
    assert type(to_wire({"x": value})["x"]) in (str, int)


class NaT(datetime.datetime):
    """Like pandas.NaT: a datetime that is not equal to itself."""

    __hash__ = None

    def __eq__(self, other):
        return False

    def __ne__(self, other):
        return True


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        pytest.param(math.nan, "NaN and infinities have no JSON form", id="nan"),
        pytest.param(-math.inf, "NaN and infinities have no JSON form", id="infinity"),
        pytest.param(Decimal("NaN"), "NaN and infinities", id="decimal nan"),
        pytest.param(Decimal("sNaN"), "NaN and infinities", id="signalling nan"),
        pytest.param(Decimal("1e999"), "NaN and infinities", id="decimal beyond float"),
        pytest.param(fractions.Fraction(10**400), "NaN and infinities", id="fraction beyond float"),
        pytest.param(NaT(1, 1, 1), "NaT has no JSON form", id="NaT"),
        pytest.param(2**63, "an integer beyond 64 bits", id="int too great"),
        pytest.param(-(2**63) - 1, "an integer beyond 64 bits", id="int too small"),
        pytest.param("\ud800", "a lone surrogate", id="surrogate"),
        pytest.param(
            datetime.datetime.max.replace(tzinfo=timezone(timedelta(hours=-1))),
            "beyond the years 1 to 9999",
            id="time beyond the years",
        ),
        pytest.param({1}, "a value of type set has no wire form", id="set"),
        pytest.param(range(3), "a value of type range has no wire form", id="range"),
        pytest.param((n for n in "a"), "a value of type generator has", id="generator"),
        pytest.param(object(), "a value of type object has no wire form", id="object"),
        pytest.param(Partner, "a value of type type has no wire form", id="class"),
        pytest.param(1j, "a value of type complex has no wire form", id="complex"),
        pytest.param(datetime.time(12), "a value of type time has no wire form", id="time of day"),
        pytest.param(timedelta(1), "a value of type timedelta has", id="timedelta"),
    ],
)
def test_refused(value, reason):
    """What JSON or Odoo cannot carry is refused, with the field that it stands in."""
    with pytest.raises(InvalidValueError, match=reason) as caught:
        record_to_wire({"name": "Ann", "x": value})

    assert "x" == caught.value.path


@pytest.mark.parametrize(
    ("value", "path"),
    [
        ({"price": math.nan}, "price"),
        ({"line_ids": [(0, 0, {"price": math.nan})]}, "line_ids[0][2].price"),
        ({"matrix": [[1], [2, {3}]]}, "matrix[1][1]"),
        ({"a": {"b": [{"c": object()}]}}, "a.b[0].c"),
        ([1, {2}], "[1]"),
        (Partner("Ann", Country(math.inf)), "country.code"),
    ],
)
def test_path(value, path):
    """The error leads to the bad value, through fields, lists and records."""
    with pytest.raises(InvalidValueError) as caught:
        to_wire(value)

    assert path == caught.value.path
    assert f"field '{path}': {caught.value.reason}" == str(caught.value)


@pytest.mark.parametrize("field", ["", 1, None, b"name", ("a",)])
def test_field_name(field):
    """A field's name must be a text that is not empty."""
    with pytest.raises(InvalidValueError, match="a field's name must be a text"):
        record_to_wire({field: 1})


def test_surrogate_in_a_field_name():
    """A field's name that has no UTF-8 form is refused, as a value is."""
    with pytest.raises(InvalidValueError, match="surrogate"):
        record_to_wire({"\ud800": 1})


def test_field_name_of_an_enum():
    """A field's name may come from a StrEnum; the wire has a plain text."""
    wire = record_to_wire({Kind.CONTACT: 1})

    assert {"contact": 1} == wire
    assert [str] == [type(field) for field in wire]


@pytest.mark.parametrize("record", [[1], "name", 7, None, Partner, object()])
def test_no_record(record):
    """A record is a mapping, an attrs or a dataclass instance; nothing else is."""
    kind = type(record).__name__
    with pytest.raises(InvalidValueError, match=f"it is a {kind}, not a mapping"):
        record_to_wire(record)


@pytest.mark.parametrize("make", [list, dict])
def test_value_that_contains_itself(make):
    """A value that contains itself is refused instead of running for ever."""
    value = make()
    if isinstance(value, list):
        value.append(value)
    else:
        value["me"] = value

    with pytest.raises(InvalidValueError, match="nested too deeply, or contains itself"):
        to_wire(value)


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=5)
FIELDS = TEXTS.filter(bool)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.decimals(-(10**12), 10**12, places=2)
    | TEXTS
    | st.binary(max_size=5)
    | st.dates()
    | st.datetimes()
    | st.datetimes(
        EARLY,
        LATE,
        timezones=st.sampled_from([UTC, timezone(timedelta(hours=5, minutes=45))]),
    )
    | st.uuids()
    | st.sampled_from([Color.RED, Kind.CONTACT, OldKind.OTHER, Level.HIGH, Day.FIRST])
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(FIELDS, inner, max_size=3)
        | st.builds(Partner, inner, inner)
        | st.builds(Country, inner, inner)
    ),
    max_leaves=8,
)


def picture(value):
    """Return *value* with the types of all that is in it."""
    if isinstance(value, dict):
        return dict, {field: picture(each) for field, each in value.items()}
    if isinstance(value, list | tuple):
        return type(value), [picture(each) for each in value]
    if isinstance(value, Partner):
        return Partner, picture(vars(value))
    return type(value), value


def containers(value):
    """Return every list and dict in *value*."""
    if isinstance(value, dict):
        return [value, *(each for inner in value.values() for each in containers(inner))]
    if isinstance(value, list | tuple):
        own = [value] if isinstance(value, list) else []
        return [*own, *(each for inner in value for each in containers(inner))]
    if isinstance(value, Partner):
        return containers(vars(value))
    if isinstance(value, Country):
        return containers([value.code, value.founded])[1:]
    return []


@given(VALUES)
def test_wire_value_is_json(value):
    """Whatever is valid becomes plain JSON: it can be encoded, and reads back as itself."""
    wire = to_wire(value)

    assert wire == json.loads(encode(wire))


@given(VALUES)
def test_wire_value_stays_itself(value):
    """A wire value is its own wire value."""
    wire = to_wire(value)

    assert picture(wire) == picture(to_wire(wire))


@given(VALUES)
def test_input_is_neither_changed_nor_kept(value):
    """What the caller gave stays as it was, and the result shares nothing that could change."""
    before = picture(value)

    wire = to_wire(value)

    assert before == picture(value)
    assert set() == {id(each) for each in containers(value)} & {
        id(each) for each in containers(wire)
    }


@given(st.dictionaries(FIELDS, VALUES, max_size=4))
def test_record_is_a_mapping_of_wire_values(record):
    """The fast way for a record says the same as the converter for each of its values."""
    expected = {field: to_wire(value) for field, value in record.items()}

    assert picture(expected) == picture(record_to_wire(record))


# -- from the wire ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "target", "expected"),
    [
        ("Ann", str, "Ann"),
        (False, str, ""),
        (None, str, ""),
        (43, str, "43"),
        ([43, "Switzerland"], str, "Switzerland"),
        ([43, "Switzerland"], int, 43),
        ([43, "Switzerland"], int | None, 43),
        ([43, "Switzerland"], tuple[int, str], (43, "Switzerland")),
        (False, int, 0),
        (7, int, 7),
        (0, int | None, 0),
        (False, int | None, None),
        (None, Optional[int], None),  # noqa: UP045  the old spelling works too
        (False, float, 0.0),
        (1.5, float, 1.5),
        (0.0, float | None, 0.0),
        (False, bool, False),
        (True, bool, True),
        (False, bool | None, False),
        (False, str | None, None),
        ("", str | None, ""),
        ("Ann", str | None, "Ann"),
        ([1, 2], list[int], [1, 2]),
        (False, list[int] | None, None),
        ([[1, 2], [3, 4]], list[list[int]], [[1, 2], [3, 4]]),
        (19.9, Decimal, Decimal("19.9")),
        (False, Decimal, Decimal(0)),
        (7, Decimal, Decimal(7)),
        ("AP8=", bytes, b"\x00\xff"),
        (False, bytes, b""),
        ("2024-02-29", date, date(2024, 2, 29)),
        ("2024-02-29 12:30:15", date, date(2024, 2, 29)),
        (False, date | None, None),
        (
            "2024-02-29 12:30:15",
            datetime.datetime,
            datetime.datetime(2024, 2, 29, 12, 30, 15, tzinfo=UTC),
        ),
        (False, datetime.datetime | None, None),
        ("00000000-0000-0000-0000-000000000001", uuid.UUID, uuid.UUID(int=1)),
        ("red", Color, Color.RED),
        (3, Level, Level.HIGH),
        ("contact", Kind, Kind.CONTACT),
        ("other", OldKind, OldKind.OTHER),
        ("contact", Kind | None, Kind.CONTACT),
        (False, Color | None, None),
        ({"name": False, "age": False}, dict[str, str], {"name": "", "age": ""}),
    ],
)
def test_from_wire(value, target, expected):
    """What Odoo sends is read as what the caller asks for; `false` is an empty field."""
    read = from_wire(value, target)

    assert expected == read
    assert type(expected) is type(read)


def test_records_from_wire():
    """Rows become attrs and dataclass instances; fields that were not asked for are left out."""
    rows = [
        {"id": 7, "name": "Ann", "country": {"code": "CH", "founded": "1291-08-01"}},
        {"id": 8, "name": False, "country": False},
    ]

    assert [Partner("Ann", Country("CH", date(1291, 8, 1))), Partner("")] == from_wire(
        rows, list[Partner]
    )


class Nanoseconds(datetime.datetime):
    """Like pandas.Timestamp: it tells more than microseconds."""

    def isoformat(self, sep="T"):
        """Return a text with nanoseconds, also without microseconds."""
        return f"{super().isoformat(sep)}.000000789"


def test_whole_seconds():
    """Whatever class of time it is, whole seconds are sent."""
    time = Nanoseconds(2024, 3, 31, 0, 30, 0, 123456, tzinfo=UTC)
    assert "2024-03-31 00:30:00" == to_wire(time) == to_wire(time.replace(tzinfo=None))


class Scalar:
    """Like a scalar of numpy, as far as it is looked at."""

    __module__ = "numpy"

    def __init__(self, plain, kind="b"):
        self.dtype = types.SimpleNamespace(kind=kind)
        self._plain = plain

    def astype(self, name):
        """Return the same time in microseconds, of which Python can make a time."""
        assert {"M": "datetime64[us]", "m": "timedelta64[us]"}[self.dtype.kind] == name
        return Scalar(self._plain, self.dtype.kind)

    def item(self):
        """Return the value as Python has it."""
        return self if self._plain is Ellipsis else self._plain


class Count(Scalar):
    """Like numpy.timedelta64, which counts as an integer."""

    __module__ = "numpy"


class Long(Scalar):
    """Like numpy.longdouble: no plain value of Python's is the same."""

    __module__ = "numpy"

    def __float__(self):
        """Return the nearest float."""
        return 1.5


numbers.Integral.register(Count)
numbers.Real.register(Long)


def test_scalars_of_numpy_that_count_as_numbers():
    """A duration is no number; a number that Python has not is sent as the nearest."""
    with pytest.raises(InvalidValueError, match="a value of type timedelta has no wire form"):
        to_wire(Count(datetime.timedelta(1), "m"))
    assert 1.5 == to_wire(Long(Ellipsis, "f"))


def test_scalars_of_numpy():
    """They are values like Python's own."""
    time = datetime.datetime(2024, 3, 31, 0, 30)  # noqa: DTZ001
    assert [True, 7] == to_wire([Scalar(True), Scalar(7, "i")])
    assert "2024-03-31 00:30:00" == to_wire(Scalar(time, "M"))
    assert "2024-03-31" == to_wire(Scalar(time.date(), "M"))
    with pytest.raises(InvalidValueError, match="NaT has no JSON form"):
        to_wire(Scalar(None, "M"))
    with pytest.raises(InvalidValueError, match="a value of type Scalar has no wire form"):
        to_wire(Scalar(Ellipsis, "V"))
    with pytest.raises(InvalidValueError, match="a value of type timedelta has no wire form"):
        to_wire(Scalar(datetime.timedelta(1), "m"))


SECRET = "hunter2"


def _refuse(_, __, value):
    error = ValueError(value)
    error.add_note(value)
    raise error


@attrs.frozen
class Careless:
    """A class that looks for what is not there."""

    name: str

    def __attrs_post_init__(self):
        {}[self.name]


@attrs.frozen
class Picky:
    """A class that does not take what it is given, and says so."""

    name: str = attrs.field(validator=_refuse)


@pytest.mark.parametrize(
    ("value", "target", "said"),
    [
        (SECRET, int, "it is no int"),
        (SECRET, datetime.datetime, "it is no datetime"),
        (SECRET, date | None, None),
        (SECRET, Partner, "field 'name': it is no str"),
        ([SECRET, 1, SECRET], list[int], "field '[0]': it is no int (and 1 more)"),
        ([{"name": "Ann", "country": SECRET}], list[Partner], None),
        ([{"country": False}], list[Partner], "field '[0].name': it is missing"),
        ([1, SECRET], list[float], "field '[1]': it is no float"),
        ({"rate": SECRET}, dict[str, float], "field '[...]': it is no float"),
        (
            {SECRET: {"a": [SECRET]}},
            dict[str, dict[str, list[int]]],
            "field '[...][...][0]': it is no int",
        ),
        ([[SECRET]], list[int], "field '[0]': it is no int"),
        (SECRET, uuid.UUID, "it is no UUID"),
        (SECRET, Color, "it is no Color"),
        (7, list[int], "it is no list"),
        ({"name": SECRET}, Picky, "it is no Picky"),
        ({"name": SECRET}, Careless, "it is no Careless"),
    ],
)
def test_what_is_not_what_was_asked_for(value, target, said):
    """The error tells where, and what it should be; never the value, nor by what it came about."""
    with pytest.raises(InvalidValueError) as caught:
        from_wire(value, target)

    told = str(caught.value)
    assert SECRET not in repr(caught.value) + told
    assert None is caught.value.__cause__
    assert None is caught.value.__context__
    assert said in (None, told)


def test_time_is_aware():
    """A time is in UTC and knows it."""
    assert UTC == from_wire("2024-02-29 12:30:15", datetime.datetime).tzinfo


ROUND_TRIPS = [
    (str, TEXTS),
    (int, st.integers(-(2**63), 2**63 - 1)),
    (float, st.floats(allow_nan=False, allow_infinity=False)),
    (bool, st.booleans()),
    (bytes, st.binary(max_size=20)),
    (date, st.dates()),
    (uuid.UUID, st.uuids()),
    (Decimal, st.decimals(-(10**9), 10**9, places=2)),
    (Color, st.sampled_from(Color)),
    (Kind, st.sampled_from(Kind)),
    (Level, st.sampled_from(Level)),
    (list[int], st.lists(st.integers(1, 99), max_size=4)),
    (int | None, st.none() | st.integers(1, 99)),
    (date | None, st.none() | st.dates()),
    (Country, st.builds(Country, TEXTS, st.none() | st.dates())),
    (Partner, st.builds(Partner, TEXTS, st.none() | st.builds(Country, TEXTS, st.none()))),
]


@pytest.mark.parametrize(("target", "values"), ROUND_TRIPS, ids=lambda each: str(each)[:30])
@settings(max_examples=30)
@given(data=st.data())
def test_round_trip(target, values, data):
    """What goes over the wire comes back as it was."""
    value = data.draw(values)
    sent = json.loads(encode(to_wire(value)))

    assert value == from_wire(sent, target)


@given(
    st.datetimes(
        EARLY,
        LATE,
        timezones=st.sampled_from([UTC, timezone(timedelta(hours=-9, minutes=-30))]),
    )
)
def test_time_round_trip(time):
    """A time comes back as the same instant, to the second."""
    assert time.replace(microsecond=0) == from_wire(to_wire(time), datetime.datetime)


@given(st.binary(max_size=50))
def test_bytes_are_base64(content):
    """Odoo's binary fields take standard base64."""
    assert content == base64.b64decode(to_wire(content), validate=True)


def test_decimal_context_has_no_say():
    """A Decimal is sent as it is, whatever precision the program computes with."""
    with decimal.localcontext(prec=2):
        assert 1234.56 == to_wire(Decimal("1234.56"))


# -- ids -----------------------------------------------------------------------------------------

NO_IDS = [None, True, False, 0, -7, 7.0, "7", 2**63, {"id": 7}]


@pytest.mark.parametrize(("answer", "values"), [(7, {}), ([], []), ([7], [{}]), ([8, 7], [{}, {}])])
def test_new_ids(answer, values):
    """The answer to the create of one record is its id, to that of a list a list of them."""
    check_new_ids(answer, values)


@pytest.mark.parametrize(
    ("answer", "values"),
    [
        *((answer, {}) for answer in (*NO_IDS, [], [7], [7, 8])),
        *(([answer], [{}]) for answer in NO_IDS),
        (7, [{}]),
        ([], [{}]),
        ([7, 8], [{}]),
        ([7], []),
        ([7], [{}, {}]),
        ([7, 7], [{}, {}]),
    ],
    ids=repr,
)
def test_no_new_ids(answer, values):
    """Anything else: whether the records were created is unknown."""
    with pytest.raises(OutcomeUnknownError, match=r"the answer to create is no list of \d new ids"):
        check_new_ids(answer, values)


def test_ids_that_need_not_be_new():
    """An import may name one record twice, by two external ids; a create cannot."""
    assert is_ids([7, 7], 2, new=False)
    assert not is_ids([7, 7], 2, new=True)
    assert not is_ids([7, True], 2, new=False)
