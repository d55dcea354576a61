"""Calls of methods: which there are, and the arguments they are given."""

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from . import data, keys
from .env import Env
from .methods import ONLY, BaseModel, Users
from .models import Model

Method = Callable[..., Any]
_OWN: dict[str, type[BaseModel]] = {
    "res.users": Users,
    keys.APIKEYS: keys.Keys,
    keys.DESCRIPTION: keys.Wizard,
    keys.CHECK: keys.PasswordCheck,
}


def _class_of(model: str) -> type[BaseModel]:
    return _OWN.get(model, BaseModel)


def method_of(model: str, name: str, series: int) -> Method | None:
    """Return a method of a model; None when there is none that is for callers from outside."""
    found = getattr(_class_of(model), name, None)
    is_there = inspect.isfunction(found) and name[0] != "_" and ONLY.get(name, series) == series
    return found if is_there else None


def is_on_ids(method: Method) -> bool:
    """Return whether a method works on the ids of records."""
    return not getattr(method, "of_model", False)


def run(env: Env, name: str, method: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
    """Run a method as JSON-RPC calls it, with the ids as its first argument.

    Raises:
        RefusalError: every way in which the method or the records are refused.
        TypeError: arguments that are not those of the method, in the words of Python.
    """
    model, function = _public(env, name, method)
    rest, named, ids = list(args), dict(kwargs), []
    if not env.new and "args" in named:  # so 14 calls a domain
        named["domain"] = named.pop("args")
    if is_on_ids(function):
        if not rest:
            raise env.words("no ids")
        ids = env.record_ids(rest.pop(0))
    return function(_class_of(name)(env, model, ids), *rest, **named)


def run_named(env: Env, name: str, method: str, ids: Any, kwargs: Mapping[str, Any]) -> Any:
    """Run a method as JSON-2 calls it, with named arguments and the ids beside them.

    Raises:
        RefusalError: every way in which the method, its arguments or the records are refused.
    """
    model, function = _public(env, name, method, " over json2")
    if ids and not is_on_ids(function):
        raise env.words("unprocessable", text=f"cannot call {name}.{method} with ids")
    records = _class_of(name)(env, model, env.record_ids(ids))
    try:
        inspect.signature(function).bind(records, **kwargs)
    except TypeError as error:
        raise env.words("unprocessable", text=str(error)) from None
    result = function(records, **kwargs)
    # JSON-RPC gives an id for a mapping; here the records made are always a list of ids.
    return [result] if method == "create" and isinstance(result, int) else result


def _public(env: Env, name: str, method: str, dialect: str = "") -> tuple[Model, Method]:
    """Return a model and one of its methods, which callers from outside may call.

    Raises:
        RefusalError: no such model, AccessError for a private method, AttributeError for one that
            is not there, NotImplementedError for one that real Odoo has, UserError when its next
            call is to be refused.
    """
    series, model = env.words.series, env.db.models.get(name)
    if model is None:
        raise env.words(f"model{dialect}", name=name)
    if method.startswith("_") or method in data.read("methods.json", series)["private"]:
        raise env.words("private", model=name, method=method)
    refusals = env.db.refusals.get((name, method))
    if refusals:
        raise env.words("refused call", text=refusals.pop(0))
    found = method_of(name, method, series)
    if found is not None:
        return model, found
    if _is_in_odoo(series, model, method):
        raise env.words("lacks", what=f"no method '{name}.{method}'")
    raise env.words(f"method{dialect}", model=name, method=method)


def _is_in_odoo(series: int, model: Model, name: str) -> bool:
    """Return whether real Odoo has a method, or may have it on a model that it alone knows."""
    known: dict[int, Any] = {one: data.read("methods.json", one) for one in (14, 19)}
    here = known[series]
    if name in here["all models"] or name in here.get(model.name, ()):
        return True
    return model.is_open and not any(name in one["all models"] for one in known.values())
