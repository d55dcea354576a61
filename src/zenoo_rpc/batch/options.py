"""How batches are carried out: a manager's settings, and the options of one batch."""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Literal, TypedDict, get_args

import attrs
from attrs.validators import optional

from ..errors import InvalidValueError
from ..wire.arguments import count, merged, one_of, rate, seconds, validator, yes_or_no

# What keeps the addon `mail` from writing messages, followers and tracked changes, and the addon
# `auth_signup` from inviting each new user by mail (14 and 19).
QUIET: Mapping[str, object] = MappingProxyType(
    {
        "tracking_disable": True,
        "mail_create_nolog": True,
        "mail_create_nosubscribe": True,
        "mail_notrack": True,
        "no_reset_password": True,
    }
)


class Way(enum.StrEnum):
    """A method that writes to each record its own values, all or none; the best comes first.

    `web_save_multi` is of the addon `web` (seen on 19). `load` does it by database id, for values
    that an import can carry. What they cannot do is done by single writes.
    """

    SAVE = "web_save_multi"
    LOAD = "load"
    WRITE = "write"

    @property
    def apart(self) -> int:
        """How many records must share their values to be worth a `write` of their own.

        A call costs about 10 ms; what it saves for each record was measured on 19 and 14.
        """
        return {Way.SAVE: 20, Way.LOAD: 5, Way.WRITE: 1}[self]


OnError = Literal["continue", "stop"]
OnUnknown = Literal["continue", "stop", "report", "reconcile"]


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
      tracked changes, no mails to new users, which is several times as fast; default: the manager's
    - `ordered`: whether operations follow each other in the order they were added (default), or
      may overlap where they touch different records
    - `on_error`: `"continue"` (default) isolates refused records and finishes their operation,
      `"stop"` sends nothing further after the first refusal, and tells refused only whom the
      server named
    - `on_unknown`: what to do when no answer comes to a call, after all its tries: `"continue"`
      (default) finds out what became of creates with external ids, by looking these up where the
      user may and else by sending it again, tells other records as unknown, waits until the server
      answers again, and goes on; `"stop"` begins nothing new once a record stays unknown;
      `"report"` goes on, and tells creates with external ids as unknown at once; `"reconcile"` is
      the same as `"continue"`
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
    - `rate`: calls that may begin in a second, at most; by default as many as the server takes
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
    rate: float | None
    timeout: float | None
    quiet: bool
    update_by: Literal["web_save_multi", "load", "write"]
    context: Mapping[str, object] | None


def _way(value: str) -> Way:
    try:
        return Way(value)
    except ValueError:
        known = ", ".join(f'"{way}"' for way in Way)
        raise InvalidValueError(f"update_by must be one of {known}, not {value!r}") from None


COUNT, SECONDS, RATE = validator(count), validator(seconds), validator(rate)
YES_OR_NO = validator(yes_or_no)


@attrs.frozen(kw_only=True)
class ManagerSettings:
    """A manager's keywords, checked."""

    max_chunk_size: int | None = attrs.field(default=None, validator=optional(COUNT))
    max_chunk_bytes: int = attrs.field(default=8 * 2**20, validator=COUNT)
    max_concurrency: int = attrs.field(default=4, validator=COUNT)
    call_seconds: float = attrs.field(default=2.0, validator=SECONDS)
    rate: float | None = attrs.field(default=None, validator=optional(RATE))
    timeout: float | None = attrs.field(default=None, validator=optional(SECONDS))
    quiet: bool = attrs.field(default=False, validator=YES_OR_NO)
    update_by: Way = attrs.field(default=Way.SAVE, converter=_way)
    context: dict[str, object] = attrs.field(default=None, converter=merged, repr=False)


@attrs.frozen(kw_only=True)
class BatchOptions:
    """A batch's keywords, checked."""

    chunk_size: int | None = attrs.field(default=None, validator=optional(COUNT))
    quiet: bool | None = attrs.field(default=None, validator=optional(YES_OR_NO))
    ordered: bool = attrs.field(default=True, validator=YES_OR_NO)
    on_error: OnError = attrs.field(
        default="continue", validator=validator(one_of("continue", "stop"))
    )
    on_unknown: OnUnknown = attrs.field(
        default="continue", validator=validator(one_of(*get_args(OnUnknown)))
    )
    skip_unchanged: bool = attrs.field(default=True, validator=YES_OR_NO)
    time_limit: float | None = attrs.field(default=None, validator=optional(SECONDS))
    progress_callback: ProgressCallback | None = attrs.field(default=None)
    progress: bool = attrs.field(default=False, validator=YES_OR_NO)

    @progress_callback.validator
    def _check_callback(self, _: object, value: object) -> None:
        if value is not None and not callable(value):
            raise InvalidValueError("progress_callback must be callable")
