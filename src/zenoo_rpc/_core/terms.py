"""On what terms a call is sent."""

from __future__ import annotations

from collections.abc import Callable

import attrs

from .deadline import NO_DEADLINE, Deadline
from .traffic import Traffic


@attrs.frozen
class Terms:
    """How long a call may take, and with whom it shares the road.

    An answer may take *timeout* seconds, by default the client's; after the *deadline* it is not
    tried again. Calls of one *traffic* give way to each other. One that is *wanted* is tried,
    however often, as long as it is, and the policy's `total` allows it.
    """

    timeout: float | None = None
    deadline: Deadline = NO_DEADLINE
    traffic: Traffic = attrs.field(factory=lambda: Traffic(1))
    wanted: Callable[[], bool] | None = None
