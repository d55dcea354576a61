"""zenoo-rpc 0.2.4, the namesake: its documentation recommends `BatchManager`.

The chunk size is ours, its five calls at a time are its default. `setup_batch_manager`, as its
README has it, leaves `client.batch_manager` empty in this version, so the manager is made by hand,
as its API reference does.
"""

from worker import run
from zenoo_rpc.batch.manager import BatchManager

from zenoo_rpc import ZenooClient


async def login(job):
    """Return the batch manager of a client that is logged in."""
    client = ZenooClient(job["target"][0])
    await client.login(*job["target"][1:])
    size = {"max_chunk_size": job["chunk"]} if job["chunk"] else {}
    return BatchManager(client=client, **size)


async def create(manager, job):
    """Create the records."""
    return await manager.bulk_create(job["model"], job["records"])


async def same(manager, job):
    """Write the same values to all."""
    return await manager.bulk_update(job["model"], job["values"], record_ids=job["ids"])


async def different(manager, job):
    """Write values of its own to each."""
    pairs = zip(job["ids"], job["updates"], strict=True)
    return await manager.bulk_update(
        job["model"], [{"id": number, **values} for number, values in pairs]
    )


async def delete(manager, job):
    """Delete the records."""
    return await manager.bulk_delete(job["model"], job["ids"])


run(login, create=create, same=same, different=different, delete=delete)
