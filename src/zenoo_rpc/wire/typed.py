"""Values whose wire form the field's type decides: they are marked until that is known.

Times with a zone are text in UTC, but of a Date field the day in their own zone. Bytes are base64,
which is a value of binary fields only. Everything else looks the same in every field.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..errors import InvalidValueError

Fields = Mapping[str, Mapping[str, Any]]  # what `fields_get` answers
Known = Mapping[str, Fields | None]  # by model; None where it is not told


class Marked:
    """What holds, or is, a value whose form is not decided."""


class Moment(Marked, str):
    """A time in UTC that is on another *day* in its own zone."""

    day: str

    def __new__(cls, text: str, day: str) -> Moment:
        moment = super().__new__(cls, text)
        moment.day = day
        return moment

    def __reduce__(self) -> tuple[type[Moment], tuple[str, str]]:
        return Moment, (str(self), self.day)


class Base64(Marked, str):
    """Bytes as text."""


class MarkedList(Marked, list[object]):
    """A list with something marked in it."""


class MarkedRecord(Marked, dict[str, object]):
    """Values with something marked among them."""


def unknown(record: Mapping[str, object], model: str, known: Known) -> set[str]:
    """Return the models whose fields must be known before a record can be `typed`.

    Those of records that are nested in it come to light when its own fields are known.
    """
    if not isinstance(record, Marked):
        return set()
    fields = known.get(model)
    if fields is None:
        return {model}
    return {
        name
        for field, value in record.items()
        for relation in [fields.get(field, {}).get("relation")]
        for nested in _nested(value)
        if relation
        for name in unknown(nested, relation, known)
    }


def typed(record: dict[str, object], model: str, known: Known) -> dict[str, object]:
    """Return a record with every value in the form that its field's type asks for.

    Raises InvalidValueError for bytes where the field is not binary. The server is left to refuse
    a field that it does not tell of.
    """
    if not isinstance(record, Marked):
        return record
    fields = known.get(model) or {}
    wire: dict[str, object] = {}
    for name, value in record.items():
        wire[name] = _within(name, value, fields.get(name, {}), known)
    return wire


def _nested(value: object) -> Iterator[MarkedRecord]:
    """Yield the records that a field's commands create or change, if they hold something marked."""
    for command in value if isinstance(value, MarkedList) else ():
        match command:
            case [_, _, MarkedRecord() as nested]:
                yield nested


def _value(value: object, about: Mapping[str, Any], known: Known) -> object:
    kind, relation = about.get("type"), about.get("relation")
    match value:
        case Moment():
            return value.day if kind == "date" else str(value)
        case Base64():
            if kind not in ("binary", None):
                raise InvalidValueError(f"bytes go into binary fields, and this is a {kind} field")
            return str(value)
        case MarkedList([_, _, MarkedRecord() as nested]) if relation:
            try:
                return [*value[:2], typed(nested, relation, known)]
            except InvalidValueError as error:
                raise error.within(2) from None
        case MarkedList():
            return [_within(place, each, about, known) for place, each in enumerate(value)]
        case MarkedRecord():
            return {name: _within(name, each, about, known) for name, each in value.items()}
    return value


def _within(step: str | int, value: object, about: Mapping[str, Any], known: Known) -> object:
    try:
        return _value(value, about, known)
    except InvalidValueError as error:
        raise error.within(step) from None
