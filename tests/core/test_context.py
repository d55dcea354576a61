"""The functions that open a batch over a client of either colour."""

import pytest

from zenoo_rpc._async import context as home
from zenoo_rpc.batch import context
from zenoo_rpc.batch.context import batch_context, batch_operation
from zenoo_rpc.errors import UsageError


class Client:
    """Says what its methods were called with."""

    def batch(self, **options):
        return "batch", options

    def batch_operation(self, model, operation_type="create", **options):
        return "operation", model, operation_type, options


def test_batch_context():
    """It is the client's own `batch`, with all that was given."""
    assert ("batch", {"max_chunk_size": 50, "max_concurrency": 2, "ordered": False}) == (
        batch_context(Client(), max_chunk_size=50, max_concurrency=2, ordered=False)
    )


def test_batch_context_with_the_defaults():
    """What was not given is left to the client."""
    assert ("batch", {"max_chunk_size": None, "max_concurrency": None}) == batch_context(Client())


def test_batch_operation():
    """It is the client's own `batch_operation`, with all that was given."""
    assert ("operation", "m", "create", {"external_ids": None}) == batch_operation(Client(), "m")
    assert (
        "operation",
        "m",
        "create",
        {"external_ids": "ref", "on_error": "stop"},
    ) == batch_operation(Client(), "m", external_ids="ref", on_error="stop")


@pytest.mark.parametrize("client", [None, "localhost", object()])
def test_no_client(client):
    """What is no client is told at once, by its type."""
    expected = f"a ZenooClient is needed here, not a {type(client).__name__}"

    for opening in (lambda: batch_context(client), lambda: batch_operation(client, "m")):
        with pytest.raises(UsageError) as caught:
            opening()
        assert expected == str(caught.value)


def test_classes_are_found_where_users_know_them():
    """The contexts can be imported from here, under their names."""
    assert home.BatchContext is context.BatchContext
    assert home.BatchCollector is context.BatchCollector
