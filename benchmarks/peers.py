"""Create, update and delete partners on real Odoo with zenoo_rpc, its peers, and a bare loop.

    ZENOO_URL=... ZENOO_DATABASE=... ZENOO_USER=... ZENOO_PASSWORD=... python benchmarks/peers.py

Take a database of its own, on Odoo 19 over plain HTTP. The contestants are the scripts in
`contestants/`, each of which says how it works in bulk; the bare loop sends the same bodies, ready
made, over plain sockets: it is the limit. They take turns in one run, each in a process and the
peers in environments of their own (made at the first run, under --environments); login and start
are not timed. After each turn the database is asked whether all is there, once, under the ids
returned.

The tables show records per second (median, least, most), the ratio to the bare loop (the median of
the rounds) and the CPU seconds of the client. What is quiet switches tracking off, as fluvo's
import does by default, and is compared with the bare loop doing so; zenoo_rpc, import has external
ids, as fluvo has. Who writes each record by itself gets --single of them, in chunks made smaller
alike, and a star; then the CPU is extrapolated.

Options: --jobs, --contestants (names, separated by commas), --create, --update, --single, --delete
(records), --chunk, --concurrency, --defaults (whoever has such settings is left to its own; the
bare loop keeps them), --rounds, --environments, --picture (an SVG file to draw).
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
import venv
from collections import Counter
from pathlib import Path
from typing import NamedTuple

from picture import bars
from target import connected, target

SCRIPTS = Path(__file__).resolve().parent / "contestants"
MODEL = "res.partner"
JOBS = {
    "create": "create {} partners of 4 fields",
    "same": "write the same 2 values to {} partners",
    "different": "write 2 values of its own to each of {} partners",
    "delete": "delete {} partners",
}


class Contestant(NamedTuple):
    """A script, what to install for it, and what is particular."""

    script: str
    package: str | None = None
    quiet: tuple[str, ...] = ()  # the jobs it does without tracking
    external: bool = False  # makes external ids, or goes by them
    single: bool = False  # writes different values record by record
    unable: tuple[str, ...] = ()


WRITES = ("create", "same", "different")
CONTESTANTS = {
    "bare": Contestant("bare.py"),
    "zenoo_rpc": Contestant("ours_async.py"),
    "zenoo_rpc.sync": Contestant("ours_blocking.py"),
    "zenoo-rpc 0.2.4": Contestant("peer_namesake.py", "zenoo-rpc==0.2.4", single=True),
    "odoorpc": Contestant("peer_odoorpc.py", "odoorpc==0.10.1", single=True),
    "odooly": Contestant("peer_odooly.py", "odooly==2.6.7", single=True),
    "odoo-client-lib": Contestant("peer_client_lib.py", "odoo-client-lib==2.0.1", single=True),
    "fluvo": Contestant(
        "peer_fluvo.py",
        "fluvo==0.0.3",
        quiet=("create", "different"),
        external=True,
        unable=("delete",),
    ),
    "bare, quiet": Contestant("bare.py", quiet=WRITES, unable=("delete",)),
    "zenoo_rpc, quiet": Contestant("ours_async.py", quiet=WRITES, unable=("delete",)),
    "zenoo_rpc, import": Contestant(
        "ours_async.py", quiet=("create",), external=True, unable=("same", "different", "delete")
    ),
}


class Turn(NamedTuple):
    """What a contestant did in one round."""

    count: int
    seconds: float
    cpu: float
    fault: str


def python_of(contestant, folder):
    """Return the interpreter of a contestant; its environment is made if it is not there."""
    if contestant.package is None:
        return sys.executable
    home = folder / contestant.package
    python = home / "bin" / "python"
    if not (home / "ready").exists():
        print(f"installing {contestant.package} into {home}", file=sys.stderr)
        venv.create(home, clear=True, with_pip=True)
        subprocess.run([python, "-m", "pip", "install", "-qq", contestant.package], check=True)
        (home / "ready").touch()
    return python


def partners(mark, count):
    """Return records that can be told apart from all others."""
    return [
        {
            "name": f"{mark} {n}",
            "email": f"{mark}-{n}@example.com",
            "phone": f"+1-555-{n:06}",
            "ref": f"{mark}-{n}",
        }
        for n in range(count)
    ]


def job_of(name, mark, count, client, *, external):
    """Return a job; what it works on is created first, without tracking."""
    records = partners(mark, count)
    if name == "create":
        return {"records": records}
    return {
        "ids": client.batch_manager.bulk_create(
            MODEL,
            records,
            external_ids="ref" if external else None,
            context={"tracking_disable": True},
            chunk_size=500,
        ),
        "values": {"email": f"{mark}@example.net", "phone": "+1-555-7"},
        "updates": [
            {"email": f"{mark}-{n}@example.net", "phone": f"+1-556-{n:06}"} for n in range(count)
        ],
        "external_ids": [record["ref"] for record in records],
    }


def fault_of(name, mark, job, returned, client):
    """Return what is wrong with the outcome, in a few words, or nothing."""
    fields = ["ref", "name", "email"]
    rows = client.search_read(MODEL, [("name", "=like", f"{mark} %")], fields)
    rows = {row["id"]: row for row in rows}
    if name == "create":
        times = Counter(row["ref"] for row in rows.values())
        wanted = {record["ref"] for record in job["records"]}
        if lost := len(wanted - set(times)):
            return f"{lost} are missing"
        if doubled := sum(times.values()) - len(wanted):
            return f"{doubled} are there twice"
        emails = {record["ref"]: record["email"] for record in job["records"]}
        if wrong := sum(row["email"] != emails[row["ref"]] for row in rows.values()):
            return f"{wrong} have other values"
        if returned is None:
            return ""  # it gives no ids
        if len(returned) != len(job["records"]):
            return f"{len(returned)} ids are returned"
        pairs = zip(returned, job["records"], strict=True)
        wrong = sum(rows[number]["ref"] != record["ref"] for number, record in pairs)
        return f"{wrong} ids are of other records" if wrong else ""
    if name == "delete":
        return f"{len(rows)} are still there" if rows else ""
    values = [job["values"]] * len(rows) if name == "same" else job["updates"]
    pairs = zip(job["ids"], values, strict=True)
    wrong = sum(rows[number]["email"] != value["email"] for number, value in pairs)
    return f"{wrong} were not written" if wrong else ""


def turn_of(name, label, number, options, client):
    """Let one contestant do one job; return what it took."""
    contestant = CONTESTANTS[label]
    count = {"create": options.create, "delete": options.delete}.get(name, options.update)
    is_bare = label.startswith("bare")
    chunk, concurrency = options.chunk, options.concurrency
    if options.defaults and not is_bare:
        chunk = concurrency = None
    if name == "different" and contestant.single and options.single < count:
        chunk = max(1, chunk * options.single // count) if chunk else None
        count = options.single
    mark = f"bench{number}"
    external = contestant.external and name != "same"
    job = job_of(name, mark, count, client, external=external)
    job |= {
        "name": name,
        "model": MODEL,
        "target": target(),
        "chunk": chunk,
        "concurrency": concurrency,
        "quiet": name in contestant.quiet,
        "external": external,
    }
    # the peers are not to find the checkout: one of them has its name
    there = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    process = subprocess.run(
        [python_of(contestant, options.environments), SCRIPTS / contestant.script],
        input=json.dumps(job),
        env=there if contestant.package else None,
        capture_output=True,
        text=True,
        check=False,
    )
    try:
        if process.returncode:
            return Turn(count, 0, 0, process.stderr.strip().splitlines()[-1][:100])
        told = json.loads(process.stdout)
        fault = told.get("error") or fault_of(name, mark, job, told["returned"], client)
        return Turn(count, told["seconds"], told["cpu"], fault)
    finally:
        left = client.search(MODEL, [("name", "=like", f"{mark} %")])
        if left:
            client.batch_manager.bulk_delete(MODEL, left, chunk_size=500)


def table(name, found, options):
    """Print what was found about one job, and return the ratios to the bare loop."""
    count = {"create": options.create, "delete": options.delete}.get(name, options.update)
    title = JOBS[name].format(f"{count:,}")
    chosen = f"calls of {options.chunk}, {options.concurrency} in flight"
    print(f"\n{title}, {'as each does by itself' if options.defaults else chosen}")
    print(f"{'':19}{'median':>8}{'least':>8}{'most':>8}{'ratio':>7}{'CPU s':>8}")
    medians, compared = {}, {}
    for label, turns in found.items():
        contestant = CONTESTANTS[label]
        faults = Counter(turn.fault for turn in turns if turn.fault)
        timed = [turn for turn in turns if turn.seconds]
        notes = [f"{fault} ({times} of {len(turns)})" for fault, times in faults.items()]
        if not timed:
            print(f"{label:19}{'; '.join(notes)}")
            continue
        rates = [turn.count / turn.seconds for turn in timed]
        medians[label] = statistics.median(rates)
        quiet = name in contestant.quiet
        # round by round, because the speed of a machine drifts
        base = found.get("bare, quiet" if quiet else "bare", [])
        ratios = [
            (turn.count / turn.seconds) / (limit.count / limit.seconds)
            for turn, limit in zip(turns, base, strict=False)
            if turn.seconds and limit.seconds
        ]
        ratio = f"{statistics.median(ratios):7.2f}" if ratios else f"{'':7}"
        compared[label] = statistics.median(ratios) if ratios else None
        scale = count / timed[0].count
        cpu = statistics.median(turn.cpu for turn in timed) * scale
        if quiet and "quiet" not in label:
            notes.append("quiet")
        if contestant.external and name != "same":
            notes.append("by external ids")
        if scale != 1:
            notes.append(f"* {timed[0].count} of them, one write per record")
        numbers = f"{medians[label]:8,.0f}{min(rates):8,.0f}{max(rates):8,.0f}{ratio}{cpu:8.3f}"
        print(f"{label:19}{numbers}  {'; '.join(notes)}".rstrip(), flush=True)
    peers = {
        label: rate
        for label, rate in medians.items()
        if CONTESTANTS[label].package and name not in CONTESTANTS[label].quiet
    }
    if peers and "zenoo_rpc" in medians:
        best = max(peers, key=peers.get)
        times = medians["zenoo_rpc"] / peers[best]
        print(f"zenoo_rpc is {times:.1f} times as fast as the fastest peer, {best}")
    return compared


def names(text, allowed):
    """Return the chosen names, in the order of the tables."""
    chosen = [each.strip() for each in text.split(",")]
    if unknown := sorted(set(chosen) - set(allowed)):
        raise SystemExit(f"what is {', '.join(unknown)}? There are: {', '.join(allowed)}")
    return [each for each in allowed if each in chosen]


def main():
    """Let the contestants take turns, job by job, and print the tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--jobs", default=",".join(JOBS))
    # some of the names have a comma in them, so they are typed with a dash
    typed = {label.replace(", ", "-"): label for label in CONTESTANTS}
    parser.add_argument("--contestants", default=",".join(typed))
    defaults = (("create", 5000), ("update", 2000), ("single", 200), ("delete", 2000))
    defaults += (("chunk", 500), ("concurrency", 4), ("rounds", 3))
    for name, value in defaults:
        parser.add_argument(f"--{name}", type=int, default=value)
    folder = os.environ.get("ZENOO_BENCHMARKS", Path.home() / ".cache" / "zenoo-benchmarks")
    parser.add_argument("--environments", type=Path, default=folder)
    parser.add_argument("--defaults", action="store_true")
    parser.add_argument("--picture")
    options = parser.parse_args()
    labels = [typed[name] for name in names(options.contestants, typed)]
    for label in labels:
        python_of(CONTESTANTS[label], options.environments)

    number = int(time.time())
    compared = {}
    with connected() as client:
        warm = client.batch_manager.bulk_create(MODEL, partners("warm", 400))
        client.batch_manager.bulk_delete(MODEL, warm)
        for name in names(options.jobs, JOBS):
            able = [label for label in labels if name not in CONTESTANTS[label].unable]
            # the quiet bare loop comes before what is compared with it
            able.sort(key=lambda label: not label.startswith("bare"))
            found = {label: [] for label in able}
            try:
                for round_number in range(options.rounds):
                    for label in able:
                        number += 1
                        turn = turn_of(name, label, number, options, client)
                        found[label].append(turn)
                        took = f"{turn.seconds:.2f} s, {turn.fault or 'all well'}"
                        print(f"{name} {round_number + 1} {label}: {took}", file=sys.stderr)
            finally:  # if the server goes away, what was measured is still told
                compared[name] = table(name, found, options)
    if options.picture:
        drawn = {label: [each.get(label) for each in compared.values()] for label in labels}
        title = f"Against the bare server, calls of {options.chunk}"
        groups = [
            {"same": "same values", "different": "different values"}.get(n, n) for n in compared
        ]
        bars(options.picture, title, "times the speed of the bare loop", groups, drawn)


if __name__ == "__main__":
    main()
