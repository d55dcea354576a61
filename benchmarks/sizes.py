"""Create partners in calls of several sizes, several at a time, and as zenoo_rpc itself would.

    ZENOO_URL=... ZENOO_DATABASE=... ZENOO_USER=... ZENOO_PASSWORD=... python benchmarks/sizes.py

The settings take turns in one run, because a machine's speed drifts; the table shows records per
second (the median of the rounds) by the size of a call and the number in flight, and the ratio to
the default: sizes that are learnt, from the beginning, and 4 in flight. What was made is deleted
after each turn. Options: --records, --rounds, --sizes, --in-flight (separated by commas), --quiet,
--picture (an SVG file to draw).
"""

import argparse
import statistics
import time

from picture import bars
from target import connected


def numbers(text):
    """Read numbers that are separated by commas."""
    return [int(each) for each in text.split(",")]


def main():
    """Let the settings take turns and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=5000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--sizes", type=numbers, default=[100, 500, 1000])
    parser.add_argument("--in-flight", type=numbers, default=[1, 2, 4, 8])
    parser.add_argument("--quiet", action="store_true")
    parser.add_argument("--picture")
    options = parser.parse_args()
    records = [
        {"name": f"Bench {n}", "email": f"bench{n}@example.com", "phone": f"+1-555-{n:06}"}
        for n in range(options.records)
    ]
    settings = [(None, 4)] + [(size, n) for size in options.sizes for n in options.in_flight]
    rates = {each: [] for each in settings}

    with connected() as client:
        client.unlink("res.partner", client.create("res.partner", records[:200]))  # warm the server
        for _ in range(options.rounds):
            for size, in_flight in settings:
                manager = client.setup_batch_manager(
                    max_chunk_size=size, max_concurrency=in_flight, quiet=options.quiet
                )
                began = time.perf_counter()
                ids = manager.bulk_create("res.partner", records)
                rates[size, in_flight].append(len(ids) / (time.perf_counter() - began))
                assert len(set(ids)) == options.records
                manager.bulk_delete("res.partner", ids, chunk_size=1000)

    base = statistics.median(rates.pop((None, 4)))
    print(f"{options.records} res.partner{', quiet' if options.quiet else ''}; records per second")
    print(f"{'default':10}{base:9,.0f}{1:7.2f}")
    found = {each: statistics.median(rounds) for each, rounds in rates.items()}
    for (size, in_flight), rate in found.items():
        print(f"{size:5} x {in_flight:<2}{rate:9,.0f}{rate / base:7.2f}")
    if options.picture:
        title = f"Creating {options.records:,} partners on Odoo, two workers"
        groups = [f"calls of {size:,}" for size in options.sizes]
        drawn = {
            f"{n} in flight": [found[size, n] for size in options.sizes] for n in options.in_flight
        }
        bars(options.picture, title, "records per second", groups, drawn)


if __name__ == "__main__":
    main()
