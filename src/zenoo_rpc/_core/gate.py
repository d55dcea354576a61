"""Who is inside: requests in flight, so that connections are closed under none of them."""

from __future__ import annotations

import threading
from collections.abc import Callable


class Gate:
    """Knows who has entered and not left; once shut, nobody enters.

    A *caller* is a task or a thread, by its number.
    """

    def __init__(self) -> None:
        self.is_shut = False
        self._inside: list[int] = []
        self._when_empty: list[Callable[[], object]] = []
        self._lock = threading.Lock()

    def enter(self, caller: int) -> bool:
        """Go in, and return True; or stay out, and return False, once it is shut."""
        with self._lock:
            self._inside += [] if self.is_shut else [caller]
            return not self.is_shut

    def leave(self, caller: int) -> None:
        """Go out again."""
        with self._lock:
            self._inside.remove(caller)
            self._tell()

    def holds(self, caller: int) -> bool:
        """Whether a caller is inside."""
        return caller in self._inside

    def shut(self, when_empty: Callable[[], object]) -> None:
        """Let nobody in any more; call *when_empty* as soon as nobody is inside."""
        with self._lock:
            self.is_shut = True
            self._when_empty.append(when_empty)
            self._tell()

    def _tell(self) -> None:
        while self._when_empty and not self._inside:
            self._when_empty.pop()()
