"""How batches are carried out: a manager's settings, and the options of one batch."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Literal, TypedDict, TypeVar

import attrs

from .._core.values import record_to_wire
from .._core.ways import Way
from ..errors import InvalidValueError, UnknownOptionError

# What keeps the addon `mail` from writing messages, followers and tracked changes (14 and 19).
QUIET: Mapping[str, object] = MappingProxyType(
    {
        "tracking_disable": True,
        "mail_create_nolog": True,
        "mail_create_nosubscribe": True,
        "mail_notrack": True,
    }
)

OnError = Literal["continue", "stop"]
OnUnknown = Literal["report", "reconcile"]


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
    - `quiet`: whether to switch off what Odoo does besides: no chatter messages, no followers, no
      tracked changes, which is several times as fast; default: the manager's
    - `ordered`: whether operations follow each other in the order they were added (default), or
      may overlap where they touch different records
    - `on_error`: `"continue"` (default) isolates refused records and finishes their operation,
      `"stop"` sends nothing further after the first refusal, and tells refused only whom the
      server named
    - `on_unknown`: what to do about a create with external ids that no answer came to:
      `"reconcile"` (default) finds out, by looking the external ids up where the user may and
      else by sending it again, `"report"` leaves it unknown; all else that is unknown is reported
    - `skip_unchanged`: whether creates with external ids first read what is there, where the user
      may read external ids, and send only what would change something (default)
    - `time_limit`: seconds after which no further call is begun and none is waited for
    - `progress_callback`: plain or async, called with `Progress` after every call
    - `progress`: show a bar (extra `progress`)
    """

    chunk_size: int | None
    quiet: bool | None
    ordered: bool
    on_error: OnError
    on_unknown: OnUnknown
    skip_unchanged: bool
    time_limit: float | None
    progress_callback: ProgressCallback | None
    progress: bool


class Settings(TypedDict, total=False):
    """The keywords of a manager.

    - `max_chunk_size`: records in one call, at most; by default as many as the server carries out
      in about `call_seconds` (2), found out from call to call, beginning with 100
    - `max_chunk_bytes`: bytes of them, at most (8 MiB)
    - `max_concurrency`: calls in flight, at most, however many batches share the manager (4)
    - `timeout`: seconds that the answer to one call may take (the client's)
    - `quiet`: whether to switch off messages and the tracking of changes, see `Options`
    - `update_by`: the method to try first for different values: `"web_save_multi"` (default),
      `"load"` or `"write"`; one that the server does not have is left out
    - `context`: merged over the user's own context and under an operation's
    """

    max_chunk_size: int | None
    max_chunk_bytes: int
    max_concurrency: int
    call_seconds: float
    timeout: float | None
    quiet: bool
    update_by: Literal["web_save_multi", "load", "write"]
    context: Mapping[str, object] | None


T = TypeVar("T", bound=attrs.AttrsInstance)


def checked(kind: type[T], options: Mapping[str, Any]) -> T:
    """Return the options as an instance of *kind*; UnknownOptionError for one that it has not."""
    known = [each.name for each in attrs.fields(kind)]
    for name in options:
        if name not in known:
            raise UnknownOptionError(f"there is no option {name!r}; known are {', '.join(known)}")
    return kind(**options)


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


def _some_seconds(_: object, attribute: attrs.Attribute[float], value: float) -> None:
    if check_seconds(attribute.name, value) is None:
        raise InvalidValueError(f"{attribute.name} must be a number of seconds above 0, not None")


def _way(value: str) -> Way:
    try:
        return Way(value)
    except ValueError:
        known = ", ".join(f'"{way}"' for way in Way)
        raise InvalidValueError(f"update_by must be one of {known}, not {value!r}") from None


def _wire_context(context: Mapping[str, object] | None) -> dict[str, object]:
    return record_to_wire(context or {})


@attrs.frozen(kw_only=True)
class ManagerSettings:
    """A manager's keywords, checked."""

    max_chunk_size: int | None = attrs.field(default=None, validator=_count_or_none)
    max_chunk_bytes: int = attrs.field(default=8 * 2**20, validator=_count)
    max_concurrency: int = attrs.field(default=4, validator=_count)
    call_seconds: float = attrs.field(default=2.0, validator=_some_seconds)
    timeout: float | None = attrs.field(default=None, validator=_seconds)
    quiet: bool = False
    update_by: Way = attrs.field(default=Way.SAVE, converter=_way)
    context: dict[str, object] = attrs.field(default=None, converter=_wire_context, repr=False)


@attrs.frozen(kw_only=True)
class BatchOptions:
    """A batch's keywords, checked."""

    chunk_size: int | None = attrs.field(default=None, validator=_count_or_none)
    quiet: bool | None = None
    ordered: bool = True
    on_error: OnError = attrs.field(default="continue")
    on_unknown: OnUnknown = attrs.field(default="reconcile")
    skip_unchanged: bool = True
    time_limit: float | None = attrs.field(default=None, validator=_seconds)
    progress_callback: ProgressCallback | None = attrs.field(default=None)
    progress: bool = False

    @on_error.validator
    def _check_on_error(self, _: object, value: object) -> None:
        if value not in ("continue", "stop"):
            raise InvalidValueError(f'on_error must be "continue" or "stop", not {value!r}')

    @on_unknown.validator
    def _check_on_unknown(self, _: object, value: object) -> None:
        if value not in ("report", "reconcile"):
            raise InvalidValueError(f'on_unknown must be "report" or "reconcile", not {value!r}')

    @progress_callback.validator
    def _check_callback(self, _: object, value: object) -> None:
        if value is not None and not callable(value):
            raise InvalidValueError("progress_callback must be callable")
