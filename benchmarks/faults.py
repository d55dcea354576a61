"""What a library loses and doubles when the network and the server misbehave, beside zenoo_rpc.

    python benchmarks/faults.py --schedules 300 --server standin

The peer is the PyPI package `zenoo-rpc` 0.2.4, in an environment of its own that is made at the
first run (--environments says where). Both have the same methods, so the same lines load the same
records through the same proxy: each schedule draws an operation, its size, some bad records, and
up to two faults of the tests' fault table, and both libraries keep their own defaults for repeating
calls. Afterwards the database is compared with what the caller was told:

- lost: told as done, and not there (or gone without a word: a list of ids that is too short)
- doubled: there more often than it was asked for
- wrong id: told as done, under the id of another record
- misreported: told as failed, refused or not sent, and done

An exception that names no records counts as telling that all of them failed. What zenoo_rpc calls
unknown is counted in a column of its own: there the caller is told to look.
"""

import argparse
import asyncio
import json
import random
import subprocess
import sys
import venv
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PEER = "zenoo-rpc==0.2.4"
OPERATIONS = ("create", "update", "unlink")
MISSING = 99_999_000
COLUMNS = ("lost", "doubled", "wrong id", "misreported", "unknown")
PATIENCE = {"standin": 1.5, "odoo19": 4, "odoo14": 4}  # seconds


# -- what runs in the environment of each library ------------------------------------------------


async def loader():
    """Carry jobs out that come as lines of JSON; after the login wait for a line, then begin."""
    for line in sys.stdin:
        print(json.dumps(await carry_out(json.loads(line))), flush=True)


async def carry_out(job):
    """Do one job with whichever zenoo_rpc is installed here; return what the caller is told."""
    from zenoo_rpc import ZenooClient

    told = {"ids": None, "error": None, "each": None}
    async with ZenooClient(job["url"], timeout=job["timeout"]) as client:
        await client.login(*job["login"])
        limits = {"max_chunk_size": job["chunk"], "max_concurrency": job["concurrency"]}
        try:  # the peer's `setup_batch_manager` takes no limits
            from zenoo_rpc.batch.manager import BatchManager

            manager = BatchManager(client, **limits)
        except ImportError:
            manager = await client.setup_batch_manager(**limits)
        print("ready", flush=True)
        sys.stdin.readline()
        try:
            match job["operation"]:
                case "create":
                    told["ids"] = await manager.bulk_create("res.partner", job["records"])
                case "update":
                    await manager.bulk_update("res.partner", job["values"], record_ids=job["ids"])
                case _:
                    await manager.bulk_delete("res.partner", job["ids"])
        except Exception as error:
            told["error"] = type(error).__name__
            if hasattr(error, "result"):
                told["ids"] = error.result.ids
                told["each"] = [outcome.status.label for outcome in error.result]
    return told


# -- what draws the schedules and looks into the database ----------------------------------------


class Library:
    """A process that loads records with one library."""

    def __init__(self, python, path):
        command = [python, __file__, "--loader"]
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env={"PYTHONPATH": path},
        )

    def run(self, job, begin):
        """Carry a job out; call *begin* between the login and the first call."""
        self._say(json.dumps(job))
        assert "ready" == self._process.stdout.readline().strip()
        begin()
        self._say("go")
        return json.loads(self._process.stdout.readline())

    def _say(self, line):
        self._process.stdin.write(f"{line}\n")
        self._process.stdin.flush()

    def close(self):
        """End the process."""
        self._process.stdin.close()
        self._process.wait()


def draw(seed, faults):
    """Return a schedule: what is to be done, and the faults with the numbers of their calls."""
    chance = random.Random(seed)
    count = chance.randint(4, 24)
    bad = chance.choice([0, 0, 0.15])
    spoilt = [chance.random() < bad for _ in range(count)]
    chosen = chance.sample(faults, chance.choice([0, 1, 1, 1, 2]))
    return {
        "operation": chance.choice(OPERATIONS),
        "spoilt": spoilt,
        "chunk": chance.randint(1, 6),
        "concurrency": chance.randint(1, 4),
        "faults": [(fault, chance.randint(1, 6)) for fault in chosen],
    }


def schedule_of(server, library, seed, faults):
    """Carry one schedule out with one library; return how many records went how wrong."""
    import zenoo_rpc.sync
    from tests.proxy import Proxy

    drawn = draw(seed, faults)
    operation, spoilt = drawn["operation"], drawn["spoilt"]
    login = [server.database, server.login, server.password]
    marks = [f"{seed}.{number}" for number in range(len(spoilt))]
    records = [
        {"name": f"Partner {mark}", "ref": mark, **({"country_id": MISSING} if bad else {})}
        for mark, bad in zip(marks, spoilt, strict=True)
    ]
    ids = []
    if operation != "create":
        with zenoo_rpc.sync.ZenooClient(server.url) as client:
            client.login(*login)
            ids = client.create("res.partner", [{"name": mark, "ref": "old"} for mark in marks])
            ids = [MISSING + n if bad else ids[n] for n, bad in enumerate(spoilt)]
    with Proxy(server.host, server.port) as proxy:

        def arm():
            for fault, nth in drawn["faults"]:
                fault.arm(proxy, nth)

        outlasts = any(fault.outlasts for fault, _ in drawn["faults"])
        job = {
            "url": proxy.url,
            "login": login,
            "timeout": PATIENCE[server.name] if outlasts else 60,
            "operation": operation,
            "chunk": drawn["chunk"],
            "concurrency": drawn["concurrency"],
            "records": records,
            "ids": ids,
            "values": {"ref": "new"},
        }
        told = library.run(job, arm)
        proxy.settle()
    counts = judge(server, operation, marks, ids, told)
    server.store.reset()
    return counts


def judge(server, operation, marks, ids, told):
    """Compare what was told with what is there."""
    count = len(marks)
    rows = server.rows("res.partner")
    done = [label == "applied" for label in told["each"] or [""] * count]
    unknown = [label == "unknown" for label in told["each"] or [""] * count]
    if told["error"] is None:
        done = [True] * count
    counts = Counter(unknown=sum(unknown))
    by_mark, by_id = Counter(row["ref"] for row in rows), {row["id"]: row for row in rows}
    for place, mark in enumerate(marks):
        if operation == "create":
            there = by_mark[mark]
            counts["doubled"] += max(0, there - 1)
        elif operation == "update":
            there = by_id.get(ids[place], {}).get("ref") == "new"
        elif ids[place] >= MISSING:
            continue  # it is gone, whoever deleted it
        else:
            there = ids[place] not in by_id
        counts["lost"] += done[place] and not there
        counts["misreported"] += bool(there) and not done[place] and not unknown[place]
        if operation == "create" and done[place] and there:
            given = told["ids"] or []
            row = by_id.get(given[place] if place < len(given) else None, {})
            counts["wrong id"] += row.get("ref") != mark
    return counts


def environment(folder):
    """Return the Python of the peer's environment; make it if it is not there."""
    python = folder / "bin" / "python"
    if not python.exists():
        venv.create(folder, with_pip=True)
        subprocess.run([python, "-m", "pip", "install", "-q", PEER], check=True)
    return python


def main():
    """Carry the schedules out with both libraries, taking turns, and print what went wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--schedules", type=int, default=300)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--server", default="standin", choices=sorted(PATIENCE))
    parser.add_argument("--environments", type=Path, default=Path.home() / ".cache" / "zenoo-peers")
    parser.add_argument("--loader", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.loader:
        asyncio.run(loader())
        return

    sys.path.insert(0, str(ROOT))
    from tests.proxy import FAULTS
    from tests.servers import running

    libraries = {
        "zenoo_rpc (this one)": Library(sys.executable, str(ROOT / "src")),
        PEER: Library(environment(options.environments / PEER.replace("==", "-")), ""),
    }
    total = {name: Counter() for name in libraries}
    records = 0
    with running(options.server) as server:
        for seed in range(options.seed, options.seed + options.schedules):
            records += len(draw(seed, FAULTS)["spoilt"])
            for name, library in libraries.items():
                total[name] += schedule_of(server, library, seed, FAULTS)
    for library in libraries.values():
        library.close()
    print(f"{options.schedules} schedules, {records} records, {options.server}")
    print(f"{'':24}" + "".join(f"{column:>13}" for column in COLUMNS))
    for name, counts in total.items():
        print(f"{name:24}" + "".join(f"{counts[column]:>13}" for column in COLUMNS))


if __name__ == "__main__":
    main()
