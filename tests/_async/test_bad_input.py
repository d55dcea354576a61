"""What a caller, a proxy or the environment gets wrong: typed errors, in which nothing leaks."""

import pickle
import socket
import threading
from contextlib import contextmanager

import pytest

from zenoo_rpc import BatchExecutionError, BatchValidationError, InvalidValueError, ZenooClient
from zenoo_rpc.errors import (
    AddressError,
    ClientClosedError,
    ConnectionFailedError,
    NoAnswerError,
    NotLoggedInError,
    ProxyConnectionError,
    ServerError,
    UsageError,
    ZenooError,
)

from ..proxy import Proxy, with_result
from .accounts import log_in

SECRET = "s3cret-Zq7xK"


def is_silent(error):
    """Whether no text of an error holds the secret, nor its pickle."""
    texts = [str(error), repr(error), *getattr(error, "__notes__", [])]
    return SECRET not in "".join(texts) and SECRET.encode() not in pickle.dumps(error)


@pytest.mark.parametrize(
    "headers",
    [
        {"Authorization": f"{SECRET}\n"},
        {"Authorization": f"{SECRET}\r\nX: 1"},
        {"X-Tenant": f"{SECRET}\u2100"},
        {f"X {SECRET}\0": "1"},
        {"X-Tenant": SECRET.encode()},
    ],
    ids=ascii,
)
def test_headers_that_cannot_be_sent(headers):
    """They are refused when they are given; the error names the header, not its value."""
    with pytest.raises(InvalidValueError, match="headers: ") as caught:
        ZenooClient("localhost", headers=headers)
    assert SECRET not in str(caught.value).replace(ascii(next(iter(headers))), "")


@pytest.mark.parametrize("proxy", [f"socks://me:{SECRET}@localhost", f"ftp://{SECRET}", "::"])
def test_a_proxy_that_is_none(monkeypatch, proxy):
    """The error names the argument or the variable; trust_env=False leaves the variables out."""
    with pytest.raises(InvalidValueError, match=r"^proxy: ") as caught:
        ZenooClient("localhost", proxy=proxy)
    assert is_silent(caught.value)
    monkeypatch.setenv("ALL_PROXY", proxy)
    with pytest.raises(InvalidValueError, match=r"^ALL_PROXY: ") as caught:
        ZenooClient("localhost")
    assert is_silent(caught.value)
    ZenooClient("localhost", trust_env=False)


def test_certificates_that_are_not_there(tmp_path):
    """The error names the file."""
    for path in (tmp_path / "missing.pem", tmp_path):
        with pytest.raises(InvalidValueError, match=str(path)):
            ZenooClient("localhost", verify=str(path))
    (tmp_path / "empty.pem").write_text("no certificate")
    with pytest.raises(InvalidValueError, match=r"empty\.pem"):
        ZenooClient("localhost", verify=str(tmp_path / "empty.pem"))


@pytest.mark.parametrize("host", [None, 8069, b"localhost"], ids=repr)
def test_an_address_that_is_no_text(host):
    """The error says what it is instead."""
    with pytest.raises(AddressError, match=f"not {type(host).__name__}"):
        ZenooClient(host)


@pytest.mark.parametrize("place", range(3))
@pytest.mark.parametrize("wrong", [None, 7, b"admin"], ids=repr)
async def test_a_login_that_is_no_text(server, place, wrong):
    """The error names the argument; nothing is sent."""
    arguments = [server.database, server.login, server.password]
    name = ("database", "username", "password")[place]
    with Proxy(server.host, server.port) as proxy:
        async with ZenooClient(proxy.url, protocol="jsonrpc") as client:
            with pytest.raises(InvalidValueError, match=f"{name} must be a text"):
                await client.login(*arguments[:place], wrong, *arguments[place + 1 :])
    assert [] == proxy.exchanges


WRONG_ARGUMENTS = {
    "model": lambda c: c.search(None),
    "method": lambda c: c.execute_kw("res.partner", 7),
    "args": lambda c: c.execute_kw("res.partner", "search", SECRET),
    "args must": lambda c: c.execute_kw("res.partner", "search", 7),
    "kwargs": lambda c: c.execute_kw("res.partner", "search", [[]], [SECRET]),
    "context": lambda c: c.search("res.partner", context=SECRET),
    "context must": lambda c: c.create("res.partner", {"name": "Ann"}, context=[SECRET]),
    "domain": lambda c: c.search("res.partner", SECRET),
    "domain must": lambda c: c.search_count("res.partner", 7),
    "domain must be": lambda c: c.search_read("res.partner", {SECRET: 1}),
    "limit": lambda c: c.search("res.partner", limit=1.5),
    "limit must": lambda c: c.search_read("res.partner", limit=SECRET),
    "limit must be": lambda c: c.search("res.partner", limit=True),
    "offset": lambda c: c.search_read("res.partner", offset=-1),
    "order": lambda c: c.search("res.partner", order=[SECRET]),
    "fields": lambda c: c.read("res.partner", [1], SECRET),
    r"fields\[0\]": lambda c: c.search_read("res.partner", fields=[7]),
    "fields must be": lambda c: c.fields_get("res.partner", 7),
    "attributes": lambda c: c.fields_get("res.partner", None, SECRET),
    "ids": lambda c: c.read("res.partner", None),
    "ids must": lambda c: c.unlink("res.partner", SECRET),
    "ids must be": lambda c: c.unlink("res.partner", {1: SECRET}),
    r"ids\[1\]": lambda c: c.read("res.partner", [1, 1.5]),
    r"ids\[1\]: an id": lambda c: c.unlink("res.partner", [1, SECRET]),
    r"ids\[0\]: an id": lambda c: c.write("res.partner", 0, {"name": "Ann"}),
    r"ids\[0\]": lambda c: c.unlink("res.partner", True),
    "timeout": lambda c: c.execute_kw("res.partner", "search", [[]], timeout="2"),
    "values": lambda c: c.create("res.partner", None),
    "values: it is a str": lambda c: c.create("res.partner", SECRET),
    r"values\[1\]": lambda c: c.create("res.partner", [{"name": "Ann"}, SECRET]),
    "values: it is a int": lambda c: c.write("res.partner", 1, 7),
    r"values\[0\]: 'id' is no field": lambda c: c.create("res.partner", [{"id": 7}]),
    "values: 'id' is no field": lambda c: c.write("res.partner", 1, {"id": 7}),
    "model must": lambda c: c.create(["res.partner"], {"name": b"x"}),
    "model must be": lambda c: c.write(None, 1, {"name": b"x"}),
    "context must be a": lambda c: c.create("res.partner", {"name": b"x"}, context=SECRET),
    r"ids\[0\]: an id must": lambda c: c.write("res.partner", [0], {"name": b"x"}),
    "limit must be a": lambda c: c.search("res.partner", limit=10**30),
    r"field 'domain\[0\]\[2\]": lambda c: c.search("res.partner", [("a", "=", object())]),
    r"args\[1\]": lambda c: c.execute_kw("res.partner", "search", [1, object()]),
    "timeout must": lambda c: c.execute_kw("res.partner", "search", [[]], timeout=10**400),
}


@pytest.mark.parametrize("told", WRONG_ARGUMENTS)
async def test_arguments_of_the_wrong_kind(flaky, proxy, told):
    """The error names the argument, and nothing is sent."""
    before = len(proxy.exchanges)
    with pytest.raises(InvalidValueError, match=f"^{told}") as caught:
        await WRONG_ARGUMENTS[told](flaky)
    assert is_silent(caught.value)
    assert before == len(proxy.exchanges)


async def test_a_question_about_types_that_cannot_be_asked(server):
    """What is told is what any other call would tell."""
    client = ZenooClient(server.url, retry=None)
    with pytest.raises(NotLoggedInError):
        await client.create("res.partner", {"name": "Ann", "image_1920": b"x"})
    await log_in(client, server)
    await client.close()
    with pytest.raises(ClientClosedError):
        await client.write("res.partner", 1, {"image_1920": b"x"})


async def test_keys_and_times_of_the_wrong_kind(server):
    """The name of a database, and times beyond all clocks."""
    async with ZenooClient(server.url) as client:
        with pytest.raises(InvalidValueError, match="database must be a text"):
            await client.login_with_api_key(5, "x")
        for beyond in (10**400, 1e300):
            with pytest.raises(InvalidValueError, match="time_limit must be a number of seconds"):
                client.batch(time_limit=beyond)
    with pytest.raises(InvalidValueError, match="timeout must be a number of seconds"):
        ZenooClient(server.url, timeout=10**400)


@pytest.mark.parametrize("host", ["a" * 64 + ".example", "xn--.example", "a..b"])
async def test_a_name_that_cannot_be_looked_up(host):
    """It is an address that leads nowhere: nothing was sent."""
    with pytest.raises((UsageError, ConnectionFailedError)):
        async with ZenooClient(host, retry=None, trust_env=False) as client:
            await client.version()


async def test_texts_that_have_no_utf8(client):
    """A lone surrogate in a name is refused like one in a value."""
    bad = f"{SECRET}\ud800"
    for call in (
        lambda: client.execute_kw(bad, "search", [[]]),
        lambda: client.execute_kw("res.partner", bad, [[]]),
        lambda: client.search("res.partner", [("name", "=", bad)]),
        lambda: client.execute_kw("res.partner", "search", [[]], {bad: 1}),
    ):
        with pytest.raises(InvalidValueError, match="surrogate") as caught:
            await call()
        assert is_silent(caught.value)
    with pytest.raises(BatchExecutionError) as caught:
        await client.batch_manager.bulk_create(bad, [{"name": "Ann"}])
    assert ["not sent"] == [each.status.label for each in caught.value.result]
    with pytest.raises(BatchValidationError, match="record 0") as caught:
        await client.batch_manager.bulk_create("res.partner", [{"name": "Ann"}], external_ids=[bad])
    assert is_silent(caught.value)


@pytest.mark.parametrize(
    "answer",
    [
        lambda exchange: exchange.sent,
        lambda exchange: b"HTTP/1.1 " + exchange.sent + b"\r\n\r\n",
        lambda exchange: b"HTTP/1.1 200 OK\r\n" + exchange.sent + b"\r\n\r\n",
        lambda exchange: b"HTTP/1.1 200 OK\r\nContent-Length: " + exchange.sent + b"\r\n\r\n",
    ],
    ids=["no head", "status", "header", "length"],
)
async def test_an_answer_that_echoes_the_request(server, proxy, answer):
    """What somebody answers is not quoted: it may be what was sent."""
    async with ZenooClient(proxy.url, retry=None) as client:
        await log_in(client, server)
        proxy.rule("replace", answer=answer)
        with pytest.raises(NoAnswerError) as caught:
            await client.create("res.partner", {"name": SECRET, "ref": SECRET})
    assert is_silent(caught.value)


@pytest.mark.parametrize(
    ("method", "arguments"),
    [
        ("search", ("res.partner",)),
        ("search_count", ("res.partner",)),
        ("search_read", ("res.partner",)),
        ("read", ("res.partner", [1])),
        ("fields_get", ("res.partner",)),
    ],
)
@pytest.mark.parametrize("other", [SECRET, [SECRET], {"x": SECRET}, [[SECRET]]], ids=str)
async def test_an_answer_of_another_kind(flaky, proxy, method, arguments, other):
    """What is no answer to the question is an error of ours, which does not quote it."""
    proxy.rule("replace_answer", nth=range(1, 9), answer=with_result(lambda _: other))
    with pytest.raises(ZenooError) as caught:
        await getattr(flaky, method)(*arguments)
    assert is_silent(caught.value)


async def test_a_version_of_another_kind(server, proxy):
    """So it is of the first question that a login asks."""
    proxy.rule("replace_answer", nth=range(1, 9), answer=with_result(lambda _: SECRET))
    async with ZenooClient(proxy.url, retry=None, protocol="jsonrpc") as client:
        with pytest.raises(ServerError, match="version") as caught:
            await client.version()
        assert is_silent(caught.value)
        with pytest.raises(ServerError, match="version") as caught:
            await client.login(server.database, server.login, server.password)
        assert is_silent(caught.value)


@contextmanager
def refusing_proxy(answer):
    """Listen as a proxy that answers so to whatever comes."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve():
            while True:
                try:
                    client, _ = listener.accept()
                except OSError:
                    return
                with client:
                    client.recv(65536)
                    client.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()


@pytest.mark.parametrize("status", [403, 407, 503])
async def test_a_proxy_that_lets_nobody_through(status):
    """Where CONNECT is refused nothing was sent, and the proxy's own words are not quoted."""
    answer = f"HTTP/1.1 {status} {SECRET}\r\nContent-Length: 0\r\n\r\n".encode()
    with refusing_proxy(answer) as url:
        async with ZenooClient("https://localhost:9", retry=None, proxy=url) as client:
            with pytest.raises(ProxyConnectionError, match="the proxy on the way") as caught:
                await client.version()
    assert is_silent(caught.value)


@pytest.mark.parametrize("address", ["http://localhost:8069", "https://localhost:8069"])
@pytest.mark.parametrize("host", ["127.0.0.1", "nowhere.invalid"])
async def test_a_proxy_that_is_down(monkeypatch, address, host):
    """It is told as the proxy, by its host and port, not as the server; nothing was sent."""
    url = f"http://me:{SECRET}@{host}:9"
    client = ZenooClient(address, retry=None, proxy=url)
    monkeypatch.setenv("ALL_PROXY", url)
    for each in (client, ZenooClient(address, retry=None)):
        async with each:
            with pytest.raises(ProxyConnectionError, match=f"{host}:9") as caught:
                await each.version()
        assert is_silent(caught.value)
        assert "Odoo runs" not in str(caught.value)


@pytest.mark.parametrize("wrong", [7, None, "abc", {"name": "Ann"}], ids=repr)
async def test_records_and_operations_of_the_wrong_kind(client, wrong):
    """A stream of them, or a batch made by hand, is refused before anything is sent."""
    with pytest.raises(BatchValidationError, match="records must be an iterable"):
        client.batch_manager.stream("res.partner", wrong)
    with pytest.raises(InvalidValueError, match=r"^operations must be a list"):
        await client.batch_manager.execute_operations(wrong)
    with pytest.raises(InvalidValueError, match=r"^operations\[0\] must be a Operation"):
        await client.batch_manager.execute_operations([wrong])
