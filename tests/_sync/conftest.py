"""Clients for the wire tests."""

import pytest

from zenoo_rpc.sync import ZenooClient


@pytest.fixture
def client(server):
    """A client that is logged in as the administrator."""
    with ZenooClient(server.url) as client:
        client.login(server.database, server.login, server.password)
        yield client


@pytest.fixture
def limited(server):
    """A client that is logged in as a user who may write neither partners nor products."""
    with ZenooClient(server.url) as client:
        client.login(server.database, server.limited_login, server.limited_password)
        yield client
