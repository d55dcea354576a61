"""The gate: which tests a run takes, and what its summary tells."""

import importlib.util
from pathlib import Path
from types import SimpleNamespace

import pytest

from .conftest import belongs, grouped_seeds, is_dealt_to

SCRIPTS = Path(__file__).parent.parent / "scripts"
PATTERN = '<testsuites><testsuite name="pytest">{}</testsuite></testsuites>'
PASSED = '<testcase classname="tests.{}" name="{}" time="{}"/>'
FAILED = '<testcase classname="tests.{}" name="{}" time="{}"><failure message="no"/></testcase>'


@pytest.fixture(scope="module")
def script():
    """The script that sums up."""
    spec = importlib.util.spec_from_file_location("summary", SCRIPTS / "summary.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def report(path, *lines):
    """Write a report."""
    path.write_text(PATTERN.format("".join(lines)))


def test_what_passes_by_chance_is_told(script, tmp_path):
    """A test that failed is flaky if it passed when it ran alone; one that failed again is not."""
    names = [f"test_x[odoo19-asyncio-{number}]" for number in range(4)]
    report(
        tmp_path / "odoo.xml",
        PASSED.format("_async.test_a", names[0], 3.5),
        *(FAILED.format("_async.test_a", name, 1) for name in names[1:]),
    )
    report(
        tmp_path / "odoo.again.xml",
        *(PASSED.format("_async.test_a", name, 1) for name in names[1:3]),
        FAILED.format("_async.test_a", names[3], 1),
    )

    lines, flaky = script.summary(tmp_path)

    assert [f"tests._async.test_a::{name}" for name in names[1:3]] == flaky
    assert "     1 passed   odoo         odoo19         asyncio" in lines
    assert "     3 failed   odoo         odoo19         asyncio" in lines
    assert f"   3.5 s  odoo         tests._async.test_a::{names[0]}" in lines


def test_a_green_run(script, tmp_path):
    """Nothing is flaky where nothing failed, also when an earlier report lies there."""
    report(tmp_path / "tests-3.12.xml", PASSED.format("core.test_a", "test_x", 1))
    report(tmp_path / "tests-3.12.again.xml", PASSED.format("core.test_a", "test_x", 1))

    lines, flaky = script.summary(tmp_path)

    assert [] == flaky
    assert "FLAKY: 0" in lines
    assert "     1 passed   tests-3.12   no server" in lines


@pytest.mark.parametrize(
    ("file", "test", "kind"),
    [
        ("_async.test_a", "test_x[standin-json2-trio-3]", ("standin-json2", "trio")),
        ("_sync.test_a", "test_x[odoo19-3]", ("odoo19", "sync")),
        ("test_cancellation_sync", "test_x", ("no server", "sync")),
        ("test_docs", "test_x[odoo14-README.md:9-blocking]", ("odoo14", "sync")),
        ("core.test_a", "test_x", ("no server", "")),
    ],
)
def test_what_a_test_is_about(script, file, test, kind):
    """Server and twin are read off its name."""
    assert kind == script.kind(f"tests.{file}::{test}")


def test_three_are_too_many(script, tmp_path, monkeypatch, capsys):
    """Two tests may pass by chance, three may not."""
    for count, code in ((2, 0), (3, 1)):
        names = [f"test_{number}" for number in range(count)]
        report(tmp_path / "a.xml", *(FAILED.format("b", name, 1) for name in names))
        report(tmp_path / "a.again.xml", *(PASSED.format("b", name, 1) for name in names))
        monkeypatch.setattr("sys.argv", ["summary.py", str(tmp_path)])
        with pytest.raises(SystemExit) as ended:
            script.main()
        assert code == ended.value.code
        assert f"FLAKY: {count}" in capsys.readouterr().out


def test_what_is_of_no_twin_belongs_to_each():
    """A leg is a server and a twin; a test of the server alone runs where the server does."""
    chosen = [("odoo19", "asyncio"), ("odoo14", "sync")]

    assert belongs(("odoo19", "asyncio"), chosen)
    assert not belongs(("odoo19", "sync"), chosen)
    assert belongs(("odoo14", None), chosen)
    assert not belongs(("standin", None), chosen)


class Case:
    """A test item as far as dealing looks at it."""

    def __init__(self, *markers, **params):
        self.callspec = SimpleNamespace(params=params)
        self._markers = markers

    def get_closest_marker(self, name):
        """Whether the item has it."""
        return name in self._markers


ASYNC = [("standin", "asyncio"), ("standin", "trio")]
BLOCKING = [("standin", "sync"), ("standin-json2", "sync")]
ON_REAL = [("odoo19", "asyncio"), ("odoo19-json2", "sync"), ("odoo14", "sync")]
LEGS = [*ASYNC, *BLOCKING, *ON_REAL]


def test_each_case_of_a_long_table_is_dealt_to_one_leg():
    """Each twin has the whole table on stand-ins, real servers have it once; all have a share."""
    dealt = []
    for fault in range(60):
        case = Case("long_table", fault=fault, operation="create", running_server="x")
        found = [leg for leg in LEGS if is_dealt_to(leg, LEGS, case)]
        assert [1, 1, 1] == [len({*found} & {*group}) for group in (ASYNC, BLOCKING, ON_REAL)]
        dealt += found
    assert all(dealt.count(leg) > 10 for leg in LEGS)
    assert all(is_dealt_to(leg, LEGS, Case(fault=1)) for leg in [*LEGS, None])
    case = Case("long_table", "on_standins", fault=1)
    assert not any(is_dealt_to(leg, LEGS, case) for leg in ON_REAL)
    assert any(is_dealt_to(leg, LEGS, case) for leg in ASYNC)


def test_real_servers_get_the_first_seeds():
    """The rest is for `nox -s soak`."""
    first, second = (Case("drawn", seeds=range(start, start + 10)) for start in (0, 10))

    assert [True] * 7 == [is_dealt_to(leg, LEGS, first) for leg in LEGS]
    assert [True] * 4 + [False] * 3 == [is_dealt_to(leg, LEGS, second) for leg in LEGS]


def test_seeds_come_in_groups(monkeypatch):
    """As many as the environment says, or the count; or just one."""
    monkeypatch.delenv("ZENOO_SEED", raising=False)
    monkeypatch.delenv("ZENOO_SCHEDULES", raising=False)
    assert [range(10), range(10, 20), range(20, 24)] == grouped_seeds("ZENOO_SCHEDULES", 24)
    monkeypatch.setenv("ZENOO_SCHEDULES", "3")
    assert [range(3)] == grouped_seeds("ZENOO_SCHEDULES", 24)
    monkeypatch.setenv("ZENOO_SEED", "7")
    assert [range(7, 8)] == grouped_seeds("ZENOO_SCHEDULES", 24)
