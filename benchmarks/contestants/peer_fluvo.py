"""fluvo: loads CSV files by Odoo's import, in so many threads; it deletes nothing.

Creates and different values are `fluvo import` (by external id, `load`), the same values for all
are `fluvo write`, as its documentation has them; the adaptive throttle is off "for maximum speed",
unless it is measured with its defaults.
Its import switches tracking off by default. The files are written before the clock starts, and an
empty import of one record has logged in by then.
"""

import csv
import os
import tempfile
from pathlib import Path
from urllib.parse import urlsplit

from fluvo.__main__ import cli
from worker import run


def write_csv(name, rows):
    """Write rows, mappings, as fluvo reads them."""
    with Path(name).open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]), delimiter=";")
        writer.writeheader()
        writer.writerows(rows)


def login(job):
    """Write the files, and log in by writing what is there already."""
    url, database, user, password = job["target"]
    place = urlsplit(url)
    os.chdir(tempfile.mkdtemp())
    Path("bench.conf").write_text(
        f"[Connection]\nhostname = {place.hostname}\nport = {place.port}\ndatabase = {database}\n"
        f"login = {user}\npassword = {password}\nprotocol = jsonrpc\n"
    )
    match job["name"]:
        case "create":
            rows = [{"id": each["ref"], **each} for each in job["records"]]
        case "same":
            rows = [{"id": number, **job["values"]} for number in job["ids"]]
        case "different":
            pairs = zip(job["external_ids"], job["updates"], strict=True)
            rows = [{"id": name, **values} for name, values in pairs]
        case "again":
            for number, rows in enumerate(job["files"]):
                write_csv(f"rows{number}.csv", rows)
            return
    write_csv("rows.csv", rows)
    write_csv("first.csv", [{"id": "base.main_partner", "active": "1"}])
    fluvo("import", "first.csv", job, "--headless")


def fluvo(command, file, job, *more):
    """Run fluvo as from the command line."""
    shared = ["--connection-file", "bench.conf", "--file", file, "--model", job["model"]]
    given = {"--worker": job["concurrency"], "--size": job["chunk"]}
    limits = [text for name, value in given.items() if value for text in (name, str(value))]
    cli.main([command, *shared, *limits, *more], standalone_mode=False)


def load(_, job):
    """Import the rows."""
    fast = ["--no-adaptive-throttle"] if job["chunk"] else []
    fluvo("import", "rows.csv", job, "--headless", *fast)


def same(_, job):
    """Write the rows."""
    fluvo("write", "rows.csv", job)


def again(_, job):
    """Import file after file, with the options given."""
    for number in range(len(job["files"])):
        shared = ["--connection-file", "bench.conf", "--file", f"rows{number}.csv"]
        own = [*job["options"], "--model", job["model"], "--headless"]
        if "parent_id/id" not in job["files"][number][0]:
            own = [each for each in own if each not in ("--groupby", "parent_id/id")]
        cli.main(["import", *shared, *own], standalone_mode=False)


run(login, create=load, same=same, different=load, again=again)
