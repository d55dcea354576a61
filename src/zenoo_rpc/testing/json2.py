"""The JSON-2 dialect of 19: `POST /json/2/<model>/<method>`, named arguments, a bearer key."""

import json
import re
from collections.abc import Mapping
from typing import Any

from attrs import frozen
from werkzeug import Request as HttpRequest

from .env import Env, Request, Session, record_ids
from .errors import NO_MODEL, OdooError, builtin
from .http_errors import HttpError, status_of, unprocessable
from .public import public
from .service import Call, Service

_BEARER = re.compile(r"bearer\s+(.+)", re.IGNORECASE)
_NO_KEY = "User not authenticated, use an API Key with a Bearer Authorization header."


@frozen
class Json2:
    """The dialect of `/json/2`: status and body of an answer to a call."""

    service: Service
    max_body: int

    def answer(self, model: str, name: str, request: HttpRequest) -> tuple[int, bytes, Call]:
        """Run a call; an error ends its transaction and becomes a status with a body."""
        given = self._arguments(request)
        size = 0 if isinstance(given, HttpError) else _size(name, given)
        call = self.service.log(model, name, size)
        try:
            uid = self._user(request.headers.get("Authorization", ""))
            if isinstance(given, HttpError):
                raise given
            result = self._run(uid, model, name, given)
        except OdooError as error:
            return status_of(error), refusal(error), call
        return 200, json.dumps(result).encode(), call

    def _user(self, header: str) -> int:
        found = _BEARER.fullmatch(header)
        if found is None:
            raise HttpError(401, _NO_KEY)
        uid = self.service.owner(found[1])
        if uid is None:
            raise HttpError(401, "Invalid apikey")
        return uid

    def _arguments(self, request: HttpRequest) -> dict[str, Any] | HttpError:
        """Return what the body names; a body without a length is not looked at."""
        length = request.content_length or 0
        if length > self.max_body:
            return HttpError(413, "The data value transmitted exceeds the capacity limit.")
        text = request.get_data(as_text=True)
        try:
            body = json.loads(text) if length else None
        except ValueError as error:
            return HttpError(400, f"could not parse the body as json: {error}")
        return body if isinstance(body, dict) else {}

    def _run(self, uid: int, model: str, name: str, given: dict[str, Any]) -> Any:
        kwargs = {key: value for key, value in given.items() if key not in _PATH}
        if "self" in kwargs:
            text = "WebJson2Controller.web_json_2_rpc() got multiple values for argument 'self'"
            raise builtin("TypeError", text)
        ids = kwargs.pop("ids", ())
        context = kwargs.pop("context", None)
        service = self.service
        with service.db.transaction():
            if model not in service.db.models:
                raise HttpError(404, f"the model {model!r} does not exist", NO_MODEL)
            session = Session(uid)  # nothing is remembered until the next call
            env = Env(service.db, service.words, uid, _context(context), session=session)
            return _call(env, service, model, name, ids, kwargs)


_PATH = frozenset({"__model__", "__method__"})


def _context(given: Any) -> dict[str, Any]:
    try:
        return {} if given is None else dict(given)
    except (TypeError, ValueError) as error:
        raise builtin(type(error).__name__, str(error)) from None


def _call(
    env: Env, service: Service, name: str, method: str, ids: Any, kwargs: Mapping[str, Any]
) -> Any:
    model = service.db.models[name]
    try:
        signature, run = public(env, service.offered, model, method)
    except OdooError as error:
        if error.name == "builtins.AttributeError":
            raise HttpError(404, error.message, error.hint) from None
        raise
    if ids and not signature.on_ids:
        raise unprocessable(f"cannot call {name}.{method} with ids")
    records = record_ids(ids)
    result = run(Request(env, model, records, signature.bind_named(kwargs)))
    # JSON-RPC gives an id for a mapping; here the records made are always a list of ids.
    return [result] if method == "create" and isinstance(result, int) else result


def _size(name: str, body: Mapping[str, Any]) -> int:
    given = body.get("vals_list" if name == "create" else "ids")
    return len(given) if isinstance(given, list) else int(bool(given))


def refusal(error: OdooError) -> bytes:
    """Return the body that tells of an error."""
    body: dict[str, Any] = {
        "name": error.name,
        "message": error.message,
        "arguments": error.arguments,
        "context": {},
        "debug": error.debug,
    }
    return json.dumps(body).encode()
