"""The fixture `server`: what it promises the tests that build on it."""

import http.client
import json
import socket
import urllib.request
from typing import Any

import pytest

from ..servers import Server, abandoned_connections


def session(server: Server) -> dict[str, str]:
    """Return the header that lets 14 answer refusals while it shows several databases."""
    if server.version != "14.0" or not server.is_real:
        return {}
    connection = http.client.HTTPConnection(server.host, server.port)
    try:
        connection.request("GET", f"/web?db={server.database}")
        return {"Cookie": (connection.getresponse().getheader("Set-Cookie") or "").split(";")[0]}
    finally:
        connection.close()


def call(server: Server, service: str, method: str, *arguments: Any) -> dict[str, Any]:
    """Send one JSON-RPC call without the library under test; return the reply."""
    body = {
        "jsonrpc": "2.0",
        "method": "call",
        "id": 1,
        "params": {"service": service, "method": method, "args": arguments},
    }
    request = urllib.request.Request(
        server.url + "/jsonrpc",
        json.dumps(body).encode(),
        {**session(server), "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        reply: dict[str, Any] = json.load(answer)
    return reply


def execute(server: Server, model: str, method: str, *arguments: Any, **named: Any) -> Any:
    """Call a model's method as admin; return the result."""
    reply = call(
        server,
        "object",
        "execute_kw",
        server.database,
        2,
        server.password,
        model,
        method,
        arguments,
        named,
    )
    assert "error" not in reply, reply["error"]["data"]["message"]
    return reply.get("result")


def test_accounts(server: Server) -> None:
    """Both accounts log in, with different ids, and a wrong password is refused."""
    admin = call(server, "common", "login", server.database, server.login, server.password)[
        "result"
    ]
    limited = call(
        server, "common", "login", server.database, server.limited_login, server.limited_password
    )["result"]
    wrong = call(server, "common", "login", server.database, server.login, "wrong")["result"]

    assert 2 == admin
    assert isinstance(limited, int)
    assert limited > 2
    assert wrong is False


@pytest.mark.parametrize("model", ["res.partner", "product.product"])
def test_limited_may_not_create(server: Server, model: str) -> None:
    """The limited user is refused creating partners and products, and nothing is stored."""
    uid = call(
        server, "common", "login", server.database, server.limited_login, server.limited_password
    )["result"]

    reply = call(
        server,
        "object",
        "execute_kw",
        server.database,
        uid,
        server.limited_password,
        model,
        "create",
        [{"name": "x"}],
    )

    assert "odoo.exceptions.AccessError" == reply["error"]["data"]["name"]
    assert 0 == server.count(model)


@pytest.mark.parametrize("model", ["res.partner", "product.product"])
def test_limited_may_not_write_or_delete(server: Server, model: str) -> None:
    """The limited user reads a record of admin's but is refused writing and deleting it."""
    uid = call(
        server, "common", "login", server.database, server.limited_login, server.limited_password
    )["result"]
    [record] = execute(server, model, "create", [{"name": "theirs"}])

    def as_limited(method: str, *arguments: Any) -> dict[str, Any]:
        account = (server.database, uid, server.limited_password)
        return call(server, "object", "execute_kw", *account, model, method, arguments)

    assert [{"id": record, "name": "theirs"}] == as_limited("read", [record], ["name"])["result"]
    for refused in (
        as_limited("write", [record], {"name": "mine"}),
        as_limited("unlink", [record]),
    ):
        assert "odoo.exceptions.AccessError" == refused["error"]["data"]["name"]
    assert 1 == server.count(model)


def test_api_key(server: Server) -> None:
    """The API key opens the database in the password's place."""
    account = (server.database, 2, server.api_key)

    reply = call(server, "object", "execute_kw", *account, "res.partner", "search_count", [[]])

    assert reply["result"] > 0


def test_limited_key(server: Server) -> None:
    """The limited user has a key as well, which opens that account and no other."""
    account = (server.database, server.limited_login)

    by_password = call(server, "common", "login", *account, server.limited_password)["result"]
    by_key = call(server, "common", "login", *account, server.limited_key)["result"]

    assert by_password == by_key > 2


def test_protocol(server: Server) -> None:
    """The name of a server says how tests talk to it."""
    assert server.name.endswith("-json2") is (server.protocol == "json2")
    assert server.is_real is server.name.startswith("odoo")


def test_rows_are_what_is_stored(server: Server) -> None:
    """`rows()` shows new records, archived ones included, and none of the baseline."""
    assert [] == server.rows("res.partner")

    ids = execute(
        server,
        "res.partner",
        "create",
        [{"name": "A", "email": "a@example.com"}, {"name": "B", "active": False}],
    )

    first, second = server.rows("res.partner")
    assert ids == [first["id"], second["id"]]
    assert ("A", "a@example.com", True) == (first["name"], first["email"], first["active"])
    assert ("B", False, False) == (second["name"], second["email"], second["active"])
    assert [second] == server.rows("res.partner", name="B")
    assert [first] == server.rows("res.partner", [first["id"]])
    assert 1 == server.count("res.partner", active=True)
    assert ["A"] == [row["name"] for row in server.rows("res.partner", ids, active=True)]
    assert [1] == [row["id"] for row in server.rows("res.partner", [1])]


@pytest.mark.real_odoo
def test_translated_columns_are_plain(server: Server) -> None:
    """A product's name is one string, whichever way the version stores translations."""
    execute(server, "product.template", "create", [{"name": "Chair", "list_price": 12.5}])

    [row] = server.rows("product.template")

    assert ("Chair", 12.5) == (row["name"], row["list_price"])


@pytest.mark.parametrize("number", [1, 2])
def test_each_test_begins_afresh(server: Server, number: int) -> None:
    """What one test made is gone when the next begins."""
    assert [] == server.rows("res.partner", name="left behind")

    execute(server, "res.partner", "create", [{"name": "left behind"}])

    assert 1 == server.count("res.partner")


async def test_ids_begin_with_the_server(server: Server, request: pytest.FixtureRequest) -> None:
    """An async test runs on each server under both event loops, and its id says so."""
    [_, given] = request.node.name.split("[")

    assert given in (f"{server.name}-asyncio]", f"{server.name}-trio]")


def test_abandoned_connections() -> None:
    """A connection counts as abandoned from when its client hangs up until the server closes it."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        client = socket.create_connection(("127.0.0.1", port))
        assert 0 == abandoned_connections(port)

        client.close()  # not accepted yet, as in the queue of a busy server
        assert 1 == abandoned_connections(port)
        connection, _ = listener.accept()
        assert 1 == abandoned_connections(port)

        connection.close()
        assert 0 == abandoned_connections(port)
