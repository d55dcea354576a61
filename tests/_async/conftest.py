"""Clients for the wire tests."""

import pytest

from zenoo_rpc import ZenooClient

from ..proxy import Proxy
from .accounts import QUICK, log_in


@pytest.fixture
async def client(server):
    """A client that is logged in as the administrator."""
    async with ZenooClient(server.url) as client:
        await log_in(client, server)
        yield client


@pytest.fixture
async def limited(server):
    """A client that is logged in as a user who may write neither partners nor products."""
    async with ZenooClient(server.url) as client:
        await log_in(client, server, limited=True)
        yield client


@pytest.fixture
def proxy(server):
    """A proxy in front of the server."""
    with Proxy(server.host, server.port) as proxy:
        yield proxy


@pytest.fixture
async def flaky(server, proxy):
    """A client behind the proxy, with short pauses."""
    async with ZenooClient(proxy.url, retry=QUICK) as client:
        await log_in(client, server)
        yield client
