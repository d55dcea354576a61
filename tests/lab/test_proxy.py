"""The proxy does to requests what its rules say, and nothing else."""

import json
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from http.client import HTTPConnection, HTTPException, IncompleteRead, RemoteDisconnected

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from ..proxy import FAULTS, Action, Fault, Proxy, http_answer, odoo_error, with_another_id


class Backend:
    """A server that echoes request bodies and remembers them."""

    def __init__(self, server: HTTPServer) -> None:
        self.seen: list[bytes] = []
        self.host, self.port = server.host, server.port
        server.expect_request("/echo").respond_with_handler(self._echo)

    def _echo(self, request: Request) -> Response:
        self.seen.append(request.data)
        return Response(b"echo " + request.data)


@pytest.fixture
def backend() -> Iterator[Backend]:
    """A threaded echo server."""
    with HTTPServer(threaded=True) as server:
        yield Backend(server)


def send(proxy: Proxy, body: bytes, timeout: float = 10) -> bytes:
    """Post *body* over a new connection; return the body of the answer."""
    connection = HTTPConnection("127.0.0.1", proxy.port, timeout=timeout)
    try:
        connection.request("POST", "/echo", body)
        return connection.getresponse().read()
    finally:
        connection.close()


def test_passes_requests_on(backend: Backend) -> None:
    """Without rules every request is forwarded, answered, counted and remembered."""
    with Proxy(backend.host, backend.port) as proxy:
        assert [b"echo a", b"echo b"] == [send(proxy, b"a"), send(proxy, b"b")]

    assert [b"a", b"b"] == backend.seen
    assert 2 == proxy.connections
    assert [(1, "/echo", b"a"), (2, "/echo", b"b")] == [
        (e.number, e.path, e.body) for e in proxy.exchanges
    ]
    assert all(e.forwarded and e.action is None for e in proxy.exchanges)


def test_large_bodies(backend: Backend) -> None:
    """Bodies of many megabytes pass whole in both directions."""
    body = bytes(range(256)) * 40_000

    with Proxy(backend.host, backend.port) as proxy:
        assert b"echo " + body == send(proxy, body)


@pytest.mark.parametrize(
    ("action", "error", "seen"),
    [
        ("close_before_forward", RemoteDisconnected, False),
        ("reset", ConnectionResetError, False),
        ("drop_answer", RemoteDisconnected, True),
        ("reset_answer", ConnectionResetError, True),
        ("hold", TimeoutError, True),
    ],
)
def test_failures(backend: Backend, action: Action, error: type[Exception], seen: bool) -> None:
    """Each action fails one request in its own way, before or after the server saw it."""
    with Proxy(backend.host, backend.port) as proxy:
        proxy.rule(action, nth=2)
        assert b"echo 1" == send(proxy, b"1")
        with pytest.raises(error) as caught:
            send(proxy, b"2", timeout=0.5)
        assert b"echo 3" == send(proxy, b"3")

    assert error is caught.type
    assert ([b"1", b"2", b"3"] if seen else [b"1", b"3"]) == backend.seen
    assert [True, seen, True] == [e.forwarded for e in proxy.exchanges]
    assert (b"echo 2" in (proxy.exchanges[1].answer or b"")) is seen


def test_cut(backend: Backend) -> None:
    """A cut answer ends in the middle of its body."""
    with Proxy(backend.host, backend.port) as proxy:
        proxy.rule("cut")
        with pytest.raises(IncompleteRead) as caught:
            send(proxy, b"x" * 10_000)

    assert 0 < len(caught.value.partial) < 10_000
    assert [b"x" * 10_000] == backend.seen


def test_replace(backend: Backend) -> None:
    """A replaced answer is sent as given, and the server does not see the request."""
    with Proxy(backend.host, backend.port) as proxy:
        proxy.rule("replace", answer=b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 3\r\n\r\nbad")
        connection = HTTPConnection("127.0.0.1", proxy.port, timeout=10)
        connection.request("POST", "/echo", b"x")
        answer = connection.getresponse()

        assert (502, b"bad") == (answer.status, answer.read())
        connection.close()
    assert [] == backend.seen


def test_replace_answer(backend: Backend) -> None:
    """The answer may also be replaced after the server saw the request, by one made of its own."""
    with Proxy(backend.host, backend.port) as proxy:
        proxy.rule("replace_answer", nth=1, answer=http_answer(502, b"bad", Retry_After="7"))
        proxy.rule("replace_answer", answer=lambda answer: answer.replace(b"echo", b"said"))
        connection = HTTPConnection("127.0.0.1", proxy.port, timeout=10)
        connection.request("POST", "/echo", b"1")
        answer = connection.getresponse()

        assert (502, "7", b"bad") == (answer.status, answer.headers["Retry-After"], answer.read())
        connection.close()
        assert b"said 2" == send(proxy, b"2")
    assert [b"1", b"2"] == backend.seen


def test_close_unread(backend: Backend) -> None:
    """The nth connection is closed whatever is sent on it, and counted without a body."""
    with Proxy(backend.host, backend.port) as proxy:
        proxy.rule("close_unread", nth=2)
        assert b"echo 1" == send(proxy, b"1")
        with pytest.raises((ConnectionError, RemoteDisconnected)):
            send(proxy, b"2")
        assert b"echo 3" == send(proxy, b"3")

    assert [b"1", b"3"] == backend.seen
    assert [b"1", b"", b"3"] == [exchange.body for exchange in proxy.exchanges]


def test_drip(backend: Backend) -> None:
    """The answer comes whole, but the last piece of it later than the first."""
    with Proxy(backend.host, backend.port) as proxy:
        proxy.rule("drip", seconds=0.3)
        connection = HTTPConnection("127.0.0.1", proxy.port, timeout=10)
        connection.request("POST", "/echo", b"x" * 10_000)
        answer = connection.getresponse()
        began = time.monotonic()

        assert b"echo " + b"x" * 10_000 == answer.read()
        assert time.monotonic() - began > 0.2
        connection.close()


def test_forward_late(backend: Backend) -> None:
    """The server carries a request out whose client has given up, and `settle` waits for it."""
    with Proxy(backend.host, backend.port) as proxy:
        proxy.rule("forward_late", seconds=0.1)
        with pytest.raises(TimeoutError):
            send(proxy, b"x", timeout=0.2)
        assert [] == backend.seen
        proxy.settle()
        assert [b"x"] == backend.seen


def test_hold_sends_the_answer_later(backend: Backend) -> None:
    """The server sees a held request at once; a patient client gets the answer in the end."""
    with Proxy(backend.host, backend.port) as proxy:
        proxy.rule("hold", seconds=0.3)
        started = time.monotonic()

        assert b"echo x" == send(proxy, b"x")
        assert 0.3 <= time.monotonic() - started


def test_refuse(backend: Backend) -> None:
    """After a `refuse` nothing listens, until `listen()` opens the same port again."""
    with Proxy(backend.host, backend.port) as proxy:
        port = proxy.port
        proxy.rule("refuse", nth=1)
        assert b"echo 1" == send(proxy, b"1")
        with pytest.raises(ConnectionRefusedError):
            send(proxy, b"2")
        proxy.listen()
        assert b"echo 3" == send(proxy, b"3")
        assert port == proxy.port
        proxy.refuse()
        with pytest.raises(ConnectionRefusedError):
            send(proxy, b"4")

    assert [b"1", b"3"] == backend.seen


def test_refuse_for_a_while(backend: Backend) -> None:
    """The proxy may listen again by itself."""
    with Proxy(backend.host, backend.port) as proxy:
        proxy.rule("refuse", nth=1, seconds=0.3)
        assert b"echo 1" == send(proxy, b"1")
        with pytest.raises(ConnectionRefusedError):
            send(proxy, b"2")
        time.sleep(0.5)
        assert b"echo 3" == send(proxy, b"3")


def test_who_waits_is_not_refused(backend: Backend) -> None:
    """A connection made before the refusal is served, even if nobody had taken it yet."""
    with Proxy(backend.host, backend.port) as proxy:
        connections = [HTTPConnection("127.0.0.1", proxy.port, timeout=10) for _ in range(8)]
        for connection in connections:
            connection.connect()
        proxy.refuse()
        for connection in connections:
            connection.request("POST", "/echo", b"x")
            assert b"echo x" == connection.getresponse().read()
            connection.close()


@pytest.mark.parametrize("fault", FAULTS, ids=str)
def test_every_fault_meets_one_call(backend: Backend, fault: Fault) -> None:
    """An armed fault changes what the nth call meets and no other, and says so."""
    with Proxy(backend.host, backend.port) as proxy:
        send(proxy, b"before")
        fault.arm(proxy, 2)
        assert b"echo 1" == send(proxy, b"1")
        if fault.action != "replace_answer":  # the backend's echo is no JSON-RPC
            with suppress(OSError, HTTPException):
                assert (b"echo 2" == send(proxy, b"2", timeout=0.3)) is (fault.proves == "applied")
            if fault.action == "refuse":
                proxy.listen()
            assert b"echo 3" == send(proxy, b"3")
        met = [exchange.fault for exchange in proxy.exchanges]

    if fault.action == "refuse":
        assert [None, None, None] == met
    elif fault.action == "replace_answer":
        assert [None, None] == met
    else:
        assert [None, None, fault, None] == met


def test_names_of_faults_are_unique() -> None:
    """A fault is known by its name."""
    assert len(FAULTS) == len({fault.name for fault in FAULTS})


def test_answers_are_whole() -> None:
    """A made-up answer has its length, and Odoo's errors and other ids their form."""
    head, _, body = odoo_error("odoo.exceptions.UserError", "No.").partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"Content-Length: %d" % len(body) in head
    assert "odoo.exceptions.UserError" == json.loads(body)["error"]["data"]["name"]

    answer = http_answer(200, b'{"jsonrpc": "2.0", "id": 7, "result": [1]}')
    other = json.loads(with_another_id(answer).partition(b"\r\n\r\n")[2])
    assert {"jsonrpc": "2.0", "id": 1_000_007, "result": [1]} == other


def test_rules_choose_by_body_and_number(backend: Backend) -> None:
    """`nth` counts the requests that `when` is true of; the first rule that applies wins."""
    with Proxy(backend.host, backend.port) as proxy:
        proxy.rule(
            "replace",
            nth=range(2, 4),
            when=lambda body: b"a" in body,
            answer=b"HTTP/1.0 299 x\r\n\r\nrule 1",
        )
        proxy.rule(
            "replace", when=lambda body: body == b"b", answer=b"HTTP/1.0 299 x\r\n\r\nrule 2"
        )
        answers = [send(proxy, body) for body in (b"a", b"b", b"c", b"a1", b"a2", b"a3")]

    assert [b"echo a", b"rule 2", b"echo c", b"rule 1", b"rule 1", b"echo a3"] == answers


def test_unknown_action(backend: Backend) -> None:
    """A misspelt action is refused where it is given."""
    with Proxy(backend.host, backend.port) as proxy, pytest.raises(ValueError, match="drop"):
        proxy.rule("drop")  # type: ignore[arg-type]  # that is the point


def test_jitter_repeats_with_its_seed(backend: Backend) -> None:
    """The delays come from a seeded rng: same seed, same delays, none longer than asked for."""

    def delays(seed: int) -> list[float]:
        with Proxy(backend.host, backend.port, jitter=0.05, seed=seed) as proxy:
            started = time.monotonic()
            for _ in range(6):
                send(proxy, b"x")
            elapsed = time.monotonic() - started
        delays = [exchange.delay for exchange in proxy.exchanges]
        assert sum(delays) <= elapsed
        return delays

    first, again, other = delays(1), delays(1), delays(2)

    assert first == again
    assert first != other
    assert 6 == len(set(first))
    assert all(0 <= delay <= 0.05 for delay in first)


def test_requests_overlap(backend: Backend) -> None:
    """Requests are carried side by side, and the most at one time is counted."""
    with Proxy(backend.host, backend.port) as proxy:
        proxy.rule("hold", seconds=0.3)
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda n: send(proxy, b"%d" % n), range(8)))

    assert 8 == proxy.peak == proxy.connections


def test_one_request_per_connection(backend: Backend) -> None:
    """Like Odoo, the proxy closes a connection after its answer."""
    with (
        Proxy(backend.host, backend.port) as proxy,
        socket.create_connection(("127.0.0.1", proxy.port), timeout=10) as connection,
    ):
        connection.sendall(b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\nx")
        answer = b"".join(iter(lambda: connection.recv(4096), b""))

    assert answer.endswith(b"echo x")


def test_keep_alive(backend: Backend) -> None:
    """As a reverse proxy it serves many requests on one connection, and may close it when idle."""
    with Proxy(backend.host, backend.port, keep_alive=True) as proxy:
        connection = HTTPConnection("127.0.0.1", proxy.port, timeout=10)
        for body in (b"1", b"2", b"3"):
            connection.request("POST", "/echo", body)
            assert b"echo " + body == connection.getresponse().read()
        assert 1 == proxy.connections

        while proxy.close_idle() == 0:
            time.sleep(0.01)
        assert connection.sock is not None
        assert b"" == connection.sock.recv(1)
        connection.close()

    assert [b"1", b"2", b"3"] == backend.seen


def test_leaves_nothing_behind(backend: Backend) -> None:
    """Leaving the proxy ends its threads at once, requests on hold included."""
    before = threading.active_count()
    with Proxy(backend.host, backend.port) as proxy:
        proxy.rule("hold")
        with pytest.raises(TimeoutError):
            send(proxy, b"x", timeout=0.1)
        started = time.monotonic()

    assert time.monotonic() - started < 5
    assert before == threading.active_count()


def test_a_dead_server_fails_the_test() -> None:
    """That the server behind cannot be reached is an error of the set-up, raised at the end."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    proxy = Proxy("127.0.0.1", port)

    with (
        pytest.raises(ExceptionGroup, match="in the proxy") as caught,
        proxy,
        pytest.raises(RemoteDisconnected),
    ):
        send(proxy, b"x")

    assert [ConnectionRefusedError] == [type(error) for error in caught.value.exceptions]
