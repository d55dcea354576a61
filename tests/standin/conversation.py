"""Talking to a server of any kind: raw requests, and programs whose answers can be compared."""

import http.client
import json
import random
import re
import string
from collections.abc import Mapping
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


class Talk:
    """A program's way to a server; it keeps the answers in a form that two servers share.

    Ids become ``#1``, ``#2`` ... in the order in which they were made, and the tag that keeps the
    names of one run apart becomes ``TAG``. Of PostgreSQL's texts only the first line counts.
    """

    def __init__(
        self, url: str, database: str, version: str, uid: int = 2, password: str = "admin"
    ) -> None:
        self.url = url
        self.database = database
        self.series = int(version.split(".", maxsplit=1)[0])
        self.uid = uid
        self.password = password
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
            }
        if isinstance(value, list):
            return [self.normal(item, True) for item in value]
        if isinstance(value, str):
            text = value.replace(self.tag, "TAG")
            return re.sub(r"\((\d+),\)", lambda m: f"({self.numbers.get(int(m[1]), m[1])},)", text)
        if is_id and type(value) is int:
            return self.numbers.get(value, value)
        return value
