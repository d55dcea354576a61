"""Contexts that collect operations and carry them out at their end."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from types import TracebackType
from typing import Protocol, Self, Unpack, cast

from .._compat import ASTREAM
from .._core.buffer import RecordBuffer
from .._core.run import Run
from ..batch.errors import BatchStateError, NotSentError
from ..batch.handles import OperationHandle
from ..batch.operations import (
    CreateOperation,
    ExternalIds,
    Operation,
    RecordIds,
    UnlinkOperation,
    UpdateOperation,
    WriteManyOperation,
    update_operation,
)
from ..batch.options import BatchOptions, Options
from ..batch.results import BatchResult, OperationResult
from ..batch.source import Items, Name
from ..batch.streams import CreateStream, UpdateStream
from ..batch.validate import Lane
from ..wire import arguments


class CarriesOut(Protocol):
    """What a batch needs of its manager."""

    @property
    def is_in_transaction(self) -> bool:
        """Whether what it sends now belongs to a transaction."""

    def start(self, operations: Sequence[Operation], options: BatchOptions) -> Run:
        """Return a run over operations; nothing is sent yet."""

    async def carry_out(self, run: Run, options: BatchOptions) -> None:
        """Send the calls of a run until it has no other."""


logger = logging.getLogger("zenoo_rpc")

OUTSIDE = (
    "a batch that was opened in a transaction is executed outside of it: it belongs to none, and "
    "nothing takes it back"
)


def create_operation(
    model: str,
    records: Items,
    external_ids: ExternalIds = None,
    context: Mapping[str, object] | None = None,
    *,
    lane: Lane = None,
) -> CreateOperation | CreateStream:
    """Build the create of records, which are read at once, or of an iterator's, later."""
    if isinstance(records, ASTREAM):
        names = cast(Name, external_ids)
        return CreateStream(model, [records], external_ids=names, lane=lane, context=context)
    given = cast(Iterable[object], records)
    return CreateOperation(model, given, external_ids=external_ids, lane=lane, context=context)


def update_or_stream(
    model: str,
    data: object = None,
    values: object = None,
    *,
    record_ids: RecordIds | None = None,
    context: Mapping[str, object] | None = None,
) -> UpdateOperation | WriteManyOperation | UpdateStream:
    """Build the update that the arguments mean; mappings of an iterator are read later."""
    if isinstance(data, ASTREAM) and values is None and record_ids is None:
        return UpdateStream(model, [cast(Items, data)], context=context)
    return update_operation(model, data, values, record_ids=record_ids, context=context)


class BatchContext:
    """Collects operations and carries them out at the end of its block.

    Adding an operation checks it and sends nothing; it returns a handle, which has the result
    afterwards. A block that ends with an exception sends nothing.

    >>> async with ZenooClient(url) as client:
    ...     uid = await client.login("demo", "admin", "admin")
    ...     async with client.batch() as batch:
    ...         partners = batch.create("res.partner", [{"name": "Ann"}, {"name": "Bob"}])
    ...         products = batch.create("product.product", [{"name": "Tea"}])
    ...     partners, len(products.ids)
    (<OperationHandle: <OperationResult: create res.partner, 2 applied>>, 1)
    """

    def __init__(self, manager: CarriesOut, **options: Unpack[Options]) -> None:
        self.manager = manager
        self.operations: list[Operation] = []
        self._options = arguments.options(BatchOptions, options)
        self._handles: list[OperationHandle] = []
        self._run: Run | None = None
        self._unsent = BatchResult(())  # what is told if there was none
        self._over = False
        self._opened_inside = manager.is_in_transaction

    def create(
        self,
        model: str,
        data: Items,
        context: Mapping[str, object] | None = None,
        *,
        external_ids: ExternalIds = None,
        lane: Lane = None,
    ) -> OperationHandle:
        """Add a create: *data* is any iterable of mappings, attrs or dataclass instances.

        An iterator, such as a generator, may be of any length: it is read while its records are
        sent, and never further ahead than one call. A bad record in it is refused by itself, since
        others are on their way by then.

        With *external_ids* (texts, the name of the field that holds them, or a function of a
        record) it goes through Odoo's import: what is there already is updated, so it is safe to
        send again, and is repeated when no answer comes.

        Records with the same *lane* (the name of a field, or a function of a record) are never in
        two calls side by side, and keep their order; those without a value there are in no lane.

        Raises BatchValidationError for a bad record, BatchStateError after the batch's end.
        """
        return self._add(create_operation(model, data, external_ids, context, lane=lane))

    def update(
        self,
        model: str,
        data: object = None,
        values: object = None,
        *,
        record_ids: RecordIds | None = None,
        context: Mapping[str, object] | None = None,
    ) -> OperationHandle:
        """Add an update, told apart by the types of the arguments.

        The same values for many records: `update(model, values, record_ids=ids)` or
        `update(model, ids, values)`. Different ones: `update(model, [{"id": 7, "name": "Ann"}])`.
        An iterator of those may be of any length, and is read while its records are sent, as in
        `create`; an id that comes again waits for its record's turn. *record_ids* are one or more
        ids, each once. Raises as `create`.
        """
        return self._add(
            update_or_stream(model, data, values, record_ids=record_ids, context=context)
        )

    def write_many(
        self,
        model: str,
        updates: Iterable[Mapping[str, object]],
        context: Mapping[str, object] | None = None,
    ) -> OperationHandle:
        """Add an update with different values: *updates* are `{"id": 7, "values": {...}}`.

        They are any iterable, read at once, or a mapping of ids to values. Raises as `create`.
        """
        return self._add(WriteManyOperation(model, updates, context=context))

    def unlink(
        self,
        model: str,
        record_ids: RecordIds,
        context: Mapping[str, object] | None = None,
    ) -> OperationHandle:
        """Add a delete of the records with these ids, any iterable that is read at once.

        Raises BatchValidationError for what is no id and for one that occurs twice, BatchStateError
        after the batch's end.
        """
        return self._add(UnlinkOperation(model, record_ids, context=context))

    delete = unlink

    async def execute(self) -> list[Sequence[int | None] | bool]:
        """Carry out what was added, and return one value per operation, in order.

        The value of a create is the list of its ids, of anything else True; the block's end calls
        it by itself. Raises BatchExecutionError unless every record was applied, BatchStateError
        the second time, and before anything is sent: NotLoggedInError, ClientClosedError, and
        BatchValidationError for a value that is none of its field.
        """
        self._check_open()
        self._over = True
        if self._opened_inside and not self.manager.is_in_transaction:
            logger.warning(OUTSIDE)
        if self.operations:
            try:
                self._run = self.manager.start(tuple(self.operations), self._options)
                await self.manager.carry_out(self._run, self._options)
            except BaseException as error:
                if self._run is None:
                    self._drop(error)
                raise
            finally:
                self._settle()
        return self.results.raise_for_failures().values()

    @property
    def results(self) -> BatchResult:
        """What became of every record; BatchStateError before the batch was carried out."""
        if not self._over:
            raise BatchStateError("the batch was not executed yet, so it has no results")
        return self._unsent if self._run is None else self._run.result()

    def get_stats(self) -> dict[str, int]:
        """Return how many operations there are, how many were applied whole, how many were not.

        The keys are `total_operations`, `completed_operations` and `failed_operations`; before the
        end the last two are 0.
        """
        results = self.results.operations if self._over else ()
        completed = sum(result.ok for result in results)
        return {
            "total_operations": len(self.operations),
            "completed_operations": completed,
            "failed_operations": len(results) - completed,
        }

    async def __aenter__(self) -> Self:
        self._check_open()
        return self

    async def __aexit__(
        self,
        error_class: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._over:
            return
        if error is None:
            await self.execute()
            return
        self._over = True
        self._drop(error)
        self._settle()
        if self.operations:
            records = sum(map(len, self.operations))
            error.add_note(
                f"zenoo_rpc: nothing of the batch was sent; "
                f"{len(self.operations)} operations ({records} records) were dropped"
            )

    def _add(self, operation: Operation) -> OperationHandle:
        self._check_open()
        handle = OperationHandle(operation)
        self.operations.append(operation)
        self._handles.append(handle)
        return handle

    def _drop(self, error: BaseException) -> None:
        reason = f"nothing of the batch was sent, as it ended with {type(error).__name__}"
        self._unsent = BatchResult.of_nothing_sent(self.operations, NotSentError(reason, error))

    def _settle(self) -> None:
        for place, result in enumerate(self.results.operations):
            self._handles[place].settle(result, partial(self._result_of, place))

    def _result_of(self, place: int) -> OperationResult:
        return self.results.operations[place]

    def _check_open(self) -> None:
        if self._over:
            raise BatchStateError("the batch is over: open another one")


class BatchCollector:
    """Collects the records of one operation, one by one, and carries it out at its block's end.

    Items are records for a `create`, mappings with an `id` for an `update`, ids for an `unlink`.

    >>> async with ZenooClient(url) as client:
    ...     uid = await client.login("demo", "admin", "admin")
    ...     async with client.batch_operation("res.partner", "create") as collector:
    ...         for number in range(3):
    ...             collector.add({"name": f"Partner {number}"})
    ...     len(collector.results.ids)
    3
    """

    def __init__(
        self,
        batch: BatchContext,
        model: str,
        operation_type: str,
        external_ids: ExternalIds = None,
    ) -> None:
        self._batch = batch
        self._collected = RecordBuffer(model, operation_type, external_ids)

    def add(self, item: object) -> None:
        """Add one item; BatchValidationError if it is none, BatchStateError after the end."""
        self._batch._check_open()
        self._collected.add(item)

    def add_many(self, items: Items) -> None:
        """Add items, all or, if one of them is bad, those before it.

        An iterator of records to create or to update is read at the end of the block, while they
        are sent. Raises as `add`.
        """
        self._batch._check_open()
        if isinstance(items, ASTREAM) and self._collected.add_later(items):
            return
        for item in cast(Iterable[object], items):
            self.add(item)

    def __len__(self) -> int:
        return len(self._collected)

    @property
    def results(self) -> BatchResult:
        """What became of every record; BatchStateError before the end of the block."""
        return self._batch.results

    async def __aenter__(self) -> Self:
        self._batch._check_open()
        return self

    async def __aexit__(
        self,
        error_class: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if not self._collected.is_empty:
            self._batch._add(self._collected.operation())
        await self._batch.__aexit__(error_class, error, traceback)
