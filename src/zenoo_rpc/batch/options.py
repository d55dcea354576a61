"""How batches are carried out: a manager's settings, and the options of one batch."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, Literal, TypedDict

import attrs

from .._core.values import record_to_wire
from ..errors import InvalidValueError

OnError = Literal["continue", "stop"]


class Progress(TypedDict):
    """What a progress callback gets; *completed* and *total* count records.

    *stats* counts the records by status (`applied`, `refused`, `unknown`, `not_sent`), and the
    `calls` sent.
    """

    completed: int
    total: int
    percentage: float
    stats: dict[str, int]


ProgressCallback = Callable[[Progress], object]


class Options(TypedDict, total=False):
    """The keywords, as a batch's opening and the bulk methods take them.

    - `chunk_size`: records in one call, at most; default: the manager's `max_chunk_size`
    - `ordered`: whether operations follow each other in the order they were added (default), or
      may overlap where they touch different records
    - `on_error`: `"continue"` (default) isolates refused records and finishes their operation,
      `"stop"` sends nothing further after the first refusal
    - `time_limit`: seconds after which no further call is begun and none is waited for
    - `progress_callback`: plain or async, called with `Progress` after every call
    - `progress`: show a bar (extra `progress`)
    """

    chunk_size: int | None
    ordered: bool
    on_error: OnError
    time_limit: float | None
    progress_callback: ProgressCallback | None
    progress: bool


class Settings(TypedDict, total=False):
    """The keywords of a manager.

    - `max_chunk_size`: records in one call, at most (100)
    - `max_chunk_bytes`: bytes of them, at most (8 MiB)
    - `max_concurrency`: calls in flight, at most, however many batches share the manager (4)
    - `timeout`: seconds that the answer to one call may take (the client's)
    - `context`: merged over the user's own context and under an operation's
    """

    max_chunk_size: int
    max_chunk_bytes: int
    max_concurrency: int
    timeout: float | None
    context: Mapping[str, object] | None


def check_count(name: str, value: object) -> int:
    """Return *value* if it is a whole number of at least 1; *name* is the option's."""
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise InvalidValueError(f"{name} must be a whole number of at least 1, not {value!r}")
    return value


def check_seconds(name: str, value: Any) -> float | None:
    """Return *value* if it is a number of seconds above 0, or None."""
    if value is None:
        return None
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or not 0 < value < math.inf:
        raise InvalidValueError(f"{name} must be a number of seconds above 0, not {value!r}")
    return float(value)


def _count(_: object, attribute: attrs.Attribute[int], value: int) -> None:
    check_count(attribute.name, value)


def _count_or_none(_: object, attribute: attrs.Attribute[int | None], value: int | None) -> None:
    if value is not None:
        check_count(attribute.name, value)


def _seconds(_: object, attribute: attrs.Attribute[float | None], value: float | None) -> None:
    check_seconds(attribute.name, value)


def _wire_context(context: Mapping[str, object] | None) -> dict[str, object]:
    return record_to_wire(context or {})


@attrs.frozen(kw_only=True)
class ManagerSettings:
    """A manager's keywords, checked."""

    max_chunk_size: int = attrs.field(default=100, validator=_count)
    max_chunk_bytes: int = attrs.field(default=8 * 2**20, validator=_count)
    max_concurrency: int = attrs.field(default=4, validator=_count)
    timeout: float | None = attrs.field(default=None, validator=_seconds)
    context: dict[str, object] = attrs.field(default=None, converter=_wire_context, repr=False)


@attrs.frozen(kw_only=True)
class BatchOptions:
    """A batch's keywords, checked."""

    chunk_size: int | None = attrs.field(default=None, validator=_count_or_none)
    ordered: bool = True
    on_error: OnError = attrs.field(default="continue")
    time_limit: float | None = attrs.field(default=None, validator=_seconds)
    progress_callback: ProgressCallback | None = attrs.field(default=None)
    progress: bool = False

    @on_error.validator
    def _check_on_error(self, _: object, value: object) -> None:
        if value not in ("continue", "stop"):
            raise InvalidValueError(f'on_error must be "continue" or "stop", not {value!r}')

    @progress_callback.validator
    def _check_callback(self, _: object, value: object) -> None:
        if value is not None and not callable(value):
            raise InvalidValueError("progress_callback must be callable")
