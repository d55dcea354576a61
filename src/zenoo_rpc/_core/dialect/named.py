"""Positional arguments -> named ones: JSON-2 knows no others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ...errors import UsageError

# The ORM's public methods: whether they are called on records, whose ids are the first argument,
# and the names of the others (Odoo 19; all its models agree, which a test checks).
ON_RECORDS: Mapping[str, Sequence[str]] = {
    "action_archive": (),
    "action_unarchive": (),
    "copy": ("default",),
    "export_data": ("fields_to_export",),
    "get_external_id": (),
    "get_metadata": (),
    "has_access": ("operation",),
    "make_key": (),
    "onchange": ("values", "field_names", "fields_spec"),
    "read": ("fields", "load"),
    "remove": (),
    "run_check": (),
    "toggle_active": (),
    "unlink": (),
    "web_read": ("specification",),
    "web_save": ("vals", "specification", "next_id"),
    "web_save_multi": ("vals_list", "specification"),
    "write": ("vals",),
}
ON_MODELS: Mapping[str, Sequence[str]] = {
    "check_access_rights": ("operation", "raise_exception"),
    "context_get": (),
    "create": ("vals_list",),
    "default_get": ("fields",),
    "fields_get": ("allfields", "attributes"),
    "formatted_read_group": (
        *("domain", "groupby", "aggregates", "having", "offset", "limit", "order"),
    ),
    "load": ("fields", "data"),
    "name_create": ("name",),
    "name_search": ("name", "domain", "operator", "limit"),
    "read_group": ("domain", "fields", "groupby", "offset", "limit", "orderby", "lazy"),
    "search": ("domain", "offset", "limit", "order"),
    "search_count": ("domain", "limit"),
    "search_read": ("domain", "fields", "offset", "limit", "order"),
    "web_search_read": (*("domain", "specification", "offset", "limit", "order", "count_limit"),),
}

# What a parameter is called where it has not the name above; tried when that does not bind.
OTHER_NAMES: Mapping[str, str] = {"vals": "values", "vals_list": "values"}


def named(model: str, method: str, args: Sequence[bytes]) -> dict[str, bytes]:
    """Return arguments that are JSON by their names, the ids as `ids`.

    Raises UsageError for positional arguments of a method that is not in the tables.
    """
    if not args:
        return {}
    names = _names(method)
    if len(args) > len(names):
        raise UsageError(
            f"{model}.{method}: this server takes arguments by name only: pass them in kwargs, the "
            "ids of the records as `ids`"
        )
    found = dict(zip(names, args, strict=False))
    return {name: _listed(name, part) for name, part in found.items()}


def placed(method: str, kwargs: Mapping[str, object]) -> list[object]:
    """Return named arguments in the order in which the method takes them, others at the end."""
    names = [*_names(method), *kwargs]
    return [kwargs[name] for name in sorted(kwargs, key=names.index)]


def _names(method: str) -> Sequence[str]:
    """Return the names of a method's arguments; none where they are not known."""
    if method in ON_RECORDS:
        return ("ids", *ON_RECORDS[method])
    return ON_MODELS.get(method, ())


def _listed(name: str, part: bytes) -> bytes:
    """A single id, or the values of a single record, stand for a list of one."""
    if (name == "ids" and part.isdigit()) or (name == "vals_list" and part.startswith(b"{")):
        return b"[%b]" % part
    return part
