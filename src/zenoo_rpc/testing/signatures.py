"""Calls as they arrive, and the arguments that a method takes.

A wrong call is refused in the words of Python itself, as a server written in Python does.
"""

import ast
from collections.abc import Mapping, Sequence
from typing import Any

from attrs import frozen

from .errors import EXCEPTIONS, NO_MODEL, OdooError, builtin
from .http_errors import unprocessable

REQUIRED = object()  # the default of an argument that must be given


@frozen
class Call:
    """One call of a model's method."""

    model: str
    method: str
    args: Sequence[Any]
    kwargs: Mapping[str, Any]


@frozen
class Method:
    """The name of a method, whether it works on ids, and its parameters with their defaults.

    Args:
        only: the only model that has it; all have it when it is empty.
        others: whether it takes names beside its parameters, for a method that it calls.
    """

    name: str
    on_ids: bool
    parameters: tuple[tuple[str, Any], ...]
    only: str = ""
    others: bool = False

    def bind(
        self, owner: str, args: Sequence[Any], kwargs: Mapping[str, Any], *, bound: bool = True
    ) -> dict[str, Any]:
        """Return the arguments by name.

        Args:
            owner: the class of the method and a dot, for the words of a refusal.
            bound: whether ``self`` counts among the arguments.
        """
        title = f"{owner}{self.name}()"
        names = [name for name, _ in self.parameters]
        if len(args) > len(names):
            raise builtin("TypeError", f"{title} {self._takes(len(args), int(bound))}")
        found = dict(zip(names, args, strict=False))
        for name, value in kwargs.items():
            if name not in names and not self.others:
                text = f"{title} got an unexpected keyword argument '{name}'"
                raise builtin("TypeError", text)
            if name in found:
                text = f"{title} got multiple values for argument '{name}'"
                raise builtin("TypeError", text)
            found[name] = value
        lacking = [n for n, default in self.parameters if default is REQUIRED and n not in found]
        if lacking:
            raise builtin("TypeError", f"{title} {_missing(lacking)}")
        return dict(self.parameters) | found

    def bind_named(self, kwargs: Mapping[str, Any]) -> dict[str, Any]:
        """Return the arguments of a call that names them all.

        Raises:
            HttpError: they are not those of the method, in the words of `inspect.Signature.bind`.
        """
        for name, default in self.parameters:
            if default is REQUIRED and name not in kwargs:
                raise unprocessable(f"missing a required argument: '{name}'")
        known = dict(self.parameters)
        for name in kwargs:
            if name not in known and not self.others:
                raise unprocessable(f"got an unexpected keyword argument '{name}'")
        return {**known, **kwargs}

    def _takes(self, given: int, extra: int) -> str:
        most = len(self.parameters) + extra
        least = sum(default is REQUIRED for _, default in self.parameters) + extra
        takes = f"{most}" if least == most else f"from {least} to {most}"
        plural = "" if most == 1 else "s"
        were = "was" if given + extra == 1 else "were"
        return f"takes {takes} positional argument{plural} but {given + extra} {were} given"


def _missing(names: Sequence[str]) -> str:
    quoted = [f"'{name}'" for name in names]
    if len(quoted) > 2:
        listed = f"{', '.join(quoted[:-1])}, and {quoted[-1]}"
    else:
        listed = " and ".join(quoted)
    plural = "" if len(names) == 1 else "s"
    return f"missing {len(names)} required positional argument{plural}: {listed}"


def method(name: str, parameters: str, *, on_ids: bool = False, only: str = "") -> Method:
    """Return a method whose *parameters* are written as in a `def`."""
    [function] = ast.parse(f"def f({parameters}): ...").body
    assert isinstance(function, ast.FunctionDef)
    arguments = function.args
    names = [argument.arg for argument in arguments.args]
    defaults = [ast.literal_eval(default) for default in arguments.defaults]
    padded = [REQUIRED] * (len(names) - len(defaults)) + defaults
    others = arguments.kwarg is not None
    return Method(name, on_ids, tuple(zip(names, padded, strict=True)), only, others)


def no_model(name: object) -> OdooError:
    """Return the answer to a model that is not there."""
    return OdooError(f"{EXCEPTIONS}UserError", f"Object {name} doesn't exist", hint=NO_MODEL)
