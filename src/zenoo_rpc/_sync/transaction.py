"""Transactions: what a block wrote is taken back when the block fails."""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from types import TracebackType
from typing import TYPE_CHECKING, Self, Unpack

import attrs

from .._compat import notify, shielded
from .._core.deadline import Deadline
from .._core.faults import Fault, never_sent
from .._core.journal import Journal
from .._core.protocol import Answer, Request, value_of
from .._core.undo import (
    CUT_OFF,
    Compensation,
    Created,
    Entry,
    Following,
    Held,
    Unanswered,
    Updated,
    deletions,
    gathered,
)
from .._core.writes import (
    rows_of,
    write_of,
)
from ..batch.operations import Operation
from ..batch.options import BatchOptions, Options
from ..batch.results import BatchResult
from ..errors import MissingError, ZenooError
from ..transaction import (
    Change,
    TransactionOptions,
    TransactionReport,
    TransactionRollbackError,
    TransactionSettings,
    TransactionState,
    TransactionStateError,
)
from .manager import BatchManager
from .recorder import Errand
from .session import NO_DEADLINE, Recorder, Session

if TYPE_CHECKING:
    from .client import ZenooClient


class TransactionManager:
    """Opens transactions for one client, with the same settings for all.

    Its keywords are `zenoo_rpc.transaction.TransactionOptions`.
    """

    def __init__(
        self, client: ZenooClient, session: Session, **settings: Unpack[TransactionOptions]
    ) -> None:
        self._client = client
        self._session = session
        self.settings = TransactionSettings(**settings)

    def transaction(self, **options: Unpack[TransactionOptions]) -> Transaction:
        """Open a transaction; *options* stand above those of the one around, or the manager's."""
        around = self._session.recorder()
        settings = around.settings if isinstance(around, Transaction) else self.settings
        return Transaction(self._client, self._session, attrs.evolve(settings, **options))


class Transaction:
    """A block whose writes are taken back when it fails; see `docs/transactions.md`.

    Every write of the client inside the block is noted, whatever it goes through. At a good end the
    deletions that were held back are carried out; otherwise everything is taken back, in reverse
    order. Inside another transaction it is a savepoint of that.

    >>> with ZenooClient(url) as client:
    ...     uid = client.login("demo", "admin", "admin")
    ...     try:
    ...         with client.transaction() as tx:
    ...             number = client.create("res.partner", {"name": "Ann"})
    ...             raise RuntimeError("something else went wrong")
    ...     except RuntimeError:
    ...         found = client.search_count("res.partner", [("id", "=", number)])
    ...         print(tx.state.value, found)
    rolled back 0
    """

    def __init__(
        self, client: ZenooClient, session: Session, settings: TransactionSettings
    ) -> None:
        self._client = copy(client)
        self._client.context = {}  # what is taken back goes out in its own call's context
        self._session = session
        self._settings = settings
        self._outside: Recorder | None = None
        self._parent: Transaction | None = None
        self._journal = Journal()
        self._undone: list[Change] = []
        self._left: list[Entry] = []  # what could not be taken back so far
        self._is_begun = False
        self._is_over = False
        self.state = TransactionState.ACTIVE
        self.allow_partial_undo = settings.allow_partial_undo

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {self.state.value}>"

    @property
    def settings(self) -> TransactionSettings:
        """Its keywords, as they are now."""
        return attrs.evolve(self._settings, allow_partial_undo=self.allow_partial_undo)

    @property
    def report(self) -> TransactionReport:
        """What it has done so far, what was taken back, and what could not be."""
        over = self.state is TransactionState.PARTLY_ROLLED_BACK
        left = [*self._journal.entries, *self._left]
        known = tuple(each.change for each in left if not each.is_unknown)
        unknown = tuple(each.change for each in left if each.is_unknown)
        return TransactionReport(
            self.state,
            applied=() if over else tuple(each for each in known if each.action != "call"),
            undone=tuple(self._undone),
            not_undone=known if over else (),
            unknown=unknown,
        )

    def savepoint(self) -> Transaction:
        """Open a transaction inside this one: its failure takes back only what it did itself."""
        self._check_active()
        return Transaction(self._client, self._session, self.settings)

    def on_rollback(self, callback: Callable[[], object]) -> None:
        """Call *callback* when it comes to taking back what was done up to now.

        For what is not taken back by itself: methods of your own, mails, other systems. Given right
        after a call that cannot be taken back it stands for that, which then counts as undone.
        """
        self._check_active()
        self._journal.compensate(callback)

    def _check_active(self) -> None:
        if self.state is not TransactionState.ACTIVE:
            raise TransactionStateError(f"the transaction is {self.state.value}")

    def _check_all_active(self) -> None:
        """Raise TransactionStateError unless it goes on, and so does each one around it."""
        self._check_active()
        if self._parent is not None:
            self._parent._check_all_active()

    def _check_innermost(self) -> None:
        """Raise TransactionStateError inside a block of a block, whose end has to come first."""
        inner = self._session.recorder()
        while isinstance(inner, Transaction) and inner is not self:
            inner = inner._parent
            if inner is self:
                raise TransactionStateError("a block inside the transaction has not ended yet")

    # -- the block -----------------------------------------------------------------------------

    def __enter__(self) -> Self:
        self._check_active()
        if self._is_begun:
            raise TransactionStateError("the transaction was begun already")
        self._is_begun = True
        self._outside = outer = self._session.record_with(self)
        while isinstance(outer, Transaction) and outer.state is not TransactionState.ACTIVE:
            outer = outer._parent  # a task may outlive the block in which it was started
        self._parent = outer if isinstance(outer, Transaction) else None
        return self

    def __exit__(
        self,
        error_class: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            if self.state is not TransactionState.ACTIVE:
                return
            self._session.record_with(self)
            if error is None:
                self.commit()
            else:
                self._fail(error)
        finally:
            self._session.record_with(self._outside)
            self._is_over = True
            self._hand_over()

    def commit(self) -> None:
        """End it well: delete what was held back, and forget how to take the rest back.

        If the server refuses a deletion everything is taken back, and the refusal is raised.
        """
        self._check_active()
        self._check_innermost()
        try:
            self._check_all_active()
            shielded(self._carry_deletions_out)
        except BaseException as error:
            if self.state is TransactionState.ACTIVE:
                self._fail(error)
            raise

    def _carry_deletions_out(self) -> None:
        self._journal.close()
        if self._parent is None:
            with self._session.unrecorded():
                for held in deletions(self._journal.held):
                    self._delete(held)
            self._journal.forget()
        self.state = TransactionState.COMMITTED

    def _delete(self, held: Held) -> None:
        def told(result: BatchResult) -> None:
            self._journal.entries += held.carried_out(result)

        operation = held.deletion()
        size = len(operation)  # all or nothing
        result = self._carry_out(operation, told, chunk_size=size, on_error="stop")
        if any(isinstance(outcome.error, MissingError) for outcome in result.failures):
            left = self._there(held)  # the others are gone already, perhaps by a cascade
            if len(left) < size:
                if left:
                    self._delete(held.only(left))
                return
        result.raise_for_failures()

    def _fail(self, error: BaseException) -> None:
        """Take everything back, and tell on the error, or by another one, what came of it."""
        try:
            self._take_back()
        except BaseException as cut_off:
            cut_off.add_note(self._note())
            raise
        if self.state is TransactionState.PARTLY_ROLLED_BACK and isinstance(error, Exception):
            raise TransactionRollbackError(self.report) from error
        error.add_note(self._note())

    def _note(self) -> str:
        return f"zenoo_rpc: {self.report.summary()}"

    def rollback(self) -> TransactionReport:
        """Take everything back now; called again, try once more what could not be taken back.

        Raises TransactionRollbackError if anything is left.
        """
        if self.state is TransactionState.COMMITTED:
            raise TransactionStateError("the transaction is committed")
        self._check_innermost()
        try:
            self._take_back()
        finally:
            if self._is_over:
                self._hand_over()
        if self.state is TransactionState.PARTLY_ROLLED_BACK:
            raise TransactionRollbackError(self.report)
        return self.report

    def _hand_over(self) -> None:
        """Give the transaction around this one what is still in effect."""
        if self._parent is not None:
            self._parent._journal.absorb(self._journal, self._left)

    # -- taking back ---------------------------------------------------------------------------

    def _take_back(self) -> None:
        if self._parent is not None:
            self._parent._journal.remove(self._left)
        entries = gathered([*self._left[::-1], *self._journal.take()])
        self._left = []
        self.state = TransactionState.PARTLY_ROLLED_BACK

        def job() -> None:
            try:
                with self._session.unrecorded():
                    while entries:
                        self._left += self._undo(entries[-1])
                        entries.pop()
            finally:
                self._left += [entry.with_reason(CUT_OFF) for entry in reversed(entries)]
            if not self._left:
                self.state = TransactionState.ROLLED_BACK

        shielded(job)

    def _undo(self, entry: Entry) -> list[Entry]:
        """Take one entry back, and return what is left of it."""
        try:
            match entry:
                case Compensation():
                    notify(lambda _: entry.callback(), None)
                    self._undone.append(entry.change)
                    return []
                case Updated():
                    return self._restore(entry)
                case Created():
                    return self._settle(entry, self._carry_out(entry.deletion()))
                case Following():
                    return entry.left(self._there(entry))
                case Unanswered(names=(_, *_)):
                    return self._find_out(entry)
        except Exception as error:
            kind = type(error).__name__
            words = str(error) if isinstance(error, ZenooError) else f"it raised {kind}"
            return [entry.only(entry.change.ids, words)]
        return [entry]

    def _restore(self, entry: Updated) -> list[Entry]:
        model, ids, names = entry.change.model, list(entry.before), list(entry.written)
        rows = self._client.read(model, ids, names, context=entry.context)
        now = rows_of(rows, self._journal.fields[model]) or {}
        overwrite = self._settings.on_conflict == "overwrite"
        operation, left = entry.restoration(now, overwrite=overwrite)
        if operation is not None:
            left += self._settle(entry, self._carry_out(operation))
        return left

    def _there(self, entry: Entry) -> list[int]:
        """Return which of its records are there."""
        domain = [("id", "in", entry.change.ids)]
        context = {**entry.context, "active_test": False}
        return self._client.search(entry.change.model, domain, context=context)

    def _find_out(self, entry: Unanswered) -> list[Entry]:
        """Delete what an import without an answer has created."""
        reply = self._session.deliver(entry.question(), None, NO_DEADLINE)
        made = entry.found(value_of(reply))
        if made is None:
            return [entry]
        return self._settle(made, self._carry_out(made.deletion()))

    def _settle(self, entry: Entry, result: BatchResult) -> list[Entry]:
        undone, left = entry.settled(result)
        self._undone += [undone] if undone is not None else []
        return left

    def _carry_out(
        self,
        operation: Operation,
        told: Callable[[BatchResult], None] = lambda _: None,
        **options: Unpack[Options],
    ) -> BatchResult:
        """Return what came of an operation; *told* gets it even where it is cut off."""
        manager = BatchManager(self._client)
        chosen = BatchOptions(**options)
        run = manager.start([operation], chosen)
        try:
            manager.carry_out(run, chosen)
        finally:
            told(run.result())
        return run.result()

    # -- between the client and the wire -------------------------------------------------------

    def carry(
        self, request: Request, timeout: float | None, deadline: Deadline
    ) -> Answer | Fault:
        """Carry a call of the block out; the session calls this for each."""
        write = write_of(request)
        if write is None:
            return self._session.deliver(request, timeout, deadline)
        try:
            self._check_all_active()
            if write.method == "unlink" and write.ids and self._settings.unlink == "hold":
                change = Change("unlink", request.model, write.ids)
                self._journal.add(Held(change, dict(request.context)))
                return Answer(True)
            partly = self.allow_partial_undo
            errand = Errand(self._session, self._journal, partly, write, timeout, deadline)
            return errand.run()
        except ZenooError as error:
            return never_sent(error)
