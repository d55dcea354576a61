"""Print the arguments of Odoo 19's public methods, as JSON: what JSON-2 wants by name.

    scripts/odoo/serve.sh shell 19 demo < scripts/odoo/signatures.py

The output is kept in ``tests/standin/recorded/19/signatures.json``. For each method: its arguments
in their order, with the default as Python writes it or null for what must be given; whether it
works on records or is one of the model, which takes no ``ids``; whether it takes other names too.
All models must agree.
"""

import inspect
import json
import sys

from odoo.service.model import get_public_method

METHODS = (
    "action_archive action_unarchive check_access_rights context_get copy create default_get"
    " export_data fields_get formatted_read_group get_external_id get_metadata has_access load"
    " make_key name_create name_search onchange read read_group remove run_check search"
    " search_count search_read toggle_active unlink web_read web_save web_save_multi"
    " web_search_read write"
)


def form(function):
    """Return what a caller by name has to know of a method."""
    _, *parameters = inspect.signature(function).parameters.values()
    return {
        "on_records": not hasattr(function, "_api_model"),
        "arguments": {
            one.name: None if one.default is one.empty else repr(one.default)
            for one in parameters
            if one.kind is one.POSITIONAL_OR_KEYWORD
        },
        "others": any(one.kind is one.VAR_KEYWORD for one in parameters),
    }


def forms(name):
    """Return the form of a method in every model that has it."""
    for model in sorted(env.registry):  # noqa: F821  (the shell brings it)
        try:
            yield form(get_public_method(env[model], name))  # noqa: F821
        except AttributeError:
            continue


found = {}
for name in METHODS.split():
    first, *rest = forms(name)
    if any(one != first for one in rest):
        sys.exit(f"{name}: the models differ")
    found[name] = first
json.dump(found, sys.stdout, indent=1)
print()
