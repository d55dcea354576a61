"""Load companies and their people with external ids on real Odoo 19, and load them again.

    ZENOO_URL=... ZENOO_DATABASE=... ZENOO_USER=... ZENOO_PASSWORD=... python benchmarks/again.py

Take a database of its own. There are 500 companies and 4,500 people, each with a company (by its
external id), a country and two tags. zenoo_rpc loads them four times: new; the same again; with 100
changed; all changed (another phone). Then fluvo does so, in an environment of its own, with its
defaults and with four workers and rows grouped by their company. After each turn the database must
hold each record once, with its values. Prints seconds, and what went wrong.

Options: --companies, --people, --changed, --rounds, --environments.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path

from peers import SCRIPTS, Contestant, python_of
from target import connected, target

MODEL = "res.partner"
FLUVO = Contestant("peer_fluvo.py", "fluvo==0.0.3")
DEFAULTS, BEST = "fluvo, defaults", "fluvo, 4 workers, grouped"
OPTIONS = {
    DEFAULTS: [],
    BEST: ["--worker", "4", "--size", "100", "--groupby", "parent_id/id"],
}
COUNTRIES = ("base.ch", "base.de", "base.fr")
TURNS = ("new", "the same again", "some changed", "all changed")


def data(mark, options, turn):
    """Return companies and people for one turn; tags and countries go by external ids."""
    companies = [
        {
            "id": f"{mark}.company{n}",
            "name": f"{mark} company {n}",
            "ref": f"{mark}-c{n}",
            "is_company": True,
            "city": "Bern",
            "country_id": COUNTRIES[n % 3],
        }
        for n in range(options.companies)
    ]
    people = [
        {
            "id": f"{mark}.person{n}",
            "name": f"{mark} person {n}",
            "ref": f"{mark}-p{n}",
            "email": f"{mark}-{n}@example.com",
            "phone": phone(n, turn, options),
            "parent_id": f"{mark}.company{n % options.companies}",
            "country_id": COUNTRIES[n % options.companies % 3],  # a person's is that of the company
            "category_id": [n % 5, 5 + n % 3],
        }
        for n in range(options.people)
    ]
    return companies, people


def phone(number, turn, options):
    """Return a phone number, another one where it is to be changed."""
    if turn == "all changed":
        return f"+1-557-{number:06}"
    changed = turn == "some changed" and number < options.changed
    return f"+1-{556 if changed else 555}-{number:06}"


def ours(client, rows, tags, _):
    """Load them with zenoo_rpc; return the seconds."""
    companies, people = rows
    people = [{**each, "category_id": [tags[n] for n in each["category_id"]]} for each in people]
    began = time.perf_counter()
    with client.batch() as batch:
        batch.create(MODEL, companies, external_ids="id")
        batch.create(MODEL, people, external_ids="id")
    return time.perf_counter() - began


def fluvo(options, label):
    """Return what loads them with fluvo, as from its command line, in one process."""

    def load(_, rows, __, mark):
        job = {
            "name": "again",
            "target": target(),
            "model": MODEL,
            "files": [csv_rows(each, mark) for each in rows],
            "options": OPTIONS[label],
        }
        there = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
        command = [python_of(FLUVO, options.environments), SCRIPTS / FLUVO.script]
        process = subprocess.run(
            command, input=json.dumps(job), env=there, capture_output=True, text=True, check=False
        )
        if process.returncode:
            raise RuntimeError(process.stderr.strip().splitlines()[-1][:200])
        return json.loads(process.stdout)["seconds"]

    return load


def csv_rows(records, mark):
    """Return records as the rows of a file for an import."""
    return [
        {
            **{name: value for name, value in each.items() if not name.endswith("_id")},
            "is_company": "1" if each.get("is_company") else "0",
            "country_id/id": each["country_id"],
            **({"parent_id/id": each["parent_id"]} if "parent_id" in each else {}),
            **(
                {"category_id/id": ",".join(f"{mark}.tag{n}" for n in each["category_id"])}
                if "category_id" in each
                else {}
            ),
        }
        for each in records
    ]


def fault(client, mark, rows, tags):
    """Return what is wrong with what is there, in a few words, or nothing."""
    companies, people = rows
    fields = ["ref", "name", "phone", "parent_id", "category_id"]
    found = client.search_read(MODEL, [("name", "=like", f"{mark} %")], fields)
    there = {row["ref"]: row for row in found}
    wanted = [*companies, *people]
    if len(found) != len(wanted) or len(there) != len(wanted):
        return f"{len(found)} are there, {len(there)} of them different, of {len(wanted)}"
    ids = {each["id"]: there[each["ref"]]["id"] for each in wanted}
    wrong = sum(
        row["phone"] != each["phone"]
        or row["parent_id"][0] != ids[each["parent_id"]]
        or set(row["category_id"]) != {tags[n] for n in each["category_id"]}
        for each, row in ((each, there[each["ref"]]) for each in people)
    )
    return f"{wrong} have other values" if wrong else ""


def main():
    """Let them load, again and again, and print a table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    for name, value in (("companies", 500), ("people", 4500), ("changed", 100), ("rounds", 1)):
        parser.add_argument(f"--{name}", type=int, default=value)
    folder = os.environ.get("ZENOO_BENCHMARKS", Path.home() / ".cache" / "zenoo-benchmarks")
    parser.add_argument("--environments", type=Path, default=folder)
    parser.add_argument("--without-fluvo", action="store_true")
    options = parser.parse_args()
    loaders = {"zenoo_rpc": ours}
    if not options.without_fluvo:
        python_of(FLUVO, options.environments)
        loaders |= {label: fluvo(options, label) for label in OPTIONS}

    number = int(time.time())
    print(f"{'':27}" + "".join(f"{turn:>16}" for turn in TURNS))
    with connected() as client:
        for _ in range(options.rounds):
            for label, load in loaders.items():
                number += 1
                mark = f"again{number}"
                tags = client.batch_manager.bulk_create(
                    "res.partner.category",
                    [{"name": f"{mark} {n}"} for n in range(8)],
                    external_ids=[f"{mark}.tag{n}" for n in range(8)],
                )
                took, faults = [], []
                for turn in TURNS:
                    rows = data(mark, options, turn)
                    try:
                        took.append(f"{load(client, rows, tags, mark):14.2f} s")
                    except Exception as error:
                        took.append(f"{'failed':>16}")
                        faults.append(f"{turn}: {str(error).splitlines()[0][:100]}")
                    if wrong := fault(client, mark, rows, tags):
                        faults.append(f"{turn}: {wrong}")
                print(f"{label:27}" + "".join(took), *faults, sep="\n    ", flush=True)
                left = client.search(MODEL, [("name", "=like", f"{mark} %")], order="id desc")
                client.batch_manager.bulk_delete(MODEL, left, chunk_size=500)


if __name__ == "__main__":
    sys.exit(main())
