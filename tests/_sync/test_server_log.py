"""What the server writes to its log about us: over JSON-2, no word of what is deprecated."""

import re
import time

import pytest

from zenoo_rpc.sync import ZenooClient

from .accounts import log_in
from .test_transaction_programs import OwnError

LINE = re.compile(r"^[\d-]+ [\d:,]+ (?P<pid>\d+) [A-Z]+ (?P<database>\S+) (?P<text>.*)")
FEWEST = 12  # requests that the work below takes
PATH = re.compile(r'"(?:GET|POST) (/[^ #?"]*)')


def requests(log, offset, database):
    """Return the path of each request to a database, and whether a warning went before it.

    A worker answers one request at a time, and says at its end what it was.
    """
    found = []
    warned = set()  # workers
    with log.open("rb") as file:
        file.seek(offset)
        text = file.read().decode(errors="replace")
    for line in filter(None, map(LINE.match, text.splitlines())):
        if "deprecated" in line["text"]:
            warned.add(line["pid"])
        if path := PATH.search(line["text"]):
            if line["database"] == database:
                found.append((path[1], line["pid"] in warned))
            warned.discard(line["pid"])
    return found


def work(client):
    """Do a bit of everything."""
    partners = [{"name": f"Partner {n}", "ref": f"p{n}"} for n in range(6)]
    ids = client.batch_manager.bulk_create("res.partner", partners, external_ids="ref")
    with client.batch(chunk_size=2) as batch:
        batch.create("res.partner", ({"name": f"Stream {n}"} for n in range(6)))
        batch.write_many("res.partner", {n: {"city": f"City {n}"} for n in ids})
    with pytest.raises(OwnError):
        with client.transaction():
            client.create("res.partner", {"name": "Ann"})
            client.write("res.partner", ids, {"city": "Bern"})
            raise OwnError
    client.search_read("res.partner", [("id", "in", ids)], ["name"])
    client.batch_manager.bulk_delete("res.partner", ids)


@pytest.mark.real_odoo
def test_what_is_deprecated(server):
    """A session over JSON-2 is not warned of; on 19 every call of one over JSON-RPC is."""
    log = server.store.log
    offset = log.stat().st_size
    with ZenooClient(server.url) as client:
        log_in(client, server)
        work(client)
        assert server.protocol == client.protocol

    deadline = time.monotonic() + 60
    found = requests(log, offset, server.database)
    while len(found) < FEWEST and time.monotonic() < deadline:  # the line of the last may be late
        found = requests(log, offset, server.database)
    assert FEWEST <= len(found)
    if server.protocol == "json2":
        assert all(path.startswith("/json/") and not warned for path, warned in found)
    else:
        calls = [warned for path, warned in found if path == "/jsonrpc"]
        assert {server.version == "19.0"} == set(calls)
