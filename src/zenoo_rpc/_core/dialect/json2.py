"""JSON-2, which came with Odoo 19: a path for each method, named arguments, a key in a header."""

from __future__ import annotations

import re
from contextlib import suppress
from typing import Any
from urllib.parse import quote

import attrs

from ...errors import OdooError, UsageError
from ...wire.encoding import decode, encode, is_header
from ..exchange import CONTENT_TYPE, Answer, Request, Wire
from ..faults import ODOO_JSON2, UNPROCESSABLE, Fault, Proof
from ..foreign import Reply, foreign
from .base import Login, is_error, json_object, odoo_error
from .named import OTHER_NAMES, named
from .shapes import NOTHING, is_answer

VERSION_PATH = "/json/version"  # asks for no login, and leaves no line in the server's log (19)
JSON2_SINCE = 19


class Json2:
    """JSON-2: a path for each method, named arguments, a key in a header, the bare value.

    Source: Odoo 19 answers an error by its status and a body with `name`, `message`, `arguments`
    and `debug`; `create` always answers a list.
    """

    name = "json2"

    def request(self, number: int, login: Login, request: Request) -> Wire:
        """Return what makes a call of a model's method; UsageError if its arguments have no names.

        *number* is not sent.
        """
        own = {name: encode(value) for name, value in request.kwargs.items()}
        arguments = {**named(request.model, request.method, request.args), **own}
        if request.renamed:
            arguments = {OTHER_NAMES.get(name, name): part for name, part in arguments.items()}
        arguments["context"] = encode(request.context)
        body = b"{%b}" % b",".join(b"%b:%b" % (encode(n), part) for n, part in arguments.items())
        headers = {"Authorization": f"bearer {login.password}"}
        if login.database:
            if not is_header(login.database):
                raise UsageError("JSON-2 takes names of databases in ASCII characters only")
            headers["X-Odoo-Database"] = login.database
        path = "/".join(quote(part, safe="") for part in (request.model, request.method))
        return Wire(f"/json/2/{path}", body, headers)

    def read(
        self, number: int, request: Request | None, reply: Reply, address: str
    ) -> Answer | Fault:
        """Return what the reply to a request says; an answer that is not the method's is none."""
        media_type = reply.headers.get("content-type", "").partition(";")[0]
        body: Any = NOTHING
        if media_type == CONTENT_TYPE:
            with suppress(ValueError, RecursionError):
                body = decode(reply.content)
        if reply.status == 200 and request is not None and is_answer(request.method, body):
            if not _is_single(request):
                return Answer(body)
            if len(body) == 1:
                return Answer(body[0])
        if 400 <= reply.status <= 500 and is_error(body):
            return odoo_error(body, ODOO_JSON2)
        return foreign(reply, address)


JSON2 = Json2()


def under_other_names(request: Request, reply: Answer | Fault) -> Request | None:
    """Return the call with the other names of its arguments, if these did not bind.

    Such a call did not run. None where there are none, or they were tried.
    """
    if request.renamed or not isinstance(reply, Fault) or not isinstance(reply.error, OdooError):
        return None
    missing = NOT_BOUND.search(reply.error.message)
    if reply.proof is not Proof.NOT_RUN or reply.error.name != UNPROCESSABLE or missing is None:
        return None
    return attrs.evolve(request, renamed=True) if missing[1] in OTHER_NAMES.values() else None


NOT_BOUND = re.compile(r"^missing a required argument: '(\w+)'$")


def _is_single(request: Request) -> bool:
    """Whether a create was given the values of one record, whose id is the answer."""
    first = request.args[0] if request.args else encode(request.kwargs.get("vals_list", []))
    return request.method == "create" and first.startswith(b"{")


def json_version(reply: Reply | Fault) -> dict[str, Any]:
    """Return what `/json/version` told, as `common.version` would; empty if it told nothing."""
    body = json_object(reply.content) if isinstance(reply, Reply) and reply.status == 200 else None
    if body is None or not isinstance(body.get("version_info"), list):
        return {}
    return {"server_version": body.get("version"), "server_version_info": body["version_info"]}
