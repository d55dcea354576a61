"""Questions about an import: which of its records are there, and became there."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeGuard

import attrs

from ...batch.status import Existence, Status
from ...errors import InvalidValueError, ZenooError
from ...wire.encoding import encode
from ..call import AboutCall, Call, Load
from ..dialect.shapes import is_rows
from ..exchange import Answer
from ..faults import Fault, Proof, not_answered
from .base import Book
from .unchanged import Cells, Comparison


@attrs.frozen
class KnownExternalIds(AboutCall[Load]):
    """A question to the server: which records of a `load` have their external id already?

    On 14 every user may ask, on 19 only one with the Access Rights group. Where the rows are to be
    compared with what is there, *cells* says what they are, and the records that they refer to are
    asked for as well.
    """

    cells: Cells | None = None
    is_last: bool = attrs.field(default=False, kw_only=True)

    method = "search_read"

    @property
    def model(self) -> str:
        """Where external ids are kept."""
        return "ir.model.data"

    @property
    def arguments(self) -> list[bytes]:
        """The method's positional arguments, each as JSON: a domain and the fields."""
        names = dict.fromkeys(self.call.names)
        if self.cells is not None:
            for row in self.call.rows:
                names.update(dict.fromkeys(self.cells.references(row)))
        return question(names)

    def found(self, reply: Answer | Fault) -> list[int | None] | None:
        """Return for each record its id if it is there, None where that was not answered."""
        return found(reply.value, self.call.names) if isinstance(reply, Answer) else None

    def taken(self, reply: Answer | Fault) -> dict[int, ZenooError]:
        """Return what is told of records whose external id another model has, by their places.

        14 would take it over, and overwrite the record of this model with the same number.
        """
        own = self.call.model
        models = {_whole(row): row.get("model", own) for row in self._rows(reply)}
        each = ((place, models.get(name, own)) for place, name in enumerate(self.call.names))
        return {
            place: InvalidValueError(f"its external id is that of a record of {model}")
            for place, model in each
            if model != own
        }

    def comparison(self, reply: Answer | Fault) -> Comparison | None:
        """Return what to ask next, None where nothing is there or can be compared."""
        there = {place: n for place, n in enumerate(self.found(reply) or ()) if n}
        if self.cells is None or not there:
            return None
        rows = self._rows(reply)
        referred = {_whole(row): (row.get("model"), row.get("res_id")) for row in rows}
        return Comparison(self.call, self.cells, there, referred)

    def decide(self, reply: Answer | Fault, book: Book) -> None:
        """Keep which records are there, if the user may ask, and send them."""
        if isinstance(reply, Fault) and reply.proof is not Proof.ROLLED_BACK:
            self._ask_again(reply, book)
            return
        found = self.found(reply)
        if found is None:
            book.ask_no_more_for_ids()
        there = (Existence.PRESENT if number else Existence.ABSENT for number in found or ())
        book.find(self.call, dict(enumerate(there)))
        taken = self.taken(reply)
        book.refuse(self.call, taken)
        rest = self.call.without(taken)
        if rest is not None:
            left = attrs.evolve(self, call=rest) if taken else self
            book.again([left.comparison(reply) or rest])

    def _ask_again(self, fault: Fault, book: Book) -> None:
        """Ask once more; then send nothing, as 14 would overwrite a record of another model."""
        if self.is_last:
            book.give_up(self.call, Status.NOT_SENT, not_answered(self.model, fault))
        else:
            book.again([attrs.evolve(self, is_last=True)])

    def _rows(self, reply: Answer | Fault) -> list[dict[str, object]]:
        value = reply.value if isinstance(reply, Answer) else None
        return value if is_rows(value) else []


@attrs.frozen
class Reconcile(KnownExternalIds):
    """The same question after a `load` without an answer: which of its records are there now?"""

    error: ZenooError = attrs.field(kw_only=True)

    def decide(self, reply: Answer | Fault, book: Book) -> None:
        """What was not there before and is there now is done; the rest is sent once more."""
        if isinstance(reply, Fault) and reply.proof is not Proof.ROLLED_BACK:
            book.give_up(self.call, Status.UNKNOWN, self.error)
            return
        created = self.created(reply, book.was_new)
        done = self.call.only(created)
        book.find(done, dict.fromkeys(range(len(done)), Existence.UNKNOWN))  # or somebody else
        book.name(done, list(created.values()))  # by place, as they were found
        book.done(done)
        rest = self.call.without(created)
        if rest is not None:
            book.load_again(rest, self.error)

    def created(self, reply: Answer | Fault, was_new: Callable[[int], bool]) -> dict[int, int]:
        """Return the ids, by place, of those that were not there before and are there now."""
        each = zip(self.call.numbers, self.found(reply) or (), strict=False)
        return {place: id for place, (number, id) in enumerate(each) if id and was_new(number)}


def question(names: Iterable[str]) -> list[bytes]:
    """Return the arguments of `search_read` that ask for external ids, `module.name` each."""
    by_module: dict[str, list[str]] = {}
    for each in names:
        module, _, name = each.partition(".")
        by_module.setdefault(module, []).append(name)
    domain: list[object] = ["|"] * (len(by_module) - 1)
    for module, own in by_module.items():
        domain += ["&", ["module", "=", module], ["name", "in", own]]
    return [encode(domain), encode(["module", "name", "model", "res_id"])]


def _whole(row: dict[str, object]) -> str:
    return f"{row.get('module')}.{row.get('name')}"


def found(rows: object, names: Iterable[str]) -> list[int | None] | None:
    """Return for each external id the id of its record, None for an answer of another shape."""
    if not is_rows(rows):
        return None
    there = {_whole(row): row.get("res_id") for row in rows}
    return [there.get(name) for name in names]


def needs_reconcile(call: Call, fault: Fault) -> TypeGuard[Load]:
    """Whether it can be found out what became of an import without an answer: once it is tried."""
    return isinstance(call, Load) and fault.proof is Proof.UNKNOWN and not call.maybe_applied
