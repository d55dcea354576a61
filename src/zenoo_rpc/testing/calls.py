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


def method_of(model: str, name: str, series: int) -> Method | None:
    """Return a method of a model; None when there is none that is for callers from outside."""
    found = getattr(_OWN.get(model, BaseModel), name, None)
    is_there = inspect.isfunction(found) and name[0] != "_" and ONLY.get(name, series) == series
    return found if is_there else None


def is_on_ids(method: Method) -> bool:
    """Return whether a method works on the ids of records."""
    return not getattr(method, "of_model", False)


def run(env: Env, name: str, method: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
    """Run a method as JSON-RPC calls it, with the ids as its first argument.

    Raises:
        RefusalError: every way in which the method, its arguments or the records are refused.
    """
    model = env.db.models.get(name)
    if model is None:
        raise env.words("model", name=name)
    function = _public(env, model, method, "method")
    rest, named, ids = list(args), dict(kwargs), []
    if not env.new and "args" in named:  # so 14 calls a domain
        named["domain"] = named.pop("args")
    if is_on_ids(function):
        if not rest:
            raise env.words("no ids")
        ids = env.record_ids(rest.pop(0))
    records = _OWN.get(name, BaseModel)(env, model, ids)
    try:
        inspect.signature(function).bind(records, *rest, **named)
    except TypeError:
        said = f"BaseModel.{method}()" if env.new else f"{method}()"
        text = _in_words_of_python(function, records, rest, named)
        text = text.replace(f"{function.__qualname__}()", said)
        raise env.words("TypeError", text=text) from None
    return function(records, *rest, **named)


def _in_words_of_python(
    function: Method, records: BaseModel, args: Sequence[Any], kwargs: Mapping[str, Any]
) -> str:
    """Return what Python says of arguments that do not fit; the function does not begin to run."""
    try:
        function(records, *args, **kwargs)
    except TypeError as error:
        return str(error).partition(". Did you mean")[0]
    raise AssertionError(function)  # pragma: no cover


def run_named(env: Env, name: str, method: str, ids: Any, kwargs: Mapping[str, Any]) -> Any:
    """Run a method as JSON-2 calls it, with named arguments and the ids beside them.

    Raises:
        RefusalError: as for `run`.
    """
    model = env.db.models.get(name)
    if model is None:
        raise env.words("model over json2", name=name)
    function = _public(env, model, method, "method over json2")
    if ids and not is_on_ids(function):
        raise env.words("unprocessable", text=f"cannot call {name}.{method} with ids")
    records = _OWN.get(name, BaseModel)(env, model, env.record_ids(ids))
    try:
        inspect.signature(function).bind(records, **kwargs)
    except TypeError as error:
        raise env.words("unprocessable", text=str(error)) from None
    result = function(records, **kwargs)
    # JSON-RPC gives an id for a mapping; here the records made are always a list of ids.
    return [result] if method == "create" and isinstance(result, int) else result


def _public(env: Env, model: Model, name: str, refusal: str) -> Method:
    """Return the method of a model that callers from outside may call.

    Raises:
        RefusalError: AccessError for a private one, *refusal* for one that is not there,
            NotImplementedError for one that real Odoo has, UserError when its next call is
            to be refused.
    """
    series = env.words.series
    if name.startswith("_") or name in data.read("methods.json", series)["private"]:
        raise env.words("private", model=model.name, method=name)
    refusals = env.db.refusals.get((model.name, name))
    if refusals:
        raise env.words("refused call", text=refusals.pop(0))
    found = method_of(model.name, name, series)
    if found is not None:
        return found
    if _is_in_odoo(series, model, name):
        raise env.words("lacks", what=f"no method '{model.name}.{name}'")
    raise env.words(refusal, model=model.name, method=name)


def _is_in_odoo(series: int, model: Model, name: str) -> bool:
    """Return whether real Odoo has a method, or may have it on a model that it alone knows."""
    known: dict[int, Any] = {one: data.read("methods.json", one) for one in (14, 19)}
    here = known[series]
    if name in here["all models"] or name in here.get(model.name, ()):
        return True
    return model.is_open and not any(name in one["all models"] for one in known.values())
