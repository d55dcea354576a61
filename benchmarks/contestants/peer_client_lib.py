"""odoo-client-lib: a proxy of the server's methods; its README says nothing of bulk work.

So lists go through `create`, `write` and `unlink`, cut by hand, one after the other; different
values are one `write` per record. It speaks JSON-RPC here: XML-RPC, its default, is slower, and
JSON-2 wants an API key.
"""

from urllib.parse import urlsplit

import odoolib
from worker import chunks, run


def login(job):
    """Return the model."""
    url, database, user, password = job["target"]
    place = urlsplit(url)
    secure = place.scheme == "https"
    connection = odoolib.get_connection(
        hostname=place.hostname,
        protocol="jsonrpcs" if secure else "jsonrpc",
        port=place.port or (443 if secure else 80),
        database=database,
        login=user,
        password=password,
    )
    connection.check_login()
    return connection.get_model(job["model"])


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
