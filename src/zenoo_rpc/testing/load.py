"""Import: rows of texts become records with external ids, all of them or none."""

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import takewhile
from typing import Any

from attrs import asdict, define, field, frozen

from . import external_ids, search, writing
from .convert import BY_NAME, IDS, ConversionError, Converter
from .env import Env
from .models import Model
from .refusals import RefusalError

Record = dict[str, Any]
ENOUGH = 10
TOO_MANY = (
    "Found more than 10 errors and more than one error per 10 records, interrupted to avoid"
    " showing too many errors."
)
PREFIX = "The operation cannot be completed: "


def load(env: Env, model: Model, columns: Sequence[str], rows: Sequence[Any]) -> dict[str, Any]:
    """Create or update a record for each row.

    Returns:
        ``ids`` in the order of the rows or False, ``messages`` about what is wrong, ``nextrow``
        where a call with a limit is to go on.

    Raises:
        RefusalError: a column that is not there, or a value of a type that no import has.
    """
    given = env.context.get("_import_limit")
    limit = len(rows) if given is None else given
    task = _Task(env, model)
    last = task.run(_records(env, model, _paths(columns), rows, limit))
    following = last + 1 if given is not None and last + 1 >= limit else 0
    return {"ids": task.ids, "messages": task.messages, "nextrow": following}


def _paths(columns: Sequence[str]) -> list[list[str]]:
    """Return each column as the fields on the way to it: ``country_id/id`` has two."""
    columns = [re.sub(r"([^/])\.id", r"\1/.id", column) for column in columns]
    return [re.sub(r"([^/]):id", r"\1/id", column).split("/") for column in columns]


def _records(
    env: Env, model: Model, columns: Sequence[list[str]], rows: Sequence[Any], limit: int
) -> Iterator[tuple[Record, int, int]]:
    """Give each record with its first and last row; relations hold lists of such records.

    Rows that have nothing but lines of a one2many are further lines of the record above.

    Raises:
        RefusalError: a column that is no field.
    """
    fields = model.fields
    for name in (path[0] for path in columns):
        if name not in fields and name not in IDS:
            raise env.words("field of an import", field=name)
    kinds = [fields[path[0]].type if path[0] in fields else "" for path in columns]
    relations = dict.fromkeys(path[0] for path in columns if path[0] in fields)
    relations = {name: None for name in relations if fields[name].relation}

    def only_lines(row: Sequence[Any]) -> bool:
        filled = {kind == "one2many" for kind, cell in zip(kinds, row, strict=False) if cell}
        return filled == {True}

    index = 0
    while index < len(rows) and index < limit:
        row = rows[index]
        record: Record = {
            path[0]: cell
            for path, cell in zip(columns, row, strict=False)
            if path[0] not in relations
        }
        below = takewhile(only_lines, rows[index + 1 :]) if "one2many" in kinds else ()
        span = [row, *below]
        for name in relations:
            places = [n for n, path in enumerate(columns) if path[0] == name]
            inner = [columns[n][1:] or [BY_NAME] for n in places]
            cells = [[one[n] for n in places] for one in span if any(one[n] for n in places)]
            target = env.other(fields[name]).model
            record[name] = [sub for sub, _, _ in _records(env, target, inner, cells, len(cells))]
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

    def run(self, records: Iterator[tuple[Record, int, int]]) -> int:
        """Read and write everything and return the last row that was read."""
        mark, last = len(self.env.db.journal), -1
        module = self.env.context.get("module", "__import__")
        converter = Converter(self.env, module, self._flush_for)
        for number, (record, first, last) in enumerate(records):
            place = {"rows": {"from": first, "to": last}, "record": number}
            known = self._database_id(record, place)
            values, wrong = converter.values(self.model, record)
            for name, error in wrong:
                self._say(place, name, error)
            external = record.get("id") or ""
            if external and "." not in external:
                external = f"{module}.{external}"
            if known and not external:
                values["id"] = known
            self._batch.append(_Item(external, values, place))
        self._flush()
        if any(message["type"] == "error" for message in self.messages):
            self.env.db.undo(mark)
            self.ids = False
        return last

    def _database_id(self, record: Record, place: Mapping[str, Any]) -> int:
        """Return the id in the column ``.id``, 0 when it names no record."""
        given = record.get(".id")
        if not given:
            return 0
        [wanted] = self.env.record_ids(int(given) if str(given).isdecimal() else given)
        if search.ids(self.env, self.model.name, [["id", "=", wanted]]):
            return wanted
        text = f"Unknown database identifier '{wanted}'"
        self.messages.append({**place, "type": "error", "field": ".id", "message": text})
        return 0

    def _say(self, place: Mapping[str, Any], name: str, what: ConversionError) -> None:
        kind = "warning" if what.warning else "error"
        message = {**place, "type": kind, "field": name, "message": what.text}
        if what.more is not None:
            message |= what.more
            message |= {"field_name": self.model.fields[name].string} if self.env.new else {}
        self.messages.append(message)

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
            if self.env.new and error.is_for_users and error.violation is None:
                overall = {**batch[0].place, "type": "error", "message": error.message}
        errors = self._one_by_one(batch)
        if errors and overall is not None and overall not in self.messages:
            self.messages.insert(0, overall)

    def _one_by_one(self, batch: Sequence[_Item]) -> int:
        errors = 0
        for count, item in enumerate(batch, 1):
            try:
                with self.env.db.savepoint():
                    self.ids += self._write([item])
            except RefusalError as error:
                self.messages.append({**item.place, "type": "error", **self._about(error)})
                errors += 1
            if errors >= ENOUGH and errors >= count / 10:
                self.messages.append({"type": "warning", "message": TOO_MANY})
                break
        return errors

    def _about(self, error: RefusalError) -> dict[str, str]:
        """Return the parts of the message that a refusal makes."""
        found = error.violation
        if found is None:
            if error.name.startswith("psycopg2.") or (self.env.new and error.is_for_users):
                return {"message": error.message}
            kind = error.name.removeprefix("builtins.")
            text = f"Unknown error during import: <class '{kind}'>: {error.text}"
            return {"message": text, "moreinfo": "Resolve other errors first"}
        text, mine = error.message.removeprefix(PREFIX), found.model == self.model.name
        if not self.env.new and mine and (found.field or found.kind == "check"):
            text = self.env.words(f"{found.kind} in an import", **asdict(found)).message
        return {"message": text, **({"field": found.field} if mine and found.field else {})}

    def _write(self, items: Sequence[_Item]) -> list[int]:
        """Update the records that are there, create the others, and name them."""
        env, name = self.env, self.model.name
        targets: dict[int, int] = {}
        changed, new = [], []
        for n, item in enumerate(items):
            known = self._known(item)
            if known is None:
                new.append(n)
                continue
            targets[n], is_kept = known
            if not is_kept:
                changed.append(n)
        for n in changed:
            writing.write(env, name, [targets[n]], items[n].values)
        made = writing.create(env, name, [items[n].values for n in new])
        targets |= zip(new, made, strict=True)
        order = [*sorted(set(targets) - set(new)), *new]
        named = [(items[n].external, name, targets[n]) for n in order if items[n].external]
        external_ids.assign(env, named, noupdate=bool(env.context.get("noupdate", False)))
        return [targets[n] for n in range(len(items))]

    def _known(self, item: _Item) -> tuple[int, bool] | None:
        """Return the record of an item and whether it is to stay as it is, None for a new one."""
        env, name = self.env, self.model.name
        update = env.context.get("mode") == "update"
        if not item.external:
            known = item.values.get("id")
            if not known and update and env.new:
                raise env.words("no id")
            return (known, False) if known else None
        found = external_ids.find(env, item.external)
        if found is None:
            return None
        row_id, row = found
        if env.new and row["model"] != name:
            names = {"external": item.external, "model": name, "other": row["model"]}
            raise env.words("another model", row=row_id, **names)
        if row["res_id"] not in env.table(name).rows:
            env.db.put(env.table(external_ids.MODEL), row_id, None)
            return None
        return row["res_id"], update and bool(row["noupdate"])
