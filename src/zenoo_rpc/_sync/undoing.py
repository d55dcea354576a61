"""Takes back what a transaction has done, entry by entry."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from copy import copy
from typing import Unpack

from .._compat import notify
from .._core.deadline import Deadline
from .._core.exchange import value_of
from .._core.steps.server_back import AnswersAgain
from .._core.terms import Terms
from .._core.undo import (
    ARCHIVED,
    ASKED_FOR,
    Compensation,
    Created,
    Entry,
    Following,
    Unanswered,
    Updated,
    may_be_gone,
    why_to_give_up,
)
from .._core.writes import rows_of
from ..batch.operations import Operation
from ..batch.options import BatchOptions, ManagerSettings, Options
from ..batch.results import BatchResult
from ..batch.transaction import Change
from ..errors import MissingError, ZenooError
from ..wire import arguments
from ..wire.typed import Fields
from .caller import Caller
from .manager import BatchManager
from .session import Session


class Undoer:
    """Takes entries back, one at a time; *undone* are the changes that it took back so far.

    To *overwrite* is to write old values back whoever wrote since, to *archive* is what is done to
    created records that the server will not delete.
    """

    def __init__(self, client: Caller, session: Session, fields: Mapping[str, Fields]) -> None:
        self._client = copy(client)
        self._client.context = {}  # what is taken back goes out in its own call's context
        self._session = session
        self._fields = fields
        self.undone: list[Change] = []
        self.overwrite = False
        self.archive = False
        self._is_in_doubt = False  # whether the server is there

    def take_back(self, entry: Entry) -> list[Entry]:
        """Take one entry back, and return what is left of it."""
        self._is_in_doubt = False
        try:
            match entry:
                case Compensation():
                    notify(lambda _: entry.callback(), None)
                    self.undone.append(entry.only(entry.change.ids).change)
                    return []
                case Updated():
                    return self._restore(entry)
                case Created():
                    return self._delete_again(entry)
                case Following():
                    return entry.left(self.there(entry))
                case Unanswered(names=(_, *_)):
                    return self._find_out(entry)
        except Exception as error:
            self._is_in_doubt = may_be_gone(error)
            kind = type(error).__name__
            words = str(error) if isinstance(error, ZenooError) else f"it raised {kind}"
            return [entry.only(entry.change.ids, words)]
        return [entry]

    def why_to_give_up(self) -> str:
        """Return why nothing more is to be tried for now, and "" while the server answers.

        It is asked, with all tries, only where the last entry found it gone: the answer to one call
        may be lost while others get through.
        """
        if not self._is_in_doubt:
            return ""
        terms = Terms(deadline=Deadline(ASKED_FOR, time.monotonic))
        question = AnswersAgain([])
        return why_to_give_up(self._client.send_call(question, ManagerSettings(), terms))

    def _restore(self, entry: Updated) -> list[Entry]:
        model, ids, names = entry.change.model, list(entry.before), list(entry.written)
        rows = self._client.read(model, ids, names, context=entry.context)
        now = rows_of(rows, self._fields[model]) or {}
        operation, left = entry.restoration(now, overwrite=self.overwrite)
        others = {number for each in left for number in each.change.ids}
        others.update(operation.ids if operation is not None else ())
        if operation is not None:
            left += self._settle(entry, self.carry_out(operation))
        if same := [number for number in entry.change.ids if number not in others]:
            self.undone.append(entry.only(same).change)  # it is gone, or as it was before
        return left

    def there(self, entry: Entry) -> list[int]:
        """Return which of its records are there."""
        domain = [("id", "in", entry.change.ids)]
        context = {**entry.context, "active_test": False}
        return self._client.search(entry.change.model, domain, context=context)

    def _find_out(self, entry: Unanswered) -> list[Entry]:
        """Delete what an import without an answer has created."""
        reply = self._session.deliver(entry.question(), Terms())
        made = entry.found(value_of(reply))
        if made is None:
            return [entry]
        return self._delete_again(made)

    def _delete_again(self, entry: Created) -> list[Entry]:
        """Delete what was created; what the server will not delete is archived, if that will do."""
        result = self.carry_out(entry.deletion())
        kept = [each.id or 0 for each in result.refused if not isinstance(each.error, MissingError)]
        archived: list[int] = []
        if kept and self.archive:
            done = self.carry_out(entry.archiving(kept))
            archived = [each.id or 0 for each in done.applied]
        left = self._settle(entry, result)
        if archived:
            self.undone.append(entry.only(archived, ARCHIVED).change)
        rest = [(each, [n for n in each.change.ids if n not in archived]) for each in left]
        return [each.only(ids, each.change.reason) for each, ids in rest if ids]

    def _settle(self, entry: Entry, result: BatchResult) -> list[Entry]:
        undone, left = entry.settled(result)
        self.undone += [undone] if undone is not None else []
        return left

    def carry_out(
        self,
        operation: Operation,
        told: Callable[[BatchResult], None] = lambda _: None,
        **options: Unpack[Options],
    ) -> BatchResult:
        """Return what came of an operation; *told* gets it even where it is cut off."""
        manager = BatchManager(self._client)
        chosen = arguments.options(BatchOptions, options)
        run = manager.start([operation], chosen)
        try:
            manager.carry_out(run, chosen)
        finally:
            told(run.result())
        result = run.result()
        errors = (outcome.error for outcome in (*result.not_sent, *result.unknown))
        self._is_in_doubt = self._is_in_doubt or any(map(may_be_gone, errors))
        return result
