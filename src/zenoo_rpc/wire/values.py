"""Python values -> what Odoo takes over the wire, and back: one cattrs converter.

Odoo's JSON knows strings, numbers, booleans, lists and objects. Dates are `YYYY-MM-DD`, times are
`YYYY-MM-DD HH:MM:SS` in UTC, binary fields are base64, and an empty field of any type is `false`
(`odoo/fields.py`, 14 and 19).
"""

from __future__ import annotations

import base64
import dataclasses
import datetime
import decimal
import enum
import math
import numbers
import re
import types
import typing
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, TypeGuard, TypeVar, cast

import attrs
import cattrs
from cattrs.errors import (
    AttributeValidationNote,
    BaseValidationError,
    IterableValidationNote,
)

from ..errors import InvalidValueError, OutcomeUnknownError
from .ids import Ids
from .typed import Base64, Marked, MarkedList, MarkedRecord, Moment

T = TypeVar("T")
Hook = Callable[[Any], object]
WireRecord = dict[str, object]

UTC = datetime.UTC
TIME_FORMAT = "%Y-%m-%d %H:%M:%S"
NO_NAME = "a field's name must be a text that is not empty"
BEYOND = ", not None: csv.DictReader puts under it what a row has beyond the header"
SURROGATE = re.compile("[\ud800-\udfff]")
NO_FIELDS = ("id", ".id")
CURES = {  # for the columns of a file for Odoo's own import
    "id": ": in an import give {!r} an external id with its module, `module.name`",
    ".id": ": give {!r} the id",
}
NO_ID = "an id must be a whole number above 0"
INT_MIN, INT_MAX = -(2**63), 2**63 - 1


def to_wire(value: object) -> object:
    """Return *value* as Odoo takes it; a copy, wherever it could be changed.

    Raises InvalidValueError for what JSON or Odoo cannot carry, with the path that leads to it.
    """
    return _convert(value, to_plain)


def record_to_wire(record: object) -> WireRecord:
    """Return the values of one record, given as a mapping, an attrs or a dataclass instance."""
    return cast(WireRecord, _convert(record, _record))


def written(record: object, key: object = None) -> WireRecord:
    """Return the values of one record, all of which are of fields that can be written.

    The server drops an `id` among the values without a word, and an import reads it, `.id` and
    paths as something else than values of the record. An empty `id` is that of a new record; *key*
    may be `id`, if an external id is kept there.
    """
    wire = record_to_wire(record)
    if wire.get("id") is False and key != "id":
        del wire["id"]
    for name in wire:
        if (name in NO_FIELDS or "/" in name) and not (name == key == "id"):
            field, _, column = name.partition("/")
            cure = CURES.get(column, "").format(field)
            raise InvalidValueError(f"{name!r} is no field that can be written{cure}")
    return wire


def record_id(value: object) -> int:
    """Return a database id."""
    try:
        number = to_wire(value)
    except InvalidValueError:
        number = None
    if isinstance(number, bool) or not isinstance(number, int):
        raise InvalidValueError(f"{NO_ID}, not this {type(value).__name__}")
    if number < 1:
        raise InvalidValueError(f"{NO_ID}, not {number}")
    return number


def from_wire(value: object, target: type[T]) -> T:
    """Return what the server sent as *target*: a type, an attrs class, a dataclass, a list of them.

    The `false` of an empty field becomes `None` for an optional type, `""` for `str` and 0 for a
    number; a many2one, `[id, name]`, becomes its id for `int` and its name for `str`; times are
    aware, in UTC. Raises InvalidValueError for what is no *target*, with the path that leads to it.

    >>> from_wire({"name": False, "country_id": [43, "Switzerland"]}, dict[str, str])
    {'name': '', 'country_id': 'Switzerland'}
    """
    try:
        return _converter.structure(value, target)
    except Exception as error:  # of cattrs or the type itself, with the value in its text
        places = list(_mismatches(error, target))
    (path, reason), *others = places
    more = f" (and {len(others)} more)" if others else ""
    raise InvalidValueError(reason + more, path)  # not from within, as that keeps the other one


def _mismatches(error: BaseException, target: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Yield what is wrong, and where: names of our own classes and places in lists, no values."""
    if not isinstance(error, BaseValidationError):
        missing = isinstance(error, KeyError) and hasattr(error, "__notes__")
        yield path, "it is missing" if missing else f"it is no {_name_of(target)}"
        return
    for one in error.exceptions:
        step, kind = "", target
        for note in getattr(one, "__notes__", ()):
            if isinstance(note, AttributeValidationNote):
                step, kind = f".{note.name}" if path else note.name, note.type
            elif isinstance(note, IterableValidationNote):
                step, kind = f"[{note.index if isinstance(note.index, int) else '...'}]", note.type
        yield from _mismatches(one, kind, path + step)


def _name_of(target: Any) -> str:
    return getattr(target, "__name__", None) or str(target)


def is_ids(value: object, length: int, *, new: bool) -> TypeGuard[list[int]]:
    """Whether an answer is a list of so many database ids; *new* records have each its own.

    `load` may name one record twice, by two external ids.
    """
    if not isinstance(value, list) or len(value) != length:
        return False
    if not all(type(number) is int and 0 < number <= INT_MAX for number in value):
        return False
    return not new or len(set(value)) == length


def check_new_ids(answer: object, values: object) -> None:
    """Refuse what cannot be the answer to a create: of a list a list of ids, of one record an id.

    Raises OutcomeUnknownError: it was carried out, or somebody else has answered.
    """
    several = isinstance(values, list)
    count = len(values) if isinstance(values, list) else 1
    if not is_ids(answer if several else [answer], count, new=True):
        raise no_ids("create", count)


def no_ids(method: str, length: int) -> OutcomeUnknownError:
    """Return what is told of a call whose answer is no list of its ids."""
    new = " new" if method == "create" else ""
    return OutcomeUnknownError(f"the answer to {method} is no list of {length}{new} ids")


def is_absolute(values: Mapping[str, object]) -> bool:
    """Whether writing these values twice leaves what writing them once does.

    Relation commands that create, delete or unlink one record do not (`odoo/fields.py`: 0, 2, 3).
    """
    return not any(_has_step(value) for value in values.values())


def _has_step(value: object) -> bool:
    if not isinstance(value, list):
        return False
    for command in value:
        if isinstance(command, list) and command and command[0] in (0, 1, 2, 3):
            nested = command[2] if len(command) > 2 else None
            if command[0] != 1 or not isinstance(nested, dict) or not is_absolute(nested):
                return True
    return False


def _convert(value: object, convert: Callable[[Any], object]) -> object:
    try:
        return convert(value)
    except RecursionError:
        raise InvalidValueError("it is nested too deeply, or contains itself") from None


_converter = cattrs.Converter()
to_plain: Callable[[Any], object] = _converter.unstructure


# -- to the wire ---------------------------------------------------------------------------------


def _text(value: str) -> object:
    if isinstance(value, enum.Enum):
        return to_plain(value.value)
    if isinstance(value, Marked):
        return value
    # Not by trying to encode it: that error would carry the text along.
    if not value.isascii() and SURROGATE.search(value):
        raise InvalidValueError("a text with a lone surrogate has no UTF-8 form")
    return str(value)


def _int(value: Any) -> int:
    number = int(value)
    if not INT_MIN <= number <= INT_MAX:
        raise InvalidValueError("an integer beyond 64 bits is more than Odoo can hold")
    return number


def _float(value: Any) -> float:
    try:
        number = float(value)
    except (ValueError, OverflowError):  # a signalling NaN, a fraction too large
        number = math.nan
    if not math.isfinite(number):
        raise InvalidValueError("NaN and infinities have no JSON form")
    return number


def _time(value: datetime.datetime) -> str:
    if value != value:  # noqa: PLR0124  pandas.NaT is a datetime
        raise InvalidValueError("NaT has no JSON form")
    if value.tzinfo is None:
        return _text_of(value)
    try:
        moment = value.astimezone(UTC)
    except OverflowError:
        raise InvalidValueError("a time beyond the years 1 to 9999 in UTC") from None
    text = _text_of(moment)
    return text if moment.day == value.day else Moment(text, value.date().isoformat())


def _text_of(value: datetime.datetime) -> str:
    return value.replace(tzinfo=None).isoformat(sep=" ")[:19]  # a pandas one has nanoseconds too


def _items(values: Any) -> list[object]:
    wire = []
    for index, value in enumerate(values):
        try:
            wire.append(to_plain(value))
        except InvalidValueError as error:
            raise error.within(index) from None
    return MarkedList(wire) if any(isinstance(value, Marked) for value in wire) else wire


def _record(record: Any) -> WireRecord:
    items: Iterable[tuple[Any, Any]]
    if isinstance(record, Mapping):
        items = record.items()
    elif attrs.has(type(record)):
        items = [(f.name, getattr(record, f.name)) for f in attrs.fields(type(record))]
    elif dataclasses.is_dataclass(record) and not isinstance(record, type):
        items = [(f.name, getattr(record, f.name)) for f in dataclasses.fields(record)]
    else:
        raise InvalidValueError(
            f"it is a {type(record).__name__}, not a mapping, attrs or dataclass instance"
        )
    wire: WireRecord = {}
    marked = False
    for key, value in items:
        if not isinstance(key, str) or not key:
            raise InvalidValueError(NO_NAME if key is not None else NO_NAME + BEYOND)
        field = key if type(key) is str and key.isascii() else str(_text(key))
        kind = type(value)
        if kind is bool or (kind is str and value.isascii()):
            wire[field] = value  # most values; the converter would say the same, slower
            continue
        try:
            wire[field] = plain = to_plain(value)
        except InvalidValueError as error:
            raise error.within(field) from None
        marked = marked or isinstance(plain, Marked)
    return MarkedRecord(wire) if marked else wire


_TIMES = {"M": "datetime64", "m": "timedelta64"}


def _is_numpy_scalar(cls: type) -> bool:
    return cls.__module__.partition(".")[0] == "numpy" and not hasattr(cls, "__len__")


def _numpy_scalar(value: Any) -> object:
    if name := _TIMES.get(value.dtype.kind):  # of nanoseconds `item` would give a number
        value = value.astype(f"{name}[us]")
    plain = value.item()
    if plain is None:
        raise InvalidValueError("NaT has no JSON form")
    if type(plain) is not type(value):
        return to_plain(plain)
    return _float(value) if isinstance(value, numbers.Real) else _refuse(value)  # a long double


def _refuse(value: Any) -> object:
    raise InvalidValueError(f"a value of type {type(value).__name__} has no wire form")


def _base64(value: Any) -> Base64:
    return Base64(base64.b64encode(bytes(value)).decode("ascii"))


# The first class that fits decides; so enums and booleans come before what they are made of.
_HOOKS: tuple[tuple[type | tuple[type, ...], Hook], ...] = (
    (enum.Enum, lambda value: to_plain(value.value)),
    (types.NoneType, lambda value: False),
    (bool, bool),
    (numbers.Integral, _int),
    ((numbers.Real, decimal.Decimal), _float),
    (datetime.datetime, _time),
    (datetime.date, datetime.date.isoformat),
    (uuid.UUID, str),
    ((bytes, bytearray, memoryview), _base64),
    ((list, tuple, Ids), _items),
    (Mapping, _record),
)


def _hook_for(cls: type) -> Hook:
    if _is_numpy_scalar(cls):  # before the others: a timedelta64 counts as an integer
        return _numpy_scalar
    for classes, hook in _HOOKS:
        if issubclass(cls, classes):
            return hook
    return _record if attrs.has(cls) or dataclasses.is_dataclass(cls) else _refuse


_converter.register_unstructure_hook_factory(lambda cls: isinstance(cls, type), _hook_for)
_converter.register_unstructure_hook(str, _text)  # cattrs looks these two up before any factory
_converter.register_unstructure_hook(bytes, _hook_for(bytes))


# -- from the wire -------------------------------------------------------------------------------


def _is_pair(value: object) -> bool:
    return isinstance(value, list) and len(value) == 2 and isinstance(value[1], str)


def _read_text(value: Any, target: type[str]) -> str:
    if issubclass(target, enum.Enum):
        return target(value)
    if value is False or value is None:
        return ""
    return str(value[1] if _is_pair(value) else value)


def _read_int(value: Any, target: type[int]) -> int:
    if issubclass(target, enum.Enum):
        return target(value)
    return int(value[0] if _is_pair(value) else value or 0)


def _read_time(value: Any, _: type) -> datetime.datetime:
    return datetime.datetime.strptime(value, TIME_FORMAT).replace(tzinfo=UTC)


def _is_optional(target: Any) -> bool:
    origin = typing.get_origin(target)
    members = typing.get_args(target)
    return (
        origin in (typing.Union, types.UnionType)
        and len(members) == 2
        and types.NoneType in members
        and bool not in members
    )


def _read_optional(target: Any) -> Callable[[Any, Any], object]:
    (inner,) = (member for member in typing.get_args(target) if member is not types.NoneType)

    def read(value: Any, _: Any) -> object:
        empty = value is False or value is None
        return None if empty else _converter.structure(value, inner)

    return read


_converter.register_structure_hook(str, _read_text)
_converter.register_structure_hook(int, _read_int)
_converter.register_structure_hook(bool, lambda value, _: bool(value))
_converter.register_structure_hook(float, lambda value, _: float(value or 0))
_converter.register_structure_hook(
    decimal.Decimal, lambda value, _: decimal.Decimal(repr(value or 0))
)
_converter.register_structure_hook(bytes, lambda value, _: base64.b64decode(value or ""))
_converter.register_structure_hook(datetime.datetime, _read_time)
_converter.register_structure_hook(
    datetime.date, lambda value, _: datetime.date.fromisoformat(value[:10])
)
_converter.register_structure_hook(uuid.UUID, lambda value, _: uuid.UUID(value))
_converter.register_structure_hook_factory(_is_optional, _read_optional)
