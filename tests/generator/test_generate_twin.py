"""The generator of the blocking twin: what it converts, what it refuses, what it leaves alone.

nox runs these on every supported Python. The literal below and the committed trees are the same
bytes for all of them, so a Python that generates others fails here.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path
from textwrap import dedent

import pytest

ROOT = Path(__file__).parents[2]

spec = importlib.util.spec_from_file_location("generate_twin", ROOT / "scripts/generate_twin.py")
generate_twin = importlib.util.module_from_spec(spec)
spec.loader.exec_module(generate_twin)
UnasyncError = generate_twin.UnasyncError

SOURCE, TWIN = Path("src/zenoo_rpc/_async"), Path("src/zenoo_rpc/_sync")


@pytest.fixture(autouse=True)
def names(monkeypatch):
    """A rename table of our own, so that these tests outlive changes to the real one."""
    names = {"_async": "_sync", "AsyncClient": "Client", "asleep": "sleep"}
    monkeypatch.setattr(generate_twin, "NAMES", names)
    return names


@pytest.fixture
def root(tmp_path):
    """A small project that converts."""
    (tmp_path / SOURCE / "deep").mkdir(parents=True)
    (tmp_path / SOURCE / "client.py").write_text("from .. import AsyncClient, asleep\n")
    (tmp_path / SOURCE / "deep/pause.py").write_text("async def pause():\n    await asleep(1)\n")
    (tmp_path / SOURCE / "data.json").write_text('{"async": true}')
    (tmp_path / "tests/_async").mkdir(parents=True)
    (tmp_path / "tests/_async/test_it.py").write_text("from zenoo_rpc._async import client\n")
    return tmp_path


def files(root):
    """Every file below *root* with its content."""
    return {p.relative_to(root).as_posix(): p.read_bytes() for p in root.rglob("*") if p.is_file()}


def convert(source):
    return generate_twin.Converter().convert(dedent(source))


def differences(root):
    return generate_twin.differences(generate_twin.convert_trees(root), root)


def test_code_and_docstrings_lose_their_colour_line_for_line():
    """Keywords, listed names, unasync's own names and the public module change; nothing else."""
    source = '''\
        """Examples.

        >>> from zenoo_rpc import connect
        >>> async with AsyncClient(url) as client:
        ...     async for row in client.rows():
        ...         (await row.partner).name
        >>> async def main(): await (await main()).main()

        `AsyncIterator` and `zenoo_rpc._async` are named here, `asleeping` is not.
        """
        from zenoo_rpc import (
            connect,
        )
        from zenoo_rpc.errors import ZenooError
        import zenoo_rpc

        __all__ = ["AsyncClient"]

        class AsyncClient:
            attribute = 1
            """Say `await asleep(1)`."""

            async def __aenter__(self): return f"{self!r:>{len('x')}} {{asleeping}}"  # as it is

            async def rows(self) -> AsyncIterator[str]:
                async with connect() as rows, \\
                    rows.lock:
                    values = [(await row.load()).name async for row in rows if not await row.gone]
                    yield await (
                        self.first(values)
                    )
    '''
    twin = '''\
        """Examples.

        >>> from zenoo_rpc.sync import connect
        >>> with Client(url) as client:
        ...     for row in client.rows():
        ...         (row.partner).name
        >>> def main(): (main()).main()

        `Iterator` and `zenoo_rpc._sync` are named here, `asleeping` is not.
        """
        from zenoo_rpc.sync import (
            connect,
        )
        from zenoo_rpc.errors import ZenooError
        import zenoo_rpc

        __all__ = ["Client"]

        class Client:
            attribute = 1
            """Say `sleep(1)`."""

            def __enter__(self): return f"{self!r:>{len('x')}} {{asleeping}}"  # as it is

            def rows(self) -> Iterator[str]:
                with connect() as rows, \\
                    rows.lock:
                    values = [(row.load()).name for row in rows if not row.gone]
                    yield (
                        self.first(values)
                    )
    '''
    assert dedent(twin) == convert(source)


REFUSED = {
    "await in an f-string": ('\nf"{await x}"', "2: await inside an f-string"),
    "async for in an f-string": ('f"{[x async for x in y]}"', "1: await inside an f-string"),
    "name in an f-string": ('f"{asleep}"', "1: 'asleep' inside an f-string"),
    "string in an f-string": ("f\"{x['asleep']}\"", "1: 'asleep' inside an f-string"),
    "await without a space": ("await(x)", "1: 'await': go on behind it"),
    "await at the line end": ("(await\nx)", "1: 'await': go on behind it"),
    "await before a backslash": ("await \\\nx", "1: 'await': go on behind it"),
    "await before a comment": ("(await # why\nx)", "1: 'await': go on behind it"),
    "async and two spaces": ("async  def f(): pass", "1: 'async': go on behind it"),
    "module in the code": ("import asyncio", "1: 'asyncio' is left"),
    "event loop": ("from anyio import Event", "1: 'anyio' is left"),
    "other event loop": ("import trio", "1: 'trio' is left"),
    "type": ("x: Awaitable[int]", "1: 'Awaitable' is left"),
    "generic type": ("from typing import Coroutine", "1: 'Coroutine' is left"),
    "builtin": ("aiter(x)", "1: 'aiter' is left"),
    "other builtin": ("anext(x)", "1: 'anext' is left"),
    "context manager": ("aclosing(x)", "1: 'aclosing' is left"),
    "class that no rule names": ("class AsyncThing: pass", "1: 'AsyncThing' is left"),
    "class in a string": ('x = "AsyncThing"', "1: 'AsyncThing' is left"),
    "path in a string": ('x = "zenoo_rpc._async.client"', "1: '_async' is left"),
    "special method in a comment": ("x = 1  # not __aenter__", "1: '__aenter__' is left"),
    "comment": ("x = 1\n# await it", "2: 'await' is left"),
    "name in a comment": ("x = 1  # like asleep", "1: 'asleep' is left"),
    "adverb": ('"""Text.\n\nSends asynchronously."""', "3: 'asynchronously' is left"),
    "participle": ('"""May be awaited."""', "1: 'awaited' is left"),
    "adjective": ('"""Take an async function."""', "1: 'async' is left"),
    "end of a sentence": ('"""Plain or async."""', "1: 'async' is left"),
    "name beside its twin": ("\nasleep(0)\nx.sleep(0)", "2: 'asleep' and 'sleep' (line 3)"),
    "type beside its twin": (
        "from collections.abc import AsyncIterator, Iterator",
        "1: 'AsyncIterator' and 'Iterator' (line 1)",
    ),
    "quoted argument": ('def f(x: "int"): pass', "1: quoted type 'int'"),
    "quoted result": ('async def f() -> list["int"]: pass', "1: quoted type 'int'"),
    "quoted variable": ('x: "int | None" = None', "1: quoted type 'int | None'"),
    "cancelled": ("try: pass\nexcept CancelledError: pass", "2: no thread is cancelled"),
    "cancelled among others": (
        "try: pass\nexcept (OSError, aio.CancelledError): pass",
        "2: no thread is cancelled",
    ),
    "nothing that compiles": ("x = 1\nreturn x", "2: 'return' outside function"),
    "no Python": ("x = 1\nx = = 1", "2: invalid syntax"),
}


@pytest.mark.parametrize(("source", "reason"), REFUSED.values(), ids=REFUSED)
def test_refused_with_its_line(source, reason):
    """What would make bad blocking code is named with its line, not converted."""
    with pytest.raises(UnasyncError) as caught:
        convert(source)

    assert str(caught.value).startswith(reason)


@pytest.mark.parametrize(
    "source",
    ["asleep(0)", "sleep(0)", "asleep(0); sleeping(0)", 'asleep("sleep now")'],
)
def test_a_name_without_its_twin_is_converted(source):
    """The refusal of a name beside its twin is about that, and about nothing else."""
    assert source.replace("asleep", "sleep") == convert(source)


def test_literal_strings_are_no_quoted_types():
    source = 'def f(x: Literal["stop"] | None = None) -> list[Literal["a", "b"]]: return "text"'

    assert source == convert(source)


def test_a_rule_that_breaks_the_twin_is_refused(names):
    names["asleep"] = "class"

    with pytest.raises(UnasyncError, match=r"^1: invalid syntax, here or in the twin"):
        convert("asleep(0)")


def test_another_number_of_lines_is_refused(names):
    names["asleep"] = "sleep\\\n"

    with pytest.raises(UnasyncError, match=r"^1: the twin has another number of lines"):
        convert("asleep(0)")


def test_all_reasons_are_given_at_once_with_their_files(root):
    (root / SOURCE / "client.py").write_text("# asyncio\n\n# trio\n")
    (root / "tests/_async/test_it.py").write_text("import anyio\n")

    with pytest.raises(UnasyncError) as caught:
        generate_twin.generate(root)

    assert [
        "src/zenoo_rpc/_async/client.py:1",
        "src/zenoo_rpc/_async/client.py:3",
        "tests/_async/test_it.py:1",
    ] == [line.partition(": ")[0] for line in str(caught.value).splitlines()]


def test_a_rule_that_matches_nothing_is_refused(root, names):
    names["acall"] = "call"

    with pytest.raises(UnasyncError, match=r"NAMES\['acall'\] matches nothing"):
        generate_twin.generate(root)


def test_a_source_without_files_is_refused(root):
    """It is a wrong path, and its twin would be deleted."""
    (root / "tests/_async/test_it.py").unlink()

    with pytest.raises(UnasyncError, match="tests/_async: has no files"):
        generate_twin.generate(root)


def test_a_tree_is_written_whole(root):
    """Folders and other files come along, caches do not, and what was there before is gone."""
    (root / SOURCE / "__pycache__").mkdir()
    (root / SOURCE / "__pycache__/client.cpython-311.pyc").write_bytes(b"\0")
    (root / TWIN).mkdir()
    (root / TWIN / "stale.py").write_text("x = 1\n")
    sources = files(root / SOURCE)

    generate_twin.generate(root)

    assert {
        "client.py": b"from .. import Client, sleep\n",
        "deep/pause.py": b"def pause():\n    sleep(1)\n",
        "data.json": b'{"async": true}',
    } == files(root / TWIN)
    assert {"test_it.py": b"from zenoo_rpc._sync import client\n"} == files(root / "tests/_sync")
    assert sources == files(root / SOURCE)
    assert {"src", "tests"} == {path.name for path in root.iterdir()}


def test_a_refusal_changes_nothing(root):
    """Not even the tree that would have converted."""
    generate_twin.generate(root)
    (root / SOURCE / "client.py").write_text("AsyncClient, asleep, new\n")
    (root / "tests/_async/test_it.py").write_text("import anyio\n")
    before = files(root)

    with pytest.raises(UnasyncError):
        generate_twin.generate(root)

    assert before == files(root)


def test_what_is_up_to_date_is_not_written_again(root):
    """A build may run beside the tests that import the twin."""
    generate_twin.generate(root)
    before = (root / TWIN).stat().st_ino

    generate_twin.generate(root)

    assert before == (root / TWIN).stat().st_ino


def test_check_names_changed_missing_and_extra_files(root, monkeypatch, capsys):
    """In any folder, caches left out; it writes nothing."""
    generate_twin.generate(root)
    assert [] == differences(root)
    (root / TWIN / "client.py").write_text("from .. import Client\n")
    (root / TWIN / "deep/pause.py").unlink()
    (root / TWIN / "stale").mkdir()
    (root / TWIN / "stale/stale.py").write_text("")
    (root / TWIN / "__pycache__").mkdir()
    (root / TWIN / "__pycache__/client.cpython-311.pyc").write_bytes(b"\0")
    before = files(root)

    monkeypatch.setattr(generate_twin, "ROOT", root)
    monkeypatch.setattr("sys.argv", ["generate_twin.py", "--check"])

    assert 1 == generate_twin.main()
    assert [
        "src/zenoo_rpc/_sync/client.py: differs",
        "src/zenoo_rpc/_sync/deep/pause.py: missing",
        "src/zenoo_rpc/_sync/stale/stale.py: extra",
    ] == capsys.readouterr().err.splitlines()
    assert before == files(root)


def test_the_committed_twin_is_the_generated_one(monkeypatch):
    monkeypatch.undo()  # the real rename table

    assert [] == differences(ROOT)
