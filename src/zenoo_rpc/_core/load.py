"""Creates with external ids: values of a create -> rows of Odoo's `load()`, and its answer back.

`load` writes a record and its external id in one transaction, so the same rows sent again update
what is there instead of doubling it (`odoo/models.py`, 14 and 19). It takes texts, by columns.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import attrs

from ..batch.operations import CreateOperation
from ..errors import InvalidValueError, OdooError, UserError
from .checker import Checker
from .faults import Fault, odoo_fault
from .protocol import Answer, encode
from .values import WireRecord

Fields = Mapping[str, Mapping[str, Any]]  # what `fields_get` answers
Cell = tuple[str, str]  # the column and the text

EXTERNAL_ID = "id"  # the column's name
SET, LINK, CLEAR = 6, 4, 5  # relation commands that name ids and nothing else

# PostgreSQL's words for a conflict, which `load` hands on as a row's message.
CONFLICTS = ("could not serialize access", "deadlock detected")


@attrs.frozen(repr=False)
class Import:
    """The rows of an operation: for each record the JSON of its columns, and of its texts."""

    context: WireRecord
    rows: list[tuple[bytes, bytes]]


def prepare(operation: CreateOperation, fields: Fields) -> Import:
    """Return the rows of a create with external ids.

    Raises BatchValidationError, by index, for what `load` cannot carry.
    """
    check = Checker(operation.verb, operation.model)
    made = []
    times = False
    pairs = zip(operation.records, operation.external_ids, strict=True)
    for index, (record, external_id) in enumerate(pairs):
        try:
            cells = [(EXTERNAL_ID, external_id), *_cells(record, fields)]
        except InvalidValueError as error:
            raise check.error(str(error), index) from None
        times = times or any(fields[name]["type"] == "datetime" for name in record)
        columns, texts = zip(*cells, strict=True)
        made.append((encode(columns), encode(texts)))
    # `load` reads times in the time zone of the context; ours are in UTC.
    return Import({**operation.context, "tz": "UTC"} if times else operation.context, made)


def _cells(record: WireRecord, fields: Fields) -> Iterator[Cell]:
    for name, value in sorted(record.items()):
        if name not in fields:
            raise InvalidValueError("the model has no such field", name)
        try:
            yield _cell(name, value, fields[name]["type"])
        except InvalidValueError as error:
            raise error.within(name) from None


def _cell(name: str, value: object, kind: str) -> Cell:
    if kind in ("one2many", "reference", "many2one_reference", "properties", "json"):
        raise InvalidValueError(f"a {kind} field cannot be written with external ids")
    if kind == "boolean" and isinstance(value, int):
        return name, "1" if value else "0"
    if kind == "many2one":
        return _reference(name, value)
    if kind == "many2many":
        return f"{name}/.id", ",".join(map(str, _linked(value)))
    if value is False:
        return name, ""
    if isinstance(value, str):
        return name, value
    if isinstance(value, int | float):
        return name, str(value)
    raise InvalidValueError(f"a {type(value).__name__} is no value of a {kind} field")


def _reference(name: str, value: object) -> Cell:
    """A many2one is a database id, or the external id of a record with its module."""
    if isinstance(value, str) and "." in value:
        return f"{name}/id", value
    if value is False:
        return f"{name}/.id", ""
    return f"{name}/.id", str(_number(value))


def _linked(value: object) -> list[int]:
    """Return the ids that a new record is linked with: a list of ids, or of commands."""
    if value is False:
        return []
    if not isinstance(value, list):
        raise InvalidValueError("it must be a list of ids or commands")
    linked: dict[int, None] = {}
    for item in value:
        match item:
            case [int(code), _, list(ids)] if code == SET:
                linked = dict.fromkeys(map(_number, ids))
            case [int(code), number, *_] if code == LINK:
                linked[_number(number)] = None
            case [int(code), *_] if code == CLEAR:
                linked = {}
            case list():
                raise InvalidValueError("only the commands set, link and clear can be imported")
            case _:
                linked[_number(item)] = None
    return list(linked)


def _number(value: object) -> int:
    if type(value) is not int or value < 1:
        raise InvalidValueError(f"an id is wanted, not this {type(value).__name__}")
    return value


# -- the answer ----------------------------------------------------------------------------------


@attrs.frozen
class Refusal:
    """What `load` said of rows that it did not take: *errors* by the row's place in the call.

    *whole* is for all of them, where the messages name no row.
    """

    errors: Mapping[int, OdooError]
    whole: OdooError


def refusal(value: object, length: int) -> Refusal | None:
    """Return what an answer of `load` refuses, None when it refuses nothing."""
    messages = _messages(value)
    if not messages:
        return None
    errors: dict[int, OdooError] = {}
    for message in messages:
        for place in _places(message, length):
            errors.setdefault(place, _error(message))
    return Refusal(errors, _error(messages[0]))


def conflict_or(reply: Answer | Fault) -> Answer | Fault:
    """Return the fault of a `load` that another transaction was in the way of, else its reply."""
    for message in _messages(reply.value) if isinstance(reply, Answer) else ():
        text = str(message.get("message"))
        if any(words in text for words in CONFLICTS):
            return odoo_fault("psycopg2.errors.SerializationFailure", text, (), "")
    return reply


def _messages(value: object) -> list[dict[str, Any]]:
    """Return the errors of an answer without ids; what has ids was written."""
    if not isinstance(value, dict) or value.get("ids"):
        return []
    given = value.get("messages")
    found = given if isinstance(given, list) else []
    return [each for each in found if isinstance(each, dict) and each.get("type") == "error"]


def _places(message: Mapping[str, Any], length: int) -> Iterable[int]:
    place = message.get("record")
    return [place] if type(place) is int and 0 <= place < length else []


def _error(message: Mapping[str, Any]) -> OdooError:
    return UserError(str(message.get("message")).strip(), "load")
