"""The methods that can be called from outside, with the arguments they take in each release."""

from collections.abc import Mapping
from typing import Any

from . import external_ids, keys, naming, search, signatures, values, writing
from .env import VERBS, Env, Request, record_ids
from .errors import OdooError, builtin, missing
from .load import load
from .models import Model
from .public import Run, public
from .reading import read
from .signatures import Method, method


def _create(call: Request) -> Any:
    given = call.arguments["vals_list"]
    if isinstance(given, Mapping):
        return writing.create(call.env, call.model.name, [given])[0]
    if not isinstance(given, list | tuple | str):
        raise builtin("TypeError", f"'{type(given).__name__}' object is not iterable")
    return writing.create(call.env, call.model.name, list(given))


def _write(call: Request) -> bool:
    writing.write(call.env, call.model.name, call.ids, next(iter(call.arguments.values())))
    return True


def _unlink(call: Request) -> bool:
    writing.unlink(call.env, call.model.name, call.ids)
    return True


def _read(call: Request) -> list[dict[str, Any]]:
    return read(call.env, call.model, call.ids, call.arguments["fields"], call.arguments["load"])


def _domain(call: Request) -> Any:
    for name in ("domain", "args"):
        if name in call.arguments:
            return call.arguments[name]
    return []  # pragma: no cover


def _search(call: Request) -> Any:
    given = call.arguments
    if given.get("count"):
        return len(search.ids(call.env, call.model.name, _domain(call)))
    return search.ids(
        call.env,
        call.model.name,
        _domain(call),
        order=given["order"],
        offset=given["offset"],
        limit=given["limit"],
    )


def _search_count(call: Request) -> int:
    limit = call.arguments.get("limit")
    return len(search.ids(call.env, call.model.name, _domain(call), limit=limit))


_SEARCH_READ = frozenset({"domain", "fields", "offset", "limit", "order", "load"})


def _search_read(call: Request) -> list[dict[str, Any]]:
    given = call.arguments
    for name in given:
        if name not in _SEARCH_READ:
            text = f"BaseModel._read_format() got an unexpected keyword argument '{name}'"
            raise builtin("TypeError", text)
    more = {"load": given["load"]} if "load" in given else {}
    return read(call.env, call.model, _search(call), given["fields"], **more)


def _fields_get(call: Request) -> dict[str, Any]:
    wanted, attributes = call.arguments["allfields"], call.arguments["attributes"]
    about = {
        name: field.describe(call.env.series)
        for name, field in call.model.fields.items()
        if not wanted or name in wanted
    }
    if not attributes:
        return about
    return {
        name: {key: value for key, value in found.items() if key in attributes}
        for name, found in about.items()
    }


def _name_search(call: Request) -> list[list[Any]]:
    env, model, given = call.env, call.model, call.arguments
    how = {"operator": given["operator"], "domain": _domain(call) or (), "limit": given["limit"]}
    return _named(env, model, search.by_name(env, model.name, given["name"], **how))


def _named(env: Env, model: Model, ids: list[int]) -> list[list[Any]]:
    return [[row_id, naming.display_name(env, model.name, row_id)] for row_id in ids]


def _name_get(call: Request) -> list[list[Any]]:
    call.env.require(call.env.table(call.model.name), call.ids)
    return _named(call.env, call.model, call.ids)


def _name_create(call: Request) -> list[Any]:
    vals = {call.model.name_field or "name": call.arguments["name"]}
    ids = writing.create(call.env, call.model.name, [vals])
    return _named(call.env, call.model, ids)[0]


def _default_get(call: Request) -> dict[str, Any]:
    env, model = call.env, call.model
    wanted = [name for name in next(iter(call.arguments.values())) if name in model.defaults]
    return {
        name: values.reader(env, model, model.fields[name], names=False)(0, dict(model.defaults))
        for name in wanted
    }


def _copy(call: Request) -> Any:
    env, model = call.env, call.model
    rows = env.table(model.name).rows
    if env.series < 19 and len(call.ids) > 1:
        ids = ", ".join(map(str, call.ids))
        raise builtin("ValueError", f"Expected singleton: {model.name}({ids})")
    made = []
    for row_id in call.ids:
        if row_id not in rows:
            raise missing(model.name, row_id, env.uid)
        vals: dict[str, Any] = {}
        for name, field in model.fields.items():
            if field.copy and field.store and field.type != "one2many":
                value = rows[row_id].get(name)
                vals[name] = [[6, 0, list(value)]] if isinstance(value, tuple) else value
        if "name" in vals:
            vals["name"] = f"{vals['name'] or ''} (copy)"
        made += writing.create(env, model.name, [{**vals, **(call.arguments["default"] or {})}])
    return made if env.series >= 19 else made[0]


def _archive(active: bool) -> Run:
    def run(call: Request) -> None:
        env = call.env
        table = env.table(call.model.name)
        env.require(table, call.ids)
        ids = [one for one in call.ids if bool(table.rows[one].get("active")) is not active]
        writing.write(env, call.model.name, ids, {"active": active})

    return run


def _toggle(call: Request) -> None:
    table = call.env.table(call.model.name)
    call.env.require(table, call.ids)
    for row_id in call.ids:
        active = not table.rows[row_id].get("active")
        writing.write(call.env, call.model.name, [row_id], {"active": active})


def _check_access_rights(call: Request) -> bool:
    verb = VERBS.get(call.arguments["operation"], "access")
    try:
        call.env.check(call.model, verb)
    except OdooError:
        if call.arguments["raise_exception"]:
            raise
        return False
    return True


def _context_get(call: Request) -> dict[str, Any]:
    env = call.env
    user = env.table("res.users").rows[env.uid]
    partner = env.table("res.partner").rows[user["partner_id"]]
    about = {name: partner.get(name) or False for name in ("lang", "tz")}
    return {**about, "uid": env.uid} if env.series >= 19 else about


def _exists(call: Request) -> list[int]:
    return [one for one in call.ids if one in call.env.table(call.model.name).rows]


def _save_multi(call: Request) -> list[dict[str, Any]]:
    vals_list, wanted = call.arguments["vals_list"], list(call.arguments["specification"])
    try:
        count = len(vals_list)
    except TypeError as error:
        raise builtin("TypeError", str(error)) from None
    if len(call.ids) != count:
        raise builtin("ValueError", "Each record must have a corresponding vals entry.")
    for row_id, vals in zip(call.ids, vals_list, strict=True):
        writing.write(call.env, call.model.name, [row_id], vals)
    if wanted in ([], ["id"]):  # nothing is read: every id is believed
        return [{"id": row_id} for row_id in call.ids]
    return read(call.env, call.model, call.ids, wanted, load=None)


def _load(call: Request) -> dict[str, Any]:
    return load(call.env, call.model, call.arguments["fields"], call.arguments["data"])


def _get_external_id(call: Request) -> dict[str, str]:
    found = {one: external_ids.of(call.env, call.model.name, one) for one in call.ids}
    return {
        str(one): external_ids.complete_name(rows[0]) if rows else "" for one, rows in found.items()
    }


def table(series: int) -> dict[str, tuple[Method, Run]]:
    """Return the methods of a release, by name."""
    new = series >= 19
    domain = "domain" if new else "args"
    paging = f"{domain}, offset=0, limit=None, order=None"
    reading = "domain=None, fields=None, offset=0, limit=None, order=None"
    found: list[tuple[Method, Run]] = [
        (method("create", "vals_list"), _create),
        (method("write", "vals", on_ids=True), _write),
        (method("unlink", "", on_ids=True), _unlink),
        (method("read", "fields=None, load='_classic_read'", on_ids=True), _read),
        (method("search", paging if new else f"{paging}, count=False"), _search),
        (method("search_count", "domain, limit=None" if new else "args"), _search_count),
        (method("search_read", f"{reading}, **others" if new else reading), _search_read),
        (method("fields_get", "allfields=None, attributes=None"), _fields_get),
        (
            method("name_search", f"name='', {domain}=None, operator='ilike', limit=100"),
            _name_search,
        ),
        (method("name_create", "name"), _name_create),
        (method("default_get", "fields" if new else "default_fields"), _default_get),
        (method("copy", "default=None", on_ids=True), _copy),
        (method("action_archive", "", on_ids=True), _archive(False)),
        (method("action_unarchive", "", on_ids=True), _archive(True)),
        (method("toggle_active", "", on_ids=True), _toggle),
        (method("load", "fields, data"), _load),
        (method("get_external_id", "", on_ids=True), _get_external_id),
        (method("context_get", "", only="res.users"), _context_get),
        (
            method("check_access_rights", "operation, raise_exception=True"),
            _check_access_rights,
        ),
        *keys.METHODS,
    ]
    if new:
        saving = method("web_save_multi", "vals_list, specification", on_ids=True)
        found.append((saving, _save_multi))
    else:
        found.append((method("name_get", "", on_ids=True), _name_get))
        found.append((method("exists", "", on_ids=True), _exists))
    return {one.name: (one, run) for one, run in found}


def call(env: Env, methods: Mapping[str, tuple[Method, Run]], request: signatures.Call) -> Any:
    """Run one call of a method and return its value, None when it returns nothing.

    Raises:
        OdooError: every way in which the method, its arguments or the records are refused.
    """
    model = env.db.models.get(request.model)
    name = request.method
    if model is None:
        raise signatures.no_model(request.model)
    signature, run = public(env, methods, model, name)
    args, ids = list(request.args), []
    if signature.on_ids:
        if not args:
            raise env.words.no_ids()
        ids = record_ids(args.pop(0))
    home = "Base" if name == "web_save_multi" else "BaseModel"
    owner = f"{model.python_name.get(name, home)}." if env.series >= 19 else ""
    return run(Request(env, model, ids, signature.bind(owner, args, request.kwargs)))
