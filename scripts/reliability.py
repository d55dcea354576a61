"""Write the tables of docs/reliability.md from what the tests reported.

    scripts/reliability.py REPORT

REPORT is the file that ZENOO_FAULT_REPORT named while the tests ran (see `nox -s reliability`).
"""

import json
import sys
from collections import Counter, defaultdict
from pathlib import Path

PAGE = Path(__file__).resolve().parent.parent / "docs" / "reliability.md"
BEGIN, END = "<!-- made by scripts/reliability.py -->", "<!-- until here -->"
SERVERS = {
    "standin": "stand-in",
    "standin-json2": "stand-in JSON-2",
    "odoo19": "Odoo 19",
    "odoo19-json2": "Odoo 19 JSON-2",
    "odoo14": "Odoo 14",
}
TWINS = {"asyncio": "async", "trio": "async", "sync": "blocking"}
WRONG = ("lost", "doubled", "misreported", "foreign")
MIXED = "mixed"


def read(report):
    """Return how many schedules there were, and what was wrong, by operation, fault and column."""
    cells = defaultdict(lambda: defaultdict(lambda: defaultdict(Counter)))
    for line in Path(report).read_text().splitlines():
        told = json.loads(line)
        column = (told["server"], TWINS[told["twin"]])
        fault = told["fault"] if told["operation"] != MIXED else _how_many(told["fault"])
        cell = cells[told["operation"]][fault][column]
        cell.update({name: told[name] for name in ("schedules", *WRONG)})
    return cells


def _how_many(names):
    count = 0 if names == "none" else names.count(" + ") + 1
    return f"{count} faults at once" if count != 1 else "1 fault"


def tables(cells):
    """Return the page's part: one table for each operation."""
    columns = [(server, twin) for server in SERVERS for twin in ("async", "blocking")]
    lines = []
    total = Counter()
    for operation in sorted(cells, key=lambda name: (name == MIXED, name)):
        title = (
            "batches of several operations, drawn at random" if operation == MIXED else operation
        )
        heads = [f"{SERVERS[server]}, {twin}" for server, twin in columns]
        lines += [f"### {title[0].upper()}{title[1:]}", ""]
        lines += [f"| fault | {' | '.join(heads)} |", "|---" * (len(columns) + 1) + "|"]
        for fault in sorted(cells[operation]):
            row = [cells[operation][fault][column] for column in columns]
            for cell in row:
                total.update(cell)
            lines.append(f"| {fault} | {' | '.join(map(_shown, row))} |")
        lines.append("")
    wrong = ", ".join(f"{name}: {total[name]}" for name in WRONG)
    return [f"{total['schedules']:,} schedules; {wrong}.", "", *lines]


def _shown(cell):
    wrong = " ".join(str(cell[name]) for name in ("lost", "doubled", "misreported"))
    return f"{wrong} ({cell['schedules']})" if cell["schedules"] else "-"


def main():
    """Put the tables where they belong in the page."""
    before, _, rest = PAGE.read_text().partition(BEGIN)
    _, _, after = rest.partition(END)
    PAGE.write_text("\n".join([before + BEGIN, "", *tables(read(sys.argv[1])), END + after]))


if __name__ == "__main__":
    main()
