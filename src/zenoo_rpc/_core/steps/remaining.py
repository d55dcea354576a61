"""What has an unlink left that may have been carried out before?"""

from __future__ import annotations

from typing import TypeGuard

import attrs

from ...batch.status import Status
from ...errors import AccessError, MissingError, ZenooError
from ...wire.encoding import array, encode
from ..call import AboutCall, Call, Unlink
from ..dialect.shapes import is_rows
from ..exchange import Answer
from ..faults import Fault, Proof, not_answered
from .base import Book


@attrs.frozen
class RemainingIds(AboutCall[Unlink]):
    """A question to the server: which records of an unlink that may be done are still there?

    `unlink` answers MissingError as soon as one of its records is gone, so one that was sent
    twice has to be settled record by record. `search` would say of a record that a rule hides what
    it says of one that is gone; `read` of a column leaves out what is gone, and refuses what is
    hidden (`_read` in `odoo/models.py` of 14, `fetch` in `odoo/orm/models.py` of 19).
    """

    error: ZenooError

    method = "read"

    @property
    def arguments(self) -> list[bytes]:
        """The method's positional arguments, each as JSON: the ids, and a column of most tables."""
        return [array(self.call.parts), encode(["create_date"])]

    def parts(self, reply: Answer | Fault) -> list[RemainingIds]:
        """Return what to ask instead, where one of several records is hidden; else nothing."""
        if len(self.call) == 1 or not _is_hidden(reply):
            return []
        return [RemainingIds(half, self.error) for half in self.call.halves()]

    def sort(self, reply: Answer | Fault) -> tuple[Call | None, Call | None] | None:
        """Return the call's records that are gone and those that are not; None for no answer."""
        if _is_hidden(reply):
            return None, self.call
        rows = reply.value if isinstance(reply, Answer) else None
        if not is_rows(rows):
            return None
        there = {b"%d" % row["id"] for row in rows if type(row.get("id")) is int}
        places = {n for n, part in enumerate(self.call.parts) if part in there}
        if len(places) != len(rows):
            return None
        left = self.call.only(places) if places else None
        return self.call.without(places), left

    def decide(self, reply: Answer | Fault, book: Book) -> None:
        """Tell what is gone, and send what is left once more."""
        if parts := self.parts(reply):
            book.again(parts)
            return
        sorted_out = self.sort(reply)
        if sorted_out is None:
            if isinstance(reply, Fault) and reply.proof is Proof.ROLLED_BACK:
                book.settle(self.call, Status.UNKNOWN, self.error)
            else:
                fault = reply if isinstance(reply, Fault) else None
                book.lose(self.call, not_answered(self.model, fault) if fault else self.error)
            return
        gone, left = sorted_out
        if gone is not None:
            book.done(gone)
        if left is not None and gone is None and self.call.maybe_applied:
            book.settle(left, Status.UNKNOWN, self.error)  # asking on would lead nowhere
        elif left is not None:
            book.again([attrs.evolve(left, maybe_applied=True)])


def _is_hidden(reply: Answer | Fault) -> bool:
    return isinstance(reply, Fault) and isinstance(reply.error, AccessError)


def needs_survey(call: Call, fault: Fault) -> TypeGuard[Unlink]:
    """Whether it must be asked what an unlink that was sent twice has left."""
    twice = call.maybe_applied or fault.maybe_applied
    return isinstance(call, Unlink) and twice and isinstance(fault.error, MissingError)
