"""What a transaction has done so far, entry by entry, in the order in which that was begun."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

from ..batch.transaction import Change, TransactionStateError
from ..wire.typed import Fields
from .undo import Compensation, Entry, Held


class Journal:
    """What a transaction has done so far; any number of workers may write in it."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.held: list[Held] = []
        self.fields: dict[str, Fields] = {}
        self._is_closed = False
        self._lock = threading.Lock()

    def add(self, entry: Entry) -> None:
        """Note an entry; TransactionStateError once it is closed."""
        with self._lock:
            self._check_open()
            if isinstance(entry, Held):
                self.held.append(entry)
            else:
                self.entries.append(entry)

    def compensate(self, callback: Callable[[], object]) -> None:
        """Note what the caller wants done when it comes to taking back.

        Right after something that nothing else takes back, it stands for that.
        """
        with self._lock:
            self._check_open()
            last = self.entries[-1] if self.entries else None
            if type(last) is Entry:
                self.entries[-1] = Compensation(
                    last.only(last.change.ids).change, callback=callback
                )
            else:
                name = getattr(callback, "__name__", type(callback).__name__)
                self.entries.append(Compensation(Change("call", name), callback=callback))

    def close(self) -> None:
        """Take no more entries."""
        with self._lock:
            self._is_closed = True

    def take(self) -> list[Entry]:
        """Close it, and return the entries that it had; the deletions are forgotten."""
        with self._lock:
            self._is_closed = True
            entries, self.entries, self.held = self.entries, [], []
            return entries

    def _check_open(self) -> None:
        if self._is_closed:
            raise TransactionStateError("the transaction is over")

    def replace(self, entry: Entry, others: Sequence[Entry] = ()) -> None:
        """Put others, or nothing, in the place of an entry.

        One that was taken back while its call was on its way is no longer here.
        """
        with self._lock:
            if entry in self.entries:
                place = self.entries.index(entry)
                self.entries[place : place + 1] = others

    def remove(self, entries: Sequence[Entry]) -> None:
        """Forget entries, as far as they are here."""
        with self._lock:
            self.entries = [each for each in self.entries if each not in entries]

    def forget(self) -> None:
        """Keep what was done, and nothing that would take it back."""
        with self._lock:
            self.entries = [Entry(each.change, is_unknown=each.is_unknown) for each in self.entries]
            self.held = []

    def absorb(self, other: Journal, left: Sequence[Entry]) -> None:
        """Take all that another journal still has, and what could not be taken back of it.

        What is left comes last first. Once this one is closed it is nobody's but the other's.
        """
        with self._lock:
            if not self._is_closed:
                self.entries += [*other.entries, *reversed(left)]
                self.held += other.held
                self.fields.update(other.fields)
