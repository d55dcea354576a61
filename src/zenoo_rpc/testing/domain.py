"""Domains: from the list a caller sends to a test of one row.

`parse` makes a tree of the prefix notation, `Compiler` a predicate of the tree. The two releases
differ: 14 compares as SQL does (NULL is nothing), 19 takes an empty text for NULL and zero for no
    number.
"""

from collections.abc import Callable
from typing import Any

from attrs import frozen

from . import leaves
from .database import Row
from .env import Env
from .errors import builtin
from .models import Model

Test = Callable[[int, Row], bool]

OPERATORS = frozenset({"=", "!=", "<>", "<", ">", "<=", ">=", "=?", "child_of", "parent_of"})
OPERATORS |= {"in", "not in", "like", "not like", "ilike", "not ilike", "=like", "=ilike"}
ONLY_19 = frozenset({"==", "any", "not any", "not =like", "not =ilike"})
NEGATED = {
    "=": "!=",
    "in": "not in",
    "like": "not like",
    "ilike": "not ilike",
    "<": ">=",
    ">": "<=",
}
NEGATED |= {after: before for before, after in NEGATED.items()} | {"<>": "="}


@frozen
class Leaf:
    """One condition."""

    name: str
    operator: str
    value: Any


@frozen
class Not:
    """The opposite of a condition."""

    term: Any


@frozen
class Join:
    """Two conditions; *operator* is ``&`` or ``|``."""

    operator: str
    left: Any
    right: Any


@frozen
class Constant:
    """A condition that does not look at the record."""

    value: bool


Term = Leaf | Not | Join | Constant


def parse(domain: Any, series: int) -> list[Term]:
    """Return the conditions that must all hold.

    Raises:
        OdooError: the domain is malformed, in the words of the release.
    """
    if not isinstance(domain, list | tuple):
        if domain is None:
            return []
        if isinstance(domain, bool) and series >= 19:
            return [Constant(domain)]
        if not domain:
            raise builtin("TypeError", f"object of type '{type(domain).__name__}' has no len()")
        if series >= 19:
            text = f"Domain() invalid argument type for domain: {domain!r}"
            raise builtin("TypeError", text)
        text = (
            "Domains to normalize must have a 'domain' form: a list or tuple of domain components"
        )
        raise builtin("AssertionError", text)
    stack: list[Term] = []
    for item in reversed(domain):
        if item in ("&", "|"):
            if len(stack) < 2:
                raise _malformed(domain, series)
            stack.append(Join(item, stack.pop(), stack.pop()))
        elif item == "!":
            if not stack:
                raise _malformed(domain, series)
            stack.append(Not(stack.pop()))
        else:
            stack.append(_leaf(item, series))
    stack.reverse()
    return stack


def _malformed(domain: Any, series: int) -> Exception:
    if series >= 19:
        return builtin("ValueError", f"Domain() malformed domain {domain!r}")
    text = f"This domain is syntactically not correct: {domain!r}"
    return builtin("AssertionError", text)


def _leaf(item: Any, series: int) -> Term:
    if not isinstance(item, list | tuple) or len(item) != 3:
        if series >= 19:
            raise builtin("ValueError", f"Domain() invalid item in domain: {item!r}")
        if isinstance(item, list | tuple):
            raise builtin("ValueError", f"Invalid leaf {tuple(item)!r}")
        if isinstance(item, str):
            raise builtin("IndexError", "string index out of range")
        raise builtin("TypeError", f"object of type '{type(item).__name__}' has no len()")
    name, operator, value = item
    if operator == "=" and name in (0, 1) and value == 1:
        return Constant(bool(name))
    if series >= 19 and isinstance(operator, str):
        operator = operator.lower()
    if operator not in OPERATORS and not (series >= 19 and operator in ONLY_19):
        if series >= 19:
            raise builtin("ValueError", f"Invalid operator in condition {tuple(item)!r}")
        raise builtin("ValueError", f"Invalid leaf {tuple(item)!r}")
    aliases = {"<>": "!=", "==": "="}
    return Leaf(str(name), aliases.get(operator, str(operator)), value)


def names(terms: list[Term]) -> set[str]:
    """Return the fields that the conditions name, not those behind a dot."""
    found: set[str] = set()
    for term in terms:
        if isinstance(term, Leaf):
            found.add(term.name)
        elif isinstance(term, Not):
            found |= names([term.term])
        elif isinstance(term, Join):
            found |= names([term.left, term.right])
    return found


def few(terms: list[Term]) -> list[int] | None:
    """Return the only ids that can match, where the conditions say it outright."""
    for term in terms:
        if isinstance(term, Leaf) and term.name == "id":
            values = term.value if isinstance(term.value, list | tuple) else [term.value]
            if term.operator in {"in", "="} and all(type(value) is int for value in values):
                return sorted(set(values))
    return None


def compile_terms(env: Env, model: Model, terms: list[Term]) -> Test:
    """Return the test that a row must pass to match all the conditions."""
    tests = [_compile(env, model, term, positive=True) for term in terms]
    if len(tests) == 1:
        return tests[0]
    return lambda row_id, row: all(test(row_id, row) for test in tests)


def _compile(env: Env, model: Model, term: Term, *, positive: bool) -> Test:
    if isinstance(term, Constant):
        if not positive and env.series < 19:
            raise builtin("ValueError", f"Invalid leaf {(int(term.value), '!=', 1)!r}")
        value = term.value is positive
        return lambda row_id, row: value
    if isinstance(term, Not):
        return _compile(env, model, term.term, positive=not positive)
    if isinstance(term, Join):
        left = _compile(env, model, term.left, positive=positive)
        right = _compile(env, model, term.right, positive=positive)
        if (term.operator == "&") is positive:
            return lambda row_id, row: left(row_id, row) and right(row_id, row)
        return lambda row_id, row: left(row_id, row) or right(row_id, row)
    if positive:
        return leaves.compile_leaf(env, model, term.name, term.operator, term.value)
    if env.series < 19 and term.operator in NEGATED:
        # 14 turns the operator round, so that a path through an empty reference matches neither
        # way.
        turned = NEGATED[term.operator]
        return leaves.compile_leaf(env, model, term.name, turned, term.value)
    test = leaves.compile_leaf(env, model, term.name, term.operator, term.value)
    return lambda row_id, row: not test(row_id, row)
