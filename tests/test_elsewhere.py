"""One client in several processes, in one event loop after the other, and in a signal handler."""

import gc
import signal
import subprocess
import sys
import textwrap
import threading

import anyio
import pytest

import zenoo_rpc
from zenoo_rpc.errors import UsageError
from zenoo_rpc.sync import ZenooClient

from ._async.accounts import log_in as alog_in
from ._sync.accounts import log_in, secret_of
from .proxy import Proxy

# Four processes use the connections of a client that was there before them, all at the same moment:
# each reads a record of its own, which is not the others', and then creates some.
FORKS = textwrap.dedent(
    """
    import os, sys, warnings
    from zenoo_rpc.sync import ZenooClient

    warnings.simplefilter("ignore", DeprecationWarning)
    url, protocol, database, login, secret = sys.argv[1:]
    client = ZenooClient(url)
    if protocol == "json2":
        client.login_with_api_key(database, secret)
    else:
        client.login(database, login, secret)
    ids = client.create("res.partner", [{"name": f"own {child}"} for child in range(4)])
    client.search("res.country", limit=1)
    gate, start = os.pipe()
    children = []
    for child in range(3):
        pid = os.fork()
        if not pid:
            break
        children.append(pid)
    else:
        child = 3
        os.write(start, b"....")
    os.read(gate, 1)
    wrong = 0
    for number in range(5):
        [row] = client.read("res.partner", ids[child], ["name"])
        wrong += (row["id"], row["name"]) != (ids[child], f"own {child}")
        client.create("res.partner", {"name": f"child {child} {number}"})
    statuses = [os.waitpid(pid, 0)[1] for pid in children if child == 3]
    os._exit(1 if wrong or any(statuses) else 0)
    """
)


def test_processes_do_not_share_connections(server):
    """After a fork each has connections and request numbers of its own."""
    secret = server.api_key if server.protocol == "json2" else secret_of(server)
    with Proxy(server.host, server.port, keep_alive=True, jitter=0.05) as proxy:
        arguments = (proxy.url, server.protocol, server.database, server.login, secret)
        done = subprocess.run(
            [sys.executable, "-c", FORKS, *arguments], capture_output=True, text=True, check=False
        )
    assert (0, "") == (done.returncode, done.stderr)
    names = sorted(row["name"] for row in server.rows("res.partner"))[:-4]
    assert sorted(f"child {child} {n}" for child in range(4) for n in range(5)) == names


# Connections of a loop that is closed can only be dropped, which Python warns of.
@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_one_event_loop_after_the_other(server, backend):
    """A client that was used in one works in the next, behind a proxy that keeps connections."""
    in_four_loops(server, backend)
    gc.collect()  # of what was dropped, while the warnings are expected
    assert 9 == server.count("res.partner")


def in_four_loops(server, backend):
    """Log a client in, use it three times, each time in a loop of its own, and close it."""

    async def ask():
        assert 1 == await client.search_count("res.country", [("code", "=", "CH")])
        return await client.batch_manager.bulk_create("res.partner", [{"name": "A"}] * 3)

    with Proxy(server.host, server.port, keep_alive=True) as proxy:
        client = zenoo_rpc.ZenooClient(proxy.url)
        anyio.run(alog_in, client, server, backend=backend)
        for _ in range(3):
            assert 3 == len(anyio.run(ask, backend=backend))
        anyio.run(client.close, backend=backend)


def test_close_in_a_signal_handler(server):
    """It would wait for the call that it interrupts: an error says so, and the client works on."""
    with Proxy(server.host, server.port) as proxy, ZenooClient(proxy.url, retry=None) as client:
        log_in(client, server)
        proxy.rule("hold", when=lambda body: b'"search_count"' in body)
        held = threading.Event()

        def interrupt():
            proxy.settle()
            while not any(each.action == "hold" and each.answer for each in proxy.exchanges):
                held.wait(0.005)
            signal.pthread_kill(threading.main_thread().ident, signal.SIGUSR1)

        before = signal.signal(signal.SIGUSR1, lambda *_: client.close())
        thread = threading.Thread(target=interrupt)
        thread.start()
        try:
            with pytest.raises(UsageError, match="it would wait for itself"):
                client.search_count("res.country")
        finally:
            thread.join()
            signal.signal(signal.SIGUSR1, before)
        proxy.release()
        assert 0 < client.search_count("res.country")
