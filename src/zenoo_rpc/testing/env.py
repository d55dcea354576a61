"""One call at work: who calls, in which context, on which database."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from attrs import define, evolve, field

from .database import Database, Row, Table
from .fields import Field
from .models import Model
from .refusals import RefusalError, Words

ADMIN = 2
VERBS = {"read": "access", "create": "create", "write": "modify", "unlink": "delete"}  # by right


def now() -> str:
    """Return the time, as a database keeps it."""
    return str(datetime.now(UTC).replace(tzinfo=None))


@define
class ServedSession:
    """What the server remembers of one client; a call with a key has one of its own.

    Args:
        checked: whether the user proved who it is once more.
        over_http: whether it is one of HTTP proper; over `/jsonrpc` 19 has none.
    """

    uid: int
    checked: bool = False
    over_http: bool = True


@define
class Env:
    """The surroundings of one call.

    Args:
        words: the refusals of the release.
        context: the context of the call.
        trusted: whether access rights are already settled, as for what a rule does on its own.
        session: the user on whose behalf it runs.
        now: the time of the transaction, the same for everything it writes.
    """

    db: Database
    words: Words
    session: ServedSession
    context: Mapping[str, Any] = field(factory=dict)
    trusted: bool = False
    now: str = field(factory=now)

    @property
    def uid(self) -> int:
        """Return the user on whose behalf it runs."""
        return self.session.uid

    @property
    def new(self) -> bool:
        """Return whether the release is 19."""
        return self.words.new

    def table(self, model: str) -> Table:
        """Return the table of a model that is known to exist."""
        return self.db.tables[model]

    def lacks(self, field: Field) -> str:
        """Return what is lacking where a relation leads, the empty text for nothing."""
        other, inverse = self.db.models.get(field.relation), field.relation_field
        if other is None:
            return f"no model {field.relation!r} for the field {field.name}: `add_model` adds it"
        if field.type != "one2many" or inverse in other.references:
            return ""
        many2one = f"{field.relation}.{inverse}"
        return f"no many2one {many2one} for the field {field.name}: `add_field` adds it"

    def other(self, field: Field) -> Table:
        """Return the table of the model to which a relation leads.

        Raises:
            RefusalError: there is no such model, or a one2many has no other side there.
        """
        what = self.lacks(field)
        if what:
            raise self.words("lacks", what=what)
        return self.table(field.relation)

    def with_context(self, **changes: Any) -> "Env":
        """Return the same surroundings with a changed context."""
        return evolve(self, context={**self.context, **changes})

    def as_trusted(self) -> "Env":
        """Return the same surroundings without access checks."""
        return evolve(self, trusted=True)

    def check(self, model: Model, verb: str) -> None:
        """Refuse what the caller may not do; *verb* is create, modify, delete or access."""
        if self.trusted or verb in model.everyone or (self.uid <= ADMIN and model.group):
            return
        if verb in self.db.allowed.get((self.uid, model.name), ()):
            return
        about = "rights" if model.group else "rights of nobody"
        names = {"label": model.label, "model": model.name, "group": model.group}
        raise self.words(about, verb=verb, **names)

    def sees(self, model: Model, row: Row) -> bool:
        """Return whether a record is among those that the caller may know of."""
        if self.trusted:
            return True
        hidden = self.db.ruled_out.get(model.name)
        if hidden is not None and all(row.get(name) == value for name, value in hidden.items()):
            return False
        everyone = not model.private_to or (self.uid == ADMIN and model.for_admin)
        return everyone or row.get(model.private_to) == self.uid

    def hidden(self, model: Model, operation: str = "read") -> RefusalError:
        """Return the refusal of a record that the caller must not know of."""
        user = self.table("res.users").rows[self.uid]
        name = self.table("res.partner").rows[user["partner_id"]].get("name")
        names = {"label": model.label, "model": model.name, "user": f"{name} (id={self.uid})"}
        return self.words("hidden", operation=operation, verb=VERBS[operation], **names)

    def missing(self, model: str, record: object) -> RefusalError:
        """Return the refusal of a record that is not there."""
        return self.words("missing", model=model, record=record, uid=self.uid)

    def existing(self, table: Table, ids: Iterable[int]) -> list[tuple[int, Row]]:
        """Return the rows that are there, in the order of *ids*, once for each mention."""
        rows = table.rows
        return [(row_id, rows[row_id]) for row_id in ids if row_id in rows]

    def require(self, table: Table, ids: Iterable[int]) -> None:
        """Refuse the whole call when one of the records is not there."""
        for row_id in ids:
            if row_id not in table.rows:
                raise self.missing(table.model.name, row_id)

    def record_ids(self, value: Any) -> list[int]:
        """Return the ids a caller means: one or a list of them; empty ones do not count."""
        found = []
        for item in value if isinstance(value, list) else [value]:
            if isinstance(item, bool | str | list | dict) and item:
                raise self.words("integer", value=item)
            if item:
                found.append(int(item))
        return found
