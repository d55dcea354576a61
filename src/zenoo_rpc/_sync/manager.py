"""Carries batches out: workers take calls from a run until there is none."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, Unpack, cast

from .._compat import STREAM, Semaphore
from .._core.run import Run
from .._core.sizes import Limits, Pacing
from .._core.traffic import Traffic
from ..batch.operations import (
    ExternalIds,
    Operation,
    RecordIds,
    UnlinkOperation,
)
from ..batch.options import BatchOptions, ManagerSettings, Options, Settings
from ..batch.results import BatchResult
from ..batch.source import Items, Name
from ..batch.streams import stream_operation
from ..batch.validate import RECORDS, Checker, Lane
from ..wire import arguments
from .caller import Caller
from .context import BatchContext, create_operation, update_or_stream
from .execution import Execution
from .stream import OutcomeStream


class BatchManager:
    """Carries out batches for one client, within one limit of calls in flight.

    Its keywords are `zenoo_rpc.batch.options.Settings`; one that is out of range raises
    InvalidValueError.

    >>> with ZenooClient(url) as client:
    ...     uid = client.login("demo", "admin", "admin")
    ...     manager = client.setup_batch_manager(max_chunk_size=50)
    ...     ids = manager.bulk_create("res.partner", [{"name": "Ann"}, {"name": "Bob"}])
    ...     manager.bulk_update("res.partner", ids, {"active": False})
    True
    """

    def __init__(self, client: Caller, **settings: Unpack[Settings]) -> None:
        self._client = client
        self.settings = arguments.options(ManagerSettings, settings)
        self._slots = Semaphore(self.settings.max_concurrency)
        self._traffic = Traffic(self.settings.max_concurrency, self.settings.rate)
        self._pacing = Pacing(self.settings.max_chunk_bytes, self.settings.call_seconds)
        self._stats: Counter[str] = Counter()

    def batch(self, **options: Unpack[Options]) -> BatchContext:
        """Open a batch: a context that collects operations and carries them out at its end.

        *options* are those of `zenoo_rpc.batch.options.Options`, here and below; one that is out of
        range raises InvalidValueError, a misspelt one UnknownOptionError.
        """
        return BatchContext(self, **options)

    def bulk_create(
        self,
        model: str,
        records: Items,
        *,
        external_ids: ExternalIds = None,
        lane: Lane = None,
        context: Mapping[str, object] | None = None,
        **options: Unpack[Options],
    ) -> Sequence[int]:
        """Create records and return their ids, in the order of the records.

        *records*, *external_ids* and *lane* as in `BatchContext.create`. Of an iterator the ids
        are an `Ids`, of others a list.

        Raises BatchValidationError before anything is sent, BatchExecutionError unless all were
        created; `error.result` has the ids of those that were.
        """
        operation = create_operation(model, records, external_ids, context, lane=lane)
        result = self.execute_operations([operation], **options)
        return cast(Sequence[int], result.operations[0].ids)

    def bulk_update(
        self,
        model: str,
        data: object = None,
        values: object = None,
        *,
        record_ids: RecordIds | None = None,
        context: Mapping[str, object] | None = None,
        **options: Unpack[Options],
    ) -> Literal[True]:
        """Write to records, with the arguments of `BatchContext.update`, and return True.

        Raises BatchValidationError before anything is sent (a bad record of an iterator is refused
        instead), BatchExecutionError unless all were written.
        """
        operation = update_or_stream(model, data, values, record_ids=record_ids, context=context)
        self.execute_operations([operation], **options)
        return True

    def bulk_delete(
        self,
        model: str,
        record_ids: RecordIds,
        *,
        context: Mapping[str, object] | None = None,
        **options: Unpack[Options],
    ) -> Literal[True]:
        """Delete records, and return True; *record_ids* is one or an iterable of them.

        Raises BatchValidationError before anything is sent, BatchExecutionError unless all were
        deleted; a record that does not exist counts as refused. In a transaction it is held back
        until the end.
        """
        operation = UnlinkOperation(model, record_ids, context=context)
        self.execute_operations([operation], **options)
        return True

    def stream(
        self,
        model: str,
        records: Items,
        *,
        operation: Literal["create", "update", "unlink"] = "create",
        external_ids: Name = None,
        lane: Lane = None,
        context: Mapping[str, object] | None = None,
        keep_records: bool = False,
        **options: Unpack[Options],
    ) -> OutcomeStream:
        """Write records, and tell what became of each as soon as that is known, in their order.

        It is opened by a with statement and then iterated: see `OutcomeStream`. *records* is any
        iterable, of any length; memory does not grow with it. For a create they are records, for
        an update mappings of an `id` and what is to be written, for an unlink ids.

        *external_ids* is the name of the field that holds them, or a function of a record; each of
        these is kept, so that none occurs twice. With *keep_records* each outcome has the record as
        it was given, for a file of those that failed. *lane* as in `BatchContext.create`.

        Raises BatchValidationError for what is no iterable or no model, and for external ids or a
        lane of what is no create; what the loop raises is told by `OutcomeStream`.
        """
        if not isinstance(records, (Iterable, *STREAM)):
            raise Checker("stream", model).error(RECORDS)
        keep = arguments.yes_or_no("keep_records", keep_records)
        stream = stream_operation(
            operation, model, records, external_ids, context, lane=lane, keep=keep
        )
        chosen = arguments.options(BatchOptions, options)
        run = self.start([stream], chosen, look_ahead=4 * self.settings.max_concurrency)
        execution = self._execution(run, chosen)
        return OutcomeStream(stream, run, execution, lambda: self._count(run))

    def execute_operations(
        self, operations: Iterable[Operation], **options: Unpack[Options]
    ) -> BatchResult:
        """Carry out operations and return what became of each record.

        Raises BatchValidationError for values that are none of their fields, BatchStateError for an
        iterator that was read before, BatchExecutionError unless every record was applied.
        """
        chosen = arguments.options(BatchOptions, options)
        run = self.start(arguments.instances("operations", operations, Operation), chosen)
        self.carry_out(run, chosen)
        return run.result().raise_for_failures()

    @property
    def is_in_transaction(self) -> bool:
        """Whether what it sends now, from this task or thread, belongs to a transaction."""
        return self._client.is_in_transaction

    def get_stats(self) -> dict[str, int]:
        """Return what it has done so far.

        The keys are `batches`, `operations`, `records`, `calls`, and the statuses: `applied`,
        `refused`, `unknown`, `not_sent`.
        """
        return dict(self._stats)

    def start(
        self,
        operations: Sequence[Operation],
        options: BatchOptions,
        *,
        look_ahead: int | None = None,
    ) -> Run:
        """Return a run over *operations*; nothing is sent yet."""
        self._client.check_ready()
        size = options.chunk_size or self.settings.max_chunk_size
        limits = Limits(size, self.settings.max_chunk_bytes) if size else self._pacing
        return Run(
            operations,
            limits,
            ways=self._client.ways.beginning(self.settings.update_by),
            ordered=options.ordered,
            on_error=options.on_error,
            on_unknown=options.on_unknown,
            goes_on=not self.is_in_transaction,  # what it takes back is not to become more
            skip_unchanged=options.skip_unchanged,
            look_ahead=look_ahead,
        )

    def carry_out(self, run: Run, options: BatchOptions) -> None:
        """Send the calls of *run* until it has no other, and tell the progress.

        Whatever cuts it off, cancellation and Ctrl+C included, has what became of each record as
        `zenoo_result`, and a note with the numbers.
        """
        try:
            self._execution(run, options).carry_out()
        except BaseException as error:
            run.cut_off(error)
            result = run.result()
            error.__dict__.setdefault("zenoo_result", result)
            error.add_note(f"zenoo_rpc: {result.summary()}")
            raise
        finally:
            self._count(run)

    def _execution(self, run: Run, options: BatchOptions) -> Execution:
        return Execution(self._client, self._slots, self._traffic, self.settings, run, options)

    def _count(self, run: Run) -> None:
        self._stats.update(run.progress(ended=True)["stats"])
        self._stats.update(batches=1, operations=len(run.operations), records=run.total)
