"""Which records a domain finds, in which order.

A domain becomes a test of one row. The two releases differ: 14 compares as SQL does (NULL is
nothing), 19 takes an empty text for NULL and zero for no number.
"""

import operator as op
import re
from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from typing import Any

from . import values
from .database import Row
from .env import Env
from .fields import DECIMAL, NAMES, TEXT, TO_MANY, WHOLE, Field
from .models import Model

Test = Callable[[int, Row], bool]

COMPARE = {"<": op.lt, ">": op.gt, "<=": op.le, ">=": op.ge}
LIKE = frozenset({"like", "ilike", "=like", "=ilike"})
NEGATIVE = frozenset({"!=", "not in", "not like", "not ilike"})
OPERATORS = NEGATIVE | LIKE | {*COMPARE, "=", "=?", "in", "child_of", "parent_of"}
ONLY_19 = frozenset({"any", "not any", "not =like", "not =ilike"})
ALIASES = {"<>": "!=", "==": "="}
_ORDER = re.compile(
    r"\s*[\w.]+(\s+(asc|desc))?(\s+nulls\s+(first|last))?\s*"
    r"(,\s*[\w.]+(\s+(asc|desc))?(\s+nulls\s+(first|last))?\s*)*",
    re.IGNORECASE,
)


def ids(
    env: Env, name: str, domain: Any, *, order: Any = "", offset: Any = 0, limit: Any = None
) -> list[int]:
    """Return the ids of the records that match, archived ones only when asked for.

    Archived records show when the context says ``active_test: False`` or the domain names
    ``active``.

    Raises:
        RefusalError: a malformed domain or order, or a field that the model has not.
    """
    table = env.table(name)
    model = table.model
    env.check(model, "access")
    if not isinstance(domain or [], list | tuple):
        raise env.words("no domain", domain=domain)
    terms = list(domain or ())
    named = {term[0] for term in terms if isinstance(term, list | tuple) and term}
    if "active" in model.fields and env.context.get("active_test", True) and "active" not in named:
        terms = [["active", "=", True], *terms]
    test = _test(env, model, terms, domain)
    clause = _checked_order(env, model, order)
    for about, number in (("limit", limit), ("offset", offset)):
        if int(number or 0) < 0:
            raise env.words(about)
    only = _only(terms)
    candidates = table.rows.items() if only is None else env.existing(table, only)
    found = [row_id for row_id, row in candidates if test(row_id, row) and env.sees(model, row)]
    found = values.ordered(env, model, sorted(found), clause)
    start = int(offset or 0)
    return found[start : start + int(limit)] if limit else found[start:]


def by_name(
    env: Env, name: str, text: str, *, operator: str, domain: Any = (), limit: int | None = None
) -> list[int]:
    """Return the ids of the records that a text names, as `name_search` finds them.

    Raises:
        RefusalError: as for `ids`.
    """
    found: list[int] = []
    if name == "res.country" and len(text) == 2:
        found = ids(env, name, [*domain, ["code", operator, text]], limit=limit)
    fields = ["display_name", *(["email", "ref", "vat"] if name == "res.partner" else [])]
    leaves: list[Any] = [[field, operator, text] for field in fields]
    named = ["|"] * (len(leaves) - 1) + leaves if text else []
    found += [row_id for row_id in ids(env, name, [*domain, *named]) if row_id not in found]
    return found[:limit] if limit else found


def _checked_order(env: Env, model: Model, order: Any) -> str:
    """Return an order clause without what 14 passes over."""
    if not order:
        return ""
    if not _ORDER.fullmatch(str(order)):
        raise env.words("order", order=order)
    kept = []
    for name, descending in values.parse_order(order):
        field = model.fields.get(name)
        if field is None:
            raise env.words("field", field=name, model=model.name, where="on model")
        if field.is_sortable and not (env.new and name == "display_name"):
            kept.append(f"{name} desc" if descending else name)
        elif env.new:
            raise env.words("not stored", model=model.name, field=name)
    return ", ".join(kept) or "id"


def _only(terms: Sequence[Any]) -> list[int] | None:
    """Return the only ids that can match, where the conditions say it outright."""
    if "|" not in terms and "!" not in terms:
        for name, operator, value in (term for term in terms if term != "&"):
            given = value if isinstance(value, list | tuple) else [value]
            if name == "id" and operator in {"in", "="} and all(type(v) is int for v in given):
                return sorted(set(given))
    return None


def _test(env: Env, model: Model, terms: Sequence[Any], domain: Any) -> Test:
    """Return the test of a domain in prefix notation; conditions side by side must all hold."""
    tests: list[Test] = []
    for item in reversed(terms):
        if item in ("&", "|", "!"):
            if len(tests) < (1 if item == "!" else 2):
                raise env.words("domain", domain=domain)
            tests.append(_joined(item, tests.pop(), tests.pop() if item != "!" else None))
        else:
            tests.append(_condition(env, model, item))
    tests.reverse()
    return tests[0] if len(tests) == 1 else lambda row_id, row: all(t(row_id, row) for t in tests)


def _joined(operator: str, left: Test, right: Test | None) -> Test:
    if right is None:
        return lambda row_id, row: not left(row_id, row)
    if operator == "&":
        return lambda row_id, row: left(row_id, row) and right(row_id, row)
    return lambda row_id, row: left(row_id, row) or right(row_id, row)


def _condition(env: Env, model: Model, leaf: Any) -> Test:
    """Return the test of one condition.

    Raises:
        RefusalError: no such field or operator, or a value that the field cannot be compared with.
    """
    if not isinstance(leaf, list | tuple) or len(leaf) != 3:
        raise env.words("leaf", leaf=leaf if env.new else tuple(leaf))
    name, operator, value = leaf
    if operator == "=" and name in (0, 1) and value == 1:
        return lambda row_id, row: bool(name)
    known = ALIASES.get(operator, str(operator).lower() if env.new else operator)
    if known not in OPERATORS and not (env.new and known in ONLY_19):
        raise env.words("operator", leaf=tuple(leaf))
    if known == "=?":
        known = "="
        if value is None or value is False:
            return lambda row_id, row: True
    if isinstance(value, list | tuple) and known in {"=", "!="}:
        known = "in" if known == "=" else "not in"
    plain = {"!=": "="}.get(known, known.removeprefix("not "))
    if "." in str(name):  # "not" is about the record at the end of the path
        plain = known
    test = _positive(env, model, str(name), plain, value)
    return test if plain == known else lambda row_id, row: not test(row_id, row)


def _positive(env: Env, model: Model, path: str, operator: str, value: Any) -> Test:
    name, _, rest = path.partition(".")
    if name not in model.fields:
        leaf = (path, operator, value)
        raise env.words("field in a domain", model=model.name, field=path, leaf=leaf)
    field = model.fields[name]
    if field.relation:
        env.other(field)  # which says what is missing
    if not (field.store or field.through or name in NAMES):
        if env.new:
            raise env.words("not stored", model=model.name, field=name)
        return lambda row_id, row: True
    if rest and not field.relation:
        names = {"model": model.name, "field": name, "kind": field.type.capitalize()}
        raise env.words("path", rest=rest, **names)
    if operator in {"child_of", "parent_of"}:
        value = _family(env, field.relation or model.name, operator, value)
        if name == "id" or (name == "parent_id" and field.relation == model.name):
            # A condition on the parent field of the model itself is about the record and its line.
            return lambda row_id, row: row_id in value
        operator = "in"
    elif field.relation and (rest or operator == "any" or operator in LIKE):
        value = _others(env, field, rest, operator, value)
        operator = "in"
    if operator in LIKE:
        return _like(values.getter(env, model, field), operator, value)
    return _compare(env, model, field, operator, value)


def _others(env: Env, field: Field, rest: str, operator: str, value: Any) -> Collection[int]:
    """Return the records at the other side of a relation that a condition is about."""
    other = env.other(field).model
    if rest:
        inner = env.with_context(active_test=False) if field.type == "many2one" else env
        return ids(inner.as_trusted(), other.name, [[rest, operator, value]])
    return ids(env, other.name, value) if operator == "any" else _named(env, field, operator, value)


def _named(env: Env, field: Field, operator: str, value: Any) -> set[int]:
    table = env.other(field)
    matches, name = _pattern(operator, value).fullmatch, table.model.name
    rows = table.rows.items()
    return {one for one, row in rows if matches(values.name_of_row(env, name, one, row))}


def _family(env: Env, relation: str, operator: str, value: Any) -> set[int]:
    """Return records and those below (`child_of`) or above them."""
    table = env.table(relation)
    start = value if isinstance(value, list | tuple) else [value]
    waiting = [int(item) for item in start if item and int(item) in table.rows]
    parent = table.model.fields.get("parent_id")
    has_family = parent is not None and parent.relation == relation
    found: set[int] = set()
    while waiting:
        row_id = waiting.pop()
        if row_id in found:
            continue
        found.add(row_id)
        if has_family and operator == "child_of":
            waiting += table.having("parent_id", row_id)
        elif has_family and (above := table.rows[row_id].get("parent_id")) is not None:
            waiting.append(above)
    return found


def _compare(env: Env, model: Model, field: Field, operator: str, value: Any) -> Test:
    get, nothing = values.getter(env, model, field), _nothing(env, field)
    options = value if isinstance(value, list | tuple | set) else [value]
    wanted = {_comparable(env, field, option, nothing) for option in options}
    for name in [option for option in options if field.relation and isinstance(option, str)]:
        wanted |= _named(env, field, "=like", name)
    if field.type in TO_MANY:
        return _members(env, field, get, wanted)
    compare = COMPARE.get(operator)
    edge: Any = next(iter(wanted), None)

    def test(row_id: int, row: Row) -> bool:
        found = get(row_id, row)
        found = nothing if found is None else found
        if compare is None:
            return found in wanted
        return None not in (found, edge) and compare(found, edge)

    return test


def _members(env: Env, field: Field, get: values.Get, wanted: Collection[int | None]) -> Test:
    """Return the test of a relation to many records; None among those wanted is for no record."""
    other = env.other(field).rows
    owners = {other[one].get(field.relation_field) for one in wanted if one in other}

    def test(row_id: int, row: Row) -> bool:
        if None in wanted and not get(row_id, row):
            return True
        if field.type == "one2many":
            return row_id in owners
        return any(one in wanted for one in row.get(field.name) or ())

    return test


def _nothing(env: Env, field: Field) -> Any:
    """Return what a field without a value counts as: in 14 only a boolean counts as something."""
    if field.type == "boolean":
        return False
    if env.new and field.type in TEXT:
        return ""
    return 0 if env.new and field.type in WHOLE | DECIMAL else None


def _comparable(env: Env, field: Field, value: Any, nothing: Any) -> Any:
    """Return *value* as the column has it; *nothing* for none."""
    if value is None or value is False:
        return nothing
    try:
        if field.type == "boolean":
            return bool(value)
        if field.type == "datetime":
            return str(datetime.fromisoformat(str(value)))
        if field.type in DECIMAL:
            return float(value)
        if field.type in WHOLE or (field.relation and not isinstance(value, str)):
            return int(value)
    except (ValueError, TypeError) as error:
        if field.type == "datetime":
            raise env.words("date in a domain", value=value) from None
        if field.name == "id":
            raise env.words("integer", value=value) from None
        raise env.words(type(error).__name__, text=str(error)) from None
    return str(value)


def _pattern(operator: str, value: Any) -> re.Pattern[str]:
    """Return the expression of a LIKE: ``%`` is any text, ``_`` one character, ``\\`` quotes."""
    text = "" if value is None or value is False else str(value)
    if not operator.startswith("="):
        text = f"%{text}%"
    parts = re.findall(r"\\.|.", text, re.DOTALL)
    joined = "".join({"%": ".*", "_": "."}.get(part) or re.escape(part[-1]) for part in parts)
    flags = re.DOTALL | (re.IGNORECASE if "ilike" in operator else re.NOFLAG)
    return re.compile(joined, flags)


def _like(get: values.Get, operator: str, value: Any) -> Test:
    matches = _pattern(operator, value).fullmatch
    # An empty pattern finds every record, those without a value too.
    everything = not value and not operator.startswith("=")

    def test(row_id: int, row: Row) -> bool:
        found = get(row_id, row)
        return everything if found is None else matches(str(found)) is not None

    return test
