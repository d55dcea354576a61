"""One call at work: who calls, in which context, on which database."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from attrs import define, evolve, field

from .database import Database, Row, Table
from .errors import Wording, builtin, missing, not_an_integer, postgres
from .models import Model

ADMIN = 2


def _now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)


@define
class Env:
    """The surroundings of one call.

    Args:
        uid: the user on whose behalf it runs.
        context: the context of the call.
        trusted: whether access rights are already settled, as for what a rule does on its own.
        now: the time of the transaction, the same for everything it writes.
    """

    db: Database
    words: Wording
    uid: int
    context: Mapping[str, Any] = field(factory=dict)
    trusted: bool = False
    now: datetime = field(factory=_now)

    @property
    def series(self) -> int:
        """Return the release: 14 or 19."""
        return self.words.series

    def table(self, model: str) -> Table:
        """Return the table of a model that is known to exist."""
        return self.db.tables[model]

    def with_context(self, **changes: Any) -> "Env":
        """Return the same surroundings with a changed context."""
        return evolve(self, context={**self.context, **changes})

    def as_trusted(self) -> "Env":
        """Return the same surroundings without access checks."""
        return evolve(self, trusted=True)

    def check(self, model: Model, verb: str) -> None:
        """Refuse what the caller may not do; *verb* is create, modify, delete or access."""
        if self.trusted or self.uid <= ADMIN or verb in model.everyone:
            return
        raise self.words.access(verb, model.label, model.name, model.group)

    def existing(self, table: Table, ids: Iterable[int]) -> list[tuple[int, Row]]:
        """Return the rows that are there, in the order of *ids*, once for each mention."""
        rows = table.rows
        return [(row_id, rows[row_id]) for row_id in ids if row_id in rows]

    def require(self, table: Table, ids: Iterable[int]) -> None:
        """Refuse the whole call when one of the records is not there."""
        for row_id in ids:
            if row_id not in table.rows:
                raise missing(table.model.name, row_id, self.uid)


def record_ids(value: Any) -> list[int]:
    """Return the ids a caller means: one or a list of them; empty ones do not count."""
    if isinstance(value, str) and value:
        raise not_an_integer(value)
    items = value if isinstance(value, list | tuple) else [value]
    ids = []
    for item in items:
        if type(item) is int:
            if item:
                ids.append(item)
        elif item is True:
            raise postgres("UndefinedFunction", "operator does not exist: integer = boolean")
        elif isinstance(item, list | dict):
            raise builtin("TypeError", f"unhashable type: '{type(item).__name__}'")
        elif isinstance(item, str) and item:
            raise not_an_integer(item)
        elif item:
            ids.append(int(item))
    return ids
