"""May the user write to the model at all? A missing right or model concerns all records alike."""

from __future__ import annotations

import attrs

from ...batch.status import Status
from ...errors import AccessError, OdooError, UserError, ZenooError
from ...wire.encoding import encode
from ...wire.values import WireRecord
from ..call import Call
from ..exchange import Answer
from ..faults import Fault, Proof, not_answered
from .base import Book


@attrs.frozen
class AccessCheck:
    """A harmless question to the server: does it refuse the model, or the records?

    `check_access_rights(right, False)` exists from 14 on, answers False without the right, and
    fails with the same words as the call for a model that does not exist. *waiting* are the
    refused calls that the answer decides about.
    """

    model: str
    right: str
    context: WireRecord
    waiting: list[tuple[Call, Fault]] = attrs.field(eq=False)
    rights: Rights = attrs.field(eq=False, repr=False)

    method = "check_access_rights"
    idempotent = True

    @property
    def arguments(self) -> list[bytes]:
        """The method's positional arguments, each as JSON."""
        return [encode(self.right), encode(False)]

    def decide(self, reply: Answer | Fault, book: Book) -> None:
        """Refuse the calls that wait, or take them apart."""
        self.rights.asked.remove(self)
        for call, fault in self.waiting:
            if concerns_all(reply, fault):
                self.rights.denied.add((call.model, call.right))
                book.settle(call, Status.REFUSED, fault.error)
            elif isinstance(reply, Fault) and reply.proof is not Proof.ROLLED_BACK:
                book.give_up(call, Status.NOT_SENT, not_answered(call.model, reply))
            else:
                self.rights.fine.add((call.model, call.right))
                book.again(call.halves())


@attrs.define
class Rights:
    """What is known of the user's rights, by model and right; *asked* are those on their way."""

    asked: list[AccessCheck] = attrs.field(factory=list)
    fine: set[tuple[str, str]] = attrs.field(factory=set)
    denied: set[tuple[str, str]] = attrs.field(factory=set)

    def check(self, call: Call, fault: Fault) -> AccessCheck | None:
        """Return what to ask about a refused call; None if that is on its way, and it waits."""
        probe = AccessCheck(call.model, call.right, call.context, [(call, fault)], self)
        for other in self.asked:
            if other == probe:
                other.waiting.extend(probe.waiting)
                return None
        self.asked.append(probe)
        return probe


def needs_probe(fault: Fault) -> bool:
    """Whether the reason may lie in the model as well as in the records."""
    return isinstance(fault.error, AccessError | UserError)


def concerns_all(reply: Answer | Fault, fault: Fault) -> bool:
    """Whether the reply to a probe says that no record of the call that failed so can pass."""
    if isinstance(reply, Answer):
        return reply.value is False
    return _same(reply.error, fault.error)


def _same(one: ZenooError, other: ZenooError) -> bool:
    return (
        isinstance(one, OdooError)
        and isinstance(other, OdooError)
        and (one.name, one.message) == (other.name, other.message)
    )
