"""The README's first command: the demonstration tells what became of every record."""

import io
import re
import subprocess
import sys

import pytest

from zenoo_rpc.testing import demo


@pytest.fixture(autouse=True)
def clean(monkeypatch):
    """Nothing is said by the environment."""
    for name in ("URL", *demo.NAMES):
        monkeypatch.delenv(f"ZENOO_{name}", raising=False)


@pytest.mark.parametrize("by", ["key", "password"])
def test_demo_on_a_server(server, monkeypatch, capsys, by):
    """With an address it writes there, names the refused records, and leaves nothing behind."""
    monkeypatch.setattr(demo, "PARTNERS", 300)
    monkeypatch.setattr(demo, "rows", [])
    login = {"URL": server.url, "DATABASE": server.database}
    if by == "key":
        login["API_KEY"] = server.api_key
    if by == "password" or server.version == "14.0":
        login["USER"] = server.login
    if by == "password":
        login["PASSWORD"] = server.password
    for name, value in login.items():
        monkeypatch.setenv(f"ZENOO_{name}", value)

    demo.main(["--yes"])

    printed = capsys.readouterr().out
    spoken = "json2" if by == "key" and server.version != "14.0" else "jsonrpc"
    assert f"at {server.url}, database {server.database}, {spoken}\n" in printed
    assert ["17", "500", "999"] == re.findall(r"record (\d+): refused", printed)
    # two calls where the first was answered before the second set off, as then that is larger
    assert re.search(r"^create +300 +300 +0 +0 +0 +[23] ", printed, re.MULTILINE)
    assert re.search(r"^create, 3 of them bad +1000 +997 +3 +0 +0 ", printed, re.MULTILINE)
    assert 0 == server.count("res.partner")


def test_demo_asks_for_what_is_missing(monkeypatch):
    """An address without a database and a key ends with a sentence, not a traceback."""
    monkeypatch.setenv("ZENOO_URL", "http://127.0.0.1:1")
    for name, value in (("USER", "ann"), ("DATABASE", "demo"), ("API_KEY", ""), ("PASSWORD", "")):
        with pytest.raises(SystemExit, match=r"ZENOO_DATABASE and ZENOO_API_KEY \(or ZENOO_USER"):
            demo.main([])
        monkeypatch.setenv(f"ZENOO_{name}", value)


def on(server, monkeypatch, **login):
    """Let the environment name a server."""
    who = {"DATABASE": server.database, "USER": server.login, "PASSWORD": server.password}
    for name, value in {"URL": server.url, **who, **login}.items():
        monkeypatch.setenv(f"ZENOO_{name}", value)


def test_demo_asks_before_it_writes(server, monkeypatch):
    """It says how many records and where; without a terminal it wants a flag."""
    on(server, monkeypatch)
    monkeypatch.setattr("sys.stdin", io.StringIO())
    with pytest.raises(SystemExit, match=f"10,997 partners in {server.database}.*add --yes"):
        demo.main([])
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("builtins.input", lambda question: "n" if "10,997" in question else "y")
    with pytest.raises(SystemExit, match=r"Nothing was written\."):
        demo.main([])
    assert 0 == server.count("res.partner")


def test_demo_with_a_wrong_password(server, monkeypatch):
    """One line says so."""
    on(server, monkeypatch, PASSWORD="wrong")
    with pytest.raises(SystemExit, match=r"refused the login.*Check") as caught:
        demo.main(["--yes"])
    assert 1 == len(str(caught.value).splitlines())


@pytest.mark.parametrize("times", [1, 2])
def test_demo_that_is_interrupted(server, monkeypatch, capsys, times):
    """Ctrl+C deletes what was made; a second one tells what is left, and by what to find it."""
    on(server, monkeypatch)
    monkeypatch.setattr(demo, "PARTNERS", 300)
    monkeypatch.setattr(demo, "rows", [])
    carry_out = demo.carry_out

    def interrupted(client, title, add):
        if title.startswith("update") or (times == 2 and title.startswith("delete what")):
            raise KeyboardInterrupt
        return carry_out(client, title, add)

    monkeypatch.setattr(demo, "carry_out", interrupted)
    if times == 2:
        with pytest.raises(SystemExit, match="300 partners with the reference zenoo-demo-"):
            demo.main(["--yes"])
    else:
        demo.main(["--yes"])
    assert "Interrupted" in capsys.readouterr().out
    assert (300 if times == 2 else 0) == server.count("res.partner")


def test_demo_has_a_help(capsys):
    """It says what the demonstration does, and by which variables."""
    with pytest.raises(SystemExit):
        demo.main(["--help"])
    assert "ZENOO_API_KEY" in capsys.readouterr().out


def test_demo_as_a_command():
    """Without an address it starts the stand-in and writes 10,000 partners to that."""
    command = [sys.executable, "-m", "zenoo_rpc.testing.demo"]

    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)

    assert 0 == done.returncode
    assert re.search(r"^create +10000 +10000 +0 +0 +0 ", done.stdout, re.MULTILINE)
    table = done.stdout.strip().rpartition("\n\n")[2].splitlines()
    assert 80 >= max(map(len, table))
