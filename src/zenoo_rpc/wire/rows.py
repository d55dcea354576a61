"""The values of a record -> a row of Odoo's `load()`, which takes texts, by columns."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ..errors import InvalidValueError
from .typed import Fields
from .values import WireRecord, record_id

Cell = tuple[str, str]  # the column and the text

EXTERNAL_ID, DATABASE_ID = "id", ".id"  # the columns' names
SET, LINK, CLEAR = 6, 4, 5  # relation commands that name ids and nothing else

NO_REFERENCE = (
    "an id is wanted, or an external id with its module "
    "(`module.name`, or `__import__.name` where none was given)"
)

# Types whose values an import of an existing record takes as a `write` does. An empty value is not
# among them (an import knows no empty text), nor are times, which it reads in a time zone.
UPDATABLE = frozenset(
    {"boolean", "char", "date", "float", "integer", "many2one", "monetary", "selection", "text"}
)


def row(
    record: WireRecord, external_id: str, fields: Fields
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the columns that a record fills, and its texts.

    Raises InvalidValueError for what `load` cannot carry.
    """
    columns, texts = zip((EXTERNAL_ID, external_id), *_cells(record, fields), strict=True)
    return columns, texts


def import_context(
    context: WireRecord, records: Iterable[WireRecord], fields: Fields
) -> WireRecord:
    """Return the context of an import: `load` reads times in its time zone, and ours are in UTC."""
    times = any(fields[name]["type"] == "datetime" for record in records for name in record)
    return {**context, "tz": "UTC"} if times else context


def _cells(record: WireRecord, fields: Fields) -> Iterator[Cell]:
    for name, value in sorted(record.items()):
        if name not in fields:
            raise InvalidValueError("the model has no such field", name)
        try:
            yield _cell(name, value, fields[name]["type"])
        except InvalidValueError as error:
            raise error.within(name) from None


def _cell(name: str, value: object, kind: str) -> Cell:
    if kind in ("reference", "many2one_reference", "properties", "json"):
        raise InvalidValueError(f"a {kind} field cannot be written with external ids")
    if kind == "boolean" and isinstance(value, int | float):
        return name, "1" if value else "0"
    if value == "":
        value = False  # no value, whatever the field
    if kind == "many2one":
        return _reference(name, value)
    if kind in ("many2many", "one2many"):
        linked = _linked(value)
        if kind == "one2many" and not linked:  # it would take all children from a record
            raise InvalidValueError("there is nothing to link: leave it out")
        return f"{name}/.id", ",".join(map(str, linked))
    if value is False:
        return name, ""
    if kind == "integer" and isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, str):
        return name, value
    if isinstance(value, int | float):
        return name, str(value)
    raise InvalidValueError(f"a {type(value).__name__} is no value of a {kind} field")


def _reference(name: str, value: object) -> Cell:
    """A many2one is a database id, or the external id of a record with its module."""
    if isinstance(value, str):
        if "." not in value:
            raise InvalidValueError(f"{NO_REFERENCE}, not this str")
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
    if isinstance(value, float) and value.is_integer():  # as pandas has integers with gaps
        value = int(value)
    if type(value) is not int:
        raise InvalidValueError(f"an id is wanted, not this {type(value).__name__}")
    return record_id(value)


def update_cells(values: WireRecord, fields: Fields) -> list[Cell] | None:
    """Return what an import writes to a record that is there, None for what it cannot carry."""
    cells: list[Cell] = []
    for name, value in sorted(values.items()):
        kind = fields.get(name, {}).get("type")
        if kind not in UPDATABLE or (kind != "boolean" and (value is False or value == "")):
            return None
        try:
            cells.append(_cell(name, value, kind))
        except InvalidValueError:
            return None
    return cells
