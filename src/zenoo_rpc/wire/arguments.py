"""Arguments as callers give them: checked, named in errors, and as Odoo's methods take them."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Mapping
from math import inf
from typing import Any, TypeGuard, TypeVar

import attrs

from ..errors import InvalidValueError, UnknownOptionError
from .values import INT_MAX, WireRecord, record_id, record_to_wire, to_wire, written

LONGEST = 10**9  # seconds; clocks do not go much further

T = TypeVar("T")
OptionsT = TypeVar("OptionsT", bound=attrs.AttrsInstance)


def text(name: str, value: object) -> str:
    """Return *value* if it is a text; *name* is the argument's, here and below."""
    if not isinstance(value, str):
        raise InvalidValueError(f"{name} must be a text, not {_kind(value)}")
    to_wire(value)  # it may have no UTF-8 form
    return value


def texts(**given: object) -> None:
    """Refuse what is no text."""
    for name, value in given.items():
        text(name, value)


def is_several(value: object) -> TypeGuard[Iterable[Any]]:
    """Whether a value is an iterable that can be meant as several things."""
    return isinstance(value, Iterable) and not isinstance(value, str | bytes | Mapping)


def items(name: str, value: object, of: str = "") -> list[Any]:
    """Return *value* as a list, if it is an iterable that can be meant to be one."""
    if not is_several(value):
        raise InvalidValueError(f"{name} must be a list{of}, not {_kind(value)}")
    return list(value)


def instances(name: str, value: object, kind: type[T]) -> list[T]:
    """Return *value* as a list of what is of a *kind*."""
    given = items(name, value)
    for place, each in enumerate(given):
        if not isinstance(each, kind):
            raise InvalidValueError(f"{name}[{place}] must be a {kind.__name__}, not {_kind(each)}")
    return given


def domain(value: object) -> list[Any]:
    """Return a domain as wire values."""
    given = items("domain", value, " of conditions")
    return [_named(f"domain[{place}]", to_wire, each) for place, each in enumerate(given)]


def positional(value: object) -> list[object]:
    """Return positional arguments as wire values."""
    given = items("args", value)
    return [_named(f"args[{place}]", to_wire, each) for place, each in enumerate(given)]


def ids(value: object) -> list[int]:
    """Return database ids; a single one may stand for itself."""
    given = [value] if isinstance(value, int) else items("ids", value, " of ids")
    return [_named(f"ids[{place}]", record_id, each) for place, each in enumerate(given)]


def page(*, offset: object, limit: object, order: object) -> dict[str, object]:
    """Return which of the records that are found are wanted: from where, how many, sorted how."""
    wanted = {
        "offset": _count("offset", offset) or None,
        "limit": None if limit is None else _count("limit", limit),
        "order": None if order is None else text("order", order),
    }
    return {name: value for name, value in wanted.items() if value is not None}


def names(**given: object) -> dict[str, object]:
    """Return lists of names that were given, those that are not None; a mapping has its keys."""
    wanted: dict[str, object] = {}
    for name, value in given.items():
        if value is not None:
            own = items(name, list(value) if isinstance(value, Mapping) else value)
            wanted[name] = [text(f"{name}[{place}]", each) for place, each in enumerate(own)]
    return wanted


def mapping(name: str, value: object) -> Mapping[Any, Any]:
    """Return *value* if it is a mapping; None is an empty one."""
    if value is not None and not isinstance(value, Mapping):
        raise InvalidValueError(f"{name} must be a mapping, not {_kind(value)}")
    return value or {}


def merged(*contexts: object) -> WireRecord:
    """Return contexts as one, the later ones over the earlier ones; None is an empty one."""
    whole: dict[object, object] = {}
    for each in contexts:
        whole.update(mapping("context", each))
    return _named("context", record_to_wire, whole)


def keywords(given: object) -> WireRecord:
    """Return keyword arguments as wire values; None are none."""
    return _named("kwargs", record_to_wire, mapping("kwargs", given))


def values(given: object) -> WireRecord:
    """Return the values of one record, as a mapping, an attrs or a dataclass instance has them."""
    return _named("values", written, given)


def records(given: object) -> WireRecord | list[WireRecord]:
    """Return the values of one record, or those of a list of them."""
    if not isinstance(given, list | tuple):
        return values(given)
    return [_named(f"values[{place}]", written, each) for place, each in enumerate(given)]


# -- options ---------------------------------------------------------------------------------------


def options(kind: type[OptionsT], given: Mapping[str, Any]) -> OptionsT:
    """Return options as an instance of *kind*; UnknownOptionError for one that it has not."""
    known = [each.name for each in attrs.fields(kind)]
    for name in given:
        if name not in known:
            raise UnknownOptionError(f"there is no option {name!r}; known are {', '.join(known)}")
    return kind(**given)


def validator(check: Callable[[str, Any], object]) -> Callable[[object, Any, Any], None]:
    """Return what calls *check* with the name and the value of an attribute."""

    def validate(_: object, attribute: attrs.Attribute[Any], value: Any) -> None:
        check(attribute.name, value)

    return validate


def count(name: str, value: object) -> int:
    """Return a whole number of at least 1."""
    number = _whole(value)
    if number is None or number < 1:
        raise InvalidValueError(f"{name} must be a whole number of at least 1, not {value!r}")
    return number


def seconds(name: str, value: Any) -> float:
    """Return a number of seconds above 0."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or not 0 < value <= LONGEST:
        raise InvalidValueError(f"{name} must be a number of seconds above 0, not {value!r}")
    return float(value)


def rate(name: str, value: Any) -> float:
    """Return a number above 0, of what may happen in a second."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or not 1 / LONGEST <= value < inf:
        raise InvalidValueError(f"{name} must be a number per second above 0, not {value!r}")
    return float(value)


def seconds_or_none(name: str, value: Any) -> float | None:
    """Return a number of seconds above 0, or None."""
    return None if value is None else seconds(name, value)


def yes_or_no(name: str, value: object) -> bool:
    """Return True or False."""
    if not isinstance(value, bool):
        raise InvalidValueError(f"{name} must be True or False, not {value!r}")
    return value


def one_of(*known: str) -> Callable[[str, object], None]:
    """Return the check that a value is one of these."""

    def check(name: str, value: object) -> None:
        if value not in known:
            words = " or ".join(f'"{each}"' for each in known)
            raise InvalidValueError(f"{name} must be {words}, not {value!r}")

    return check


# -- inside ----------------------------------------------------------------------------------------


def _count(name: str, value: Any) -> int:
    number = _whole(value)
    if number is None or not 0 <= number <= INT_MAX:
        raise InvalidValueError(f"{name} must be a whole number of at least 0")
    return number


def _whole(value: Any) -> int | None:
    try:
        return None if isinstance(value, bool) else operator.index(value)
    except TypeError:
        return None


def _named(name: str, convert: Callable[[Any], T], value: object) -> T:
    try:
        return convert(value)
    except InvalidValueError as error:
        told = InvalidValueError(f"{name}: {error.reason}")
        raise (error.within(name) if error.path else told) from None


def _kind(value: object) -> str:
    return type(value).__name__
