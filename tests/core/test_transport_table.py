"""Every exception of the HTTP library has its place in the table of what it proves."""

import httpx
import pytest

from zenoo_rpc._async import transport as async_transport
from zenoo_rpc._core.exchange import Wire
from zenoo_rpc._core.faults import TRANSPORT, Kind, Proof
from zenoo_rpc._sync import transport as sync_transport

# What each proves; a class that httpx adds has to be looked at first.
NEVER_SENT = {
    "ConnectError",
    "ConnectTimeout",
    "InvalidURL",
    "LocalProtocolError",
    "PoolTimeout",
    "ProxyError",
    "UnsupportedProtocol",
}
UNKNOWN = {
    "CloseError",
    "DecodingError",
    "ReadError",
    "ReadTimeout",
    "RemoteProtocolError",
    "TooManyRedirects",
    "WriteError",
    "WriteTimeout",
}
ABSTRACT = {
    "HTTPError",
    "HTTPStatusError",  # only by `raise_for_status`, which nobody calls
    "NetworkError",
    "ProtocolError",
    "RequestError",
    "TimeoutException",
    "TransportError",
}


def below(error_class):
    """Return a class and all below it."""
    return {error_class}.union(*map(below, error_class.__subclasses__()))


def test_every_class_is_known():
    """None is there that nobody has thought of."""
    classes = below(httpx.HTTPError) | {httpx.InvalidURL}
    names = {each.__name__ for each in classes if each.__module__.startswith("httpx")}
    assert NEVER_SENT | UNKNOWN | ABSTRACT == names


@pytest.mark.parametrize("transport", [async_transport, sync_transport])
@pytest.mark.parametrize("name", sorted(NEVER_SENT | UNKNOWN))
def test_what_it_proves(transport, name):
    """Nothing counts as never sent that may have been."""
    kind, _ = transport._told(getattr(httpx, name)("words"))
    proof = Proof.NEVER_SENT if name in NEVER_SENT else Proof.UNKNOWN
    assert isinstance(kind, Kind)
    assert proof is TRANSPORT[kind].proof


@pytest.mark.parametrize("transport", [async_transport, sync_transport])
def test_connecting_is_part_of_the_time(transport):
    """A call that may take half a second does not connect for ten."""
    own = transport.Transport(
        "http://localhost", timeout=0.5, verify=False, headers={}, max_connections=1
    )
    for seconds, limit in ((0.5, 0.5), (60, 10.0), (None, 10.0)):
        connection = transport.Connection(may_be_used=True)
        request = own._built("GET", Wire("/", b""), seconds, connection)
        assert limit == request.extensions["timeout"]["connect"]
