"""Secure connections: whose certificates are believed, and what is told about the others."""

import json
import ssl
from functools import partial

import pytest
import trustme
from pytest_httpserver import HTTPServer
from werkzeug import Response

from zenoo_rpc.sync import BatchExecutionError, ZenooClient
from zenoo_rpc.errors import TLSError, TransportError

from .accounts import QUICK

VERSION = {"server_version": "19.0", "server_version_info": [19, 0, 0, "final", 0, ""]}


@pytest.fixture(scope="module")
def authority():
    """A certificate authority that no system knows."""
    return trustme.CA()


@pytest.fixture(scope="module")
def trusting(authority):
    """What a client needs to believe it."""
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return context


@pytest.fixture(scope="module")
def secure_server(authority):
    """A server with a certificate for `localhost`, and for no other name."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    with HTTPServer(host="127.0.0.1", ssl_context=context, threaded=True) as server:
        yield server


def answer(result, request):
    """Answer a request with a result."""
    body = {"jsonrpc": "2.0", "id": request.json["id"], "result": result}
    return Response(json.dumps(body), content_type="application/json")


@pytest.fixture
def odoo(secure_server):
    """The port of the secure server, which answers `version`, `login` and `context_get`."""
    secure_server.clear()
    for result in (VERSION, 2, {"lang": "en_US"}):
        request = secure_server.expect_ordered_request("/jsonrpc")
        request.respond_with_handler(partial(answer, result))
    yield secure_server.port
    secure_server.clear()


def test_an_unknown_authority_is_refused(odoo, secure_server):
    """By default a certificate of nobody known is the end, with the reason, and nothing is sent."""
    address = f"https://localhost:{odoo}"
    with ZenooClient(address) as client:
        with pytest.raises(TLSError, match="CERTIFICATE_VERIFY_FAILED") as caught:
            client.login("demo", "admin", "admin")

    assert address == caught.value.address
    assert address in str(caught.value)
    assert "Nothing was sent" in str(caught.value)
    assert [] == secure_server.log


def test_an_authority_of_ones_own_is_believed(odoo, trusting):
    """With a context that knows the authority, the login works as over http."""
    with ZenooClient("https://localhost", odoo, verify=trusting) as client:
        assert 2 == client.login("demo", "admin", "admin")
        assert f"https://localhost:{odoo}" == client.url


def test_checks_can_be_turned_off(odoo):
    """With verify=False any certificate will do, for any name."""
    with ZenooClient(f"https://127.0.0.1:{odoo}", verify=False) as client:
        assert VERSION == client.version()


def test_a_certificate_of_another_host_is_refused(odoo, trusting, secure_server):
    """A name that the certificate does not hold ends it, though the authority is known."""
    address = f"https://127.0.0.1:{odoo}"
    with ZenooClient(address, verify=trusting) as client:
        with pytest.raises(TLSError, match=r"(?i)mismatch|doesn't match|not valid") as caught:
            client.version()

    assert address in str(caught.value)
    assert [] == secure_server.log


def test_a_batch_over_a_bad_certificate_is_not_sent(odoo, trusting):
    """When the certificate turns bad after the login, each record is told as not sent."""
    address = f"https://localhost:{odoo}"
    with ZenooClient(address, verify=trusting, retry=QUICK) as client:
        client.login("demo", "admin", "admin")
        stranger = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        trustme.CA().issue_cert("localhost").configure_cert(stranger)
        with (
            HTTPServer(host="127.0.0.1", ssl_context=stranger, threaded=True) as other,
            pytest.raises(BatchExecutionError, match="3 not sent") as caught,
        ):
            client._session.transport.address = f"https://localhost:{other.port}"
            client.batch_manager.bulk_create("res.partner", [{"name": "Ann"}] * 3)

    assert [TLSError] * 3 == [type(each.error) for each in caught.value.result.not_sent]


def test_http_where_https_is_spoken_is_told(odoo):
    """A client that forgot the `s` gets an error with the address, not one of the parser's."""
    address = f"http://localhost:{odoo}"
    with ZenooClient(address) as client:
        with pytest.raises(TransportError, match=address):
            client.version()
