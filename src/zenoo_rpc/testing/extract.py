"""The rows of an import as records: sub-fields gathered, lines of children with their parent."""

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import takewhile
from typing import Any

from .env import Env
from .errors import NO_FIELD, OdooError, builtin
from .fields import Field
from .models import Model

Path = list[str]
Record = dict[str, Any]
BY_NAME = ""  # the sub-field of a relation that is given by name
IDS = frozenset({BY_NAME, "id", ".id"})


def paths(columns: Sequence[str]) -> list[Path]:
    """Return each column as the fields on the way to it: ``country_id/id`` has two."""
    columns = [re.sub(r"([^/])\.id", r"\1/.id", column) for column in columns]
    return [re.sub(r"([^/]):id", r"\1/id", column).split("/") for column in columns]


def records(
    env: Env, model: Model, columns: Sequence[Path], rows: Sequence[Any], limit: float
) -> Iterator[tuple[Record, int, int]]:
    """Give each record with its first and last row; relations hold lists of such records.

    Raises:
        OdooError: a column that is no field, a row that is too short for its relations.
    """
    fields = model.fields
    for path in columns:
        if path[0] not in fields and path[0] not in IDS:
            _refuse_column(env, path[0])
    relations = list(dict.fromkeys(path[0] for path in columns if _related(fields, path[0])))
    lines = [n for n, path in enumerate(columns) if _is_line(fields, path[0])]
    others = [n for n in range(len(columns)) if n not in lines]

    def only_lines(row: Sequence[Any]) -> bool:
        return any(_cells(row, lines)) and not any(_cells(row, others))

    index = 0
    while index < len(rows) and index < limit:
        row = rows[index]
        record = {
            path[0]: value
            for path, value in zip(columns, row, strict=False)
            if path[0] not in relations
        }
        span = [row, *takewhile(only_lines, rows[index + 1 :])] if lines else [row]
        for name in relations:
            places = [n for n, path in enumerate(columns) if path[0] == name]
            below = [columns[n][1:] or [BY_NAME] for n in places]
            cells = [found for one in span if any(found := _cells(one, places))]
            target = env.other(fields[name]).model
            found_below = records(env, target, below, cells, float("inf"))
            record[name] = [sub for sub, _, _ in found_below]
        yield record, index, index + len(span) - 1
        index += len(span)


def _related(fields: Mapping[str, Field], name: str) -> bool:
    return name in fields and bool(fields[name].relation)


def _is_line(fields: Mapping[str, Field], name: str) -> bool:
    return name in fields and fields[name].type == "one2many"


def _cells(row: Sequence[Any], places: Sequence[int]) -> list[Any]:
    return [row[place] for place in places]


def _refuse_column(env: Env, name: str) -> None:
    if env.series < 19:
        raise builtin("KeyError", name, NO_FIELD)
    if "." not in name:  # a dot is for properties, which are looked for later
        raise unknown_column(name)


def unknown_column(name: str) -> OdooError:
    """Return the refusal of a column of 19."""
    return builtin("ValueError", f"Invalid field name {name!r}", NO_FIELD)
