"""What a request writes, and whether that can be written back as it was."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, Self, TypeGuard, cast

import attrs

from ..wire.typed import Fields
from ..wire.values import WireRecord
from .dialect.named import placed
from .dialect.shapes import is_rows
from .exchange import Request
from .retry import READS

Rows = Mapping[int, WireRecord]  # values by id, as they can be written back

# A field of another type has no value that could be written back as it was read.
RESTORABLE = frozenset(
    {
        "binary",
        "boolean",
        "char",
        "date",
        "datetime",
        "float",
        "html",
        "integer",
        "many2many",
        "many2one",
        "many2one_reference",
        "monetary",
        "reference",
        "selection",
        "text",
    }
)

# One of these keeps a value; one by company is told as not stored before 17.
KEPT = ("store", "related", "company_dependent")


@attrs.frozen
class Along:
    """What the commands of a field create, besides the *linked*; *fields* are those of the new."""

    linked: frozenset[int]
    fields: Mapping[str, Along]

    def made(self, rows: Rows, name: str) -> tuple[int, ...]:
        """Return what is new among the values of the field *name*, as they were read."""
        return tuple(
            number
            for row in rows.values()
            for [_, _, numbers] in cast("list[tuple[int, int, list[int]]]", row[name])
            for number in numbers
            if number not in self.linked
        )


@attrs.frozen
class Write:
    """What a request writes: *ids* and *values* of a `write`, *names* and *values* of a `load`.

    Of a call that writes different values to records that are there, *each* has them, by id, and
    *values* those of one; see `alike`. *count* is how many records a create makes, *along* the
    fields by whose commands it makes others along with them. Of a `load` the values only say which
    fields have one in every row.
    """

    request: Request
    ids: tuple[int, ...] = ()
    values: WireRecord = attrs.field(factory=dict, repr=False)
    names: tuple[str, ...] = ()
    count: int = 0
    along: Mapping[str, Along] = attrs.field(factory=dict)
    each: Rows = attrs.field(factory=dict, repr=False)

    @property
    def updates(self) -> bool:
        """Whether it writes to records by their ids."""
        return bool(self.ids) and self.method != "unlink"

    def alike(self) -> list[Self]:
        """Return the write as several, in each of which all records get the same fields."""
        groups: dict[tuple[str, ...], dict[int, WireRecord]] = {}
        for number, values in self.each.items():
            groups.setdefault(tuple(values), {})[number] = values
        parts = [
            attrs.evolve(self, ids=tuple(each), values=next(iter(each.values())), each=each)
            for each in groups.values()
        ]
        return parts or [self]

    @property
    def method(self) -> str:
        """The method that the request calls."""
        return self.request.method


def write_of(request: Request) -> Write | None:
    """Return what a request writes, None for one that only reads, or has nothing to write to."""
    if request.method in READS:
        return None
    args = [json.loads(part) for part in request.args]
    match request.method, [*args, *placed(request.method, request.kwargs)]:
        case ("create" | "write" | "unlink", [[], *_]) | ("load", [_, []]):
            return None
        case "create", [list(records)]:
            made = [each for each in records if isinstance(each, dict)]
            return Write(request, count=len(records), along=_along(made))
        case "create", [dict(record)]:
            return Write(request, count=1, along=_along([record]))
        case "write", [ids, dict(values)] if numbers := _ids(ids):
            return Write(request, numbers, values)
        case "unlink", [ids] if numbers := _ids(ids):
            return Write(request, numbers)
        case "web_save_multi", [list(ids), list(vals), *_] if len(_ids(ids)) == len(vals):
            return _different(request, dict(zip(ids, vals, strict=True)))
        case "load", [[".id", *columns], list(rows)] if _is_by_id(rows, len(columns) + 1):
            names = [column.partition("/")[0] for column in columns]
            values = {int(row[0]): dict(zip(names, row[1:], strict=True)) for row in rows}
            return _different(request, values)
        case "load", [["id", *columns], list(rows)] if _is_table(rows, len(columns) + 1):
            # Of each field it is only kept whether all rows have a value.
            fields: WireRecord = {}
            for place, column in enumerate(columns, start=1):
                name = column.partition("/")[0]
                fields[name] = fields.get(name, True) and all(row[place] for row in rows)
            return Write(request, names=tuple(row[0] for row in rows), values=fields)
    return Write(request)


def _different(request: Request, each: dict[int, object]) -> Write:
    rows = {number: dict(sorted(own.items())) for number, own in each.items() if _is_values(own)}
    whole = rows if len(rows) == len(each) else {}
    return Write(request, tuple(whole), each=whole)


def _is_values(value: object) -> TypeGuard[WireRecord]:
    return isinstance(value, dict)


def _ids(value: object) -> tuple[int, ...]:
    """Return ids as they were given, each once; none if that is something else."""
    numbers = value if isinstance(value, list) else [value]
    if not all(type(number) is int for number in numbers):
        return ()
    return tuple(dict.fromkeys(numbers))


def _is_table(rows: list[object], width: int) -> bool:
    return all(isinstance(row, list) and len(row) == width for row in rows)


def _is_by_id(rows: list[Any], width: int) -> bool:
    return _is_table(rows, width) and all(str(row[0]).isdecimal() for row in rows)


def _along(records: Iterable[WireRecord]) -> dict[str, Along]:
    """Return the fields by whose commands records are created, with what that command says."""
    values: dict[str, list[WireRecord]] = {}
    linked: dict[str, set[int]] = {}
    for record in records:
        for name, value in record.items():
            for command in value if isinstance(value, list) else ():
                match command:
                    case [0, _, dict(nested)]:
                        values.setdefault(name, []).append(nested)
                    case [4, number, *_]:
                        linked.setdefault(name, set()).update(_ids(number))
                    case [6, _, list(numbers)]:
                        linked.setdefault(name, set()).update(_ids(numbers))
    return {
        name: Along(frozenset(linked.get(name, ())), _along(nested))
        for name, nested in values.items()
    }


def is_known(write: Write) -> bool:
    """Whether the write is one that can be taken back, if its fields allow it."""
    return bool(write.ids or write.names or write.count)


def not_restorable(write: Write, fields: Fields) -> dict[str, str]:
    """Return the fields of a write that cannot be written back as they were, and why."""
    reasons = {}
    several = write.each.values() or [write.values]
    for name, value in (item for values in several for item in values.items()):
        about = fields.get(name, {})
        kind = about.get("type")
        if kind is None:
            reasons[name] = "it is not there, or may not be read"
        elif kind not in RESTORABLE:
            reasons[name] = f"a {kind} field cannot be restored"
        elif not any(about.get(each, each == "store") for each in KEPT):
            reasons[name] = "it is not stored"
        elif kind == "many2many" and not _is_about_links(value):
            reasons[name] = "its commands create, change or delete records"
        elif about.get("translate") and (kind == "html" or not value):
            reasons[name] = "what it says in other languages would be lost"
    return reasons


def _is_about_links(value: object) -> bool:
    """Whether commands only say which records are linked, so that the old set restores all."""
    commands = value if isinstance(value, list) else []
    return not any(isinstance(each, list) and each and each[0] in (0, 1, 2) for each in commands)


def rows_of(answer: object, fields: Fields) -> Rows | None:
    """Return what `read` answered as values that can be written back, None for another shape."""
    if not is_rows(answer):
        return None
    return {
        row["id"]: {
            name: _writable(value, fields.get(name, {}).get("type"))
            for name, value in row.items()
            if name != "id"
        }
        for row in answer
    }


def _writable(value: object, kind: str | None) -> object:
    if kind == "many2one" and isinstance(value, list):
        return value[0]
    if kind in ("many2many", "one2many") and isinstance(value, list):
        return [[6, 0, sorted(value)]]
    return value
