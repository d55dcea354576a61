"""What became of a record, and what was there before."""

from __future__ import annotations

import enum


class Status(enum.IntEnum):
    """What became of a record; each record has exactly one."""

    NOT_SENT = 0
    """It was not written, and nothing says that it cannot be: it may be sent again."""
    APPLIED = 1
    """The server said yes (some models say so of ids that do not exist: tags, countries)."""
    REFUSED = 2
    """The server said no, and rolled back."""
    UNKNOWN = 3
    """It was sent and no answer came: it may be there or not."""

    @property
    def label(self) -> str:
        """The name as one writes it: `not sent`."""
        return self.name.lower().replace("_", " ")


class Existence(enum.IntEnum):
    """Whether a record with an external id was there before it was written, and held the values."""

    UNKNOWN = 0
    ABSENT = 1
    PRESENT = 2
    UNCHANGED = 3  # present, and it held all the values
    CHANGED = 4  # present, and it held other ones
    ASKED = 5  # absent, and written; who created it is being asked
