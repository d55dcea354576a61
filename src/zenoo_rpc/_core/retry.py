"""May a call be sent again, and after how long: by what its failure proves, and nothing else."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import attrs

from ..errors import GatewayError, InvalidValueError, ServerBusyError
from ..wire.arguments import count, validator
from ..wire.values import is_absolute
from .faults import Fault, Repeat


def _seconds(_: object, attribute: attrs.Attribute[float], value: object) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not value >= 0:
        raise InvalidValueError(f"{attribute.name} must be a number of seconds, 0 or more")


def _share(_: object, attribute: attrs.Attribute[float], value: object) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise InvalidValueError(f"{attribute.name} must be a share from 0 to 1")


OFTEN = 5.0  # seconds between two tries of a question that waits for the server


@attrs.frozen(kw_only=True)
class RetryPolicy:
    """How often a call is repeated that may be, and how long the pauses are.

    A write that is repeated may land twice, the first try late: what somebody else wrote to the
    same records in between is lost then. Later operations of the same batch are guarded.

    A call is sent *attempts* times at most. The pause after the first is up to *initial* seconds;
    it doubles from try to try up to *maximum*. *jitter* is the share of it that is random,
    1 for all of it. A server that asks for a longer pause gets it. No pause is begun that would
    end more than *total* seconds after the call's beginning.

    >>> RetryPolicy(initial=2).pause(1, 0.25)
    1.5
    """

    attempts: int = attrs.field(default=5, validator=validator(count))
    initial: float = attrs.field(default=0.5, validator=_seconds)
    maximum: float = attrs.field(default=30.0, validator=_seconds)
    jitter: float = attrs.field(default=1.0, validator=_share)
    total: float = attrs.field(default=300.0, validator=_seconds)

    def pause_after(
        self, fault: Fault, idempotent: bool, tried: int, chance: float
    ) -> float | None:
        """Return the pause before *fault*'s call may be sent again, None when it may not be."""
        if not may_repeat(fault, idempotent=idempotent):
            return None
        return self.pause(tried, chance, retry_after(fault))

    def pause(self, tried: int, chance: float, retry_after: float | None = None) -> float | None:
        """Return the seconds to wait before the next try, None when there is to be none.

        *tried* counts the tries so far, *chance* is drawn from [0, 1), *retry_after* is the pause
        that the server asks for.
        """
        if tried >= self.attempts:
            return None
        doubled = self.initial * 2.0 ** min(tried - 1, 60)
        seconds = min(self.maximum, doubled) * (1 - self.jitter * chance)
        return max(seconds, retry_after or 0.0)

    def patient(self) -> RetryPolicy:
        """Return the policy of a question that is asked until *total* is over, and often."""
        return attrs.evolve(self, attempts=sys.maxsize, maximum=min(self.maximum, OFTEN))


# Methods of the ORM that change nothing, whatever they are given.
READS = frozenset(
    {
        "check_access_rights",
        "check_access_rule",
        "context_get",
        "default_get",
        "exists",
        "export_data",
        "fields_get",
        "fields_view_get",
        "formatted_read_group",
        "get_metadata",
        "get_view",
        "get_views",
        "has_access",
        "has_group",
        "load_views",
        "name_get",
        "name_search",
        "read",
        "read_group",
        "read_progress_bar",
        "search",
        "search_count",
        "search_read",
        "web_read",
        "web_read_group",
        "web_search_read",
    }
)


def is_idempotent(method: str, args: Sequence[object]) -> bool:
    """Whether a call may be carried out twice without harm; *args* are wire values."""
    if method == "write" and len(args) == 2 and isinstance(args[1], dict):
        return is_absolute(args[1])
    return method in READS


def may_repeat(fault: Fault, *, idempotent: bool) -> bool:
    """Whether a call that failed so may be sent again; see the table in `faults`."""
    if fault.repeat is Repeat.IF_IDEMPOTENT:
        return idempotent
    return fault.repeat is Repeat.ALWAYS


def retry_after(fault: Fault) -> float | None:
    """Return the pause in seconds that the server asks for, None when it does not."""
    error = fault.error
    return error.retry_after if isinstance(error, ServerBusyError | GatewayError) else None
