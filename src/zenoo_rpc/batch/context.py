"""Open a batch over a client of either colour: an async client gives an async context."""

from __future__ import annotations

from typing import Any, Protocol, TypeVar, Unpack

from .._async.context import BatchCollector, BatchContext
from ..errors import UsageError
from .operations import ExternalIds
from .options import Options

BatchT_co = TypeVar("BatchT_co", covariant=True)
CollectorT_co = TypeVar("CollectorT_co", covariant=True)


class _OpensBatches(Protocol[BatchT_co]):
    def batch(
        self,
        *,
        max_chunk_size: int | None = None,
        max_concurrency: int | None = None,
        **options: Unpack[Options],
    ) -> BatchT_co: ...


class _OpensCollectors(Protocol[CollectorT_co]):
    def batch_operation(
        self,
        model: str,
        operation_type: str = "create",
        *,
        external_ids: ExternalIds = None,
        **options: Unpack[Options],
    ) -> CollectorT_co: ...


def batch_context(
    client: _OpensBatches[BatchT_co],
    *,
    max_chunk_size: int | None = None,
    max_concurrency: int | None = None,
    **options: Unpack[Options],
) -> BatchT_co:
    """Return `client.batch(...)`: a context that collects operations and carries them out.

    Raises UsageError for anything that is no client.
    """
    return _client(client).batch(  # type: ignore[no-any-return]  # checked just now
        max_chunk_size=max_chunk_size, max_concurrency=max_concurrency, **options
    )


def batch_operation(
    client: _OpensCollectors[CollectorT_co],
    model: str,
    operation_type: str = "create",
    *,
    external_ids: ExternalIds = None,
    **options: Unpack[Options],
) -> CollectorT_co:
    """Return `client.batch_operation(...)`: a context that collects one operation's records.

    Raises UsageError for anything that is no client.
    """
    return _client(client).batch_operation(  # type: ignore[no-any-return]  # checked just now
        model, operation_type, external_ids=external_ids, **options
    )


def _client(client: object) -> Any:
    if not hasattr(client, "batch_operation"):
        raise UsageError(f"a ZenooClient is needed here, not a {type(client).__name__}")
    return client


__all__ = ["BatchCollector", "BatchContext", "batch_context", "batch_operation"]
