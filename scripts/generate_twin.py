"""Generate each `_sync/` tree from its `_async/` tree.

unasync swaps the tokens. This script gives it the names, converts the docstrings, which
unasync leaves alone, and refuses whatever would make bad blocking code.

    python scripts/generate_twin.py           write the trees; a refusal changes nothing
    python scripts/generate_twin.py --check   write nothing, name every file that differs
"""

from __future__ import annotations

import argparse
import ast
import io
import re
import sys
import tempfile
import tokenize
from collections.abc import Iterable, Iterator
from pathlib import Path

import tokenize_rt
import unasync

ROOT = Path(__file__).resolve().parent.parent
TREES = {"src/zenoo_rpc/_async": "src/zenoo_rpc/_sync", "tests/_async": "tests/_sync"}


def pairs(module: Path) -> dict[str, str]:
    """Return the names in a module's `__all__` that are there with and without an `a` before."""
    names = {
        each.value
        for node in ast.parse(module.read_text()).body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__"
        for each in ast.walk(node.value)
        if isinstance(each, ast.Constant) and isinstance(each.value, str)
    }
    return {name: name[1:] for name in sorted(names) if name[0] in "aA" and name[1:] in names}


# Every name that differs between the twins, on top of unasync's own (`__aenter__`,
# `AsyncIterator` ...). A new row usually means that the code belongs in `_core`.
NAMES = {
    # httpx
    "AsyncByteStream": "SyncByteStream",
    "AsyncClient": "Client",
    "aclose": "close",
    "aiter_bytes": "iter_bytes",
    # what comes in two colours: `asleep` and `sleep`
    **pairs(ROOT / "src/zenoo_rpc/_compat.py"),
}

# Users change this one line, and so do their tests and the examples in docstrings.
MODULE = re.compile(r"\bfrom zenoo_rpc import\b")
TWIN_MODULE = "from zenoo_rpc.sync import"

# What no generated file may contain, docstrings and comments included.
COLOUR = r"\w*(?:async|await|coroutine)\w*|\b(?:anyio|trio|aiter|anext|aclosing)\b"

Refusals = Iterator[tuple[int, str]]  # line, and what to do about it


class UnasyncError(Exception):
    """The async source cannot become good blocking code as it stands; one argument a reason."""

    def __str__(self) -> str:
        return "\n".join(self.args)


class Converter:
    """Converts one file after another, and remembers which names it has met."""

    def __init__(self) -> None:
        self._rule = unasync.Rule("", "", NAMES)  # no paths: it never opens a file
        self._rule._unasync_name = self._rename  # instead of guesses at what `Async...` means
        self._names: dict[str, str] = self._rule.token_replacements
        self._leftover = re.compile(rf"{COLOUR}|\b(?:{'|'.join(self._names)})\b", re.IGNORECASE)
        self.met: set[str] = set()

    def convert(self, text: str) -> str:
        """Return the blocking twin of *text*, or raise UnasyncError with `line: reason`."""
        try:
            _refuse(sorted(self._refused_in_source(text)))
            twin = self._twin(text)
            compile(twin, "<twin>", "exec", dont_inherit=True)
        except SyntaxError as error:
            reason = f"{error.msg}, here or in the twin: write it otherwise"
            raise UnasyncError(f"{error.lineno}: {reason}") from error
        _refuse(self._refused_in_twin(twin, text.count("\n")))
        return twin

    def _twin(self, text: str) -> str:
        tokens = self._rule._unasync_tokens(tokenize_rt.src_to_tokens(text))
        lines = tokenize_rt.tokens_to_src(tokens).split("\n")
        for node in ast.walk(ast.parse("\n".join(lines))):
            match node:
                case ast.Expr(value=ast.Constant(value=str())):  # a docstring
                    for index in range(node.lineno - 1, node.end_lineno or node.lineno):
                        lines[index] = self._convert_prose(lines[index])
        return MODULE.sub(TWIN_MODULE, "\n".join(lines))

    def _convert_prose(self, line: str) -> str:
        line = re.sub(r"\b[A-Za-z_]\w*\b", lambda word: self._rename(word[0]), line)
        # Elsewhere in prose "async" is no keyword but a claim, which is left, and refused.
        return re.sub(r"\b(?:async (?=(?:with|for|def)\b)|await (?=\S))", "", line)

    def _rename(self, name: str) -> str:
        if name in self._names:
            self.met.add(name)
        return self._names.get(name, name)

    def _refused_in_source(self, text: str) -> Refusals:
        tree = ast.parse(text)
        line_of = dict(_identifiers(tree))
        for name, twin in self._names.items():
            if name in line_of and twin in line_of:
                both = f"{name!r} and {twin!r} (line {line_of[twin]})"
                yield line_of[name], f"{both} become one name: rename one, or use two files"

        lines = text.split("\n")
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            if token.string in {"async", "await"}:
                row, column = token.end
                if not re.match(r" [^\s\\#]", lines[row - 1][column:]):
                    yield row, f"{token.string!r}: go on behind it, after one space"

        for node in ast.walk(tree):
            match node:
                case ast.JoinedStr():
                    yield from self._refused_in_f_string(node)
                case ast.ExceptHandler(type=ast.expr() as caught):
                    if any(name == "CancelledError" for name, _ in _identifiers(caught)):
                        yield node.lineno, "no thread is cancelled: use `except BaseException`"
                case (
                    ast.arg(annotation=ast.expr() as hint)
                    | ast.AnnAssign(annotation=hint)
                    | ast.FunctionDef(returns=ast.expr() as hint)
                    | ast.AsyncFunctionDef(returns=ast.expr() as hint)
                ):
                    yield from _quoted_types(hint)

    def _refused_in_f_string(self, f_string: ast.JoinedStr) -> Refusals:
        # Its inside is tokens on Python 3.12 and later, and one plain string before.
        words = {name for name, _ in _identifiers(f_string)}
        for node in ast.walk(f_string):
            match node:
                case ast.Await() | ast.comprehension(is_async=1):
                    yield f_string.lineno, "await inside an f-string: await it in a line before"
                case ast.Constant(value=str() as text):
                    words.add(text)
        for name in words & self._names.keys():
            yield f_string.lineno, f"{name!r} inside an f-string: use it in a line before"

    def _refused_in_twin(self, twin: str, line_breaks: int) -> Refusals:
        if twin.count("\n") != line_breaks:
            yield 1, "the twin has another number of lines: keep the names in NAMES on one line"
        for number, line in enumerate(twin.split("\n"), 1):
            if found := self._leftover.search(line):
                yield number, f"{found[0]!r} is left in the twin: reword it, or add it to NAMES"


def _refuse(refusals: Iterable[tuple[int, str]]) -> None:
    if reasons := [f"{line}: {reason}" for line, reason in refusals]:
        raise UnasyncError(*reasons)


def _identifiers(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """Yield every name below *tree* with its line, dotted ones in parts."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant):
            continue
        for _, value in ast.iter_fields(node):
            for name in value if isinstance(value, list) else [value]:
                if isinstance(name, str):
                    yield from ((part, getattr(node, "lineno", 1)) for part in name.split("."))


def _quoted_types(hint: ast.AST) -> Refusals:
    match hint:
        case ast.Constant(value=str()):
            yield hint.lineno, f"quoted type {hint.value!r}: unquote it"
        case ast.Subscript(value=ast.Name(id="Literal")):
            return
    for child in ast.iter_child_nodes(hint):
        yield from _quoted_types(child)


def _files(tree: Path) -> dict[str, Path]:
    return {
        path.relative_to(tree).as_posix(): path
        for path in sorted(tree.rglob("*"))
        if path.is_file() and path.suffix != ".pyc" and path.parent.name != "__pycache__"
    }


def convert_trees(root: Path) -> dict[str, bytes]:
    """Return every twin's content by its path below *root*, or raise UnasyncError."""
    converter = Converter()
    contents: dict[str, bytes] = {}
    refused: list[str] = []
    for source, target in TREES.items():
        files = _files(root / source)
        if not files:
            refused.append(f"{source}: has no files: write some, or take it out of TREES")
        for name, file in files.items():
            content = file.read_bytes()
            if file.suffix == ".py":
                try:
                    content = converter.convert(content.decode()).encode()
                except UnasyncError as error:
                    refused += [f"{source}/{name}:{reason}" for reason in error.args]
            contents[f"{target}/{name}"] = content
    if not refused:
        unmet = [name for name in NAMES if name not in converter.met]
        refused = [f"{Path(__file__).name}: NAMES[{name!r}] matches nothing" for name in unmet]
    if refused:
        raise UnasyncError(*refused)
    return contents


def differences(contents: dict[str, bytes], root: Path) -> list[str]:
    """Name every file below *root* that is not as in *contents*, missing and extra ones too."""
    found = {f"{tree}/{n}": f for tree in TREES.values() for n, f in _files(root / tree).items()}
    report = [f"{path}: missing" for path in contents.keys() - found.keys()]
    report += [f"{path}: extra" for path in found.keys() - contents.keys()]
    for path in contents.keys() & found.keys():
        if contents[path] != found[path].read_bytes():
            report.append(f"{path}: differs")
    return sorted(report)


def generate(root: Path = ROOT) -> None:
    """Write every `_sync/` tree afresh, or change nothing and raise UnasyncError."""
    contents = convert_trees(root)
    if not differences(contents, root):
        return
    with tempfile.TemporaryDirectory(dir=root, prefix=".twin-") as scratch:
        for path, content in contents.items():
            Path(scratch, path).parent.mkdir(parents=True, exist_ok=True)
            Path(scratch, path).write_bytes(content)
        for target in TREES.values():
            if (root / target).exists():
                (root / target).rename(Path(scratch, f"{target}.old"))
            Path(scratch, target).rename(root / target)


def main() -> int:
    """Run from the command line and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--check", action="store_true", help="compare only, and write nothing")
    report: list[str] = []
    try:
        if parser.parse_args().check:
            report = differences(convert_trees(ROOT), ROOT)
        else:
            generate()
    except UnasyncError as error:
        report = [*error.args]
    for line in report:
        print(line, file=sys.stderr)
    return 1 if report else 0


if __name__ == "__main__":
    sys.exit(main())
