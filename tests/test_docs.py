"""What the documentation shows, run: examples of pages and docstrings, in both twins."""

import ast
import asyncio
import copy
import doctest
import importlib
import importlib.util
import inspect
import pkgutil
import re
from pathlib import Path

import anyio
import pytest

import zenoo_rpc

from ._sync.accounts import log_in
from .servers import Server

ROOT = Path(__file__).parent.parent
PAGES = [
    "README.md",
    *(f"docs/{name}.md" for name in ("batch", "keys", "testing", "transactions")),
]
KEY_ONLY = re.compile(r"(login_with_api_key\(\"[^\"]+\", [^,\n]+)\)$", re.MULTILINE)
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
COLOURS = ["asyncio", "trio", "blocking"]

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


def load(path):
    """Import a file by its path."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


generator = load(ROOT / "scripts" / "generate_twin.py")


def blocks(page):
    """Return the Python examples of a page, with the line that each begins at."""
    text = (ROOT / page).read_text()
    return [(text.count("\n", 0, m.start(1)) + 1, m[1]) for m in BLOCK.finditer(text)]


def log_in_at(server: Server, code):
    """Let an example log in to *server*, over JSON-2 with a key instead of the password."""
    if server.protocol == "json2":
        by_key = f'login_with_api_key("demo", "{server.api_key}")'
        code = code.replace('login("demo", "admin", "admin")', by_key)
    code = re.sub(r'login(\w*)\("demo"', rf'login\1("{server.database}"', code)
    if server.version == "14.0":  # where a key does not say whose it is
        code = KEY_ONLY.sub(r'\1, "admin")', code)
    return code


def at(server: Server, code, ids):
    """Point an example at *server*, and at records that exist there and may be archived."""
    code = code.replace('"localhost", port=8069', f'"{server.host}", port={server.port}')
    code = log_in_at(server, code)
    code = code.replace("list(range(1, 51))", str(ids)).replace("[1, 2, 3]", str(ids[:3]))
    return re.sub(r'\{"id": (\d), ', lambda m: f'{{"id": {ids[int(m[1])]}, ', code)


def run(code, where, colour):
    """Execute an example and call the functions that it defines."""
    names = {"__name__": "example"}
    exec(compile("\n" * where[1] + code, where[0], "exec"), names)
    defined = [node.name for node in ast.parse(code).body if hasattr(node, "args")]
    for name in defined if "asyncio.run(" not in code else []:
        if colour == "blocking":
            names[name]()
        else:
            anyio.run(names[name], backend=colour)


@pytest.fixture
def ids(server, monkeypatch):
    """Fifty-one partners on the server, besides two archived ones that are obsolete."""
    monkeypatch.setenv("ODOO_API_KEY", server.api_key)
    monkeypatch.setenv("ODOO_PASSWORD", server.password)
    with zenoo_rpc.sync.ZenooClient(server.url) as client:
        log_in(client, server)
        obsolete = {"active": False, "ref": "obsolete"}
        client.create("res.partner", [{"name": f"Obsolete {n}", **obsolete} for n in range(2)])
        return client.create("res.partner", [{"name": f"Docs {n}"} for n in range(51)])


EXAMPLES = [(page, line, code) for page in PAGES for line, code in blocks(page)]
ASYNC = [example for example in EXAMPLES if re.search(r"\basync def\b", example[2])]
PLAIN = [example for example in EXAMPLES if example not in ASYNC]


def named(examples):
    """Name examples by their place."""
    return [pytest.param(*each, id=f"{each[0]}:{each[1]}") for each in examples]


@pytest.mark.parametrize("colour", COLOURS)
@pytest.mark.parametrize(("page", "line", "code"), named(ASYNC))
def test_examples_of_the_async_api(server, ids, page, line, code, colour, capsys):
    """An example runs as it stands, and as its blocking twin, without a surprise."""
    if "asyncio.run(" in code:
        code = code if colour == "asyncio" else code.replace("asyncio.run(main())\n", "")
        code = code.replace("import asyncio\n", "") if colour != "asyncio" else code
    code = at(server, code, ids)
    if colour == "blocking":
        code = code.replace("import asyncio\n", "")
        code = code.replace("asyncio.CancelledError", "KeyboardInterrupt")
        code = generator.Converter().convert(code)

    run(code, (page, line), colour)

    assert "Unexpected error" not in capsys.readouterr().out


@pytest.mark.parametrize("refused", [False, True], ids=["archived", "refused"])
@pytest.mark.parametrize("colour", COLOURS)
def test_the_transaction_of_the_page(server, colour, refused, capsys):
    """As it stands, with partners 1 and 2: where 1 is a user's, nothing is left of the block."""
    [(line, code)] = [
        each for each in blocks("docs/transactions.md") if "def batch_with_transaction" in each[1]
    ]
    code = code.replace('"localhost", port=8069', f'"{server.host}", port={server.port}')
    code = log_in_at(server, code)
    if colour == "blocking":
        code = generator.Converter().convert(code)
    if refused:
        with zenoo_rpc.sync.ZenooClient(server.url) as client:
            log_in(client, server)
            [user] = client.search("res.users", [("login", "=", server.limited_login)])
            client.write("res.users", user, {"partner_id": 1})

    run(code, ("docs/transactions.md", line), colour)

    said = capsys.readouterr().out
    active = [row["active"] for row in server.rows("res.partner", [1, 2])]
    if refused:
        assert said.startswith("Transaction rolled back due to error: ")
        assert "archive" in said
        assert (0, [True, False]) == (server.count("res.partner"), active)
    else:
        assert "Batch operations committed successfully\n" == said
        assert (2, [False, False]) == (server.count("res.partner"), active)


@pytest.mark.parametrize(("page", "line", "code"), named(PLAIN))
def test_examples_of_the_blocking_api(server, ids, page, line, code, capsys):
    """An example runs as it stands."""
    code = at(server, code, ids)
    if "def test_" in code:
        assert "odoo_standin" in code  # a test of a user's: run by test_standin_fixture_example
        return
    run(code, (page, line), "blocking")


def test_the_examples_of_the_stand_in_are_tests(odoo_standin):
    """The test shown on the stand-in's page passes."""
    ((_, code),) = [each for each in blocks("docs/testing.md") if "def test_" in each[1]]
    names = {"ZenooClient": zenoo_rpc.sync.ZenooClient}
    exec(code, names)

    names["test_my_import"](odoo_standin)


def modules():
    """Yield every module of the package but the demonstration."""
    for info in pkgutil.walk_packages(zenoo_rpc.__path__, "zenoo_rpc."):
        if not info.name.endswith(("demo", "plugin")):
            yield importlib.import_module(info.name)


def docstring_examples():
    """Return the doctests of all modules; those that need a client are run against a server."""
    finder = doctest.DocTestFinder(exclude_empty=True)
    found = [test for module in modules() for test in finder.find(module) if test.examples]
    return {test.name: test for test in found}


DOCTESTS = docstring_examples()


@pytest.mark.parametrize("name", DOCTESTS)
def test_examples_of_docstrings(server, name):
    """A docstring's example gives what it says, in the tree that it stands in."""
    test = copy.copy(DOCTESTS[name])
    test.globs, test.examples = dict(test.globs), [copy.copy(each) for each in test.examples]
    source = "".join(example.source for example in test.examples)
    twin = zenoo_rpc.sync if "._sync." in name else zenoo_rpc
    test.globs.update(ZenooClient=twin.ZenooClient, url=server.url)
    for example in test.examples:
        example.source = log_in_at(server, example.source)
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
    failures = []
    with pytest.MonkeyPatch.context() as patch:
        if "await " in source or "async " in source:
            patch.setattr(doctest, "compile", compile_async, raising=False)
            patch.setattr(doctest, "exec", exec_async, raising=False)
        runner.run(test, out=failures.append, clear_globs=False)

    assert "" == "".join(failures)
    assert runner.tries > 0


def compile_async(source, filename, mode, flags=0, dont_inherit=False):
    """Compile an example that may await at its top level."""
    return compile(source, filename, mode, flags | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit)


def exec_async(code, names):
    """Run it."""
    result = eval(code, names)
    if inspect.iscoroutine(result):
        asyncio.run(result)


def test_the_readme_names_its_two_commands():
    """Both commands stand in the README as one line to copy."""
    text = (ROOT / "README.md").read_text()
    for mark in ("demo command", "test command"):
        (command,) = re.findall(rf"<!-- {mark} -->\n```sh\n(.*)\n```", text)
        assert command.startswith("python3 -m venv .venv && ")
