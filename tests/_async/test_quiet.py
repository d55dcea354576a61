"""Loads without messages, followers and tracked changes."""

import json

import pytest

from zenoo_rpc import ZenooClient

from ..proxy import Proxy
from .accounts import log_in

KEYS = {
    "tracking_disable",
    "mail_create_nolog",
    "mail_create_nosubscribe",
    "mail_notrack",
    "no_reset_password",
}


def contexts(proxy):
    """Return the contexts of the creates that were sent."""
    bodies = [json.loads(each.body) for each in proxy.exchanges if b'"create"' in each.body]
    return [body["params"]["args"][6]["context"] for body in bodies]


async def test_where_it_may_be_said(server):
    """On the manager, and for one batch or call, which goes above it; nowhere by default."""
    record = [{"name": "Ann"}]
    with Proxy(server.host, server.port) as proxy:
        async with ZenooClient(proxy.url) as client:
            await log_in(client, server)
            await client.batch_manager.bulk_create("res.partner", record)
            await client.batch_manager.bulk_create("res.partner", record, quiet=True)
            async with client.batch(quiet=True) as batch:
                batch.create("res.partner", record, context={"lang": "en_US"})
            manager = await client.setup_batch_manager(quiet=True)
            await manager.bulk_create("res.partner", iter(record))
            await manager.bulk_create("res.partner", record, quiet=False)
            await manager.bulk_create("res.partner", record, context={"mail_notrack": False})

    sent = contexts(proxy)
    assert [0, 5, 5, 5, 0, 5] == [len(KEYS & context.keys()) for context in sent]
    assert "en_US" == sent[2]["lang"]
    assert False is sent[5]["mail_notrack"]


@pytest.mark.real_odoo
async def test_what_is_not_recorded_then(client, server):
    """A quiet create posts no message that says so; a plain one does."""
    create = client.batch_manager.bulk_create
    for quiet in (False, True):
        ids = await create("res.partner", [{"name": "Ann"}, {"name": "Bob"}], quiet=quiet)
        messages = [
            row
            for row in server.rows("mail.message")
            if row["model"] == "res.partner" and row["res_id"] in ids
        ]
        assert (0 if quiet else 2) == len(messages)
