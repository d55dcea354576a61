"""Clients for the wire tests."""

import pytest

from zenoo_rpc.sync import ZenooClient

from ..proxy import Proxy
from .accounts import QUICK, log_in


@pytest.fixture
def client(server):
    """A client that is logged in as the administrator."""
    with ZenooClient(server.url) as client:
        log_in(client, server)
        yield client


@pytest.fixture
def limited(server):
    """A client that is logged in as a user who may write neither partners nor products."""
    with ZenooClient(server.url) as client:
        log_in(client, server, limited=True)
        yield client


@pytest.fixture
def proxy(server):
    """A proxy in front of the server."""
    with Proxy(server.host, server.port) as proxy:
        yield proxy


@pytest.fixture
def flaky(server, proxy):
    """A client behind the proxy, with short pauses."""
    with ZenooClient(proxy.url, retry=QUICK) as client:
        log_in(client, server)
        yield client
