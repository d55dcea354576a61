"""One call at work: who calls, in which context, on which database."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from attrs import define, evolve, field, frozen

from .database import Database, Row, Table
from .errors import OdooError, builtin, missing, not_an_integer, not_here, postgres
from .fields import Field
from .models import Model
from .wording import Wording

ADMIN = 2
VERBS = {"read": "access", "create": "create", "write": "modify", "unlink": "delete"}  # by right


def _now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)


@define
class Session:
    """What the server remembers of one client; a call with a key has one of its own.

    Args:
        checked: when the user proved who it is once more, by `time.monotonic`; None if never.
    """

    uid: int
    checked: float | None = None


@define
class Env:
    """The surroundings of one call.

    Args:
        uid: the user on whose behalf it runs.
        context: the context of the call.
        trusted: whether access rights are already settled, as for what a rule does on its own.
        session: the session of a call over HTTP proper; `/jsonrpc` has none.
        now: the time of the transaction, the same for everything it writes.
    """

    db: Database
    words: Wording
    uid: int
    context: Mapping[str, Any] = field(factory=dict)
    trusted: bool = False
    session: Session | None = None
    now: datetime = field(factory=_now)

    @property
    def series(self) -> int:
        """Return the release: 14 or 19."""
        return self.words.series

    def table(self, model: str) -> Table:
        """Return the table of a model that is known to exist."""
        return self.db.tables[model]

    def lacks(self, field: Field) -> str:
        """Return what is lacking where a relation leads, the empty text for nothing."""
        if field.relation not in self.db.models:
            return f"no model {field.relation!r} for the field {field.name}: `add_model` adds it"
        if field.type != "one2many" or field.inverse in self.db.models[field.relation].references:
            return ""
        many2one = f"{field.relation}.{field.inverse}"
        return f"no many2one {many2one} for the field {field.name}: `add_field` adds it"

    def other(self, field: Field) -> Table:
        """Return the table of the model to which a relation leads.

        Raises:
            OdooError: the stand-in has no such model, or not the other side of a one2many.
        """
        what = self.lacks(field)
        if what:
            raise not_here(what)
        return self.db.tables[field.relation]

    def with_context(self, **changes: Any) -> "Env":
        """Return the same surroundings with a changed context."""
        return evolve(self, context={**self.context, **changes})

    def as_trusted(self) -> "Env":
        """Return the same surroundings without access checks."""
        return evolve(self, trusted=True)

    @property
    def limited(self) -> bool:
        """Return whether the caller is a user with few rights."""
        return not self.trusted and self.uid > ADMIN

    def check(self, model: Model, verb: str) -> None:
        """Refuse what the caller may not do; *verb* is create, modify, delete or access."""
        if self.trusted or verb in model.everyone or (self.uid <= ADMIN and model.group):
            return
        if verb in self.db.allowed.get((self.uid, model.name), ()):
            return
        raise self.words.access(verb, model.label, model.name, model.group)

    def hides(self, model: Model) -> bool:
        """Return whether there may be records of the model that the caller must not know of."""
        return not self.trusted and bool(model.private_to or model.name in self.db.ruled_out)

    def sees(self, model: Model, row: Row) -> bool:
        """Return whether a record is among those that the caller may know of."""
        if self.rules_out(model, row):
            return False
        if not model.private_to or self.trusted or (self.uid == ADMIN and model.for_admin):
            return True
        return bool(row.get(model.private_to) == self.uid)

    def rules_out(self, model: Model, row: Row) -> bool:
        """Return whether a record rule hides a record."""
        values = self.db.ruled_out.get(model.name)
        if values is None or self.trusted:
            return False
        return all(row.get(name) == value for name, value in values.items())

    def hidden(self, model: Model, operation: str = "read") -> OdooError:
        """Return the refusal of a record that the caller must not know of."""
        user = self.table("res.users").rows[self.uid]
        name = self.table("res.partner").rows[user["partner_id"]].get("name")
        who = f"{name} (id={self.uid})"
        return self.words.hidden(model.label, model.name, who, operation)

    def existing(self, table: Table, ids: Iterable[int]) -> list[tuple[int, Row]]:
        """Return the rows that are there, in the order of *ids*, once for each mention."""
        rows = table.rows
        return [(row_id, rows[row_id]) for row_id in ids if row_id in rows]

    def require(self, table: Table, ids: Iterable[int]) -> None:
        """Refuse the whole call when one of the records is not there."""
        for row_id in ids:
            if row_id not in table.rows:
                raise missing(table.model.name, row_id, self.uid)


@frozen
class Request:
    """One method call: on which model, on which ids (none for a method of the model), with what."""

    env: Env
    model: Model
    ids: list[int]
    arguments: Mapping[str, Any]


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
