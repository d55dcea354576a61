"""Every check of the project; `nox` alone runs what a change must pass before it is proposed."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

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
BOTH_DIALECTS = PYTHONS[0]  # which has the least to do
REAL_SERVERS = "--servers=odoo19,odoo14,odoo19-json2"
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
PACKAGE = ("-e", ".[progress,testing]")


def group(name: str) -> list[str]:
    """Return the requirements of a dependency group."""
    return list(nox.project.dependency_groups(PYPROJECT, name))


@nox.session(python=PYTHONS)
def tests(session: nox.Session) -> None:
    """Run all tests that need no Odoo: wire tests talk to the stand-in.

    On one Python they do so in both dialects.
    """
    session.install(*PACKAGE, *group("test"))
    measured = ("coverage", "run", "-m") if session.python == ONE_PYTHON else ()  # it takes time
    servers = "standin,standin-json2" if session.python == BOTH_DIALECTS else "standin"
    many = {}
    if session.python == PYTHONS[-1]:
        many = {"ZENOO_SCHEDULES": "240", "ZENOO_PROGRAMS": "300"}
    side_by_side = ("-n", "4")  # they wait more than they work
    where = (f"--servers={servers}", *side_by_side)
    session.run(*measured, "pytest", *where, *session.posargs, env=many)


@nox.session(python=ONE_PYTHON)
def soak(session: nox.Session) -> None:
    """Run thousands of random schedules: `nox -s soak -- 10000`, and a server with `--servers=`."""
    count, *options = session.posargs or ["3000"]
    session.install(*PACKAGE, *group("test"))
    where = options or ["--servers=standin"]
    session.run("pytest", "-k", "schedules", *where, env={"ZENOO_SCHEDULES": count})


@nox.session(python=ONE_PYTHON)
def reliability(session: nox.Session) -> None:
    """Run every fault on every server in both twins, and write docs/reliability.md from it."""
    session.install(*PACKAGE, *group("test"))
    report = os.path.join(session.create_tmp(), "report.jsonl")
    with open(report, "w"):
        pass
    environment = {"ZENOO_FAULT_REPORT": report, "ZENOO_WHOLE_TABLE": "1"}
    for servers, schedules in (("--servers=standin,standin-json2", "500"), (REAL_SERVERS, "60")):
        where = (servers, "tests/_async", "tests/_sync", *session.posargs)
        told = {**environment, "ZENOO_SCHEDULES": schedules}
        drawn = ("-k", "schedules or faults and not trio", "-n", "3")
        session.run("pytest", *drawn, *where, env=told)
        alone = ("-k", "outages and not trio")  # they restart the servers
        session.run("pytest", *alone, *where, env=told)
    session.run("python", "scripts/reliability.py", report)


@nox.session(python=ONE_PYTHON)
def coverage(session: nox.Session) -> None:
    """Tell what the tests on one Python covered: the core must be whole, the rest nearly."""
    session.install("coverage")
    session.run("coverage", "combine")
    session.run("coverage", "report", "--include=src/zenoo_rpc/_core/*", "--fail-under=100")
    session.run("coverage", "report", "--fail-under=95")


@nox.session(python=ONE_PYTHON)
def typing(session: nox.Session) -> None:
    """Check the types of both trees."""
    session.install(*PACKAGE, *group("typing"))
    session.run("mypy", "--strict", *session.posargs)


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
    session.run("scripts/odoo/provision.sh", "19", "14", external=True)
    many = ("pytest", REAL_SERVERS, "-n", "3")
    alone = ("pytest", REAL_SERVERS)
    with lab("19", "zenoo_standin") as odoo_19, lab("14", "zenoo_standin") as odoo_14:
        # what tests/standin compares the stand-in with
        environment = {"ZENOO_TEST_ODOO_19": odoo_19, "ZENOO_TEST_ODOO_14": odoo_14}
        if session.posargs:
            session.run(*alone, *session.posargs, env=environment)
            return
        outages = [f"tests/{twin}/test_outages.py" for twin in ("_async", "_sync")]
        programs = "tests/standin/test_against_odoo.py"
        apart = [f"--ignore={path}" for path in (*outages, programs)]
        session.run(*many, *apart, *WIRE_TESTS)
        session.run(*alone, programs, env=environment)  # they share one database
        session.run(*alone, *outages)  # they restart the servers


@contextmanager
def lab(version: str, database: str) -> Iterator[str]:
    """Run a server of the lab with a fresh database; give its URL and the database's name."""

    def serve(what: str, *arguments: str) -> dict[str, str]:
        command = ["scripts/odoo/serve.sh", what, version, *arguments]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
        return dict(line.split("=", 1) for line in done.stdout.splitlines())

    was_running = serve("env")["ODOO_PID"]
    try:
        started = serve("start", "--db", database)
        yield f"{started['ODOO_URL']} {database}"
    finally:
        serve("drop", database)
        if not was_running:
            serve("stop")


@nox.session(python=ONE_PYTHON)
def demo(session: nox.Session) -> None:
    """Show the library at work on the stand-in."""
    session.install(*PACKAGE)
    session.run("python", "-m", "zenoo_rpc.testing.demo", *session.posargs)
