"""Import: rows of texts become records with external ids, all of them or none."""

from collections.abc import Mapping, Sequence
from typing import Any

from attrs import define, field, frozen

from . import external_ids, extract, import_errors, search, writing
from .convert import ConversionError, Converter
from .env import Env
from .errors import OdooError, builtin, not_an_integer, validation_error
from .extract import Path, Record
from .models import Model

ENOUGH = 10
TOO_MANY = (
    "Found more than 10 errors and more than one error per 10 records, interrupted to avoid"
    " showing too many errors."
)


def load(env: Env, model: Model, columns: Sequence[str], rows: Sequence[Any]) -> dict[str, Any]:
    """Create or update a record for each row.

    Returns:
        ``ids`` in the order of the rows or False, ``messages`` about what is wrong, ``nextrow``
        where a call with a limit is to go on.

    Raises:
        OdooError: a column that is not there, or a value of a type that no import has.
    """
    given = env.context.get("_import_limit")
    limit = float("inf") if given is None else given
    try:
        importing = Import(env, model, extract.paths(columns))
        following = importing.run(rows, limit) + 1
    except (AttributeError, IndexError, TypeError) as error:
        # An import makes Python's own operations on what it is given: so does Odoo's.
        raise builtin(type(error).__name__, str(error)) from None
    return {
        "ids": importing.ids,
        "messages": importing.messages,
        "nextrow": 0 if following < limit else following,
    }


@frozen
class Item:
    """One record that waits for being written, with its external id and its place."""

    external: str
    values: dict[str, Any]
    place: Mapping[str, Any]


@define
class Import:
    """One call of `load`: the records read so far and what has been said about them."""

    env: Env
    model: Model
    columns: list[Path]
    ids: list[int] | bool = field(factory=list, init=False)
    messages: list[dict[str, Any]] = field(factory=list, init=False)
    _batch: list[Item] = field(factory=list, init=False)
    _mark: int = field(init=False)
    _converter: Converter = field(init=False)
    _creatable: set[str] = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._mark = len(self.env.db.journal)
        module = self.env.context.get("module", "__import__")
        self._converter = Converter(self.env, module, self._flush_for)
        self._creatable = {self.model.name, *self._lines()}

    def _lines(self) -> set[str]:
        """Return the models whose records come as lines of a record."""
        found = set()
        for path in self.columns:
            fields = self.model.fields
            for name in path:
                about = fields.get(name)
                if about is None:
                    break
                if about.type == "one2many":
                    found.add(about.relation)
                    fields = self.env.other(about).model.fields
        return found

    def run(self, rows: Sequence[Any], limit: float) -> int:
        """Read and write everything and return the last row that was read."""
        last = -1
        found = extract.records(self.env, self.model, self.columns, rows, limit)
        for number, (record, first, last) in enumerate(found):
            extent = {"rows": {"from": first, "to": last}}
            known = self._database_id(record, number, extent)

            def log(name: str, what: ConversionError, number: int = number) -> None:
                self._say(extent, number, name, what)  # noqa: B023

            values = self._converter.values(self.model, record, log)
            external = record.get("id") or ""
            if external:
                external = external if "." in external else f"{self._converter.module}.{external}"
            elif known:
                values["id"] = known
            self._batch.append(Item(external, values, {**extent, "record": number}))
        self._flush()
        if any(message["type"] == "error" for message in self.messages):
            self.env.db.undo(self._mark)
            self.ids = False
        return last

    def _database_id(self, record: Record, number: int, extent: Mapping[str, Any]) -> int:
        """Return the id in the column ``.id``, 0 when it names no record."""
        given = record.get(".id")
        if ".id" not in record or (self.env.series >= 19 and not given):
            return 0
        try:
            wanted = int(given)  # type: ignore[arg-type]  # refused as Odoo does
        except ValueError:
            raise not_an_integer(given) from None
        self._converter.require_sound()
        if search.ids(self.env, self.model.name, [["id", "=", wanted]]):
            return wanted
        text = f"Unknown database identifier '{wanted}'"
        about = {"type": "error", "record": number, "field": ".id", "message": text}
        self.messages.append({**extent, **about})
        return 0

    def _say(
        self, extent: Mapping[str, Any], number: int, name: str, what: ConversionError
    ) -> None:
        kind = "warning" if what.warning else "error"
        message = {**extent, "type": kind, "record": number, "field": name, "message": what.text}
        message |= what.more or {}
        if what.more is not None and self.env.series >= 19:
            message["field_name"] = self.model.fields[name].string
        self.messages.append(message)

    def _flush_for(self, external: str, model: str) -> None:
        """Write what waits if a reference may mean it."""
        if external and not any(item.external == external for item in self._batch):
            return
        if model and model not in self._creatable:
            return
        self._flush()

    def _flush(self) -> None:
        """Write what waits at once, or one by one to find out what is wrong."""
        batch, self._batch = self._batch, []
        if not batch or self._converter.broken:
            return
        assert isinstance(self.ids, list)
        overall = None
        try:
            with self.env.db.savepoint():
                self.ids += self._write(batch)
            return
        except OdooError as error:
            if self.env.series >= 19 and error.is_for_users and error.violation is None:
                place = batch[0].place
                overall = {**place, "type": "error", "message": error.message}
        errors = self._one_by_one(batch)
        if errors and overall is not None and overall not in self.messages:
            self.messages.insert(0, overall)

    def _one_by_one(self, batch: Sequence[Item]) -> int:
        assert isinstance(self.ids, list)
        errors = 0
        for count, item in enumerate(batch, 1):
            try:
                with self.env.db.savepoint():
                    self.ids += self._write([item])
            except OdooError as error:
                if self.env.series >= 19:  # everything so far is undone, not this record alone
                    self.env.db.undo(self._mark)
                about = import_errors.message(error, self.model.name, self.env.series)
                self.messages.append({**item.place, "type": "error", **about})
                errors += 1
            if errors >= ENOUGH and errors >= count / 10:
                self.messages.append({"type": "warning", "message": TOO_MANY})
                break
        return errors

    def _write(self, items: Sequence[Item]) -> list[int]:
        """Update the records that are there, create the others, and name them."""
        env, name = self.env, self.model.name
        update = env.context.get("mode") == "update"
        targets: dict[int, int] = {}
        names: list[tuple[str, str, int]] = []
        changed, new = [], []
        for n, item in enumerate(items):
            known = self._known(item, update=update)
            if known is None:
                new.append(n)
                continue
            targets[n], frozen_ = known
            if item.external:
                names.append((item.external, name, targets[n]))
            if not frozen_:
                changed.append(n)
        for n in changed:
            writing.write(env, name, [targets[n]], items[n].values)
        made = writing.create(env, name, [items[n].values for n in new])
        for n, row_id in zip(new, made, strict=True):
            targets[n] = row_id
            if items[n].external:
                names += external_ids.with_parents(env, name, items[n].external, row_id)
        noupdate = bool(env.context.get("noupdate", False))
        external_ids.assign(env, names, noupdate=noupdate)
        return [targets[n] for n in range(len(items))]

    def _known(self, item: Item, *, update: bool) -> tuple[int, bool] | None:
        """Return the record of an item and whether it is to stay as it is, None for a new one."""
        env, name = self.env, self.model.name
        if not item.external:
            known = item.values.get("id")
            if known:
                return known, False
            if update and env.series >= 19:
                text = "Cannot update a record without specifying its id or xml_id"
                raise validation_error(text)
            return None
        found = external_ids.find(env, item.external)
        if found is None:
            return None
        row_id, row = found
        if env.series >= 19 and row["model"] != name:
            raise validation_error(
                f"For external id {item.external} when trying to create/update a record of model"
                f" {name} found record of different model {row['model']} ({row_id})"
            )
        if row["res_id"] not in env.table(name).rows:
            env.db.put(env.table(external_ids.MODEL), row_id, None)
            return None
        return row["res_id"], update and bool(row["noupdate"])
