"""Tell what a run of the gate has tested, and which tests passed by chance only.

    scripts/summary.py FOLDER

FOLDER holds pytest's reports (`--junitxml`). Beside a NAME.xml where tests failed is NAME.again.xml
of their second run, each alone. A test that passed there is FLAKY; three of them fail the gate.
"""

import re
import sys
from collections import Counter
from pathlib import Path
from xml.etree import ElementTree

MOST_FLAKY = 2
SLOWEST = 10
SERVER = re.compile(r"\b(?:odoo19-json2|odoo19|odoo14|standin-json2|standin)\b")
TWIN = re.compile(r"\b(?:asyncio|trio|blocking)\b")


def cases(report):
    """Return the name, the seconds and the result of each test of a report."""
    found = []
    for each in ElementTree.parse(report).iter("testcase"):
        tags = {part.tag for part in each}
        failed = tags & {"failure", "error"}
        result = "failed" if failed else "skipped" if "skipped" in tags else "passed"
        name = f"{each.get('classname')}::{each.get('name')}"
        found.append((name, float(each.get("time", 0)), result))
    return found


def kind(name):
    """Return the server and the twin that a test is about, as far as its name tells."""
    file, _, test = name.partition("::")
    server = SERVER.search(test)
    twin = TWIN.search(test)
    blocking = "._sync." in file or file.endswith("_sync")
    return (
        server[0] if server else "no server",
        "sync" if blocking else twin[0].replace("blocking", "sync") if twin else "",
    )


def summary(folder):
    """Return what is to be told, as lines, and the names of the flaky tests."""
    reports = sorted(path for path in Path(folder).glob("*.xml") if ".again" not in path.name)
    lines, flaky, all_cases = [], [], []
    for report in reports:
        found = cases(report)
        all_cases += [(seconds, name, report.stem) for name, seconds, _ in found]
        failed = {name for name, _, result in found if result == "failed"}
        again = report.with_suffix(".again.xml")
        later = cases(again) if again.exists() else []
        flaky += sorted(failed & {name for name, _, result in later if result == "passed"})
        counts = Counter((*kind(name), result) for name, _, result in found)
        lines += [
            f"{count:6} {result:8} {report.stem:12} {server:14} {twin}".rstrip()
            for (server, twin, result), count in sorted(counts.items())
        ]
    lines += ["", f"slowest {SLOWEST}:"]
    lines += [
        f"{s:6.1f} s  {where:12} {name}"
        for s, name, where in sorted(all_cases)[: -SLOWEST - 1 : -1]
    ]
    lines += ["", f"FLAKY: {len(flaky)}", *(f"  {name}" for name in flaky)]
    return lines, flaky


def main():
    """Print the summary; too many flaky tests are a failure."""
    lines, flaky = summary(sys.argv[1])
    print(*lines, sep="\n")
    sys.exit(len(flaky) > MOST_FLAKY)


if __name__ == "__main__":
    main()
