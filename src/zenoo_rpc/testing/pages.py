"""The pages with which the server answers what no dialect takes."""

from html import escape as _escape

from werkzeug import Request, Response

OVERLOADED = (
    "The server encountered an internal error and was unable to complete your request. Either the"
    " server is overloaded or there is an error in the application."
)
NOT_FOUND = (
    "The requested URL was not found on the server. If you entered the URL manually please check"
    " your spelling and try again."
)
_NO_DATABASE = """<!DOCTYPE html>
<title>404 Not Found</title>
<h1>Not Found</h1>
<p>No database is selected and the requested URL was not found in the server-wide controllers.</p>
<p>Please verify the hostname, <a href=/web/login>login</a> and try again.</p>

<!-- Alternatively, use the X-Odoo-Database header. -->
"""


def html(status: int, body: str) -> Response:
    """Return a response of HTML."""
    return Response(body, status=status, content_type="text/html; charset=utf-8")


def escape(text: str, *, quote: bool = True) -> str:
    """Return *text* as HTML, an apostrophe in the way of markupsafe."""
    return _escape(text, quote=quote).replace("&#x27;", "&#39;")


def page(status: int, title: str, text: str, *, new: bool, quote: bool = True) -> Response:
    """Return the page of a status, as 19 (*new*) or 14 writes it."""
    doctype = "<!doctype html>\n<html lang=en>"
    if not new:
        doctype = '<!DOCTYPE HTML PUBLIC "-//W3C//DTD HTML 3.2 Final//EN">'
    shown = escape(text, quote=False) if quote else text
    return html(
        status, f"{doctype}\n<title>{status} {title}</title>\n<h1>{title}</h1>\n<p>{shown}</p>\n"
    )


def no_database() -> Response:
    """Return the page of 19 for a database that is not there."""
    return html(404, _NO_DATABASE)


def wrong_type(request: Request, path: str, kind: str) -> Response:
    """Return the page of 19 for a content type that is not that of the path.

    Args:
        kind: the dialect of the path, ``jsonrpc`` or ``json2``.
    """
    types = {
        "jsonrpc": ("application/json", "application/json-rpc"),
        "json2": ("application/json",),
    }
    kinds = ["http"]
    kinds += ["jsonrpc"] if request.mimetype in types["jsonrpc"] else []
    kinds += ["json2"] if request.mimetype in types["json2"] or not request.content_length else []
    text = f"Request inferred type is compatible with {kinds} but '{path}' is type='{kind}'."
    again = "Please verify the Content-Type request header and try again."
    body = f"{escape(text)}<br><br>{again}"
    response = page(415, "Unsupported Media Type", body, new=True, quote=False)
    response.headers["Accept"] = ", ".join(types[kind])
    return response
