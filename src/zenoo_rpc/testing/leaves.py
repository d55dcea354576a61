"""The conditions of a domain, one operator on one field."""

import operator as op
import re
from collections.abc import Callable, Collection
from datetime import datetime
from typing import Any

from . import external_ids, naming, search, values
from .database import Row
from .env import Env
from .errors import OdooError, builtin, not_an_integer, postgres
from .fields import DECIMAL, TEXT, TO_MANY, Field
from .models import Model

Test = Callable[[int, Row], bool]

COMPARE = {"<": op.lt, ">": op.gt, "<=": op.le, ">=": op.ge}
LIKE = frozenset({"like", "ilike", "=like", "=ilike"})


def compile_leaf(env: Env, model: Model, name: str, operator: str, value: Any) -> Test:
    """Return the test of one condition.

    Raises:
        OdooError: no such field, or a value that the field cannot be compared with.
    """
    head, _, rest = name.partition(".")
    field = model.fields.get(head)
    if field is None:
        raise env.words.unknown_in_domain(model.name, (name, operator, value))
    if field.relation:
        env.other(field)
    if operator == "=?":
        if value is None or value is False:
            return lambda row_id, row: True
        operator = "="
    if rest:
        return _through(env, model, field, rest, operator, value)
    if isinstance(value, list | tuple) and operator in {"=", "!="}:
        operator = "in" if operator == "=" else "not in"
    if operator in {"in", "not in"} and not isinstance(value, list | tuple):
        if env.series < 19:
            raise builtin("ValueError", f"Invalid domain term ({name!r}, {operator!r}, {value!r})")
        value = [value]
    negative = operator == "!=" or operator.startswith("not ")
    plain = {"!=": "="}.get(operator, operator.removeprefix("not "))
    test = _positive(env, model, field, plain, value)
    if not negative:
        return test
    if env.series < 19 and plain in LIKE and not field.relation:
        # SQL's NOT LIKE, with the records that have no value besides.
        get = values.getter(env, model, field)
        return lambda row_id, row: get(row_id, row) is None or not test(row_id, row)
    return lambda row_id, row: not test(row_id, row)


def _through(env: Env, model: Model, field: Field, rest: str, operator: str, value: Any) -> Test:
    if not field.relation:
        if env.series >= 19:
            text = f"Invalid field property '{rest}' on {model.name}.{field.name}"
            raise builtin("ValueError", text)
        kind = field.type.capitalize()
        raise builtin("AttributeError", f"'{kind}' object has no attribute 'auto_join'")
    inner = env.with_context(active_test=False) if field.type == "many2one" else env
    found = frozenset(search.ids(inner.as_trusted(), field.relation, [[rest, operator, value]]))
    return _among(env, model, field, found)


def _among(env: Env, model: Model, field: Field, found: Collection[int]) -> Test:
    """Return the test of a relation to one of the records *found*."""
    if field.type not in TO_MANY:
        get = values.getter(env, model, field)
        return lambda row_id, row: get(row_id, row) in found
    if field.type == "one2many":
        others = env.table(field.relation).rows
        mine = {others[other].get(field.inverse) for other in found if other in others}
        return lambda row_id, row: row_id in mine
    return lambda row_id, row: not frozenset(found).isdisjoint(row.get(field.name) or ())


def _searchable(model: Model, field: Field) -> bool:
    # The name of an external id is computed each time, that of a contact is kept.
    return field.name != "company_type" and model.name != external_ids.MODEL


def _positive(env: Env, model: Model, field: Field, operator: str, value: Any) -> Test:
    computed = field.name in {"company_type", "complete_name"} and not field.store
    if computed and not _searchable(model, field):
        if env.series >= 19:
            text = f"Cannot convert {model.name}.{field.name} to SQL because it is not stored"
            raise builtin("ValueError", text)
        return lambda row_id, row: True
    if operator in {"child_of", "parent_of"}:
        return _family(env, model, field, operator, value)
    if operator == "any":
        return _any(env, model, field, value)
    if field.relation:
        return _relation(env, model, field, operator, value)
    if operator in LIKE:
        return _like(env, model, field, operator, value)
    get = values.getter(env, model, field)
    if operator == "in":
        return _one_of(env, field, get, value)
    if operator == "=":
        return _one_of(env, field, get, [value])
    return _compare(env, field, get, operator, value)


def _one_of(env: Env, field: Field, get: values.Get, options: Collection[Any]) -> Test:
    empty = values.falsy(field)
    wanted = [_comparable(env, field, option) for option in options]
    if field.type == "boolean":
        wanted = [bool(item) for item in wanted]
        return lambda row_id, row: bool(get(row_id, row)) in wanted
    nothing = any(item is None for item in wanted)
    if env.series >= 19 and empty is not None:
        nothing = nothing or empty in wanted
        if nothing:
            wanted.append(empty)
    known = frozenset(item for item in wanted if item is not None)

    def test(row_id: int, row: Row) -> bool:
        found = get(row_id, row)
        return nothing if found is None else found in known

    return test


def _compare(env: Env, field: Field, get: values.Get, operator: str, value: Any) -> Test:
    wanted = _comparable(env, field, value)
    empty = values.falsy(field) if env.series >= 19 else None
    compare = COMPARE[operator]
    wanted = empty if wanted is None else wanted
    if wanted is None:
        return lambda row_id, row: False

    def test(row_id: int, row: Row) -> bool:
        found = get(row_id, row)
        found = empty if found is None else found
        return found is not None and bool(compare(found, wanted))

    return test


def _comparable(env: Env, field: Field, value: Any) -> Any:
    """Return *value* as the column has it; None for nothing."""
    if value is None or value is False:
        return None
    if field.name == "id":
        if isinstance(value, str) and not value.lstrip("-").isdigit():
            raise not_an_integer(value)
        return int(value)
    if field.type in {"integer", "many2one_reference"} or field.type in DECIMAL:
        try:
            return float(value) if field.type in DECIMAL else int(value)
        except (ValueError, TypeError) as error:
            raise builtin(type(error).__name__, str(error)) from None
    if field.type == "datetime":
        return _moment(env, value)
    return value if field.type == "boolean" else str(value)


def _moment(env: Env, value: Any) -> datetime:
    try:
        return datetime.fromisoformat(str(value))
    except ValueError:
        if env.series >= 19:
            text = f"Invalid term {value!r} in expression date: {value!r}"
            raise builtin("ValueError", text) from None
        raise _not_a_moment(value) from None


def _not_a_moment(value: Any) -> OdooError:
    text = f'invalid input syntax for type timestamp: "{value}"'
    return postgres("InvalidDatetimeFormat", text)


def pattern(operator: str, value: Any) -> re.Pattern[str]:
    """Return the expression of a LIKE: ``%`` is any text, ``_`` one character, ``\\`` quotes."""
    text = "" if value is None or value is False else str(value)
    if not operator.startswith("="):
        text = f"%{text}%"
    parts = re.findall(r"\\.|.", text, re.DOTALL)
    joined = "".join({"%": ".*", "_": "."}.get(part) or re.escape(part[-1]) for part in parts)
    flags = re.DOTALL | (re.IGNORECASE if "ilike" in operator else re.NOFLAG)
    return re.compile(joined, flags)


def _like(env: Env, model: Model, field: Field, operator: str, value: Any) -> Test:
    get = values.getter(env, model, field)
    matches = pattern(operator, value).fullmatch
    if field.type not in TEXT and env.series < 19:
        return lambda row_id, row: bool(matches(str(values_or(get(row_id, row)))))
    # An empty pattern finds every record, those without a value too.
    everything = not value and not operator.startswith("=")
    nothing = env.series >= 19 or everything

    def test(row_id: int, row: Row) -> bool:
        found = get(row_id, row)
        if found is None:
            return nothing and everything
        return matches(str(found)) is not None

    return test


def values_or(value: Any) -> Any:
    """Return *value*, or the empty text for NULL."""
    return "" if value is None else value


def _relation(env: Env, model: Model, field: Field, operator: str, value: Any) -> Test:
    if operator in LIKE or (operator == "=" and isinstance(value, str)):
        how = operator if operator in LIKE else "=like"
        return _among(env, model, field, _named(env, field.relation, how, value))
    if operator in COMPARE:
        get = values.getter(env, model, field)
        return _compare(env, field, get, operator, value)
    options = value if operator == "in" else [value]
    wanted: set[int] = set()
    for option in options:
        if isinstance(option, str):
            wanted |= _named(env, field.relation, "=like", option)
        elif option:
            wanted.add(int(option))
    found = _among(env, model, field, wanted)
    if all(option not in (None, False) for option in options):
        return found
    empty = _empty(env, model, field)
    return lambda row_id, row: found(row_id, row) or empty(row_id, row)


def _empty(env: Env, model: Model, field: Field) -> Test:
    if field.type in TO_MANY:
        return lambda row_id, row: not values.linked(env, field, row_id, row)
    get = values.getter(env, model, field)
    return lambda row_id, row: get(row_id, row) is None


def _named(env: Env, model: str, operator: str, value: Any) -> set[int]:
    matches = pattern(operator, value).fullmatch
    rows = env.table(model).rows.items()
    return {row_id for row_id, row in rows if matches(naming.of_row(env, model, row_id, row))}


def _any(env: Env, model: Model, field: Field, value: Any) -> Test:
    if not field.relation:
        leaf = (field.name, "any", [tuple(item) for item in value] or [(1, "=", 1)])
        text = f"Cannot use 'any' with non-relational fields in condition {leaf!r}"
        raise builtin("ValueError", text)
    return _among(env, model, field, frozenset(search.ids(env, field.relation, value)))


def _family(env: Env, model: Model, field: Field, operator: str, value: Any) -> Test:
    relation = field.relation or model.name
    table = env.table(relation)
    start = value if isinstance(value, list | tuple) else [value]
    found: set[int] = set()
    waiting = [int(item) for item in start if item and int(item) in table.rows]
    parent = table.model.fields.get("parent_id")
    if parent is None or parent.relation != relation:  # nobody has a family here
        found, waiting = set(waiting), []
    while waiting:
        row_id = waiting.pop()
        if row_id in found:
            continue
        found.add(row_id)
        if operator == "child_of":
            waiting += table.users_of("parent_id", row_id)
        elif (above := table.rows[row_id].get("parent_id")) is not None:
            waiting.append(above)
    if field.name in {"id", "parent_id"}:
        # A condition on the parent field of the model itself is about the record and its line.
        return lambda row_id, row: row_id in found
    return _among(env, model, field, found)
