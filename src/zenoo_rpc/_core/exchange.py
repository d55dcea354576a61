"""What is asked of a server and what comes back, whatever dialect is spoken."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import attrs

from ..batch.status import Status
from ..errors import ZenooError
from .faults import Fault

CONTENT_TYPE = "application/json"


@attrs.frozen
class Answer:
    """The value that a call brought; *maybe_applied* as in `Fault`."""

    value: Any
    maybe_applied: bool = False

    def seen_after(self, unknown: Fault | None) -> Answer:
        """Return the same value, when earlier tries ended as *unknown*."""
        return self if unknown is None else attrs.evolve(self, maybe_applied=True)


Ending = tuple[Status, ZenooError | None]
Listener = Callable[[Sequence[Ending]], None]  # hears what became of a call's records, in order


@attrs.frozen
class HeldBack(Answer):
    """The answer to a call that waits for the end of its transaction; *listeners* hear of it."""

    listeners: list[Listener] = attrs.field(factory=list, kw_only=True, eq=False, repr=False)


@attrs.frozen
class Request:
    """A call of a model's method: each of *args* is JSON already, *kwargs* and *context* are not.

    An *idempotent* one may be carried out twice without harm; *places* are those of its records in
    a batch. One that is *renamed* gives its arguments their other names (see `named`).
    """

    model: str
    method: str
    args: Sequence[bytes] = attrs.field(repr=False)
    kwargs: Mapping[str, object] = attrs.field(repr=False)
    context: Mapping[str, object] = attrs.field(repr=False)
    idempotent: bool
    places: Sequence[int] = attrs.field(default=(), repr=False)
    renamed: bool = False


@attrs.frozen
class Wire:
    """What is sent: a *path*, a *body*, and *headers* beside the usual ones."""

    path: str
    body: bytes = attrs.field(repr=False)
    headers: Mapping[str, str] = attrs.field(factory=dict, repr=False)


def value_of(answer: Answer | Fault) -> Any:
    """Return the value that a call brought, or raise the exception that tells why it did not."""
    if isinstance(answer, Fault):
        raise answer.error
    return answer.value
