"""The stand-in answers what real servers answered when they were recorded."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from zenoo_rpc.testing import OdooStandIn

from .conversation import post, rpc

RECORDED = Path(__file__).parent / "recorded"
NAMES = [
    f"{path.parent.name}/{path.stem}"
    for path in sorted(RECORDED.glob("*/*.json"))
    if not path.stem.startswith(("programs", "signatures"))
]
LIMITED = {"19": 5, "14": 6}


@pytest.fixture(scope="module")
def servers() -> Iterator[dict[str, OdooStandIn]]:
    """Return a stand-in for each release."""
    with OdooStandIn("19.0") as new, OdooStandIn("14.0") as old:
        yield {"19": new, "14": old}


def as_sent_here(odoo: OdooStandIn, release: str, body: Any) -> Any:
    """Return the recorded body with the keys, users and records of this server."""
    if not isinstance(body, dict) or "jsonrpc" not in body:
        return renumbered(odoo, release, body)
    if "service" not in body.get("params", {}):
        return body
    args = body["params"]["args"]
    args = [odoo.api_key if arg == "<API KEY>" else arg for arg in args]
    if body["params"]["service"] == "object":
        if args[2] == "lowlowlow":
            args[1:3] = LIMITED[release], "limited"
        args[5] = [renumbered(odoo, release, arg) for arg in args[5]]
    return {**body, "params": {**body["params"], "args": args}}


def keys_of_here(odoo: OdooStandIn, headers: dict[str, str]) -> dict[str, str]:
    """Return the recorded headers with the keys of this server."""
    keys = {"<API KEY>": odoo.api_key, "<LIMITED KEY>": odoo.make_key("limited")}
    found = json.dumps(headers)
    for name, key in keys.items():
        found = found.replace(name, key)
    return dict(json.loads(found))


def renumbered(odoo: OdooStandIn, release: str, value: Any) -> Any:
    """Return *value* with the ids of the three recorded contacts replaced by those made here."""
    first = 6 if release == "19" else 7
    made = [row["id"] for row in odoo.records("res.partner") if "smoke" in row["name"]][:3]
    new = {first + place: row_id for place, row_id in enumerate(made)}
    if isinstance(value, list):
        return [renumbered(odoo, release, item) for item in value]
    if isinstance(value, dict):
        return {key: renumbered(odoo, release, item) for key, item in value.items()}
    return new.get(value, value) if type(value) is int else value


def shape(value: Any) -> Any:
    """Return *value* without ids and pages, and of a traceback only its last line."""
    if isinstance(value, dict):
        found = {key: shape(item) for key, item in value.items()}
        if "debug" in found:
            found["debug"] = shape(value["debug"].rstrip().splitlines()[-1])
        if "psycopg2.errors" in str(found.get("name")):  # the rest shows the statement
            found["message"] = found["message"].splitlines()[0]
            found["debug"] = ""
            found["arguments"] = [found["message"]]
        return found
    if isinstance(value, list):
        return [shape(item) for item in value]
    if isinstance(value, str) and value.startswith(("<", "Invalid JSON")):
        return "a page"  # which is for people
    if isinstance(value, str):
        return re.sub(r"\b\w+\.(\w+\(\) )", r"\1", value)  # the class has another name here
    return "id" if type(value) is int and value > 3 else value


@pytest.mark.parametrize("name", NAMES)
def test_same_answer(servers: dict[str, OdooStandIn], name: str) -> None:
    """A recorded request gets the status, the content type and the answer that real Odoo gave."""
    release, _, _ = name.partition("/")
    odoo = servers[release]
    odoo.reset()
    vals = [
        {"name": f"smoke {n}", "email": f"s{n}@example.com", "phone": f"+41 44 000 00 0{n}"}
        for n in range(3)
    ]
    rpc(odoo.url, "object", "execute_kw", ["demo", 2, "admin", "res.partner", "create", [vals]])
    if "unlink" in name:
        extra = [{"name": str(n)} for n in range(3)]
        rpc(
            odoo.url, "object", "execute_kw", ["demo", 2, "admin", "res.partner", "create", [extra]]
        )
    recorded = json.loads((RECORDED / f"{name}.json").read_text())
    request = recorded["request"]
    body = as_sent_here(odoo, release, request["body"])
    headers = keys_of_here(odoo, request["headers"])
    answer = post(odoo.url, request["path"], body, headers, request["method"])
    status, headers, content = answer
    expected = (recorded["status"], recorded["content_type"], shape(recorded["body"]))
    assert expected == (status, headers["content-type"], shape(content))
