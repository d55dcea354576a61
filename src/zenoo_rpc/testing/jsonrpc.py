"""The JSON-RPC dialect: the services `common`, `db` and `object`, and the envelope of an answer."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from attrs import frozen

from .env import Session
from .errors import OdooError, builtin
from .service import Call, Service
from .signatures import Call as MethodCall
from .signatures import method

_COMMON = {
    "version": method("exp_version", ""),
    "about": method("exp_about", "extended=False"),
    "login": method("exp_login", "db, login, password"),
    "authenticate": method("exp_authenticate", "db, login, password, user_agent_env"),
}
_DB = {
    "list": method("exp_list", "document=False"),
    "db_exist": method("exp_db_exist", "db_name"),
    "server_version": method("exp_server_version", ""),
}
_OBJECT = {
    "execute": method("execute", "db, uid, obj, method"),
    "execute_kw": method("execute_kw", "db, uid, obj, method, args, kw=None"),
}
_ENTRY = method("jsonrpc", "service, method, args")


@frozen
class JsonRpc:
    """The dialect of `/jsonrpc`."""

    service: Service

    def version(self) -> dict[str, Any]:
        """Return what `common.version` answers."""
        series = self.service.series
        return {
            "server_version": f"{series}.0",
            "server_version_info": [series, 0, 0, "final", 0, ""],
            "server_serie": f"{series}.0",
            "protocol_version": 1,
        }

    def answer(self, request: Mapping[str, Any]) -> tuple[bytes, Call | None]:
        """Return the body of the answer, and the call that was made as the log has it."""
        logged: Call | None = None
        body: dict[str, Any] = {"jsonrpc": "2.0", "id": request.get("id")}
        try:
            params = request.get("params") or {}
            owner = "JSONRPC." if self.service.series >= 19 else ""
            given = _ENTRY.bind(owner, [], params)
            logged = self._note(given["service"], given["method"], given["args"])
            result = self._dispatch(given["service"], given["method"], given["args"])
            if result is not None:
                body["result"] = result
        except OdooError as error:
            body["error"] = refusal(error, self.service.series)
        return json.dumps(body).encode(), logged

    def _note(self, service: object, name: object, args: object) -> Call:
        model, size = str(service), 0
        if service == "object" and isinstance(args, list) and len(args) > 4:
            inner = args[5:]
            if name == "execute_kw":
                inner = args[5] if len(args) > 5 and isinstance(args[5], list) else []
            model, name = str(args[3]), args[4]
            size = size_of(self.service, str(name), inner)
        return self.service.log(model, str(name), size)

    def _dispatch(self, service: object, name: str, args: Any) -> Any:
        if service == "common":
            return self._common(name, args)
        if service == "db":
            return self._db(name, args)
        if service == "object":
            return self._object(name, args)
        if self.service.series >= 19:
            raise builtin("KeyError", str(service))
        text = "local variable 'dispatch' referenced before assignment"
        raise builtin("UnboundLocalError", text)

    def _common(self, name: str, args: Any) -> Any:
        signature = _COMMON.get(name)
        if signature is None:
            raise builtin("Exception", f"Method not found: {name}")
        given = signature.bind("", args, {}, bound=False)
        if name == "version":
            return self.version()
        if name == "about":
            return "See http://openerp.com"
        return self.service.login(given["db"], given["login"], given["password"])

    def _db(self, name: str, args: Any) -> Any:
        signature = _DB.get(name)
        if signature is None:
            raise builtin("KeyError", f"Method not found: {name}")
        given = signature.bind("", args, {}, bound=False)
        if name == "list":
            return [self.service.database]
        if name == "db_exist":
            return given["db_name"] == self.service.database
        return f"{self.service.series}.0"

    def _object(self, name: str, args: Any) -> Any:
        database, uid, password, *rest = self._enough(args)
        if self.service.series < 19:
            self.service.authenticate(database, uid, password)
            if name not in _OBJECT:
                raise builtin("NameError", f"Method not available {name}")
            _OBJECT[name].bind("", [database, uid, *rest][: 4 if name == "execute" else None], {})
        user = self.service.authenticate(database, uid, password)
        model, called, *tail = rest
        given: Sequence[Any] = tail
        kwargs: Mapping[str, Any] = {}
        if name == "execute_kw":
            given, kwargs = _args_and_kwargs(given, self.service.series)
        elif name != "execute":
            raise builtin("NameError", f"Method not available {name}")
        if not isinstance(called, str):
            if self.service.series >= 19:
                kind = type(called).__name__
                raise builtin("AttributeError", f"'{kind}' object has no attribute 'startswith'")
            raise builtin("TypeError", "expected string or bytes-like object")
        # 14 has a session here too, 19 has none; either way nothing is remembered.
        session = Session(user) if self.service.series < 19 else None
        return self.service.run(user, MethodCall(model, called, given, kwargs), session)

    def _enough(self, args: Any) -> Sequence[Any]:
        least = 5 if self.service.series >= 19 else 3
        if isinstance(args, list) and len(args) >= least:
            return args
        if self.service.series < 19:
            raise builtin("IndexError", "list index out of range")
        count = len(args) if isinstance(args, list) else 0
        text = f"not enough values to unpack (expected at least 5, got {count})"
        raise builtin("ValueError", text)


def _args_and_kwargs(given: Sequence[Any], series: int) -> tuple[Sequence[Any], Mapping[str, Any]]:
    if not given:
        raise builtin("ValueError", "not enough values to unpack (expected 2, got 0)")
    args: Any = given[0]
    kwargs: Any = given[1] if len(given) > 1 else {}
    if not isinstance(args, list):
        kind = type(args).__name__
        raise builtin("TypeError", f"Value after * must be an iterable, not {kind}")
    if kwargs is not None and not isinstance(kwargs, dict):
        kind = type(kwargs).__name__
        text = f"odoo.service.model.execute() argument after ** must be a mapping, not {kind}"
        if series >= 19:
            text = f"'{kind}' object is not iterable"
        raise builtin("TypeError", text)
    return args, kwargs or {}


def refusal(error: OdooError, series: int) -> dict[str, Any]:
    """Return the error object of an envelope."""
    data: dict[str, Any] = {
        "name": error.name,
        "message": error.message,
        "arguments": error.arguments,
        "context": {},
        "debug": error.debug,
    }
    return {"code": 0 if series >= 19 else 200, "message": "Odoo Server Error", "data": data}


def size_of(service: Service, name: str, args: Sequence[Any]) -> int:
    """Return how many records a call is about."""
    first = args[0] if args else None
    known = service.offered.get(name)
    if name == "create" or (known is not None and known[0].on_ids):
        if isinstance(first, list):
            return len(first)
        return int(first is not None)
    return 0
