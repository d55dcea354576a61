"""Every check of the project; `nox` alone runs what a change must pass before it is proposed."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from xml.etree import ElementTree

import nox

nox.needs_version = ">=2025.2.9"
nox.options.sessions = ["tests", "coverage", "typing", "lint", "twin"]
nox.options.default_venv_backend = "virtualenv"
nox.options.download_python = "never"
nox.options.error_on_external_run = True
nox.options.error_on_missing_interpreters = "CI" in os.environ

PYPROJECT = nox.project.load_toml()
PYTHONS = ["3.11", "3.12", "3.13"]
ONE_PYTHON = "3.12"
MEASURED = "3.13"  # where coverage is: one case of each wire test shows what is never run
STANDINS = "standin,standin-json2"
THIN = ("-m", "not slow")
ON_STANDINS = {
    "3.11": ("--slice=standin-json2", *THIN),
    "3.12": (
        "--servers=standin,standin-json2:sync",
        "--slice=standin-json2:asyncio,standin-json2:trio",
        "--deal",
    ),
    "3.13": ("--slice=standin", *THIN),
}
REAL = "odoo19,odoo19-json2,odoo14"
# Each real server whole in one twin, Odoo 19 in both, and a slice of 14 in the other.
LEGS = "odoo19:asyncio,odoo19-json2:sync,odoo14:sync"
SLICE = "--slice=odoo14:asyncio"
OUTAGES = [f"tests/{twin}/test_outages.py" for twin in ("_async", "_sync")]
WIRE_TESTS = (
    "tests/_async",
    "tests/_sync",
    "tests/standin",
    "tests/lab",
    "tests/test_cancellation_async.py",
    "tests/test_cancellation_sync.py",
    "tests/test_docs.py",
    "tests/test_demo.py",
)
# They wait more than they work. Each worker begins at another place, so that all servers are busy.
SIDE_BY_SIDE = ("-n", os.environ.get("ZENOO_WORKERS", "6"), "--dist=worksteal")
PACKAGE = ("-e", ".[progress,testing]")


def group(name: str) -> list[str]:
    """Return the requirements of a dependency group."""
    return list(nox.project.dependency_groups(PYPROJECT, name))


def run_tests(
    session: nox.Session, name: str, *arguments: str, env: dict[str, str] | None = None
) -> None:
    """Run pytest. In CI, where ZENOO_REPORTS names a folder, what fails is run once more, alone.

    Reports of both runs are left there for scripts/summary.py, which tells what passed by chance
    only, and lets no more than two such tests pass.
    """
    folder = os.environ.get("ZENOO_REPORTS")
    measured = name == f"tests-{MEASURED}"
    command = ("coverage", "run", "-m", "pytest") if measured else ("pytest",)
    if folder is None:
        session.run(*command, *arguments, env=env)
        return
    first, again = (os.path.join(folder, f"{name}{suffix}.xml") for suffix in ("", ".again"))
    session.run(*command, *arguments, f"--junitxml={first}", env=env, success_codes=[0, 1])
    if any(each.tag in ("failure", "error") for each in ElementTree.parse(first).iter()):
        session.run("pytest", *arguments, "-n0", "--last-failed", f"--junitxml={again}", env=env)


@nox.session(python=PYTHONS)
def tests(session: nox.Session) -> None:
    """Run the tests that need no Odoo: wire tests talk to the stand-in.

    On one Python all of them, on the others all but wire tests, and of these one case of each, in
    one dialect.
    """
    session.install(*PACKAGE, *group("test"))
    which = ON_STANDINS[str(session.python)]
    run_tests(session, f"tests-{session.python}", *which, *SIDE_BY_SIDE, *session.posargs)


@nox.session(python=PYTHONS)
def matrix(session: nox.Session) -> None:
    """Run everything on everything: all tests, servers, twins and loops, on each Python."""
    session.install(*PACKAGE, *group("test"))
    session.run("pytest", f"--servers={STANDINS}", *SIDE_BY_SIDE, *session.posargs)
    if session.python == ONE_PYTHON:
        on_real_servers(session, f"{REAL},odoo19:trio,odoo19-json2:trio,odoo14:trio")


@nox.session(python=ONE_PYTHON)
def soak(session: nox.Session) -> None:
    """Draw thousands of trials: `nox -s soak -- 5000`, on other servers with `--servers=`.

    Schedules, transaction programs, and the examples of hypothesis, other ones than in the gate.
    What goes wrong is told with the command that repeats it.
    """
    count, *options = session.posargs or ["5000"]
    session.install(*PACKAGE, *group("test"))
    drawn = {"ZENOO_SCHEDULES": count, "ZENOO_PROGRAMS": count}
    where = options or [f"--servers={STANDINS}"]
    session.run("pytest", "-m", "drawn", *SIDE_BY_SIDE, *where, env=drawn)
    if not options:
        session.run("pytest", "tests/core", *SIDE_BY_SIDE, env={"ZENOO_EXPLORE": "1"})


@nox.session(python=ONE_PYTHON)
def reliability(session: nox.Session) -> None:
    """Run every fault on every server in both twins, and write docs/reliability.md from it."""
    session.install(*PACKAGE, *group("test"))
    report = os.path.join(session.create_tmp(), "report.jsonl")
    with open(report, "w"):
        pass
    for servers, schedules in ((STANDINS, "500"), (REAL, "60")):
        where = (f"--servers={servers}", "tests/_async", "tests/_sync", *session.posargs)
        told = {"ZENOO_FAULT_REPORT": report, "ZENOO_SCHEDULES": schedules}
        session.run("pytest", "-k", "schedules or faults", *SIDE_BY_SIDE, *where, env=told)
        alone = ("-k", "outages and not trio")  # they restart the servers
        session.run("pytest", *alone, *where, env=told)
    session.run("python", "scripts/reliability.py", report)


# what decides: every line and branch of it is covered
WHOLE = [f"src/zenoo_rpc/{room}/*" for room in ("_core", "wire", "batch")]


@nox.session(python=ONE_PYTHON)
def coverage(session: nox.Session) -> None:
    """Tell what the tests on one Python covered: the core must be whole, the rest nearly."""
    session.install("coverage")
    session.run("coverage", "combine")
    session.run("coverage", "report", f"--include={','.join(WHOLE)}", "--fail-under=100")
    session.run("coverage", "report", "--fail-under=95")


@nox.session(python=ONE_PYTHON)
def typing(session: nox.Session) -> None:
    """Check the types of both trees, and of users' programs as mypy and pyright see them."""
    session.install(*PACKAGE, *group("typing"))
    session.run("mypy", "--strict", *session.posargs)
    session.run("basedpyright")


@nox.session(python=ONE_PYTHON)
def lint(session: nox.Session) -> None:
    """Check style and format."""
    session.install(*group("lint"))
    session.run("ruff", "check")
    session.run("ruff", "format", "--check")


@nox.session(python=PYTHONS)
def twin(session: nox.Session) -> None:
    """Check that the blocking twin in the checkout is what its async source generates."""
    session.install(*PYPROJECT["build-system"]["requires"])
    session.run("python", "scripts/generate_twin.py", "--check")


@nox.session(python=ONE_PYTHON)
def odoo(session: nox.Session) -> None:
    """Run the wire tests against real Odoo 19, in both dialects, and 14, installing these first."""
    session.install(*PACKAGE, *group("test"))
    on_real_servers(session, LEGS, SLICE, "--deal")


def on_real_servers(session: nox.Session, servers: str, *options: str) -> None:
    """Run the wire tests against real Odoo, or those that the session was told to run."""
    session.run("scripts/odoo/provision.sh", "19", "14", external=True)
    where = (f"--servers={servers}", *options)
    with lab("19"), lab("14"):
        if session.posargs:
            session.run("pytest", *where, *session.posargs)
            return
        apart = [f"--ignore={path}" for path in OUTAGES]  # they restart the servers
        run_tests(session, "odoo", *where, *SIDE_BY_SIDE, *apart, *WIRE_TESTS)
        run_tests(session, "outages", *where, *OUTAGES)


@contextmanager
def lab(version: str) -> Iterator[None]:
    """Keep a server of the lab running."""

    def serve(what: str) -> str:
        command = ["scripts/odoo/serve.sh", what, version]
        return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout

    was_running = "ODOO_PID=\n" not in serve("env")
    try:
        serve("start")
        yield
    finally:
        if not was_running:
            serve("stop")


@nox.session(python=ONE_PYTHON)
def demo(session: nox.Session) -> None:
    """Show the library at work on the stand-in."""
    session.install(*PACKAGE)
    session.run("python", "-m", "zenoo_rpc.testing.demo", *session.posargs)
