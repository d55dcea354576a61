r"""What bad records cost: calls and seconds of a load that must find them, beside the clean load.

    ZENOO_URL=... ZENOO_DATABASE=... ZENOO_USER=... ZENOO_PASSWORD=... \
        python benchmarks/isolation.py

Creates --records partners of which some, at random places (--seed), have no name, which Odoo
refuses; plainly, and with external ids. Each table shows the calls, the median of the seconds and
the ratio to the clean load; the loads take turns in one run, and each must refuse just the bad
records and create all others. Options: --records, --bad (numbers, separated by commas), --loads,
--chunk (default: the library's own), --concurrency, --rounds, --seed, --picture (an SVG file to
draw).
"""

import argparse
import random
import statistics
import sys
import time

from picture import bars
from target import connected

from zenoo_rpc import BatchExecutionError

MODEL = "res.partner"
LOADS = {"plain": None, "external": "ref"}


def partners(mark, count, bad):
    """Return records; those at the places in *bad* have no name."""
    return [
        {
            "name": False if n in bad else f"{mark} {n}",
            "email": f"{mark}-{n}@example.com",
            "phone": f"+1-555-{n:06}",
            "ref": f"{mark}-{n}",
        }
        for n in range(count)
    ]


def measured(client, records, bad, external_ids, options):
    """Load once; return the calls and the seconds, when the outcome is as it must be."""
    manager = client.setup_batch_manager(max_concurrency=options.concurrency)  # it learns anew
    began = time.perf_counter()
    try:
        ids = manager.bulk_create(
            MODEL, records, external_ids=external_ids, chunk_size=options.chunk
        )
        refused = set()
    except BatchExecutionError as error:
        ids = error.result.ids
        refused = {outcome.index for outcome in error.result.refused}
    seconds = time.perf_counter() - began
    if refused != bad:
        raise SystemExit(f"{len(refused)} records were refused, and {len(bad)} are bad")
    made = [number for number in ids if number is not None]
    if len(set(made)) != len(records) - len(bad):
        raise SystemExit(f"{len(set(made))} records were created of {len(records) - len(bad)}")
    calls = manager.get_stats()["calls"]
    manager.bulk_delete(MODEL, made, chunk_size=500)
    return calls, seconds


def main():
    """Let the loads take turns and print a table for each way of loading."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--bad", default="0,1,10,100")
    parser.add_argument("--loads", default=",".join(LOADS))
    parser.add_argument("--chunk", type=int)
    parser.add_argument("--picture")
    for name, value in (("records", 5000), ("concurrency", 4), ("rounds", 3), ("seed", 0)):
        parser.add_argument(f"--{name}", type=int, default=value)
    options = parser.parse_args()
    numbers = sorted({0, *map(int, options.bad.split(","))})
    chance = random.Random(options.seed)
    drawn = {}

    with connected() as client:
        for load in options.loads.split(","):
            found = {number: [] for number in numbers}
            for turn in range(options.rounds):
                for number in numbers:
                    bad = set(chance.sample(range(options.records), number))
                    mark = f"isolation{int(time.time() * 1000)}"
                    records = partners(mark, options.records, bad)
                    took = measured(client, records, bad, LOADS[load], options)
                    found[number].append(took)
                    calls, seconds = took
                    print(
                        f"{load} {turn + 1}: {number} bad, {calls} calls, {seconds:.1f} s",
                        file=sys.stderr,
                    )
            kind = "with external ids" if LOADS[load] else "plainly"
            print(f"\n{options.records:,} partners created {kind}, {options.concurrency} in flight")
            print(f"{'bad':>5}{'calls':>8}{'ratio':>8}{'seconds':>9}{'ratio':>8}")
            clean = [statistics.median(each) for each in zip(*found[0], strict=True)]
            drawn[kind] = []
            for number, turns in found.items():
                calls, seconds = (statistics.median(each) for each in zip(*turns, strict=True))
                print(
                    f"{number:5}{calls:8,.0f}{calls / clean[0]:8.2f}"
                    f"{seconds:9.2f}{seconds / clean[1]:8.2f}",
                    flush=True,
                )
                drawn[kind].append(seconds / clean[1])
    if options.picture:
        title = f"Bad records among {options.records:,} partners"
        groups = [f"{number} bad" for number in numbers]
        bars(options.picture, title, "times as long as without", groups, drawn)


if __name__ == "__main__":
    main()
