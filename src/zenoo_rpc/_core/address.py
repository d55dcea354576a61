"""Where the server is: what a user writes -> one base URL."""

from __future__ import annotations

from urllib.parse import SplitResult, urlsplit

from ..errors import AddressError

ODOO_PORT = 8069  # what a new Odoo listens on
DEFAULT_PORTS = {"http": 80, "https": 443}


def parse_address(text: str, port: int | None = None) -> str:
    """Return the base URL, without a slash at its end, for what a user writes as an address.

    A bare host gets `http` and Odoo's own port; a URL gets the port of its scheme and keeps its
    path. Raises AddressError for anything that is no address.

    >>> parse_address("localhost", 8069)
    'http://localhost:8069'
    >>> parse_address("https://odoo.example.com/erp/")
    'https://odoo.example.com/erp'
    >>> parse_address("::1")
    'http://[::1]:8069'
    """
    if not isinstance(text, str):
        raise AddressError(f"the address must be a text, not {type(text).__name__}")
    text = text.strip()
    if not text:
        raise AddressError("the address is empty: give a host, host:port or a URL")
    bare = "://" not in text
    if bare and text.count(":") > 1 and not text.startswith("["):
        text = f"[{text}]"  # an IPv6 address without a port
    parts, own_port = _split(f"http://{text}" if bare else text)
    if parts is None:
        raise AddressError("the address cannot be read: give a host, host:port or a URL")
    host = parts.hostname
    if parts.username is not None or parts.password is not None:
        raise AddressError("leave user and password out of the address: login() takes them")
    if parts.scheme not in DEFAULT_PORTS:
        raise AddressError(f"the scheme is {parts.scheme!r}: only http and https are known")
    if not host or any(c.isspace() for c in host):
        raise AddressError("the address names no host")
    if parts.query or parts.fragment:
        raise AddressError("the address ends with a query or a fragment: give the base URL only")
    if port is not None and (isinstance(port, bool) or not isinstance(port, int)):
        raise AddressError(f"the port is {port!r}: it must be a whole number")
    if port is not None and own_port is not None and port != own_port:
        raise AddressError(f"the address says port {own_port} and port= says {port}")
    number = port if port is not None else own_port
    if number is None:
        number = ODOO_PORT if bare else DEFAULT_PORTS[parts.scheme]
    if not 1 <= number <= 65535:
        raise AddressError(f"the port is {number}: it must be 1 to 65535")
    name = f"[{host}]" if ":" in host else host
    shown = "" if number == DEFAULT_PORTS[parts.scheme] else f":{number}"
    return f"{parts.scheme}://{name}{shown}{parts.path.rstrip('/')}"


def _split(url: str) -> tuple[SplitResult | None, int | None]:
    """Return the parts and the port; no exception, which would quote what was given."""
    try:
        parts = urlsplit(url)
        return parts, parts.port
    except ValueError:
        return None, None
