"""What callers from outside may call, and what the stand-in says of methods that it has not."""

from collections.abc import Callable, Mapping
from typing import Any

from .env import Env, Request
from .errors import not_here, user_error
from .models import Model
from .signatures import Method

Run = Callable[[Request], Any]

# Methods of 19 that its decorator makes private; 14 has ``init`` only.
# fmt: off
PRIVATE = frozenset({
    "browse", "check_access", "concat", "ensure_one", "exists", "fetch", "filtered",
    "filtered_domain", "flush_model", "flush_recordset", "grouped", "init",
    "invalidate_model", "invalidate_recordset", "lock_for_update", "mapped", "modified",
    "new", "search_fetch", "sorted", "sudo", "try_lock_for_update", "union", "update",
    "with_company", "with_context", "with_env", "with_prefetch", "with_user",
})
# Methods that the stand-in lacks and that real Odoo has on every model, in both releases or in one.
_BOTH = frozenset({
    "copy_data", "export_data", "get_access_action", "get_empty_list_help",
    "get_formview_action", "get_formview_id", "get_metadata", "onchange", "read_group",
    "read_progress_bar", "search_panel_select_multi_range", "search_panel_select_range",
    "web_read_group", "web_search_read",
})
_OF_ALL = {
    14: _BOTH | {
        "check_access_rule", "check_field_access_rights", "fields_view_get", "get_xml_id",
        "load_views", "name_get", "user_has_groups",
    },
    19: _BOTH | {
        "formatted_read_group", "get_field_translations", "get_view", "get_views", "has_access",
        "update_field_translations", "web_name_search", "web_read", "web_save", "web_save_multi",
    },
}
_THREAD = frozenset({
    "activity_feedback", "activity_schedule", "activity_unlink", "message_post",
    "message_subscribe", "message_unsubscribe",
})
_OF_ONE = {
    "product.product": _THREAD,
    "res.partner": _THREAD,
    "res.users": frozenset({"action_reset_password", "change_password", "has_group"}),
}
# fmt: on


def public(
    env: Env, methods: Mapping[str, tuple[Method, Run]], model: Model, name: str
) -> tuple[Method, Run]:
    """Return the method of a model that callers from outside may call.

    Raises:
        OdooError: AccessError for a private one, AttributeError for one that is not there,
            NotImplementedError for one that real Odoo has, UserError when its next call is
            to be refused.
    """
    if name.startswith("_") or (name in PRIVATE and (env.series >= 19 or name == "init")):
        raise env.words.private(model.name, name)
    refusals = env.db.refusals.get((model.name, name))
    if refusals:
        raise user_error(refusals.pop(0))
    found = methods.get(name)
    if found is None or found[0].only not in ("", model.name):
        if _is_in_odoo(env.series, model, name):
            raise not_here(f"no method '{model.name}.{name}'")
        raise env.words.no_method(model.name, name)
    return found


def _is_in_odoo(series: int, model: Model, name: str) -> bool:
    """Return whether real Odoo has a method, or may have it on a model that it alone knows."""
    if name in _OF_ALL[series] or name in _OF_ONE.get(model.name, ()):
        return True
    return model.described and not any(name in names for names in _OF_ALL.values())
