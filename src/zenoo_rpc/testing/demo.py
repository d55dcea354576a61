"""The main job in one run: thousands of records written, some of them refused, every one told.

    python -m zenoo_rpc.testing.demo

It starts the stand-in and writes to that. With `ZENOO_URL`, `ZENOO_DATABASE` and `ZENOO_API_KEY`
in the environment it writes to a real Odoo, and deletes what it made; it asks first, or wants
`--yes`. Before 19 `ZENOO_USER` is needed as well; that and `ZENOO_PASSWORD` do without a key.
"""

from __future__ import annotations

import argparse
import os
import secrets
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from ..sync import (
    BatchContext,
    BatchExecutionError,
    BatchResult,
    Status,
    ZenooClient,
    ZenooError,
)

NAMES = ("DATABASE", "USER", "PASSWORD", "API_KEY")
WANTED = "ZENOO_DATABASE and ZENOO_API_KEY (or ZENOO_USER and ZENOO_PASSWORD)"
MODEL = "res.partner"
PARTNERS = 10_000
SOME = 1_000  # more, with the bad ones among them
BAD = (17, 500, 999)  # the records that get a country that does not exist
rows: list[str] = []  # of the table at the end
ROW = "{:25}{:>8}{:>8}{:>8}{:>8}{:>9}{:>6}{:>8}"  # 80 columns


@contextmanager
def connection(*, sure: bool) -> Iterator[ZenooClient]:
    """Log in to the Odoo that the environment names, or else to a stand-in of our own."""
    url = os.environ.get("ZENOO_URL")
    if url is None:
        from .server import OdooStandIn

        with OdooStandIn() as odoo, ZenooClient(odoo.url) as client:
            client.login(odoo.database, "admin", "admin")
            yield client
        return
    database, user, password, key = (os.environ.get(f"ZENOO_{name}") for name in NAMES)
    with ZenooClient(url) as client:
        if database and key:
            client.login_with_api_key(database, key, user)
        elif database and user and password:
            client.login(database, user, password)
        else:
            sys.exit(f"ZENOO_URL is set, so {WANTED} must be set too")
        if not sure:
            ask(client)
        yield client


def ask(client: ZenooClient) -> None:
    """Say what is about to happen to a real server; end here unless that is wanted."""
    count = f"{PARTNERS + SOME - len(BAD):,} partners"
    what = f"This creates {count} in {client.database} at {client.url} and deletes them again."
    if not sys.stdin.isatty():
        sys.exit(f"{what} If that is what you want, add --yes.")
    if input(f"{what} Go on? [y/N] ").strip().lower() not in ("y", "yes"):
        sys.exit("Nothing was written.")


def partners(count: int, mark: str) -> list[dict[str, Any]]:
    """Return the values of new partners, all with the same mark."""
    return [
        {
            "name": f"Demo partner {n:05}",
            "email": f"p{n}@example.com",
            "phone": f"+1-555-{n:05}",
            "ref": mark,
        }
        for n in range(count)
    ]


def carry_out(
    client: ZenooClient, title: str, add: Callable[[BatchContext], object]
) -> BatchResult:
    """Run one batch with a progress bar, and print what became of its records."""
    calls = client.batch_manager.get_stats().get("calls", 0)
    started = time.perf_counter()
    batch = client.batch(progress=True)
    try:
        with batch:
            add(batch)
    except BatchExecutionError as error:
        print(f"\n{error}\n")  # noqa: T201
    seconds = time.perf_counter() - started
    counts = batch.results.counts
    told = [counts[s] for s in (Status.APPLIED, Status.REFUSED, Status.UNKNOWN, Status.NOT_SENT)]
    calls = client.batch_manager.get_stats()["calls"] - calls
    rate = f"{len(batch.results) / seconds:,.0f}"
    rows.append(ROW.format(title, len(batch.results), *told, calls, rate))
    return batch.results


def main(arguments: Sequence[str] | None = None) -> None:
    """Create, update and delete partners, and print the table of outcomes."""
    parser = argparse.ArgumentParser(
        prog="python -m zenoo_rpc.testing.demo",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--yes", action="store_true", help="write to a real Odoo without asking")
    options = parser.parse_args(arguments)
    mark = f"zenoo-demo-{secrets.token_hex(4)}"
    try:
        with connection(sure=options.yes) as client:
            show(client, mark)
    except ZenooError as error:
        sys.exit(str(error))
    head = ("", "records", "applied", "refused", "unknown", "not sent", "calls", "per s")
    print("", ROW.format(*head), *rows, sep="\n")  # noqa: T201


def show(client: ZenooClient, mark: str) -> None:
    """Write everything and delete it again, also after Ctrl+C; a second one leaves it."""
    where = f"{client.url}, database {client.database}, {client.protocol}"
    print(f"Odoo {client.server_version} at {where}")  # noqa: T201
    try:
        write_everything(client, mark)
    except KeyboardInterrupt:
        print("\nInterrupted: what was made is deleted (Ctrl+C leaves it)")  # noqa: T201
    try:
        clean_up(client, mark)
    except KeyboardInterrupt:
        left = client.search_count(MODEL, of(mark), context={"active_test": False})
        sys.exit(f"\n{left:,} partners with the reference {mark} are left on the server")


def write_everything(client: ZenooClient, mark: str) -> None:
    """Run the batches of the demonstration."""
    created = carry_out(client, "create", lambda b: b.create(MODEL, partners(PARTNERS, mark)))
    ids = [number for number in created.ids if number is not None]
    same, different = ids[: PARTNERS // 5], ids[PARTNERS // 5 : PARTNERS * 2 // 5]
    town = {"city": "Bern"}
    colours = [{"id": number, "color": number % 10} for number in different]
    some = partners(SOME, mark)
    for place in BAD:
        some[place]["country_id"] = 99_999_999
    carry_out(client, "update, same values", lambda b: b.update(MODEL, town, record_ids=same))
    carry_out(client, "update, different values", lambda b: b.update(MODEL, colours))
    carry_out(client, "delete", lambda b: b.delete(MODEL, ids[-PARTNERS // 10 :]))
    carry_out(client, "create, 3 of them bad", lambda b: b.create(MODEL, some))


def of(mark: str) -> list[tuple[str, str, str]]:
    """Return the domain of the partners that bear the mark."""
    return [("ref", "=", mark)]


def clean_up(client: ZenooClient, mark: str) -> None:
    """Delete all partners that bear the mark."""
    ids = client.search(MODEL, of(mark), context={"active_test": False})
    if ids:
        carry_out(client, "delete what the demo made", lambda b: b.delete(MODEL, ids))


if __name__ == "__main__":
    main()
