r"""What a transaction costs: 1,000 creates and updates inside and outside of one.

    ZENOO_URL=... ZENOO_DATABASE=... ZENOO_USER=... ZENOO_PASSWORD=... \
        python benchmarks/transaction.py

They take turns in one run; the table shows the calls, the median of the seconds and the ratio to
what goes on outside. The third is a block that fails at its end, and is taken back. Options:
--records, --rounds.
"""

import argparse
import statistics
import time
from contextlib import nullcontext, suppress

from target import connected


class TakeBackError(Exception):
    """What makes a transaction fail."""


def creates(client, ids, turn):
    """Create as many as there are."""
    records = [{"name": f"Cost {turn}", "ref": "created"} for _ in ids]
    client.batch_manager.bulk_create("res.partner", records)


def same(client, ids, turn):
    """Write the same values to all."""
    client.batch_manager.bulk_update("res.partner", {"ref": f"turn {turn}"}, record_ids=ids)


def different(client, ids, turn):
    """Write other values to each."""
    values = {number: {"ref": f"{turn} {number}"} for number in ids}
    with client.batch() as batch:
        batch.write_many("res.partner", values)


def measured(client, work, block):
    """Return the calls and the seconds that work in a block takes."""
    calls = []
    post = client._session.transport.post

    def counting(*arguments, **options):
        calls.append(arguments)
        return post(*arguments, **options)

    client._session.transport.post = counting
    began = time.perf_counter()
    with suppress(TakeBackError), block as tx:
        work()
        if tx == "fail":
            raise TakeBackError
    seconds = time.perf_counter() - began
    client._session.transport.post = post
    return len(calls), seconds


class Failing:
    """A transaction that fails at its end."""

    def __init__(self, transaction):
        self._transaction = transaction

    def __enter__(self):
        self._transaction.__enter__()
        return "fail"

    def __exit__(self, *error):
        return self._transaction.__exit__(*error)


def main():
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    with connected() as client:
        records = [{"name": f"Cost {n}"} for n in range(options.records)]
        ids = client.batch_manager.bulk_create("res.partner", records)
        print(f"{'':28}{'calls':>8}{'seconds':>9}{'ratio':>7}")
        works = {"create": creates, "same values": same, "different values": different}
        for name, write in works.items():
            blocks = {
                "outside": nullcontext,
                "inside": client.transaction,
                "inside, taken back": lambda: Failing(client.transaction()),
            }
            found = {label: [] for label in blocks}
            for turn in range(options.rounds):
                for place, (label, block) in enumerate(blocks.items()):
                    mark = f"{turn}.{place}"

                    def work(mark=mark, write=write):
                        write(client, ids, mark)

                    found[label].append(measured(client, work, block()))
            least = statistics.median(seconds for _, seconds in found["outside"])
            for label, turns in found.items():
                seconds = statistics.median(seconds for _, seconds in turns)
                text = f"{name}, {label}"
                print(f"{text:36}{turns[0][0]:>6}{seconds:>8.2f}{seconds / least:>7.2f}")
        ids += client.search("res.partner", [("ref", "=", "created")])
        client.batch_manager.bulk_delete("res.partner", ids, chunk_size=500)


if __name__ == "__main__":
    main()
