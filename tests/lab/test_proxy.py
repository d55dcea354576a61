"""The proxy does to requests what its rules say, and nothing else."""

import json
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException, IncompleteRead, RemoteDisconnected
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from ..proxy import (
    ENDS,
    FAULTS,
    SIGNATURES,
    TURNED_AWAY,
    UNPROVEN,
    Action,
    End,
    Exchange,
    Fault,
    KeepAlive,
    Proxy,
    as_jsonrpc,
    error_answer,
    error_data,
    http_answer,
    key_refused,
    odoo_error,
    of_another_request,
    with_result,
)

REQUEST = b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\nx"


class Backend:
    """A server that echoes request bodies and remembers them."""

    def __init__(self, server: HTTPServer) -> None:
        self.seen: list[bytes] = []
        self.host, self.port = server.host, server.port
        server.expect_request("/echo").respond_with_handler(self._echo)

    def _echo(self, request: Request) -> Response:
        self.seen.append(request.data)
        return Response(b"echo " + request.data)


@pytest.fixture(scope="module")
def echo_server() -> Iterator[HTTPServer]:
    """A threaded server, which takes half a second to stop."""
    with HTTPServer(threaded=True) as server:
        yield server


@pytest.fixture
def backend(echo_server: HTTPServer) -> Backend:
    """It echoes, and remembers what one test sent."""
    echo_server.clear()
    return Backend(echo_server)


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

    def said(exchange: Exchange) -> bytes:
        return (exchange.answer or b"").replace(b"echo", b"said")

    with Proxy(backend.host, backend.port) as proxy:
        proxy.rule("replace_answer", nth=1, answer=http_answer(502, b"bad", Retry_After="7"))
        proxy.rule("replace_answer", answer=said)
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
        began = time.monotonic()

        assert b"echo " + b"x" * 10_000 == send(proxy, b"x" * 10_000)
        assert time.monotonic() - began > 0.2


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


def test_hold_until_released(backend: Backend) -> None:
    """An answer on hold comes when the test says so; later ones are not held."""
    with Proxy(backend.host, backend.port) as proxy:
        proxy.rule("hold")
        threading.Thread(target=lambda: (proxy.settle(), proxy.release())).start()

        assert b"echo x" == send(proxy, b"x")
        assert b"echo y" == send(proxy, b"y")


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
        answer = None
        while answer is None:
            with suppress(ConnectionRefusedError):
                answer = send(proxy, b"2")
        assert b"echo 2" == answer


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


@pytest.mark.parametrize("fault", [*FAULTS, *TURNED_AWAY, *UNPROVEN], ids=str)
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
    names = [fault.name for fault in (*FAULTS, *TURNED_AWAY, *UNPROVEN)]

    assert len(set(names)) == len(names)


JSON2 = "/json/2/res.partner/write"


def parts(answer: bytes) -> tuple[bytes, Any]:
    """Return the status line of a whole answer, and what its body says."""
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"Content-Length: %d" % len(body) in head
    return head.partition(b"\r\n")[0], json.loads(body)


def test_errors_in_the_words_of_odoo() -> None:
    """JSON-RPC has them in a body with the request's id and 200, JSON-2 a status for each."""
    over_jsonrpc, over_json2 = Exchange(1, "/jsonrpc", b'{"id": 7}'), Exchange(1, JSON2, b"{}")
    name, message = "odoo.exceptions.UserError", "No."
    data = error_data(name, message)
    head, body = parts(error_answer(over_jsonrpc, data))
    assert (b"HTTP/1.1 200 OK", 7, data) == (head, body["id"], body["error"]["data"])

    head, body = parts(error_answer(over_json2, data))
    phrase = HTTPStatus.UNPROCESSABLE_ENTITY.phrase  # 3.13 has another one
    assert f"HTTP/1.1 422 {phrase}".encode() == head
    assert (name, message, [message], {}) == tuple(body.values())[:4]
    assert ["name", "message", "arguments", "context", "debug"] == list(body)
    assert body["debug"].startswith("Traceback (most recent call last):\n  File ")
    assert body["debug"].endswith(f"\n{name}: {message}\n")
    conflict = error_data("psycopg2.errors.SerializationFailure", "no")
    head, _ = parts(error_answer(over_json2, conflict))
    assert b"HTTP/1.1 500 Internal Server Error" == head

    made = odoo_error(name, message)
    assert callable(made)
    for exchange in (over_jsonrpc, over_json2):
        assert error_answer(exchange, data) == made(exchange)
    assert b"HTTP/1.1 401 Unauthorized" == parts(key_refused(over_json2))[0]
    _, body = parts(key_refused(over_jsonrpc))
    denied = "odoo.exceptions.AccessDenied"
    assert (denied, f"{denied}: Access Denied\n") == (
        body["error"]["data"]["name"],
        body["error"]["data"]["debug"],
    )


def test_another_result() -> None:
    """What the server answered, with something else in the result's place."""
    for path, said in (("/jsonrpc", {"jsonrpc": "2.0", "id": 7, "result": [1]}), (JSON2, [1])):
        answer = with_result(lambda ids: [*ids, 2])
        assert callable(answer)
        made = answer(Exchange(1, path, b"", answer=http_answer(200, json.dumps(said).encode())))
        _, body = parts(made)
        assert [1, 2] == (body if path == JSON2 else body["result"])


def test_the_answer_to_another_request() -> None:
    """JSON-RPC has its id; JSON-2 has none, so it is one that none of the methods here gives.

    One of the same shape, as another `create` would give, cannot be told from the right one.
    """
    answer = http_answer(200, b'{"jsonrpc": "2.0", "id": 7, "result": [1]}')
    _, other = parts(of_another_request(Exchange(1, "/jsonrpc", b"", answer=answer)))
    assert {"jsonrpc": "2.0", "id": 1_000_000, "result": [1]} == other

    answer = http_answer(200, b"true")
    _, other = parts(of_another_request(Exchange(1, JSON2, b"", answer=answer)))
    assert isinstance(other, str)


@pytest.mark.parametrize(
    ("method", "named", "positional"),
    [
        ("create", {"vals_list": [{"name": "Zoë"}]}, [[{"name": "Zoë"}]]),
        ("write", {"vals": {"ref": "x"}, "ids": [1, 2]}, [[1, 2], {"ref": "x"}]),
        ("unlink", {"ids": [1]}, [[1]]),
        ("search_read", {"domain": [], "fields": ["name"]}, [[], ["name"]]),
        ("web_save_multi", {"ids": [1], "vals_list": [{}], "specification": {}}, [[1], [{}], {}]),
        ("load", {"fields": ["id"], "data": [["x"]]}, [["id"], [["x"]]]),
        ("context_get", {}, []),
    ],
)
def test_one_form_of_a_request(
    method: str, named: dict[str, Any], positional: list[object]
) -> None:
    """A request of JSON-2 is shown as JSON-RPC would send it; one of JSON-RPC as it is."""
    context = {"lang": "en_US"}
    path = f"/json/2/res.partner/{method}"
    head = b"POST %b HTTP/1.1\r\nAuthorization: bearer KEY\r\nX-Odoo-Database: Db\r\n\r\n"
    body = json.dumps({**named, "context": context}).encode()

    shown = as_jsonrpc(path, head % path.encode(), body)

    args = ["Db", None, "KEY", "res.partner", method, positional, {"context": context}]
    assert args == json.loads(shown)["params"]["args"]
    assert b'"%b"' % method.encode() in shown
    assert body == as_jsonrpc("/jsonrpc", head, body)


def test_what_has_no_place_keeps_its_name() -> None:
    """After an argument that was left out, and in a method that is not known, names stay."""
    head = b"POST x HTTP/1.1\r\nauthorization: bearer KEY\r\n\r\n"
    body = b'{"fields":["name"],"limit":1}'
    shown = json.loads(as_jsonrpc("/json/2/res.partner/search_read", head, body))
    assert [[], {"fields": ["name"], "limit": 1}] == shown["params"]["args"][5:]

    assert "my_method" not in SIGNATURES
    shown = json.loads(as_jsonrpc("/json/2/res.partner/my_method", head, b'{"ids":[1]}'))
    assert [[], {"ids": [1]}] == shown["params"]["args"][5:]


def test_json2_is_forwarded_as_it_came() -> None:
    """The one form is for rules and tests; the server gets the path, headers and names."""
    with HTTPServer(threaded=True) as server:
        seen = []

        def answer(request: Request) -> Response:
            seen.append((request.path, request.headers["Authorization"], request.data))
            return Response(b"true", content_type="application/json")

        server.expect_request(JSON2).respond_with_handler(answer)
        with Proxy(server.host, server.port) as proxy:
            body = b'{"ids":[1],"vals":{"ref":"x"}}'
            connection = HTTPConnection("127.0.0.1", proxy.port, timeout=10)
            connection.request("POST", JSON2, body, {"Authorization": "bearer KEY"})
            assert b"true" == connection.getresponse().read()
            connection.close()

    assert [(JSON2, "bearer KEY", body)] == seen
    assert ["json2"] == [exchange.protocol for exchange in proxy.exchanges]
    assert b'[[1],{"ref":"x"}]' in proxy.exchanges[0].body
    assert body == proxy.exchanges[0].sent


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
        connection.sendall(REQUEST)
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


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("limit", [{"requests": 2}, {"seconds": 0.05}], ids=str)
def test_kept_connections_end(backend: Backend, end: End, limit: dict[str, Any]) -> None:
    """After so many requests, or when none comes in time, in the way that was asked for."""
    with (
        Proxy(backend.host, backend.port, keep_alive=KeepAlive(end, **limit)) as proxy,
        socket.create_connection(("127.0.0.1", proxy.port), timeout=10) as connection,
    ):
        answers = []
        for _ in range(limit.get("requests", 1)):
            connection.sendall(REQUEST)
            answers.append(connection.recv(4096))
        if end == "as a request comes":
            while not proxy.ended:
                time.sleep(0.005)
            connection.sendall(REQUEST)
        if end in ("reset", "as a request comes"):
            with pytest.raises(ConnectionResetError):
                connection.recv(1)
        else:
            assert b"" == connection.recv(1)
        if end == "half-closed":
            connection.sendall(REQUEST)
            with suppress(ConnectionResetError):
                assert b"" == connection.recv(1)

    announced = end == "announced" and "requests" in limit
    assert announced == (b"Connection: close" in answers.pop())
    assert not any(b"Connection: close" in answer for answer in answers)
    assert limit.get("requests", 1) == len(proxy.exchanges)
    assert (end in ("half-closed", "as a request comes")) == proxy.unread


def test_leaves_nothing_behind(backend: Backend) -> None:
    """Leaving the proxy ends its threads at once, requests on hold included."""
    before = set(threading.enumerate())
    with Proxy(backend.host, backend.port) as proxy:
        proxy.rule("hold")
        with pytest.raises(TimeoutError):
            send(proxy, b"x", timeout=0.1)
        own = [each for each in threading.enumerate() if each in proxy._threads]

    assert len(own) >= 2
    assert not before & set(own)
    assert not any(each.is_alive() for each in own)


def test_nobody_listens_after_the_end(backend: Backend) -> None:
    """A proxy that was about to listen again when it was left does not."""
    with Proxy(backend.host, backend.port) as proxy:
        send(proxy, b"x")
        proxy.refuse()

    threads = len(proxy._threads)
    proxy.listen()
    with pytest.raises(ConnectionRefusedError):
        send(proxy, b"x")
    assert threads == len(proxy._threads)


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
