"""A step is a question together with what its answer decides; a book is where that is written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from ...batch.status import Existence, Status
from ...errors import ZenooError
from ...wire.values import WireRecord
from ..call import Call
from ..exchange import Answer
from ..faults import Fault


class Step(Protocol):
    """A question to the server, which changes nothing there."""

    @property
    def model(self) -> str:
        """The model that is asked."""

    @property
    def method(self) -> str:
        """The method that asks it."""

    @property
    def context(self) -> WireRecord:
        """The context that it is asked in."""

    @property
    def arguments(self) -> Sequence[bytes]:
        """The method's positional arguments, each as JSON."""

    @property
    def idempotent(self) -> bool:
        """Whether it may be asked twice: always."""

    def decide(self, reply: Answer | Fault, book: Book) -> None:
        """Write down what follows from the answer."""


class Book(Protocol):
    """What is written is in the ledger or on the agenda at once; see `replies`."""

    def again(self, steps: Iterable[Step | Call | None]) -> None:
        """Send these before anything else; None is a call of which nothing was left."""

    def stop(self, error: ZenooError) -> None:
        """Send nothing more, because of an error."""

    def done(self, call: Call) -> None:
        """Tell the records of a call as applied."""

    def settle(self, call: Call, status: Status, error: ZenooError) -> None:
        """Tell the records of a call, and why."""

    def skip(self, call: Call) -> None:
        """Take note that nothing of an import had to be sent."""

    def refuse(self, call: Call, errors: Mapping[int, ZenooError]) -> None:
        """Tell the records at these places in a call as refused."""

    def lose(self, call: Call, error: ZenooError) -> None:
        """Tell the records of a call as unknown, and go on when the server answers again."""

    def give_up(self, call: Call, status: Status, error: ZenooError) -> None:
        """Tell the records of a call, and send nothing more."""

    def load_again(self, call: Call, error: ZenooError) -> None:
        """Send an import whose answer was lost once more, if that is harmless."""

    def name(self, call: Call, ids: Iterable[int]) -> None:
        """Tell the ids of a call's records."""

    def find(self, call: Call, existence: Mapping[int, Existence]) -> None:
        """Tell what was found of the records at these places in a call."""

    def was_new(self, number: int) -> bool:
        """Whether a record is known not to have been there before."""

    def ask_no_more_for_ids(self) -> None:
        """Ask no more which external ids are there: the user may not."""

    def describe(self, model: str, reply: Answer | Fault) -> None:
        """Take what the fields of a model are."""
