"""What the client itself costs: a server that answers at once, and the client's process alone.

    python benchmarks/own.py

Loads partners of 4 fields with zenoo_rpc, both twins: from a list, from a generator, and by
`stream` from a generator; with the standard library's JSON and with orjson, where it is installed
and used. Each load is a process of its own. The table shows records per second, the ratio to a bare
loop over plain sockets that encodes, sends and reads the same, microseconds of CPU (user and
system) per record, the peak memory of the process, and how much more that is than for the fewest
records. A list is there before the clock starts, but not before the memory is counted; a generator
makes its records while it runs, and the last lines tell what that costs.

Options: --sizes, --ways, --twins, --json (separated by commas), --chunk, --concurrency, --rounds
(of a million records at most), --picture (an SVG file to draw the peak memory in). Ways that the
installed zenoo_rpc does not have are left out.
"""

import argparse
import asyncio
import inspect
import itertools
import json
import re
import resource
import statistics
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path

from picture import bars

sys.path.insert(0, str(Path(__file__).resolve().parent / "contestants"))

MODEL = "res.partner"
WAYS = ("bare", "list", "generator", "stream")
TWINS = ("async", "blocking")
JSON = ("stdlib", "orjson")
NUMBER = re.compile(rb'"id": ?(\d+)')


def partners(count):
    """Make records one by one."""
    for n in range(count):
        yield {
            "name": f"Client {n}",
            "email": f"client{n}@example.com",
            "phone": "+1-555-010203",
            "ref": f"C-{n}",
        }


# -- the server: its own process -----------------------------------------------------------------


class Server(asyncio.Protocol):
    """Answers at once: a create with so many ids, all else with what Odoo would say."""

    ids = itertools.count(1)

    def connection_made(self, transport):
        """Begin with nothing."""
        self.transport = transport
        self.parts, self.missing = bytearray(), 0

    def data_received(self, data):
        """Answer when a request is complete; there is one at a time on a connection."""
        self.parts += data
        self.missing -= len(data)
        if self.missing > 0:
            return
        end = self.parts.find(b"\r\n\r\n") + 4
        if end < 4:
            return
        length = int(self.parts[:end].lower().split(b"content-length:")[1].split(b"\r\n")[0])
        self.missing = end + length - len(self.parts)
        if self.missing > 0:
            return
        body, self.parts, self.missing = bytes(self.parts[end:]), bytearray(), 0
        number = NUMBER.search(body[:200])[1]
        answer = b'{"jsonrpc":"2.0","id":%b,"result":%b}' % (number, self.answer(body))
        self.transport.write(
            b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b"
            % (len(answer), answer)
        )

    def answer(self, body):
        """Return the value that Odoo would answer, as JSON."""
        if b'"create"' in body[:400]:
            # reading the records as well would make the server the slower one
            made = itertools.islice(self.ids, body.count(b'"name":'))
            return b"[%b]" % b",".join(b"%d" % number for number in made)
        params = json.loads(body)["params"]
        args = params["args"]
        method = args[4] if params["method"] == "execute_kw" else params["method"]
        answers = {
            "version": {"server_version": "19.0", "server_version_info": [19, 0, 0, "final", 0]},
            "login": 2,
            "context_get": {"lang": "en_US", "tz": "UTC"},
        }
        return json.dumps(answers.get(method, True)).encode()


async def serve():
    """Tell the port, and answer until standard input ends."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Server, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)


# -- the client: a process for each load ---------------------------------------------------------


def encoder(kind):
    """Return what encodes to bytes."""
    if kind == "orjson":
        import orjson

        return orjson.dumps
    return lambda value: json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


async def bare(job, records, send, encode):
    """Encode, send and read the answers; return the number of ids."""

    def bodies():
        while chunk := list(itertools.islice(records, job["chunk"])):
            args = ["bench", 2, "secret", MODEL, "create", [chunk], {"context": {}}]
            params = {"service": "object", "method": "execute_kw", "args": args}
            yield encode({"jsonrpc": "2.0", "method": "call", "id": 1, "params": params})

    return sum(map(len, await send(bodies(), {**job, "target": [job["url"]]})))


async def in_async(manager, way, records):
    """Load, and return the number of ids."""
    if way != "stream":
        return len(await manager.bulk_create(MODEL, records))
    count = 0
    async for outcome in manager.stream(MODEL, records):
        count += outcome.id is not None
    return count


def in_blocking(manager, way, records):
    """Load, and return the number of ids."""
    if way != "stream":
        return len(manager.bulk_create(MODEL, records))
    return sum(outcome.id is not None for outcome in manager.stream(MODEL, records))


def cpu():
    """Return the seconds of CPU that this process has used."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def load(job):
    """Load once, in this process, and return what it took, or what zenoo_rpc has not."""
    if job["json"] == "stdlib":
        sys.modules["orjson"] = None  # as if it were not installed
    with asyncio.Runner() as runner:

        def called(value):
            return runner.run(value) if inspect.iscoroutine(value) else value

        records = partners(job["size"])
        if job["way"] == "bare":
            from bare import send

            encode = encoder(job["json"])
            began, used = time.perf_counter(), cpu()
            count = called(bare(job, records, send, encode))
        else:
            import zenoo_rpc
            import zenoo_rpc.sync

            house = zenoo_rpc if job["twin"] == "async" else zenoo_rpc.sync
            client = house.ZenooClient(job["url"])
            called(client.login("bench", "admin", "secret"))
            manager = called(
                client.setup_batch_manager(
                    max_chunk_size=job["chunk"], max_concurrency=job["concurrency"]
                )
            )
            if job["way"] == "stream" and not hasattr(manager, "stream"):
                return {"missing": "has no stream"}
            if job["json"] == "orjson" and "orjson" not in sys.modules:
                return {"missing": "does not use orjson"}
            if job["way"] == "list":
                records = list(records)
            work = in_async if job["twin"] == "async" else in_blocking
            began, used = time.perf_counter(), cpu()
            count = called(work(manager, job["way"], records))
        seconds, used = time.perf_counter() - began, cpu() - used
    if count != job["size"]:
        raise SystemExit(f"{count} ids for {job['size']} records")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"seconds": seconds, "cpu": used, "peak": peak}


# -- the table -----------------------------------------------------------------------------------


def microseconds(work, count):
    """Return what one of *count* records costs, in microseconds of CPU."""
    used = cpu()
    work()
    return (cpu() - used) / count * 1e6


def table(found, sizes):
    """Print what was found: a mapping from the kind of load to its rounds, for each size.

    Returns the medians.
    """
    print(
        f"{'way':11}{'twin':10}{'json':8}{'records':>10}{'records/s':>11}{'ratio':>7}"
        f"{'CPU us':>8}{'peak MB':>9}{'more':>7}"
    )
    median = {
        key: {name: statistics.median(each[name] for each in rounds) for name in rounds[0]}
        for key, rounds in found.items()
        if rounds
    }
    for (way, twin, kind, size), took in median.items():
        rate = size / took["seconds"]
        base = median.get(("bare", "async", kind, size))
        ratio = f"{base['seconds'] / took['seconds']:7.2f}" if base else f"{'':7}"
        more = took["peak"] - median[way, twin, kind, sizes[0]]["peak"]
        print(
            f"{way:11}{twin:10}{kind:8}{size:10,}{rate:11,.0f}{ratio}"
            f"{took['cpu'] / size * 1e6:8.1f}{took['peak']:9.1f}{more:7.1f}"
        )
    return median


def draw(path, median, sizes, kind):
    """Draw the peak memory of each way, with one kind of JSON."""
    drawn = {}
    for (way, twin, each, size), took in median.items():
        if each == kind:
            drawn.setdefault(f"{way}, {twin}", dict.fromkeys(sizes))[size] = took["peak"]
    groups = [f"{size:,} records" for size in sizes]
    series = {label: list(each.values()) for label, each in drawn.items()}
    bars(path, "The client's memory", "peak, MB", groups, series)


def main():
    """Start the server, let the loads take turns, and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sizes", default="10000,100000,1000000")
    parser.add_argument("--ways", default=",".join(WAYS))
    parser.add_argument("--twins", default=",".join(TWINS))
    parser.add_argument("--json", default=",".join(JSON))
    for name, value in (("chunk", 1000), ("concurrency", 4), ("rounds", 3)):
        parser.add_argument(f"--{name}", type=int, default=value)
    parser.add_argument("--picture")
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--load", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        asyncio.run(serve())
        return
    if options.load:
        print(json.dumps(load(json.loads(options.load))))
        return

    kinds = options.json.split(",")
    if "orjson" in kinds and not find_spec("orjson"):
        kinds.remove("orjson")
        print("orjson is not installed")
    sizes = sorted(map(int, options.sizes.split(",")))
    loads = [
        (way, twin, kind)
        for way in options.ways.split(",")
        for twin in options.twins.split(",")
        for kind in kinds
        if way != "bare" or twin == "async"
    ]
    found = {(*each, size): [] for each in loads for size in sizes}
    missing = set()
    itself = [sys.executable, __file__]
    pipe = subprocess.PIPE
    with subprocess.Popen([*itself, "--serve"], stdin=pipe, stdout=pipe, text=True) as server:
        url = f"http://127.0.0.1:{server.stdout.readline().strip()}"
        for size in sizes:
            for turn in range(max(1, min(options.rounds, 1_000_000 // size))):
                for way, twin, kind in loads:
                    job = {"url": url, "way": way, "twin": twin, "json": kind, "size": size}
                    job |= {"chunk": options.chunk, "concurrency": options.concurrency}
                    command = [*itself, "--load", json.dumps(job)]
                    told = subprocess.run(command, stdout=pipe, text=True, check=True).stdout
                    took = json.loads(told)
                    if "missing" in took:
                        missing.add(took["missing"])
                    else:
                        found[way, twin, kind, size].append(took)
                    print(f"{size} {turn + 1} {way} {twin} {kind}: {took}", file=sys.stderr)
        server.stdin.close()

    print(f"calls of {options.chunk}, {options.concurrency} in flight")
    median = table(found, sizes)
    if options.picture:
        draw(options.picture, median, sizes, kinds[-1])
    for each in sorted(missing):
        print(f"left out: this zenoo_rpc {each}")
    made = list(partners(100_000))
    print(f"\nmaking a record: {microseconds(lambda: list(partners(100_000)), 100_000):.1f} us")
    for kind in kinds:
        encode = encoder(kind)
        cost = microseconds(lambda encode=encode: encode(made), len(made))
        print(f"encoding a record, {kind}: {cost:.1f} us")


if __name__ == "__main__":
    main()
