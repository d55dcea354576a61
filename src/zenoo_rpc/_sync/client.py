"""The client: all that users call, from the login to batches and transactions."""

from __future__ import annotations

from typing import Unpack

import attrs

from ..batch.operations import ExternalIds
from ..batch.options import Options, Settings
from ..batch.transaction import TransactionOptions
from ..wire import arguments
from .caller import Caller
from .context import BatchCollector, BatchContext
from .keys import ApiKeys
from .manager import BatchManager
from .transaction import Transaction, TransactionManager


class ZenooClient(Caller):
    """Talks to one Odoo server; after `login()`, to one of its databases as one of its users.

    *host* is a name, `host:port` or a URL. *timeout* is how many seconds an answer may take,
    *verify* whether (True, False) or how (a CA file, an `ssl.SSLContext`) the server's
    certificate is checked, *headers* are sent along with every request, *max_connections* is
    the most that are open at once, and *retry* how calls are repeated that may be (None: never).
    *protocol* is `"jsonrpc"`, `"json2"`, or `"auto"`: JSON-2 with an API key where the server has
    it, else JSON-RPC. *proxy* is the URL of a proxy on the way (`http://host:port`); without one,
    the variables HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and NO_PROXY say it, unless *trust_env* is
    False.
    Raises AddressError for an address that is none, InvalidValueError for other bad arguments.

    >>> with ZenooClient(url) as client:
    ...     client.login("demo", "admin", "admin")
    ...     client.search_read("res.country", [("code", "=", "CH")], ["name"])
    2
    [{'id': 43, 'name': 'Switzerland'}]
    """

    _batch_manager: BatchManager | None = None
    _transaction_manager: TransactionManager | None = None

    @property
    def api_keys(self) -> ApiKeys:
        """The API keys of the user who is logged in: to make, list and revoke."""
        return ApiKeys(self, self._session)

    # -- batches -------------------------------------------------------------------------------

    def setup_batch_manager(self, **settings: Unpack[Settings]) -> BatchManager:
        """Make the manager that this client's batches use from now on, and return it.

        *settings* are those of `zenoo_rpc.batch.options.Settings`. Nothing is sent. Raises
        InvalidValueError for one that is out of range, UnknownOptionError for one misspelt.
        """
        self._batch_manager = BatchManager(self, **settings)
        return self._batch_manager

    @property
    def batch_manager(self) -> BatchManager:
        """The manager that this client's batches use; one with the defaults unless set up."""
        if self._batch_manager is None:
            self._batch_manager = BatchManager(self)
        return self._batch_manager

    def batch(
        self,
        *,
        max_chunk_size: int | None = None,
        max_concurrency: int | None = None,
        **options: Unpack[Options],
    ) -> BatchContext:
        """Open a batch: a context that collects operations and carries them out at its end.

        *max_chunk_size* is how many records go into one call at most, *max_concurrency* how many
        calls may be in flight: with it the batch has a limit of its own, else it shares the
        manager's. *options* are those of `zenoo_rpc.batch.options.Options`. Raises
        InvalidValueError for one that is out of range, UnknownOptionError for one misspelt; what
        the batch itself raises is told by `BatchContext.execute`.
        """
        if max_chunk_size is not None:
            options["chunk_size"] = arguments.count("max_chunk_size", max_chunk_size)
        manager = self.batch_manager
        if max_concurrency is not None:
            own = attrs.evolve(manager.settings, max_concurrency=max_concurrency)
            manager = BatchManager(self, **attrs.asdict(own))
        return manager.batch(**options)

    def batch_operation(
        self,
        model: str,
        operation_type: str = "create",
        *,
        external_ids: ExternalIds = None,
        **options: Unpack[Options],
    ) -> BatchCollector:
        """Open a context that collects the records of one operation, one by one.

        *operation_type* is `create`, `update`, `unlink` or `delete`; *external_ids* of a create as
        in `BatchContext.create`; *options* as of `batch`. Raises UsageError for another type, and
        for external ids of what is no create; the block's end raises as `BatchContext.execute`.
        """
        batch = self.batch_manager.batch(**options)
        return BatchCollector(batch, model, operation_type, external_ids)

    # -- transactions --------------------------------------------------------------------------

    def setup_transaction_manager(
        self, **settings: Unpack[TransactionOptions]
    ) -> TransactionManager:
        """Make the manager that this client's transactions use from now on, and return it.

        *settings* are those of `zenoo_rpc.transaction.TransactionOptions`. Nothing is sent. Raises
        InvalidValueError for one that is out of range, UnknownOptionError for one misspelt.
        """
        self._transaction_manager = TransactionManager(self, self._session, **settings)
        return self._transaction_manager

    def transaction(self, **options: Unpack[TransactionOptions]) -> Transaction:
        """Open a transaction: a block whose writes are taken back when it fails.

        Inside another one it is a savepoint of that. *options* stand above the manager's settings,
        or those of the transaction around it, and raise as there. What the block's end raises is
        told by `Transaction`.
        """
        if self._transaction_manager is None:
            self._transaction_manager = TransactionManager(self, self._session)
        return self._transaction_manager.transaction(**options)
