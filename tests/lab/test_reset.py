"""Between two tests a server goes back to its baseline, whatever the first one did."""

import json
import socket
import time
from typing import Any

import pytest

from ..servers import Server
from .test_servers import call, execute

pytestmark = pytest.mark.real_odoo

TABLES = (
    "select relname from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace"
)


def fingerprint(server: Server) -> dict[str, Any]:
    """Return a checksum of every table of a real Odoo's database, save those with signals."""
    query = server.store.query  # type: ignore[attr-defined]  # real servers only
    names = [
        row["relname"] for row in query(TABLES) if not row["relname"].startswith("orm_signaling_")
    ]
    return {
        name: query(
            f'select count(*), sum(hashtextextended(t::text, 0)) as checksum from "{name}" t'
        )[0]
        for name in sorted(names)
    }


def make_a_mess(server: Server) -> None:
    """Create, change, relate, archive and delete, old records and new ones."""
    partners = execute(
        server,
        "res.partner",
        "create",
        [{"name": f"P{n}", "email": f"p{n}@example.com"} for n in range(20)],
    )
    execute(server, "res.partner", "create", [{"name": "child", "parent_id": partners[0]}])
    [tag] = execute(server, "res.partner.category", "create", [{"name": "tag"}])
    execute(
        server,
        "res.partner",
        "write",
        [partners[1], 1, 3],
        {"category_id": [[4, tag]], "city": "Basel"},
    )
    execute(
        server, "res.partner", "load", ["id", "name"], [["mess.one", "One"], ["mess.two", "Two"]]
    )
    execute(server, "res.partner", "unlink", partners[5:8])
    [product] = execute(server, "product.product", "create", [{"name": "Chair", "list_price": 7}])
    execute(server, "product.product", "write", [product], {"active": False})
    execute(server, "res.country", "create", [{"name": "Nowhere", "code": "QQ"}])
    execute(server, "res.country", "write", [1], {"name": "Elsewhere"})
    [bank] = execute(server, "res.country", "search", [["code", "=", "AQ"]])
    execute(server, "res.country", "unlink", [bank])
    [limited] = execute(server, "res.users", "search", [["login", "=", "limited"]])
    groups = "group_ids" if server.version == "19.0" else "groups_id"
    [manager] = execute(
        server, "res.groups", "search", [["full_name", "like", "%Contact%"]], limit=1
    )
    execute(server, "res.users", "write", [limited], {"name": "Unlimited", groups: [[4, manager]]})
    execute(server, "res.company", "write", [1], {"name": "Another Company"})


def test_everything_is_put_back(server: Server) -> None:
    """After a mess in many tables each of them has the rows it had before."""
    before = fingerprint(server)

    make_a_mess(server)
    dirty = {name for name, value in fingerprint(server).items() if value != before[name]}
    server.store.reset()
    after = fingerprint(server)

    assert dirty >= {
        "res_partner",
        "res_partner_category",
        "res_partner_res_partner_category_rel",
        "product_product",
        "product_template",
        "res_country",
        "res_users",
        "res_groups_users_rel",
        "res_company",
        "ir_model_data",
    }
    assert {} == {
        name: (before[name], value) for name, value in after.items() if value != before[name]
    }


def test_odoo_forgets_too(server: Server) -> None:
    """What the workers knew of a deleted or changed record is not believed after a reset."""
    account = (server.database, server.limited_login, server.limited_password)
    uid = call(server, "common", "login", *account)["result"]

    def create_as_limited() -> dict[str, Any]:
        arguments = (
            server.database,
            uid,
            server.limited_password,
            "res.partner",
            "create",
            [{"name": "x"}],
        )
        return call(server, "object", "execute_kw", *arguments)

    for _ in range(3):
        assert "error" in create_as_limited()
        execute(server, "res.country", "create", [{"name": "Nowhere", "code": "QQ"}])
        [loaded] = execute(server, "res.partner", "load", ["id", "name"], [["mess.one", "One"]])[
            "ids"
        ]
        child = {"name": "child", "parent_id/id": "mess.one"}
        execute(server, "res.partner", "load", list(child), [list(child.values())])
        groups = "group_ids" if server.version == "19.0" else "groups_id"
        manager = execute(
            server,
            "ir.model.data",
            "search_read",
            [["name", "=", "group_partner_manager"]],
            ["res_id"],
        )
        execute(
            server,
            "res.users",
            "write",
            [uid],
            {groups: [[4, manager[0]["res_id"]]], "login": "other"},
        )
        for _ in range(4):  # until both workers know
            assert "result" in create_as_limited()

        server.store.reset()

        for _ in range(4):
            assert "error" in create_as_limited()
        orphan = execute(server, "res.partner", "load", list(child), [list(child.values())])
        assert orphan["ids"] is False, "the external id still leads to a partner"
        [again] = execute(server, "res.partner", "load", ["id", "name"], [["mess.one", "One"]])[
            "ids"
        ]
        assert again > loaded
        assert (
            call(server, "common", "login", server.database, "other", server.limited_password)[
                "result"
            ]
            is False
        )
        assert uid == call(server, "common", "login", *account)["result"]

        server.store.reset()


def test_a_call_still_running_is_waited_for(server: Server) -> None:
    """A create whose client has gone is undone as well: it does not show up after the reset."""
    reset_while_creating(server, clients=6)

    time.sleep(1)
    assert 0 == server.count("res.partner")


def reset_while_creating(server: Server, clients: int) -> None:
    """Send *clients* slow creates, hang up before their answers, reset."""
    values = [{"name": f"late {n}"} for n in range(300)]
    arguments = (server.database, 2, server.password, "res.partner", "create", [values])
    params = {"service": "object", "method": "execute_kw", "args": arguments}
    body = json.dumps({"jsonrpc": "2.0", "method": "call", "id": 1, "params": params}).encode()
    head = (
        "POST /jsonrpc HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    connections = []
    for _ in range(clients):
        connection = socket.create_connection((server.host, server.port))
        connection.sendall(head.encode() + body)
        connections.append(connection)
    time.sleep(0.1)
    for connection in connections:
        connection.close()
    server.store.reset()
