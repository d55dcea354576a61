"""Which records a domain finds, in which order."""

import re
from typing import Any

from . import domain as domains
from .env import Env
from .errors import builtin, postgres, user_error
from .models import Model
from .values import NAMES, ordered, parse_order

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
        OdooError: a malformed domain or order, or a field that the model has not.
    """
    table = env.table(name)
    model = table.model
    env.check(model, "access")
    terms = domains.parse(domain, env.series)
    hides = "active" in model.fields and env.context.get("active_test", True)
    if hides and "active" not in domains.names(terms):
        terms.append(domains.Leaf("active", "=", True))
    test = domains.compile_terms(env, model, terms)
    clause = _checked_order(env, model, order)
    for number in (limit, offset):
        if isinstance(number, str) and number and not number.isdecimal():
            text = f'invalid input syntax for type bigint: "{number}"'
            raise postgres("InvalidTextRepresentation", text)
    if type(limit) is int and limit < 0:
        raise postgres("InvalidRowCountInLimitClause", "LIMIT must not be negative")
    if type(offset) is int and offset < 0:
        raise postgres("InvalidRowCountInResultOffsetClause", "OFFSET must not be negative")
    only = domains.few(terms)
    candidates = table.rows.items() if only is None else env.existing(table, only)
    found = [row_id for row_id, row in candidates if test(row_id, row)]
    if env.hides(model):
        found = [row_id for row_id in found if env.sees(model, table.rows[row_id])]
    found = ordered(env, model, sorted(found), clause)
    start = int(offset or 0)
    return found[start : start + int(limit)] if limit else found[start:]


def by_name(
    env: Env, name: str, text: str, *, operator: str, domain: Any = (), limit: int | None = None
) -> list[int]:
    """Return the ids of the records that a text names, as `name_search` finds them.

    Raises:
        OdooError: as for `ids`.
    """
    domain = list(domain)
    found: list[int] = []
    if name == "res.country" and len(text) == 2:
        found = ids(env, name, [*domain, ["code", operator, text]], limit=limit)
    fields = ["display_name"]
    if name == "res.partner":
        fields += ["email", "ref", "vat"]
    leaves: list[Any] = [[field, operator, text] for field in fields]
    named = ["|"] * (len(leaves) - 1) + leaves if text else []
    found += [row_id for row_id in ids(env, name, [*domain, *named]) if row_id not in found]
    return found[:limit] if limit else found


def _checked_order(env: Env, model: Model, order: Any) -> str:
    if not order:
        return ""
    if not _ORDER.fullmatch(str(order)):
        raise user_error(
            f'Invalid "order" specified ({order}). A valid "order" specification is a'
            " comma-separated list of valid field names (optionally"
            " followed by asc/desc for the direction)"
        )
    kept = []
    for name, descending in parse_order(order):
        field = model.fields.get(name)
        if field is None:
            raise env.words.unknown_field(model.name, name, "order")
        sortable = field.store and field.type not in {"one2many", "many2many"}
        if sortable or field.through or (name in NAMES and env.series < 19):
            kept.append(f"{name} desc" if descending else name)
        elif env.series >= 19 and name != "complete_name":
            text = f"Cannot convert {model.name}.{name} to SQL because it is not stored"
            raise builtin("ValueError", text)
        elif name == "complete_name":
            kept.append(f"{name} desc" if descending else name)
    return ", ".join(kept) or "id"
