"""A question about an import: which of its new records did it create itself?

Somebody else may import the same external ids at the same time. Then one of the two creates the
records and the other one writes to them, and `load` answers both alike.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import attrs

from ...batch.status import Existence
from ...wire.encoding import encode
from ...wire.values import WireRecord
from ..call import AboutCall, Load
from ..exchange import Answer
from ..faults import Fault
from .base import Book

# A time as text is `2026-11-26 08:30:59.123456`: what is compared of it are the digits from the
# seconds to the thousandths. Whoever wrote to a record later than that was somebody else.
SECONDS = "_" * len("2026-11-26 08:30:")
DIGITS = [
    SECONDS + "_" * place + digit + "%" for place in (0, 1, 3, 4, 5) for digit in "0123456789"
]


@attrs.frozen
class CreatedByItself(AboutCall[Load]):
    """A question to the server: which of these records were created when they were last written?

    *new* has the ids of records that were not there before the `load` and are there now, by their
    places in the call. What a transaction writes has its time, to the microsecond; an answer has
    whole seconds only, a condition compares all of it (14 and 19).
    """

    new: Mapping[int, int]

    method = "search"

    @property
    def arguments(self) -> list[bytes]:
        """The method's positional arguments, each as JSON: a domain."""
        return [encode(list(_written_once(list(self.new.values()))))]

    @property
    def context(self) -> WireRecord:
        """The call's own context; archived records are found as well."""
        return {**self.call.context, "active_test": False}

    def decide(self, reply: Answer | Fault, book: Book) -> None:
        """Of what was written since, or is not told, nobody is sure to have created it."""
        value = reply.value if isinstance(reply, Answer) else ()
        sure = {each for each in value if type(each) is int} if isinstance(value, list) else ()
        book.find(
            self.call,
            {
                place: Existence.ABSENT if number in sure else Existence.UNKNOWN
                for place, number in self.new.items()
            },
        )


def _written_once(ids: list[int]) -> Iterator[object]:
    yield ["id", "in", ids]
    for digit in DIGITS:
        yield from ("|", "!", ["create_date", "=like", digit], ["write_date", "=like", digit])
