"""Clients for the wire tests."""

import pytest

from zenoo_rpc import ZenooClient


@pytest.fixture
async def client(server):
    """A client that is logged in as the administrator."""
    async with ZenooClient(server.url) as client:
        await client.login(server.database, server.login, server.password)
        yield client


@pytest.fixture
async def limited(server):
    """A client that is logged in as a user who may write neither partners nor products."""
    async with ZenooClient(server.url) as client:
        await client.login(server.database, server.limited_login, server.limited_password)
        yield client
