"""zenoo_rpc, in a program that blocks."""

from worker import run

from zenoo_rpc.batch.options import Settings
from zenoo_rpc.sync import ZenooClient


def login(job):
    """Return the batch manager of a client that is logged in."""
    client = ZenooClient(job["target"][0])
    client.login(*job["target"][1:])
    given = {"max_chunk_size": job["chunk"], "max_concurrency": job["concurrency"]}
    settings = {name: value for name, value in given.items() if value is not None}
    if job["quiet"]:
        has = "quiet" in Settings.__annotations__
        settings |= {"quiet": True} if has else {"context": {"tracking_disable": True}}
    return client.setup_batch_manager(**settings)


def create(manager, job):
    """Create the records, by external ids if there are to be some."""
    ids = "ref" if job["external"] else None
    return manager.bulk_create(job["model"], job["records"], external_ids=ids)


def same(manager, job):
    """Write the same values to all."""
    return manager.bulk_update(job["model"], job["values"], record_ids=job["ids"])


def different(manager, job):
    """Write values of its own to each."""
    pairs = zip(job["ids"], job["updates"], strict=True)
    return manager.bulk_update(job["model"], [{"id": number, **values} for number, values in pairs])


def delete(manager, job):
    """Delete the records."""
    return manager.bulk_delete(job["model"], job["ids"])


run(login, create=create, same=same, different=different, delete=delete)
