"""The committed state, and one transaction at a time on it.

A row is never changed in place: a write puts a new row, and the journal of the transaction keeps
the old one. Rolling back costs what the transaction touched, whatever the size of the database.
"""

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from attrs import define, field

from .models import Model

Row = dict[str, Any]
Check = Callable[[dict[str, Any]], str | None]  # a text refuses the record


@define
class NotUniqueError(Exception):
    """Two records would share the value of a unique field."""

    name: str


class Table:
    """The rows of one model, with an index per many2one and per unique field.

    An index on several fields has their names joined by a comma, and tuples for values.
    """

    def __init__(self, model: Model) -> None:
        self.model = model
        self.rows: dict[int, Row] = {}
        self.last_id = 0
        self._unique = [name for name, _, _ in model.unique]
        names = (*model.references, *model.indexed, *self._unique)
        # Insertion-ordered sets: the ids of the rows with a value, by index and value.
        self._indexes: dict[str, dict[Any, dict[int, None]]] = {name: {} for name in names}
        self._columns = {name: name.split(",") for name in names}

    def put(self, row_id: int, row: Row | None) -> Row | None:
        """Make *row* the row with that id (None removes it) and return the one it replaces."""
        old = self.rows.get(row_id)
        changed = []
        for name, columns in self._columns.items():
            before, after = _key(old, columns), _key(row, columns)
            if before == after:
                continue
            if after is not None and name in self._unique and self._indexes[name].get(after):
                raise NotUniqueError(name)
            changed.append((self._indexes[name], before, after))
        for index, before, after in changed:
            if before is not None:
                del index[before][row_id]
            if after is not None:
                index.setdefault(after, {})[row_id] = None
        if row is None:
            del self.rows[row_id]
        else:
            self.rows[row_id] = row
        return old

    def having(self, name: str, value: Any) -> list[int]:
        """Return the ids of the rows with a value in an index."""
        return list(self._indexes[name].get(value, ()))

    def one(self, name: str, value: Any) -> int | None:
        """Return the id of the only row with a value in a unique index, None for none."""
        return next(iter(self.having(name, value)), None)


def _key(row: Row | None, columns: list[str]) -> Any:
    """Return the value of a row in an index; as in SQL, nothing is like nothing."""
    if row is None:
        return None
    if len(columns) == 1:
        return row.get(columns[0])
    values = tuple(row.get(name) for name in columns)
    return None if None in values else values


class Tables(dict[str, Table]):
    """The tables by model; each is made when it is first asked for."""

    def __init__(self, models: Mapping[str, Model]) -> None:
        super().__init__()
        self._models = models

    def __missing__(self, name: str) -> Table:
        table = self[name] = Table(self._models[name])
        return table


@define
class Database:
    """The tables of one stand-in and the lock that lets one call at a time work on them.

    Args:
        ruled_out: by model the values of the records that a record rule hides.
        allowed: by user and model what a user may do beside what everyone may.
        checks: by model the constraints that the user of the stand-in wrote.
        refusals: by model and method the texts that the next calls are refused with.
    """

    models: dict[str, Model]
    ruled_out: dict[str, Mapping[str, Any]] = field(factory=dict, init=False)
    allowed: dict[tuple[int, str], set[str]] = field(factory=dict, init=False)
    checks: dict[str, list[Check]] = field(factory=dict, init=False)
    refusals: dict[tuple[str, str], list[str]] = field(factory=dict, init=False)
    tables: dict[str, Table] = field(init=False)
    lock: threading.RLock = field(factory=threading.RLock, init=False)
    journal: list[tuple[Table, int, Row | None]] = field(factory=list, init=False)

    def __attrs_post_init__(self) -> None:
        self.tables = Tables(self.models)

    def define(self, model: Model, filled: Mapping[str, Any]) -> None:
        """Add a model, or put it in its own place: its records stay, and are *filled* up.

        Raises:
            NotUniqueError: two records share a value that must be unique; then all is as before.
        """
        table = Table(model)
        if model.name in self.tables:
            old = self.tables[model.name]
            table.last_id = old.last_id
            for row_id, row in old.rows.items():
                table.put(row_id, {**filled, **row})
        self.models[model.name] = model
        self.tables[model.name] = table

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Commit what the block does, or nothing of it when it raises."""
        with self.lock:
            self.journal.clear()
            with self.savepoint():
                yield

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        """Undo what the block did when it raises, and nothing before it."""
        mark = len(self.journal)
        try:
            yield
        except BaseException:
            self.undo(mark)
            raise

    def undo(self, mark: int) -> None:
        """Go back to when the journal of the transaction had the length *mark*."""
        while len(self.journal) > mark:
            table, row_id, row = self.journal.pop()
            table.put(row_id, row)

    def put(self, table: Table, row_id: int, row: Row | None) -> None:
        """Write one row inside the transaction, or remove it."""
        self.journal.append((table, row_id, table.put(row_id, row)))

    def add(self, table: Table, row: Row) -> int:
        """Put a row under a fresh id, never one of a rolled back transaction, as PostgreSQL."""
        table.last_id += 1
        self.put(table, table.last_id, row)
        return table.last_id
