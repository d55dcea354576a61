"""On what terms a call is sent."""

from __future__ import annotations

from collections.abc import Callable

import attrs

from .deadline import NO_DEADLINE, Deadline
from .traffic import Traffic


@attrs.define
class Course:
    """How a call goes, for who is told of nothing else when it is cut off."""

    may_have_run: bool = False


@attrs.frozen
class Terms:
    """How long a call may take, and with whom it shares the road.

    An answer may take *timeout* seconds, by default the client's; after the *deadline* it is not
    tried again. Calls of one *traffic* give way to each other. A *patient* call is tried as long as
    the policy's `total` allows, however often. What was not carried out yet is not tried again
    once it is not *wanted* any more. The *course* says at any time whether it may have run.
    """

    timeout: float | None = None
    deadline: Deadline = NO_DEADLINE
    traffic: Traffic = attrs.field(factory=lambda: Traffic(1))
    wanted: Callable[[], bool] = attrs.field(default=lambda: True)
    patient: bool = False
    course: Course = attrs.field(factory=Course)
