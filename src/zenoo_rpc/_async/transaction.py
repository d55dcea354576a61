"""Transactions: what a block wrote is taken back when the block fails."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Self, Unpack

import attrs

from .._compat import ashielded
from .._core.exchange import Answer, Ending, HeldBack, Request
from .._core.faults import Fault, never_sent
from .._core.journal import Journal
from .._core.terms import Terms
from .._core.undo import CUT_OFF, Entry, Held, deletions, gathered, without_later
from .._core.writes import write_of
from ..batch.results import BatchResult
from ..batch.status import Status
from ..batch.transaction import (
    Change,
    HeldBackError,
    TransactionOptions,
    TransactionReport,
    TransactionRollbackError,
    TransactionSettings,
    TransactionState,
    TransactionStateError,
    total,
)
from ..errors import MissingError, ZenooError
from ..wire import arguments
from .caller import Caller
from .recorder import Errand
from .session import Recorder, Session
from .undoing import Undoer

logger = logging.getLogger("zenoo_rpc")

GAVE_UP = "%s: the undo of a transaction gave up, as %s; %d changes are left"


class TransactionManager:
    """Opens transactions for one client, with the same settings for all.

    Its keywords are `zenoo_rpc.transaction.TransactionOptions`.
    """

    def __init__(
        self, client: Caller, session: Session, **settings: Unpack[TransactionOptions]
    ) -> None:
        self._client = client
        self._session = session
        self.settings = arguments.options(TransactionSettings, settings)

    def transaction(self, **options: Unpack[TransactionOptions]) -> Transaction:
        """Open a transaction; *options* stand above those of the one around, or the manager's.

        Raises InvalidValueError for one that is out of range, UnknownOptionError for one misspelt.
        """
        around = self._session.recorder()
        settings = around.settings if isinstance(around, Transaction) else self.settings
        chosen = {**attrs.asdict(settings), **options}
        return Transaction(
            self._client, self._session, arguments.options(TransactionSettings, chosen)
        )


class Transaction:
    """A block whose writes are taken back when it fails; see `docs/transactions.md`.

    Every write of the client inside the block is noted, whatever it goes through. At a good end the
    deletions that were held back are carried out; otherwise everything is taken back, in reverse
    order. Inside another transaction it is a savepoint of that.

    The block's own exception comes out with a note that says what was taken back; where something
    could not be, TransactionRollbackError is raised from it. Inside the block a write that nothing
    takes back raises NotUndoableError, unless *allow_partial_undo*, and is not sent. At a good end
    BatchExecutionError is raised if the server refuses a deletion: all was taken back then.

    >>> async with ZenooClient(url) as client:
    ...     uid = await client.login("demo", "admin", "admin")
    ...     try:
    ...         async with client.transaction() as tx:
    ...             number = await client.create("res.partner", {"name": "Ann"})
    ...             raise RuntimeError("something else went wrong")
    ...     except RuntimeError:
    ...         found = await client.search_count("res.partner", [("id", "=", number)])
    ...         print(tx.state.label, found)
    rolled back 0
    """

    def __init__(self, client: Caller, session: Session, settings: TransactionSettings) -> None:
        self._client = client
        self._session = session
        self._settings = settings
        self._outside: Recorder | None = None
        self._parent: Transaction | None = None
        self._journal = Journal()
        self._undoer = Undoer(client, session, self._journal.fields)
        self._dropped: list[Held] = []  # deletions that were never carried out
        self._left: list[Entry] = []  # what could not be taken back so far
        self._is_begun = False
        self._is_over = False
        self.state = TransactionState.ACTIVE
        self.allow_partial_undo = settings.allow_partial_undo
        self.archive_if_kept = settings.archive_if_kept

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {self.state.label}>"

    @property
    def settings(self) -> TransactionSettings:
        """Its keywords, as they are now: `allow_partial_undo` and `archive_if_kept` may be set."""
        return attrs.evolve(
            self._settings,
            allow_partial_undo=self.allow_partial_undo,
            archive_if_kept=self.archive_if_kept,
        )

    @property
    def report(self) -> TransactionReport:
        """What it has done so far, what was taken back, and what could not be; made anew."""
        over = self.state is TransactionState.PARTLY_ROLLED_BACK
        left = [*self._journal.entries, *self._left]
        known = tuple(each.change for each in left if not each.is_unknown)
        unknown = tuple(each.change for each in left if each.is_unknown)
        return TransactionReport(
            self.state,
            applied=() if over else tuple(each for each in known if each.action != "call"),
            undone=tuple(self._undoer.undone),
            not_undone=known if over else (),
            unknown=unknown,
            held=tuple(each.change for each in [*self._journal.held, *self._dropped]),
        )

    def savepoint(self) -> Transaction:
        """Open a transaction inside this one: its failure takes back only what it did itself.

        TransactionStateError in a task or thread that is not in the block, or where a block inside
        it has not ended yet.
        """
        self._check_active()
        self._check_innermost()
        if self._session.recorder() is not self:
            raise TransactionStateError("this task or thread is not in the transaction's block")
        return Transaction(self._client, self._session, self.settings)

    def on_rollback(self, callback: Callable[[], object]) -> None:
        """Call *callback* when it comes to taking back what was done up to now.

        For what is not taken back by itself: methods of your own, mails, other systems. Given right
        after a call that cannot be taken back it stands for that, which then counts as undone.
        It takes no arguments; if it raises, that is told as not undone. Raises
        TransactionStateError after the transaction's end.
        """
        self._check_active()
        self._journal.compensate(callback)

    def _check_active(self) -> None:
        if self.state is not TransactionState.ACTIVE:
            raise TransactionStateError(f"the transaction is {self.state.label}")

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

    async def __aenter__(self) -> Self:
        self._check_active()
        if self._is_begun:
            raise TransactionStateError("the transaction was begun already")
        self._is_begun = True
        self._outside = outer = self._session.record_with(self)
        while isinstance(outer, Transaction) and outer.state is not TransactionState.ACTIVE:
            outer = outer._parent  # a task may outlive the block in which it was started
        self._parent = outer if isinstance(outer, Transaction) else None
        return self

    async def __aexit__(
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
                await self.commit()
            else:
                await self._fail(error)
        finally:
            self._session.record_with(self._outside)
            self._is_over = True
            self._hand_over()

    async def commit(self) -> None:
        """End it well: delete what was held back, and forget how to take the rest back.

        A good end of the block does so by itself. If the server refuses a deletion everything is
        taken back, and BatchExecutionError is raised. Raises TransactionStateError after its end,
        and while a block inside it has not ended.
        """
        self._check_active()
        self._check_innermost()
        try:
            self._check_all_active()
            await ashielded(self._carry_deletions_out)
        except BaseException as error:
            if self.state is TransactionState.ACTIVE:
                await self._fail(error)
            raise

    async def _carry_deletions_out(self) -> None:
        self._journal.close()
        if self._parent is None:
            with self._session.unrecorded():
                await self._delete_all(self._journal.held)
            self._journal.forget()
        self.state = TransactionState.COMMITTED

    async def _delete_all(self, waiting: Sequence[Held]) -> None:
        endings: dict[str, dict[int, Ending]] = defaultdict(dict)
        try:
            for held in deletions(waiting):
                await self._delete(held, endings[held.change.model])
        finally:
            for held in waiting:
                held.tell(endings[held.change.model])

    async def _delete(self, held: Held, endings: dict[int, Ending]) -> None:
        def told(result: BatchResult) -> None:
            self._journal.entries += held.carried_out(result)
            endings.update({each.id or 0: (each.status, each.error) for each in result})

        operation = held.deletion()
        size = len(operation)  # all or nothing
        result = await self._undoer.carry_out(operation, told, chunk_size=size, on_error="stop")
        if any(isinstance(outcome.error, MissingError) for outcome in result.refused):
            left = await self._undoer.there(
                held
            )  # the others are gone already, perhaps by a cascade
            if len(left) < size:
                gone = set(held.change.ids).difference(left)
                endings.update(dict.fromkeys(gone, (Status.APPLIED, None)))
                if left:
                    await self._delete(held.only(left), endings)
                return
        result.raise_for_failures()

    async def _fail(self, error: BaseException) -> None:
        """Take everything back, and tell on the error, or by another one, what came of it."""
        try:
            await self._take_back()
        except BaseException as cut_off:
            cut_off.add_note(self._note())
            raise
        if self.state is TransactionState.PARTLY_ROLLED_BACK and isinstance(error, Exception):
            raise TransactionRollbackError(self.report) from error
        error.add_note(self._note())

    def _note(self) -> str:
        return f"zenoo_rpc: {self.report.summary()}"

    async def rollback(self) -> TransactionReport:
        """Take everything back now; called again, try once more what could not be taken back.

        Returns the report. Raises TransactionRollbackError if anything is left,
        TransactionStateError once it is committed, and while a block inside it has not ended.
        """
        if self.state is TransactionState.COMMITTED:
            raise TransactionStateError("the transaction is committed")
        if self._parent is not None and self._parent._is_over:
            raise TransactionStateError(
                "the transaction around it has ended, and has what was left"
            )
        self._check_innermost()
        try:
            await self._take_back()
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

    async def _take_back(self) -> None:
        if self._parent is not None:
            self._parent._journal.remove(self._left)
        self._drop_deletions()
        entries = gathered([*self._left[::-1], *self._journal.take()])
        self._left = []
        self._undoer.overwrite = self._settings.on_conflict == "overwrite"
        self._undoer.archive = self.archive_if_kept
        self.state = TransactionState.PARTLY_ROLLED_BACK

        async def job() -> None:
            why = ""
            try:
                with self._session.unrecorded():
                    while entries and not why:
                        now, later = without_later(entries[-1], self._left)
                        self._left += later
                        self._left += await self._undoer.take_back(now) if now else []
                        entries.pop()
                        why = await self._undoer.why_to_give_up() if entries else ""
            finally:
                reason = f"not tried: {why}" if why else CUT_OFF
                self._left += [entry.with_reason(reason) for entry in reversed(entries)]
            if why:
                left = total(entry.change for entry in self._left)
                logger.warning(GAVE_UP, self._session.address, why, left)
            if not self._left:
                self.state = TransactionState.ROLLED_BACK

        await ashielded(job)

    def _drop_deletions(self) -> None:
        """Tell who waits for the deletions that were held back that they will not come."""
        deleted = {
            (entry.change.model, number)
            for entry in self._journal.entries
            if entry.change.action == "unlink"
            for number in entry.change.ids
        }
        for held in self._journal.held:
            ids = [n for n in held.change.ids if (held.change.model, n) not in deleted]
            if ids:
                self._dropped.append(held.only(ids, str(HeldBackError(is_over=True))))
            held.tell({})

    # -- between the client and the wire -------------------------------------------------------

    async def carry(self, request: Request, terms: Terms) -> Answer | Fault:
        """Carry a call of the block out; the session calls this for each."""
        write = write_of(request)
        if write is None:
            return await self._session.deliver(request, terms)
        try:
            self._check_all_active()
            if write.method == "unlink" and write.ids and self._settings.unlink == "hold":
                held = Held(Change("unlink", request.model, write.ids), dict(request.context))
                self._journal.add(held)
                return HeldBack(True, listeners=held.listeners)
            partly = self.allow_partial_undo
            errand = Errand(self._session, self._journal, partly, write, terms)
            return await errand.run()
        except ZenooError as error:
            return never_sent(error)
