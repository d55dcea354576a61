"""odoorpc: its tutorial knows calls on the model, as on the server; nothing bulk, no chunks.

So lists go through those calls, cut by hand, one after the other; different values are one `write`
per record ("one update is equivalent to one RPC query").
"""

from urllib.parse import urlsplit

import odoorpc
from worker import chunks, run


def login(job):
    """Return the model."""
    url, *account = job["target"]
    place = urlsplit(url)
    secure = place.scheme == "https"
    odoo = odoorpc.ODOO(
        place.hostname,
        protocol="jsonrpc+ssl" if secure else "jsonrpc",
        port=place.port or (443 if secure else 80),
    )
    odoo.login(*account)
    return odoo.env[job["model"]]


def create(model, job):
    """Create, a chunk at a time."""
    return [
        number for chunk in chunks(job["records"], job["chunk"]) for number in model.create(chunk)
    ]


def same(model, job):
    """Write to a chunk at a time."""
    return [model.write(chunk, job["values"]) for chunk in chunks(job["ids"], job["chunk"])]


def different(model, job):
    """Write to one record at a time."""
    pairs = zip(job["ids"], job["updates"], strict=True)
    return [model.write([number], values) for number, values in pairs]


def delete(model, job):
    """Delete a chunk at a time."""
    return [model.unlink(chunk) for chunk in chunks(job["ids"], job["chunk"])]


run(login, create=create, same=same, different=different, delete=delete)
