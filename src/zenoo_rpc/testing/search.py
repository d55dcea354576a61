"""Which records a domain finds, in which order.

Each condition of a domain becomes the set of the records that meet it. The two releases differ: 14
compares as SQL does (NULL is nothing), 19 takes an empty text for NULL and zero for no number.
"""

import operator as op
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from attrs import frozen

from . import values
from .database import Row, Table
from .env import Env
from .fields import DECIMAL, NAMES, TEXT, TO_MANY, WHOLE, Field
from .models import Model, Order, parse_order

COMPARE = {"<": op.lt, ">": op.gt, "<=": op.le, ">=": op.ge}
LIKE = frozenset({"like", "ilike", "=like", "=ilike"})
NEGATIVE = frozenset({"!=", "not in", "not like", "not ilike"})
OPERATORS = NEGATIVE | LIKE | {*COMPARE, "=", "=?", "in", "child_of", "parent_of"}
ONLY_19 = frozenset({"any", "not any", "not =like", "not =ilike"})
ALIASES = {"<>": "!=", "==": "="}


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
    hides = "active" in model.fields and "active" not in named
    only = _only(terms)
    rows = table.rows if only is None else dict(env.existing(table, only))
    found = _Search(env, table, rows).matching(terms)
    clause = _checked_order(env, model, order)
    for about, number in (("limit", limit), ("offset", offset)):
        if int(number or 0) < 0:
            raise env.words(about)
    if hides and env.context.get("active_test", True):
        found = {row_id for row_id in found if rows[row_id].get("active")}
    seen = [row_id for row_id in sorted(found) if env.sees(model, rows[row_id])]
    in_order = values.ordered(env, model, seen, clause)
    start = int(offset or 0)
    return in_order[start : start + int(limit)] if limit else in_order[start:]


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


def _checked_order(env: Env, model: Model, order: Any) -> Order:
    """Return an order without what 14 passes over."""
    try:
        terms = parse_order(str(order)) if order else []
    except ValueError:
        raise env.words("order", order=order) from None
    for name, _ in terms:
        if name not in model.fields:
            raise env.words("field", field=name, model=model.name, where="on model")
        if env.new and (name == "display_name" or not model.fields[name].is_sortable):
            raise env.words("not stored", model=model.name, field=name)
    return [term for term in terms if model.fields[term[0]].is_sortable]


def _only(terms: Sequence[Any]) -> list[int] | None:
    """Return the only ids that can match, where the conditions say it outright."""
    for term in terms:
        if not isinstance(term, list | tuple) or len(term) != 3:
            break  # what follows may be an alternative
        name, operator, value = term
        given = value if isinstance(value, list | tuple) else [value]
        if name == "id" and operator in {"in", "="} and all(type(v) is int for v in given):
            return sorted(set(given))
    return None


@frozen
class _Search:
    """A search among some rows of a table."""

    env: Env
    table: Table
    rows: Mapping[int, Row]

    def matching(self, terms: Sequence[Any]) -> set[int]:
        """Return what a domain in prefix notation finds; conditions side by side must all hold."""
        found: list[set[int]] = []
        for term in reversed(terms):
            if term in ("&", "|", "!"):
                if len(found) < (1 if term == "!" else 2):
                    raise self.env.words("domain", domain=list(terms))
                first = found.pop()
                if term == "!":
                    found.append(set(self.rows) - first)
                else:
                    found.append(first & found.pop() if term == "&" else first | found.pop())
            else:
                found.append(self._condition(term))
        return set(self.rows).intersection(*found)

    def _condition(self, leaf: Any) -> set[int]:
        """Return what one condition finds.

        Raises:
            RefusalError: no such field or operator, or a value that cannot be compared with it.
        """
        new = self.env.new
        if not isinstance(leaf, list | tuple) or len(leaf) != 3:
            raise self.env.words("leaf", leaf=leaf if new else tuple(leaf))
        name, operator, value = leaf
        if operator == "=" and name in (0, 1) and value == 1:
            return set(self.rows) if name else set()
        known = ALIASES.get(operator, str(operator).lower() if new else operator)
        if known not in OPERATORS and not (new and known in ONLY_19):
            raise self.env.words("operator", leaf=tuple(leaf))
        if known == "=?":
            known = "="
            if value is None or value is False:
                return set(self.rows)
        if "." in str(name):  # "not" is about the record at the end of the path
            return self._positive(str(name), known, value)
        plain = {"!=": "="}.get(known, known.removeprefix("not "))
        found = self._positive(str(name), plain, value)
        return found if plain == known else set(self.rows) - found

    def _positive(self, path: str, operator: str, value: Any) -> set[int]:
        env, model = self.env, self.table.model
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
            return set(self.rows)
        if rest and not field.relation:
            names = {"model": model.name, "field": name, "kind": field.type.capitalize()}
            raise env.words("path", rest=rest, **names)
        if operator in {"child_of", "parent_of"}:
            family = _family(env.table(field.relation or model.name), operator, value)
            if name == "id" or (name == "parent_id" and field.relation == model.name):
                # A condition on the model's own parent field is about the record and its line.
                return family & set(self.rows)
            operator, value = "in", family
        elif field.relation and (rest or operator == "any" or operator in LIKE):
            operator, value = "in", _others(env, field, rest, operator, value)
        if operator in LIKE:
            return self._like(field, operator, value)
        return self._compare(field, operator, value)

    def _where(self, field: Field, test: Callable[[Any], bool]) -> set[int]:
        get = values.getter(self.env, self.table.model, field)
        return {row_id for row_id, row in self.rows.items() if test(get(row_id, row))}

    def _like(self, field: Field, operator: str, value: Any) -> set[int]:
        matches = _pattern(operator, value).fullmatch
        # An empty pattern finds every record, those without a value too.
        everything = not value and not operator.startswith("=")
        return self._where(
            field, lambda found: everything if found is None else bool(matches(str(found)))
        )

    def _compare(self, field: Field, operator: str, value: Any) -> set[int]:
        nothing = _nothing(self.env, field)
        options = value if isinstance(value, list | tuple | set) else [value]
        wanted = {_comparable(self.env, field, option, nothing) for option in options}
        for name in [option for option in options if field.relation and isinstance(option, str)]:
            wanted |= _named(self.env, field, "=like", name)
        if field.type in TO_MANY:
            empty = self._where(field, lambda found: not found) if None in wanted else set()
            return empty | self._holding(field, wanted)

        def value_of(found: Any) -> Any:
            return nothing if found is None else found

        if operator not in COMPARE:
            return self._where(field, lambda found: value_of(found) in wanted)
        [edge], compare = wanted, COMPARE[operator]
        return self._where(
            field,
            lambda found: None not in (edge, value_of(found)) and compare(value_of(found), edge),
        )

    def _holding(self, field: Field, wanted: Collection[int]) -> set[int]:
        """Return the rows whose relation holds one of the records wanted."""
        if field.type == "one2many":
            other = self.env.other(field).rows
            owners = {other[one].get(field.relation_field) for one in wanted if one in other}
            return {row_id for row_id in self.rows if row_id in owners}
        return {
            row_id
            for row_id, row in self.rows.items()
            if any(one in wanted for one in row.get(field.name) or ())
        }


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


def _family(table: Table, operator: str, value: Any) -> set[int]:
    """Return records and those below (`child_of`) or above them."""
    start = value if isinstance(value, list | tuple) else [value]
    waiting = [int(item) for item in start if item and int(item) in table.rows]
    parent = table.model.fields.get("parent_id")
    has_family = parent is not None and parent.relation == table.model.name
    found: set[int] = set()
    while waiting:
        row_id = waiting.pop()
        if row_id not in found:
            found.add(row_id)
            if has_family and operator == "child_of":
                waiting += table.having("parent_id", row_id)
            elif has_family:
                above = table.rows[row_id].get("parent_id")
                waiting += [] if above is None else [above]
    return found


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
