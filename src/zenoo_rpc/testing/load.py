"""Import: rows of texts become records with external ids, all of them or none."""

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import takewhile
from typing import Any

from . import external_ids, search, writing
from .convert import BY_NAME, IDS, ConversionError, Converter
from .env import Env
from .fields import reference
from .models import Model
from .refusals import RefusalError

Record = dict[str, Any]
PREFIX = "The operation cannot be completed: "


def load(env: Env, model: Model, columns: Sequence[str], rows: Sequence[Any]) -> dict[str, Any]:
    """Create or update a record for each row.

    Returns:
        ``ids`` in the order of the rows or False, and ``messages`` about what is wrong.

    Raises:
        RefusalError: a column that is not there, or a value of a type that no import has.
    """
    for name in ("_import_limit", "mode"):
        if name in env.context:
            raise env.words("lacks", what=f"no imports with {name!r} in their context")
    columns = [re.sub(r"([^/])\.id", r"\1/.id", one).replace(":id", "/id") for one in columns]
    converter = Converter(env, env.context.get("module", "__import__"))
    mark = len(env.db.journal)
    ids: list[int] = []
    wrong: list[Mapping[str, Any]] = []
    refused: list[Mapping[str, Any]] = []
    found = _records(env, model, [column.split("/") for column in columns], rows)
    for number, (record, first, last) in enumerate(found):
        place = {"rows": {"from": first, "to": last}, "record": number, "type": "error"}
        vals, faults = converter.values(model, record)
        wrong += [{**place, "field": name, "message": str(fault)} for name, fault in faults]
        try:
            with env.db.savepoint():
                ids.append(_write(env, model.name, converter.module, record, vals))
        except ConversionError as fault:
            wrong.append({**place, "field": ".id", "message": str(fault)})
        except RefusalError as error:
            refused.append({**place, **_about(env, model, error)})
    if wrong or refused:
        env.db.undo(mark)
    messages = [*wrong, *refused]
    return {"ids": False if messages else ids, "messages": messages, "nextrow": 0}


def _records(
    env: Env, model: Model, columns: Sequence[list[str]], rows: Sequence[Any]
) -> Iterator[tuple[Record, int, int]]:
    """Give each record with its first and last row; relations hold lists of such records.

    Rows that have nothing but lines of a one2many are further lines of the record above.

    Raises:
        RefusalError: a column that is no field.
    """
    fields = model.fields
    names = [path[0] for path in columns]
    for name in names:
        if name not in fields and name not in IDS:
            raise env.words("field of an import", field=name)
    relations = dict.fromkeys(one for one in names if one in fields and fields[one].relation)
    is_line = [name in fields and fields[name].type == "one2many" for name in names]

    def only_lines(row: Sequence[Any]) -> bool:
        return {line for line, cell in zip(is_line, row, strict=False) if cell} == {True}

    index = 0
    while index < len(rows):
        row = rows[index]
        record: Record = {
            name: cell for name, cell in zip(names, row, strict=False) if name not in relations
        }
        span = [row, *(takewhile(only_lines, rows[index + 1 :]) if any(is_line) else ())]
        for relation in relations:
            places = [n for n, name in enumerate(names) if name == relation]
            inner = [columns[n][1:] or [BY_NAME] for n in places]
            cells = [[one[n] for n in places] for one in span if any(one[n] for n in places)]
            target = env.other(fields[relation]).model
            record[relation] = [sub for sub, _, _ in _records(env, target, inner, cells)]
        yield record, index, index + len(span) - 1
        index += len(span)


def _about(env: Env, model: Model, error: RefusalError) -> dict[str, str]:
    """Return the parts of the message that a refusal makes."""
    if error.at is None:
        if error.name.startswith("psycopg2.") or (env.new and error.is_for_users):
            return {"message": error.message}
        kind = error.name.removeprefix("builtins.")
        return {"message": f"Unknown error during import: <class '{kind}'>: {error.text}"}
    (owner, column), text = error.at, error.message.removeprefix(PREFIX)
    if owner != model.name:
        return {"message": text}
    return {"message": error.in_import or text, **({"field": column} if column else {})}


def _write(env: Env, name: str, module: str, record: Record, vals: Mapping[str, Any]) -> int:
    """Update the record that is meant, or create one, and name it."""
    known = _by_number(env, name, record.get(".id"))
    external = record.get("id") or ""
    if external:
        external = external if "." in external else f"{module}.{external}"
        known = _by_external_id(env, name, external)
    if known:
        writing.write(env, name, [known], vals)
    else:
        [known] = writing.create(env, name, [vals])
    if external:
        noupdate = bool(env.context.get("noupdate", False))
        external_ids.assign(env, external, name, known, noupdate=noupdate)
    return known


def _by_number(env: Env, name: str, given: Any) -> int:
    """Return the id in the column ``.id``, 0 when it is empty."""
    wanted = reference(env.words, given) if given else 0
    if wanted and not search.ids(env, name, [["id", "=", wanted]]):
        raise ConversionError(f"Unknown database identifier '{wanted}'")
    return wanted or 0


def _by_external_id(env: Env, name: str, external: str) -> int:
    """Return the record that an external id names, 0 for a new one."""
    found = external_ids.find(env, external)
    if found is None:
        return 0
    row_id, row = found
    if env.new and row["model"] != name:
        names = {"external": external, "model": name, "other": row["model"]}
        raise env.words("another model", row=row_id, **names)
    return int(row["res_id"]) if row["res_id"] in env.table(name).rows else 0
