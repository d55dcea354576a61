"""The tables of docs/reliability.md: every fault, in every cell, and nothing went wrong."""

import re
from pathlib import Path

from ._async.test_faults import OPERATIONS
from ._async.test_outages import OPERATIONS as UNDER_OUTAGES
from .proxy import FAULTS, TURNED_AWAY, UNPROVEN
from .servers import OUTAGES

PAGE = (Path(__file__).parent.parent / "docs" / "reliability.md").read_text()
RIGHT = re.compile(r"0 0 0 \([1-9]\d*\)")
COLUMNS = [
    f"{server}, {twin}"
    for server in ("stand-in", "Odoo 19", "Odoo 14")
    for twin in ("async", "blocking")
]


def table(title):
    """Return the table under a title, as cells by row and column."""
    _, found, rest = PAGE.partition(f"\n### {title[0].upper()}{title[1:]}\n\n")
    assert found, f"no table {title}: run nox -s reliability"
    lines = rest.partition("\n\n")[0].splitlines()
    heads, _, *rows = ([cell.strip() for cell in line.strip("|").split("|")] for line in lines)
    return {row[0]: dict(zip(heads[1:], row[1:], strict=True)) for row in rows}


def test_every_fault_and_operation():
    """Each with each, on every server and in both twins: nothing lost, doubled or misreported."""
    for operation in OPERATIONS:
        made = table(operation)
        outages = set(OUTAGES) if operation in UNDER_OUTAGES else set()
        wanted = {fault.name for fault in FAULTS} | outages
        assert wanted <= made.keys() <= wanted | {each.name for each in (*TURNED_AWAY, *UNPROVEN)}
        for fault, cells in made.items():
            assert set(COLUMNS) <= cells.keys()
            for column, cell in cells.items():
                none = cell == "-" and column not in COLUMNS  # a fault of the other dialect
                assert none or RIGHT.fullmatch(cell), (fault, column)


def test_schedules_drawn_at_random():
    """Hundreds on the stand-in, dozens on each Odoo, and all went well."""
    rows = table("batches of several operations, drawn at random").values()
    for column in COLUMNS:
        cells = [row[column] for row in rows if row[column] != "-"]
        assert all(RIGHT.fullmatch(cell) for cell in cells)
        count = sum(int(cell.partition("(")[2][:-1]) for cell in cells)
        assert (300 if column.startswith("stand-in") else 36) <= count
