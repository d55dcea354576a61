"""The committed state, and one transaction at a time on it.

A row is never changed in place: a write puts a new row, and the journal of the transaction keeps
the old one. Rolling back costs what the transaction touched, whatever the size of the database.
"""

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from attrs import define, field

from .bundled import Models
from .models import Model

Row = dict[str, Any]
Check = Callable[[dict[str, Any]], str | None]  # a text refuses the record


class NotUniqueError(Exception):
    """Two records would share the value of a unique field."""

    def __init__(self, name: str, other: int) -> None:
        super().__init__(name, other)
        self.name = name
        self.other = other


class Table:
    """The rows of one model, with an index per many2one and per unique field.

    An index on several fields has their names joined by a comma, and tuples for values.
    """

    def __init__(self, model: Model) -> None:
        self.model = model
        self.rows: dict[int, Row] = {}
        self.last_id = 0
        # Insertion-ordered sets: the ids that refer to a target, by field and target.
        self.referring: dict[str, dict[int, dict[int, None]]] = {
            name: {} for name in (*model.references, *model.indexed)
        }
        self.unique: dict[str, dict[Any, int]] = {name: {} for name, _, _ in model.unique}
        self._key = {name: _key_of(name) for name in (*self.referring, *self.unique)}

    def put(self, row_id: int, row: Row | None) -> Row | None:
        """Make *row* the row with that id (None removes it) and return the one it replaces."""
        old = self.rows.get(row_id)
        if row is not None:
            for name, values in self.unique.items():
                value = self._key[name](row)
                if values.get(value, row_id) != row_id:
                    raise NotUniqueError(name, values[value])
        for name, values in self.unique.items():
            key = self._key[name]
            before = None if old is None else key(old)
            after = None if row is None else key(row)
            if before == after:
                continue
            if before is not None:
                del values[before]
            if after is not None:
                values[after] = row_id
        for name, targets in self.referring.items():
            key = self._key[name]
            before = None if old is None else key(old)
            after = None if row is None else key(row)
            if before == after:
                continue
            if before is not None:
                del targets[before][row_id]
            if after is not None:
                targets.setdefault(after, {})[row_id] = None
        if row is None:
            del self.rows[row_id]
        else:
            self.rows[row_id] = row
        return old

    def users_of(self, name: str, target: Any) -> list[int]:
        """Return the ids of the rows whose many2one *name* is *target*."""
        return list(self.referring[name].get(target, ()))


def _key_of(index: str) -> Callable[[Row], Any]:
    names = index.split(",")
    if len(names) == 1:
        return lambda row: row.get(index)

    def key(row: Row) -> tuple[Any, ...] | None:
        found = tuple(row.get(name) for name in names)
        return None if None in found else found  # as in SQL, nothing is like nothing

    return key


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

    models: Models
    ruled_out: dict[str, Mapping[str, Any]] = field(factory=dict)
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
            try:
                yield
            except BaseException:
                self.undo(0)
                raise
            finally:
                self.journal.clear()

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

    def next_id(self, table: Table) -> int:
        """Return a fresh id, never one of a rolled back transaction, as in PostgreSQL."""
        table.last_id += 1
        return table.last_id

    def put(self, table: Table, row_id: int, row: Row | None) -> None:
        """Write one row inside the transaction."""
        old = table.put(row_id, row)
        self.journal.append((table, row_id, old))
