"""An answer that is not Odoo's: what it tells. No word of it is passed on: it may quote a call."""

from __future__ import annotations

import mimetypes
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

import attrs

from .faults import Fault, kind_of, transport_fault

MEDIA_TYPES = frozenset(
    media_type for known in mimetypes.MimeTypes().types_map for media_type in known.values()
)


@attrs.frozen
class Reply:
    """An HTTP answer as it came: *headers* with names in lower case."""

    status: int
    headers: Mapping[str, str]
    content: bytes = attrs.field(repr=False)


def foreign(reply: Reply, address: str) -> Fault:
    """Return what an answer that is not Odoo's proves."""
    status = reply.status
    detail = f"HTTP {status}, {_media_type(reply.headers)}"
    if 300 <= status < 400 and (location := reply.headers.get("location")):
        detail += f", moved to {_where(location, address)}"
    seconds = _retry_after(reply.headers)
    return transport_fault(kind_of(status), address, detail, status=status, retry_after=seconds)


def _media_type(headers: Mapping[str, str]) -> str:
    told = headers.get("content-type", "").partition(";")[0].strip().lower()
    return told if told in MEDIA_TYPES else "no known content type"


def _where(location: str, address: str) -> str:
    """Return where an answer leads, as far as it can be told: the scheme, and a host of ours."""
    ours = urlsplit(address)
    try:
        there = urlsplit(location)
        host = there.hostname or ours.hostname
    except ValueError:
        return "no address"
    if host != ours.hostname:
        return "another host"
    scheme = there.scheme or ours.scheme
    return f"{scheme}://{host}" if scheme in ("http", "https") else "another scheme"


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Return `Retry-After` in seconds; a date counts from the answer's own `Date`."""
    text = headers.get("retry-after", "")
    if text.isdecimal():
        return float(text)
    try:
        until, since = map(parsedate_to_datetime, (text, headers.get("date", "")))
        return max(0.0, (until - since).total_seconds())
    except (TypeError, ValueError):
        return None
