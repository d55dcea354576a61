"""Load partners with external ids, kill the loading process at random, start it again, and count.

    ZENOO_URL=... ZENOO_DATABASE=... ZENOO_USER=... ZENOO_PASSWORD=... python benchmarks/killed.py

Each run starts a process that creates all records, kills it with SIGKILL at a random moment, and
starts it again, --kills times; the last one may end. Then the database must hold each record once.
Options: --records, --runs, --kills, --seed. Ends with status 1 if any run left another number.
"""

import argparse
import random
import subprocess
import sys
import time

from target import connected

DOMAIN = [("ref", "=like", "killed-%")]


def load(count):
    """Create the records; this is what is killed."""
    records = [{"name": f"Killed {n}", "ref": f"killed-{n}"} for n in range(count)]
    with connected() as client:
        client.batch_manager.bulk_create("res.partner", records, external_ids="ref")


def run(options, chance):
    """Load, kill, and load again until it ends; return how long the moments were."""
    command = [sys.executable, __file__, "--load", "--records", str(options.records)]
    moments = []
    for _ in range(options.kills):
        process = subprocess.Popen(command)
        moments.append(chance.uniform(0.3, options.records / 700))
        try:
            process.wait(moments[-1])
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    while subprocess.run(command, check=False).returncode:
        time.sleep(1)
    return moments


def main():
    """Make the runs and count after each."""
    parser = argparse.ArgumentParser(description=__doc__)
    defaults = (("records", 20_000), ("runs", 20), ("kills", 2), ("seed", 0))
    for name, value in defaults:
        parser.add_argument(f"--{name}", type=int, default=value)
    parser.add_argument("--load", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.load:
        load(options.records)
        return

    chance = random.Random(options.seed)
    wrong = 0
    with connected() as client:
        for number in range(1, options.runs + 1):
            started = time.perf_counter()
            moments = run(options, chance)
            ids = client.search("res.partner", DOMAIN)
            refs = {row["ref"] for row in client.search_read("res.partner", DOMAIN, ["ref"])}
            wrong += not len(ids) == len(refs) == options.records
            killed = ", ".join(f"{moment:.1f}" for moment in moments)
            took = time.perf_counter() - started
            print(
                f"run {number}: killed after {killed} s; {len(ids)} records, {len(refs)} of "
                f"them different; {took:.0f} s",
                flush=True,
            )
            client.batch_manager.bulk_delete("res.partner", ids, chunk_size=1000)
    print(f"{options.runs - wrong} of {options.runs} runs left exactly {options.records} records")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
