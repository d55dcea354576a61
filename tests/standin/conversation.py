"""Talking to a server of any kind: raw requests, and programs whose answers can be compared."""

import http.client
import json
import random
import re
import string
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

REAL_ID = frozenset({"search_count", "context_get"})


def post(
    url: str, path: str, body: object, headers: Mapping[str, str], method: str = "POST"
) -> tuple[int, dict[str, str], Any]:
    """Send one request and return status, headers and the body, parsed where it is JSON."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=60)
    raw = body if isinstance(body, str | bytes) else json.dumps(body)
    connection.request(method, path, None if body is None else raw, dict(headers))
    response = connection.getresponse()
    text = response.read().decode()
    found = {name.lower(): value for name, value in response.getheaders()}
    connection.close()
    try:
        return response.status, found, json.loads(text)
    except ValueError:
        return response.status, found, text


def rpc(url: str, service: str, method: str, args: list[Any], cookie: str = "") -> dict[str, Any]:
    """Return the envelope that answers one JSON-RPC request."""
    params = {"service": service, "method": method, "args": args}
    body = {"jsonrpc": "2.0", "method": "call", "id": 7, "params": params}
    headers = {"Content-Type": "application/json"} | ({"Cookie": cookie} if cookie else {})
    _, _, answer = post(url, "/jsonrpc", body, headers)
    assert isinstance(answer, dict), answer
    return answer


# Models about keys: their ids and those of contacts would be taken for one another.
MASKED = ("res.users.apikeys", "res.users.identitycheck")


def masked(value: Any, tag: str = "TAG") -> Any:
    """Return *value* without any id or key."""
    if isinstance(value, dict):
        if "res_model" in value:  # a window: what is in it for people does not count
            shown = {"res_model", "res_id", "context"}
            value = {key: item for key, item in value.items() if key in shown}
            value = {**value, "context": "default_key" in (value.get("context") or {})}
        kept = {"status", "code", "arguments"}
        return {key: item if key in kept else masked(item, tag) for key, item in value.items()}
    if isinstance(value, list):
        return [masked(item, tag) for item in value]
    if isinstance(value, str):
        text = re.sub(r"\b[0-9a-f]{40}\b", "KEY", value.replace(tag, "TAG"))
        return re.sub(r"\(\d+,\)", "(ID,)", text)
    return "ID" if type(value) is int else value


class Talk:
    """A program's way to a server; it keeps the answers in a form that two servers share.

    Ids become ``#1``, ``#2`` ... in the order in which they were made, and the tag that keeps the
    names of one run apart becomes ``TAG``. Of PostgreSQL's texts only the first line counts.
    """

    def __init__(
        self,
        url: str,
        database: str,
        version: str,
        uid: int = 2,
        password: str = "admin",
        login: str = "admin",
    ) -> None:
        self.url = url
        self.database = database
        self.series = int(version.split(".", maxsplit=1)[0])
        self.uid = uid
        self.password = password
        self.login = login
        self.cookie = ""
        # letters only: no id of a row may be found within it
        self.tag = "t" + "".join(random.choices(string.ascii_lowercase, k=12))
        self.numbers: dict[int, str] = {}
        self.answers: list[Any] = []

    def quiet(self, model: str, method: str, *args: Any, **kwargs: Any) -> Any:
        """Make a call and return its result, or its error as ``{"refused": ...}``."""
        whole = [self.database, self.uid, self.password, model, method, list(args), kwargs]
        answer = rpc(self.url, "object", "execute_kw", whole, self.cookie)
        if "error" in answer:
            data = answer["error"]["data"]
            return {"refused": data["name"], "message": data["message"]}
        return answer.get("result", "nothing")

    def __call__(self, model: str, method: str, *args: Any, **kwargs: Any) -> Any:
        """Make a call and keep its answer."""
        result = self.quiet(model, method, *args, **kwargs)
        if model.startswith(MASKED):
            self.answers.append([f"{model}.{method}", masked(result, self.tag)])
            return result
        if method in {"create", "copy"} and not isinstance(result, dict):
            for row_id in result if isinstance(result, list) else [result]:
                self.know(row_id)
        if method == "load" and result.get("ids"):
            for row_id in result["ids"]:
                self.know(row_id)
        self.answers.append([f"{model}.{method}", self.normal(result, method not in REAL_ID)])
        return result

    def know(self, row_id: int) -> None:
        """Give an id a name that does not depend on the server."""
        self.numbers.setdefault(row_id, f"#{len(self.numbers) + 1}")

    def normal(self, value: Any, is_id: bool) -> Any:
        """Return *value* without what differs from run to run."""
        if isinstance(value, dict):
            if str(value.get("refused", "")).startswith("psycopg2"):
                first = value["message"].splitlines()[0]
                return {**value, "message": first.replace(self.tag, "TAG")}
            return {
                key: self.normal(item, key == "id" or key.endswith(("_id", "_ids")))
                for key, item in value.items()
                if key not in {"moreinfo", "field_name"}  # what a form would show
            }
        if isinstance(value, list):
            return [self.normal(item, True) for item in value]
        if isinstance(value, str):
            text = value.replace(self.tag, "TAG")
            text = re.sub(r"^\w+\.(\w+\(\) )", r"\1", text)  # the class has another name here
            return re.sub(r"\((\d+),\)", lambda m: f"({self.numbers.get(int(m[1]), m[1])},)", text)
        if is_id and type(value) is int:
            return self.numbers.get(value, value)
        return value


# The arguments of 19's methods in their order, which JSON-2 wants by name.
SIGNATURES = json.loads((Path(__file__).parent / "recorded/19/signatures.json").read_text())

_KEYS: dict[tuple[str, str, int], str] = {}


class Json2Talk(Talk):
    """The same over JSON-2: a refusal comes with its status."""

    key = ""

    def quiet(self, model: str, method: str, *args: Any, **kwargs: Any) -> Any:
        """Make a call and return its result, or its error as ``{"refused": ...}``."""
        given, rest = dict(kwargs), list(args)
        known = SIGNATURES.get(method, {"on_records": True, "arguments": {}})
        if rest and known["on_records"]:
            given["ids"] = rest.pop(0)
        names = list(known["arguments"])
        if len(rest) > len(names):
            return {"refused": "has no name", "message": ""}
        given |= dict(zip(names, rest, strict=False))
        _, result = self.send(f"{model}/{method}", given)
        # As a client does it: one mapping, one id.
        if method == "create" and args and isinstance(args[0], dict) and type(result) is list:
            [result] = result
        return result

    def ready(self) -> None:
        """Make a key in a session of its own, one for each user."""
        user = (self.url, self.database, self.uid)
        if user not in _KEYS:
            who = (self.uid, self.password, self.login)
            web = WebTalk(self.url, self.database, f"{self.series}.0", *who)
            _KEYS[user] = web.make_key("by a test")
        self.key = _KEYS[user]

    def send(
        self, path: str, body: object, method: str = "POST", **headers: str | None
    ) -> tuple[int, Any]:
        """Send any request and return the status and the result or the error."""
        self.ready()
        sent: dict[str, str | None] = {
            "Authorization": f"bearer {self.key}",
            "X-Odoo-Database": self.database,
            "Content-Type": "application/json",
            **{name.replace("_", "-"): value for name, value in headers.items()},
        }
        kept = {name: value for name, value in sent.items() if value is not None}
        status, _, answer = post(self.url, f"/json/2/{path}", body, kept, method)
        if status == 200:
            return status, "nothing" if answer is None else answer
        if isinstance(answer, str):
            return status, {"refused": status}  # a page, which is for people
        found = {"refused": answer["name"], "message": answer["message"], "status": status}
        if answer["arguments"] != [answer["message"]]:
            found["arguments"] = answer["arguments"]
        return status, found

    def raw(
        self, path: str, body: object, method: str = "POST", **headers: str | None
    ) -> tuple[int, Any]:
        """Send any request and keep its answer."""
        status, result = self.send(path, body, method, **headers)
        masks = path.startswith(MASKED)
        if path.endswith("/create") and status == 200 and not masks:
            for row_id in result:
                self.know(row_id)
        names = " ".join(body) if isinstance(body, dict) else repr(body)
        shown = masked(result, self.tag) if masks else self.normal(result, True)
        self.answers.append([f"{method} {path} {names}", shown])
        return status, result


class WebTalk(Json2Talk):
    """The same with the cookie of a web session."""

    def log_in(self) -> None:
        """Open a new session."""
        params = {"db": self.database, "login": self.login, "password": self.password}
        _, headers, answer = self.web("/web/session/authenticate", params)
        assert self.uid == answer["result"]["uid"], answer
        self.cookie = headers["set-cookie"].partition(";")[0]

    def web(self, path: str, params: dict[str, Any]) -> tuple[int, dict[str, str], Any]:
        """Send a request of the web client."""
        body = {"jsonrpc": "2.0", "method": "call", "id": 7, "params": params}
        headers = {"Content-Type": "application/json"}
        headers |= {"Cookie": self.cookie} if self.cookie else {}
        status, found, answer = post(self.url, path, body, headers)
        if "session_id=" in found.get("set-cookie", ""):  # a session that is written moves on
            self.cookie = found["set-cookie"].partition(";")[0]
        return status, found, answer

    def quiet(self, model: str, method: str, *args: Any, **kwargs: Any) -> Any:
        """Make a call and return its result, or its error as ``{"refused": ...}``."""
        if not self.cookie:
            self.log_in()
        params = {"model": model, "method": method, "args": list(args), "kwargs": kwargs}
        _, _, answer = self.web("/web/dataset/call_kw", params)
        if "error" in answer:
            error = answer["error"]
            found = {"refused": error["data"]["name"], "message": error["data"]["message"]}
            return found | ({"code": error["code"]} if error["code"] not in (0, 200) else {})
        return answer.get("result", "nothing")

    def make_key(self, name: str) -> str:
        """Make an API key of the user and return it."""
        wizard = self.quiet("res.users.apikeys.description", "create", {"name": name})
        asked = self.quiet("res.users.apikeys.description", "make_key", [wizard])
        context = {"password": self.password}
        check = [asked["res_id"]]
        done = self.quiet("res.users.identitycheck", "run_check", check, context=context)
        return str(done["context"]["default_key"])
