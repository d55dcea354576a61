"""Create partners with zenoo_rpc, both twins, beside a bare httpx loop that sends the same calls.

    ZENOO_URL=... ZENOO_DATABASE=... ZENOO_USER=... ZENOO_PASSWORD=... python benchmarks/create.py

The contenders take turns in one run, because a machine's speed drifts; the table shows records per
second (median, least, most) and the ratio to the bare loop. What was made is deleted after each
turn. Options: --records, --chunk, --concurrency, --rounds.
"""

import argparse
import asyncio
import os
import statistics
import time

import httpx

import zenoo_rpc
import zenoo_rpc.sync

NAMES = ("ZENOO_URL", "ZENOO_DATABASE", "ZENOO_USER", "ZENOO_PASSWORD")


def partners(count):
    """Return the records that every contender sends."""
    return [
        {"name": f"Bench {n}", "email": f"bench{n}@example.com", "phone": f"+1-555-{n:06}"}
        for n in range(count)
    ]


async def bare(target, uid, context, records, options):
    """Send the same bodies over the same number of connections, and look at nothing but the ids."""
    url, database, _, password = target
    chunks = [
        (start, records[start : start + options.chunk])
        for start in range(0, len(records), options.chunk)
    ]
    ids = {}
    left = iter(chunks)
    limits = httpx.Limits(max_connections=options.concurrency)

    async def worker(http):
        for start, chunk in left:
            args = [database, uid, password, "res.partner", "create", [chunk], {"context": context}]
            params = {"service": "object", "method": "execute_kw", "args": args}
            body = {"jsonrpc": "2.0", "method": "call", "id": start, "params": params}
            ids[start] = (await http.post(f"{url}/jsonrpc", json=body)).json()["result"]

    async with httpx.AsyncClient(timeout=150, limits=limits) as http:
        await asyncio.gather(*(worker(http) for _ in range(options.concurrency)))
    return [number for start, _ in chunks for number in ids[start]]


async def in_async(target, records, options):
    """Use zenoo_rpc; only the creation is timed."""
    async with zenoo_rpc.ZenooClient(target[0]) as client:
        await client.login(*target[1:])
        manager = await client.setup_batch_manager(
            max_chunk_size=options.chunk, max_concurrency=options.concurrency
        )
        started = time.perf_counter()
        ids = await manager.bulk_create("res.partner", records)
        return time.perf_counter() - started, ids


def in_blocking(target, records, options):
    """Use zenoo_rpc.sync; only the creation is timed."""
    with zenoo_rpc.sync.ZenooClient(target[0]) as client:
        client.login(*target[1:])
        manager = client.setup_batch_manager(
            max_chunk_size=options.chunk, max_concurrency=options.concurrency
        )
        started = time.perf_counter()
        ids = manager.bulk_create("res.partner", records)
        return time.perf_counter() - started, ids


def main():
    """Let the contenders take turns and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name, value in (("records", 10_000), ("chunk", 100), ("concurrency", 4), ("rounds", 3)):
        parser.add_argument(f"--{name}", type=int, default=value)
    options = parser.parse_args()
    target = [os.environ[name] for name in NAMES]
    records = partners(options.records)

    with zenoo_rpc.sync.ZenooClient(target[0]) as client:
        uid = client.login(*target[1:])

        def in_bare():
            started = time.perf_counter()
            ids = asyncio.run(bare(target, uid, client.context, records, options))
            return time.perf_counter() - started, ids

        contenders = {
            "bare httpx loop": in_bare,
            "zenoo_rpc": lambda: asyncio.run(in_async(target, records, options)),
            "zenoo_rpc.sync": lambda: in_blocking(target, records, options),
        }
        client.unlink("res.partner", client.create("res.partner", records[:200]))  # warm the server
        seconds = {name: [] for name in contenders}
        for _ in range(options.rounds):
            for name, run in contenders.items():
                took, ids = run()
                assert len(set(ids)) == options.records
                seconds[name].append(took)
                client.batch_manager.bulk_delete("res.partner", ids, chunk_size=1000)

    print(
        f"{options.records} res.partner, calls of {options.chunk}, {options.concurrency} in flight"
    )
    print(f"{'':18}{'median':>9}{'least':>9}{'most':>9}{'ratio':>8}  records per second")
    base = statistics.median(seconds["bare httpx loop"])
    for name, took in seconds.items():
        rates = [options.records / each for each in took]
        ratio = base / statistics.median(took)
        print(
            f"{name:18}{statistics.median(rates):9,.0f}{min(rates):9,.0f}{max(rates):9,.0f}{ratio:8.2f}"
        )


if __name__ == "__main__":
    main()
