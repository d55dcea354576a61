"""Carries batches out: workers take calls from a run until there is none."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Literal, Unpack, cast

from .._compat import ALock, ASemaphore, anotify, arun_workers
from .._core.deadline import Deadline
from .._core.planner import Limits
from .._core.run import Run
from ..batch.operations import (
    CreateOperation,
    ExternalIds,
    Operation,
    UnlinkOperation,
    update_operation,
)
from ..batch.options import BatchOptions, ManagerSettings, Options, Settings
from ..batch.results import BatchResult
from ..progress import ProgressBar
from .context import BatchContext

if TYPE_CHECKING:
    from .client import ZenooClient

logger = logging.getLogger("zenoo_rpc")


class BatchManager:
    """Carries out batches for one client, within one limit of calls in flight.

    Its keywords are `zenoo_rpc.batch.options.Settings`; one that is out of range raises
    InvalidValueError.

    >>> async with ZenooClient(url) as client:
    ...     uid = await client.login("demo", "admin", "admin")
    ...     manager = await client.setup_batch_manager(max_chunk_size=50)
    ...     ids = await manager.bulk_create("res.partner", [{"name": "Ann"}, {"name": "Bob"}])
    ...     await manager.bulk_update("res.partner", ids, {"active": False})
    True
    """

    def __init__(self, client: ZenooClient, **settings: Unpack[Settings]) -> None:
        self._client = client
        self.settings = ManagerSettings(**settings)
        self._slots = ASemaphore(self.settings.max_concurrency)
        self._stats: Counter[str] = Counter()

    def batch(self, **options: Unpack[Options]) -> BatchContext:
        """Open a batch: a context that collects operations and carries them out at its end."""
        return BatchContext(self, **options)

    async def bulk_create(
        self,
        model: str,
        records: Iterable[object],
        *,
        external_ids: ExternalIds = None,
        context: Mapping[str, object] | None = None,
        **options: Unpack[Options],
    ) -> list[int]:
        """Create records and return their ids, in the order of the records.

        *external_ids* as in `BatchContext.create`.

        Raises BatchValidationError before anything is sent, BatchExecutionError unless all were
        created; `error.result` has the ids of those that were.
        """
        operation = CreateOperation(model, records, external_ids=external_ids, context=context)
        result = await self.execute_operations([operation], **options)
        return cast(list[int], result.ids)

    async def bulk_update(
        self,
        model: str,
        data: object = None,
        values: object = None,
        *,
        record_ids: Iterable[int] | None = None,
        context: Mapping[str, object] | None = None,
        **options: Unpack[Options],
    ) -> Literal[True]:
        """Write to records, with the arguments of `BatchContext.update`.

        Raises BatchValidationError before anything is sent, BatchExecutionError unless all were
        written.
        """
        operation = update_operation(model, data, values, record_ids=record_ids, context=context)
        await self.execute_operations([operation], **options)
        return True

    async def bulk_delete(
        self,
        model: str,
        record_ids: Iterable[int],
        *,
        context: Mapping[str, object] | None = None,
        **options: Unpack[Options],
    ) -> Literal[True]:
        """Delete records.

        Raises BatchValidationError before anything is sent, BatchExecutionError unless all were
        deleted; a record that does not exist counts as refused.
        """
        operation = UnlinkOperation(model, record_ids, context=context)
        await self.execute_operations([operation], **options)
        return True

    async def execute_operations(
        self, operations: Iterable[Operation], **options: Unpack[Options]
    ) -> BatchResult:
        """Carry out operations; BatchExecutionError unless every record was applied."""
        chosen = BatchOptions(**options)
        run = self.start(tuple(operations), chosen)
        try:
            await self.carry_out(run, chosen)
        except BaseException as error:
            error.add_note(f"zenoo_rpc: {run.result().summary()}")
            raise
        return run.result().raise_for_failures()

    def get_stats(self) -> dict[str, int]:
        """Return what it has done so far: batches, operations, records by status, calls."""
        return dict(self._stats)

    def start(self, operations: Sequence[Operation], options: BatchOptions) -> Run:
        """Return a run over *operations*; nothing is sent yet."""
        self._client.check_ready()
        size = options.chunk_size or self.settings.max_chunk_size
        limits = Limits(size, self.settings.max_chunk_bytes)
        return Run(operations, limits, ordered=options.ordered, on_error=options.on_error)

    async def carry_out(self, run: Run, options: BatchOptions) -> None:
        """Send the calls of *run* until it has no other, and tell the progress."""
        reporter = _Reporter(run, options)
        deadline = Deadline(options.time_limit, time.monotonic)

        async def worker() -> None:
            while True:
                async with self._slots:
                    call = None if deadline.passed else run.take()
                    if call is None:
                        return
                    reply = await self._client.send_call(call, self.settings, deadline)
                    run.record(call, reply)
                await reporter.report()

        try:
            for question in run.questions():
                async with self._slots:
                    reply = await self._client.send_call(question, self.settings, deadline)
                run.describe(question, reply)
            while not deadline.passed and run.advance():
                await arun_workers(worker, self.settings.max_concurrency, run.stop)
            await reporter.report(ended=True)
        finally:
            run.stop()
            reporter.close()
            self._count(run)

    def _count(self, run: Run) -> None:
        self._stats.update(run.progress(ended=True)["stats"])
        self._stats.update(batches=1, operations=len(run.operations), records=run.total)


class _Reporter:
    """Tells progress to whoever asked for it: one call at a time, never backwards."""

    def __init__(self, run: Run, options: BatchOptions) -> None:
        self._run = run
        self._bar = ProgressBar() if options.progress else None
        callbacks = (options.progress_callback, self._bar)
        self._callbacks = [callback for callback in callbacks if callback is not None]
        self._told = -1
        self._turn = ALock()

    async def report(self, *, ended: bool = False) -> None:
        if not self._callbacks:
            return
        async with self._turn:
            progress = self._run.progress(ended=ended)
            if progress["completed"] == self._told:
                return
            self._told = progress["completed"]
            for callback in self._callbacks:
                try:
                    await anotify(callback, progress)
                except Exception as error:
                    kind = type(error).__name__
                    logger.warning("the progress callback raised %s; the batch goes on", kind)

    def close(self) -> None:
        if self._bar is not None:
            self._bar.close()
