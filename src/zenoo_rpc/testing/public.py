"""What callers from outside may call."""

from collections.abc import Callable, Mapping
from typing import Any

from .env import Env, Request
from .errors import user_error
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
# fmt: on


def public(
    env: Env, methods: Mapping[str, tuple[Method, Run]], model: Model, name: str
) -> tuple[Method, Run]:
    """Return the method of a model that callers from outside may call.

    Raises:
        OdooError: AccessError for a private one, AttributeError for one that is not there,
            UserError when its next call is to be refused.
    """
    if name.startswith("_") or (name in PRIVATE and (env.series >= 19 or name == "init")):
        raise env.words.private(model.name, name)
    refusals = env.db.refusals.get((model.name, name))
    if refusals:
        raise user_error(refusals.pop(0))
    found = methods.get(name)
    if found is None or found[0].only not in ("", model.name):
        raise env.words.no_method(model.name, name)
    return found
