"""The README's first command: the demonstration tells what became of every record."""

import re
import subprocess
import sys

import pytest

from zenoo_rpc.testing import demo


def test_demo_on_a_server(server, monkeypatch, capsys):
    """With an address it writes there, names the refused records, and leaves nothing behind."""
    monkeypatch.setattr(demo, "PARTNERS", 300)
    monkeypatch.setattr(demo, "rows", [])
    for name, value in [
        ("URL", server.url),
        ("DATABASE", server.database),
        ("USER", server.login),
        ("PASSWORD", server.password),
    ]:
        monkeypatch.setenv(f"ZENOO_{name}", value)

    demo.main()

    printed = capsys.readouterr().out
    assert ["17", "500", "999"] == re.findall(r"record (\d+): refused", printed)
    assert re.search(r"^create +300 +300 +0 +0 +0 +3 ", printed, re.MULTILINE)
    assert re.search(r"^create, 3 of them bad +1000 +997 +3 +0 +0 ", printed, re.MULTILINE)
    assert 0 == server.count("res.partner")


def test_demo_asks_for_what_is_missing(monkeypatch):
    """An address without a database and a user ends with a sentence, not a traceback."""
    monkeypatch.setenv("ZENOO_URL", "http://127.0.0.1:1")

    with pytest.raises(SystemExit, match="ZENOO_DATABASE and ZENOO_USER and ZENOO_PASSWORD"):
        demo.main()


def test_demo_as_a_command(monkeypatch):
    """Without an address it starts the stand-in and writes 10,000 partners to that."""
    monkeypatch.delenv("ZENOO_URL", raising=False)
    command = [sys.executable, "-m", "zenoo_rpc.testing.demo"]

    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)

    assert 0 == done.returncode
    assert re.search(r"^create +10000 +10000 +0 +0 +0 ", done.stdout, re.MULTILINE)
