"""Limits of time are kept, whatever the server and the network do in between."""

import socket
import threading
import time
from contextlib import contextmanager

import pytest

from zenoo_rpc.sync import BatchExecutionError, Status, ZenooClient
from zenoo_rpc.errors import AnswerTimeoutError, ConnectTimeoutError

from ..proxy import Proxy
from .accounts import log_in
from .together import side_by_side

LONG = 20  # seconds that it would take without the limit: what is told shows that it was kept


def is_create(body):
    """Whether a request creates."""
    return b'"create"' in body


@contextmanager
def slow_head(pieces):
    """Listen as a server that sends the head of its answers piece by piece, for a long time."""
    over = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve(client):
            with client:
                client.recv(65536)
                while not over.wait(0.1):
                    try:
                        client.sendall(next(pieces))
                    except OSError:
                        return

        def accept():
            while True:
                try:
                    client, _ = listener.accept()
                except OSError:
                    return
                threading.Thread(target=serve, args=[client]).start()

        thread = threading.Thread(target=accept)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            over.set()
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()


def trickle():
    """Yield the head of an answer, a header every now and then."""
    yield b"HTTP/1.1 200 OK\r\n"
    for number in range(LONG * 10):
        yield f"X-{number}: 1\r\n".encode()
    yield b"Content-Length: 0\r\n\r\n"


def not_yet():
    """Yield interim answers, and the real one at the end."""
    for _ in range(LONG * 10):
        yield b"HTTP/1.1 102 Processing\r\n\r\n"
    yield b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"


@pytest.mark.parametrize("head", [trickle, not_yet])
def test_an_answer_that_only_begins(head):
    """The time-out is for the whole answer, its head included; it leaves time to connect."""
    with slow_head(head()) as url:
        with ZenooClient(url, retry=None, timeout=3) as client:
            with pytest.raises(AnswerTimeoutError):
                client.version()


@contextmanager
def black_hole():
    """Give an address at which nobody ever takes a connection."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        fillers = []
        for _ in range(8):  # until the queue of those who wait is full
            filler = socket.socket()
            filler.setblocking(False)
            filler.connect_ex(listener.getsockname())
            fillers.append(filler)
        time.sleep(0.1)
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            for filler in fillers:
                filler.close()


def test_a_host_that_does_not_answer():
    """It is told as that, and connecting is part of the time that a call may take."""
    with black_hole() as url:
        with ZenooClient(url, retry=None, timeout=0.5) as client:
            with pytest.raises(ConnectTimeoutError):
                client.version()


def test_a_slot_that_is_not_free(server):
    """A batch whose time is over does not wait until another one leaves it a slot."""
    with Proxy(server.host, server.port) as proxy:
        proxy.rule("hold", nth=1, when=is_create)
        with ZenooClient(proxy.url) as client:
            log_in(client, server)
            manager = client.setup_batch_manager(max_concurrency=1, timeout=60)
            results = []

            def holds():
                manager.bulk_create("res.partner", [{"name": "First"}])

            def waits():
                with ZenooClient(server.url) as other:
                    while not any(each.action == "hold" for each in proxy.exchanges[:]):
                        other.version()  # takes its time
                for names in (None, "name"):
                    with pytest.raises(BatchExecutionError) as caught:
                        manager.bulk_create(
                            "res.partner", [{"name": "Second"}], external_ids=names, time_limit=0.3
                        )
                    results.append(caught.value.result)
                proxy.release()

            side_by_side(holds, waits)
    assert [1, 1] == [result.counts[Status.NOT_SENT] for result in results]
    assert ["First"] == [row["name"] for row in server.rows("res.partner")]
