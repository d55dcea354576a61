"""odooly: `Model.create` takes a list, `browse(ids)` gives records to `write` to and `unlink`.

There are no chunks, so lists are cut by hand, one after the other; different values are one
`write` per record. With a password it talks to the web client's API, its default.
"""

import odooly
from worker import chunks, run


def login(job):
    """Return the model, which asks for the fields once."""
    model = odooly.Client(*job["target"]).env[job["model"]]
    model.keys()
    return model


def create(model, job):
    """Create, a chunk at a time."""
    cut = chunks(job["records"], job["chunk"])
    return [number for chunk in cut for number in model.create(chunk).ids]


def same(model, job):
    """Write to a chunk at a time."""
    cut = chunks(job["ids"], job["chunk"])
    return [model.browse(chunk).write(job["values"]) for chunk in cut]


def different(model, job):
    """Write to one record at a time."""
    pairs = zip(job["ids"], job["updates"], strict=True)
    return [model.browse(number).write(values) for number, values in pairs]


def delete(model, job):
    """Delete a chunk at a time."""
    return [model.browse(chunk).unlink() for chunk in chunks(job["ids"], job["chunk"])]


run(login, create=create, same=same, different=different, delete=delete)
