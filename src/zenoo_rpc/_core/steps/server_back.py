"""A question whose answer does not matter: does a server that lost a call answer again?"""

from __future__ import annotations

from typing import ClassVar

import attrs

from ..call import Call
from ..exchange import Answer
from ..faults import Fault, Proof
from .base import Book


@attrs.frozen
class AnswersAgain:
    """A harmless question to the server, before anything else is sent there.

    `context_get` is for every user, and asks for nothing but the user (14 and 19). *waiting* are
    the calls that go again then.
    """

    waiting: list[Call] = attrs.field(factory=list, eq=False)

    model = "res.users"
    method = "context_get"
    idempotent = True
    context: ClassVar[dict[str, object]] = {}
    arguments = ()

    def decide(self, reply: Answer | Fault, book: Book) -> None:
        """Go on; or send nothing more, if no answer comes."""
        if isinstance(reply, Answer) or reply.proof is Proof.ROLLED_BACK:
            book.again(self.waiting)
        else:
            book.stop(reply.error)
