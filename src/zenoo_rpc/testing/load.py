"""Import: rows of texts become records with external ids, all of them or none."""

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import repeat, takewhile
from typing import Any

from attrs import define, field, frozen

from . import external_ids, search, writing
from .convert import BY_NAME, IDS, Converter
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
    task = _Task(env, model)
    task.run(_records(env, model, [column.split("/") for column in columns], rows))
    return {"ids": task.ids, "messages": task.messages, "nextrow": 0}


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


@frozen
class _Item:
    """One record that waits for being written, with its external id and its place."""

    external: str
    values: dict[str, Any]
    place: Mapping[str, Any]


@define
class _Task:
    """One call of `load`: the records read so far and what has been said about them."""

    env: Env
    model: Model
    ids: Any = field(factory=list, init=False)  # False once something is refused
    messages: list[dict[str, Any]] = field(factory=list, init=False)
    _batch: list[_Item] = field(factory=list, init=False)

    def run(self, records: Iterator[tuple[Record, int, int]]) -> None:
        """Read and write everything, or nothing when something is refused."""
        mark = len(self.env.db.journal)
        module = self.env.context.get("module", "__import__")
        converter = Converter(self.env, module, self._flush_for)
        for number, (record, first, last) in enumerate(records):
            place = {"rows": {"from": first, "to": last}, "record": number}
            known = self._database_id(record, place)
            values, wrong = converter.values(self.model, record)
            for name, error in wrong:
                self._say(place, str(error), field=name)
            external = record.get("id") or ""
            if external and "." not in external:
                external = f"{module}.{external}"
            if known and not external:
                values["id"] = known
            self._batch.append(_Item(external, values, place))
        self._flush()
        if self.messages:
            self.env.db.undo(mark)
            self.ids = False

    def _database_id(self, record: Record, place: Mapping[str, Any]) -> int:
        """Return the id in the column ``.id``, 0 when it names no record."""
        given = record.get(".id")
        if not given:
            return 0
        wanted = reference(self.env.words, given) or 0
        if search.ids(self.env, self.model.name, [["id", "=", wanted]]):
            return wanted
        text = f"Unknown database identifier '{wanted}'"
        self._say(place, text, field=".id")
        return 0

    def _say(self, place: Mapping[str, Any], message: str, **more: str) -> None:
        self.messages.append({**place, "type": "error", "message": message, **more})

    def _flush_for(self, external: str, model: str) -> None:
        """Write what waits if a reference may mean it."""
        if model == self.model.name or any(item.external == external for item in self._batch):
            self._flush()

    def _flush(self) -> None:
        """Write what waits at once, or one by one to find out what is wrong."""
        batch, self._batch = self._batch, []
        overall = None
        try:
            with self.env.db.savepoint():
                self.ids += self._write(batch)
            return
        except RefusalError as error:
            if self.env.new and error.is_for_users and error.at is None:
                overall = {**batch[0].place, "type": "error", "message": error.message}
        for item in batch:
            try:
                with self.env.db.savepoint():
                    self.ids += self._write([item])
            except RefusalError as error:
                self._say(item.place, **self._about(error))
        if overall is not None and overall not in self.messages:
            self.messages.insert(0, overall)

    def _about(self, error: RefusalError) -> dict[str, str]:
        """Return the parts of the message that a refusal makes."""
        if error.at is None:
            if error.name.startswith("psycopg2.") or (self.env.new and error.is_for_users):
                return {"message": error.message}
            kind = error.name.removeprefix("builtins.")
            return {"message": f"Unknown error during import: <class '{kind}'>: {error.text}"}
        (model, column), text = error.at, error.message.removeprefix(PREFIX)
        if model != self.model.name:
            return {"message": text}
        return {"message": error.in_import or text, **({"field": column} if column else {})}

    def _write(self, items: Sequence[_Item]) -> list[int]:
        """Update the records that are there, create the others, and name them."""
        env, name = self.env, self.model.name
        known = [self._known(item) for item in items]
        for row_id, item in zip(known, items, strict=True):
            if row_id:
                writing.write(env, name, [row_id], item.values)
        new = [item.values for row_id, item in zip(known, items, strict=True) if not row_id]
        made = iter(writing.create(env, name, new))
        ids = [row_id or next(made) for row_id in known]
        named = zip((item.external for item in items), repeat(name), ids, strict=False)
        noupdate = bool(env.context.get("noupdate", False))
        external_ids.assign(env, [one for one in named if one[0]], noupdate=noupdate)
        return ids

    def _known(self, item: _Item) -> int:
        """Return the record of an item, 0 for a new one."""
        env, name = self.env, self.model.name
        if not item.external:
            return int(item.values.get("id") or 0)
        found = external_ids.find(env, item.external)
        if found is None:
            return 0
        row_id, row = found
        if env.new and row["model"] != name:
            names = {"external": item.external, "model": name, "other": row["model"]}
            raise env.words("another model", row=row_id, **names)
        if row["res_id"] not in env.table(name).rows:
            env.db.put(env.table(external_ids.MODEL), row_id, None)
            return 0
        return int(row["res_id"])
