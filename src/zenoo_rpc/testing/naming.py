"""What a record is called, in lists and in many2one values."""

from collections.abc import Callable

from . import external_ids
from .database import Row
from .env import Env
from .models import Model

Name = Callable[[Env, Row], str]


def display_name(env: Env, model: str, row_id: int) -> str:
    """Return the name of one record; the empty text when it has none."""
    row = env.table(model).rows.get(row_id)
    return "" if row is None else of_row(env, model, row_id, row)


def of_row(env: Env, model: str, row_id: int, row: Row) -> str:
    """Return the name of the record in *row*."""
    if model in _NAMES:
        return _NAMES[model](env, row)
    name = env.table(model).model.name_field
    return str(row.get(name) or "") if name else f"{model},{row_id}"


def address_labels(model: Model) -> dict[str, str]:
    """Return the label of each kind of address."""
    return dict(model.fields["type"].selection)


def _plain(_env: Env, row: Row) -> str:
    return str(row.get("name") or "")


def _key(_env: Env, row: Row) -> str:
    return str(row.get("key") or "")


def _partner(env: Env, row: Row) -> str:
    name: str = row.get("name") or ""
    parent = row.get("parent_id")
    if parent is not None and not row.get("is_company"):
        if not name and row.get("type") in {"invoice", "delivery", "other"}:
            name = address_labels(env.table("res.partner").model)[row["type"]]
        above = env.table("res.partner").rows.get(parent, {}).get("name") or ""
        name = f"{above}, {name}"
    return name.strip() if env.series >= 19 else name


def _user(env: Env, row: Row) -> str:
    return display_name(env, "res.partner", row["partner_id"])


def _product(_env: Env, row: Row) -> str:
    name: str = row.get("name") or ""
    return f"[{row['default_code']}] {name}" if row.get("default_code") else name


def _path_in(model: str) -> Name:
    def name(env: Env, row: Row) -> str:
        names = [_plain(env, row)]
        rows = env.table(model).rows
        while (above := rows.get(row.get("parent_id") or 0)) is not None:
            names.append(_plain(env, above))
            row = above
        return " / ".join(reversed(names))

    return name


def _external(env: Env, row: Row) -> str:
    target = ""
    if row.get("model") in env.db.tables and row.get("res_id"):
        target = display_name(env, row["model"], row["res_id"])
    return target or external_ids.complete_name(row)


_NAMES: dict[str, Name] = {
    "res.partner": _partner,
    "res.partner.category": _path_in("res.partner.category"),
    "res.users": _user,
    "product.product": _product,
    "product.category": _path_in("product.category"),
    "ir.config_parameter": _key,
    external_ids.MODEL: _external,
}
