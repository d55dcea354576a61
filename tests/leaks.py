"""Listens to a whole test run: no log line and no exception of ours may hold what was sent.

What was sent is read off the requests; what is told, off the loggers at DEBUG (ours, httpx's,
httpcore's) and off every exception of ours that was made, raised or not. The server's own words
are handed on as they are, and may quote a value, but never a password or key.
"""

import functools
import json
import logging
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from zenoo_rpc.errors import OdooError, ZenooError

LOGGERS = ("zenoo_rpc", "httpx", "httpcore")
WRITES = {"create": 0, "write": 1, "load": 1}  # method -> which argument holds the values
NUMBERS = re.compile(r"0x[0-9a-f]+|\d+")
FEWEST_LETTERS = 3  # a value with fewer is in any text

# Values of the tests that are words of our own texts as well.
WORDS = {"contact", "active", "name", "Field"}


class Leaks(logging.Handler):
    """What was sent and what was told since the last look."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.secrets: set[str] = set()
        self.values: set[str] = set()
        self._lines: set[str] = set()
        self._errors: list[ZenooError] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Take a log record's text, and what it would say of its arguments.

        httpcore's own record of an answer that is no HTTP quotes it: `docs/design.md` says so.
        """
        if record.name.startswith("httpcore") and "RemoteProtocolError" in record.getMessage():
            return
        self._lines.update((alike(record.getMessage()), alike(repr(record.args))))

    def sent(self, method: str, arguments: list[Any]) -> None:
        """Take the values of a request."""
        place = WRITES.get(method)
        if place is not None and place < len(arguments):
            self.values.update(alike(text) for text in _texts(arguments[place]))

    def made(self, error: ZenooError) -> None:
        """Take an exception; what it says is asked for at the end."""
        self._errors.append(error)

    def found(self) -> list[str]:
        """Return each text that holds a value or a secret, and forget all that was taken."""
        told = set(self._lines)
        unquoted = set()
        for error in self._errors:
            for text in _told(error):
                unquoted.add(alike(text))
                told.add(alike(_without_quotations(text, self._errors)))
        longest = [
            v for v in self.values - WORDS if len(re.findall("[a-zA-Z]", v)) >= FEWEST_LETTERS
        ]
        found = [text for text in told for value in longest if _holds(text, value)]
        found += [text for text in told | unquoted for s in self.secrets if _holds(text, alike(s))]
        self.values.clear()
        self._lines.clear()
        self._errors.clear()
        return sorted(set(found))


@contextmanager
def listening() -> Iterator[Leaks]:
    """Listen to the loggers, to the requests in both dialects and to the making of exceptions."""
    from zenoo_rpc._core.dialect.json2 import Json2
    from zenoo_rpc._core.dialect.jsonrpc import JsonRpc, WebSession

    leaks = Leaks()

    def heard(dialect: type[JsonRpc | Json2]) -> Any:
        original = dialect.request

        @functools.wraps(original)
        def request(self: Any, number: int, login: Any, call: Any) -> Any:
            leaks.sent(call.method, [json.loads(part) for part in call.args])
            return original(self, number, login, call)

        return patch.object(dialect, "request", request)

    def new(error_class: type[ZenooError], *args: Any, **kwargs: Any) -> ZenooError:
        error: ZenooError = Exception.__new__(error_class, *args, **kwargs)
        leaks.made(error)
        return error

    loggers = [logging.getLogger(name) for name in LOGGERS]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.addHandler(leaks)
        logger.setLevel(logging.DEBUG)
    try:
        with (
            heard(JsonRpc),
            heard(Json2),
            heard(WebSession),
            patch.object(ZenooError, "__new__", new),
        ):
            yield leaks
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.removeHandler(leaks)
            logger.setLevel(level)


def alike(text: str) -> str:
    """Return a text with all numbers the same: there are not many that differ then."""
    return NUMBERS.sub("#", text)


def _texts(value: object) -> Iterator[str]:
    match value:
        case str():
            yield value
        case dict():
            yield from _texts(list(value.values()))
        case list():
            for each in value:
                yield from _texts(each)


def _told(error: ZenooError) -> list[str]:
    notes = getattr(error, "__notes__", [])
    try:
        return [str(error), repr(error), *notes]
    except AttributeError:  # it was never finished: `__init__` raised
        return notes


def _without_quotations(text: str, errors: Iterable[ZenooError]) -> str:
    for error in errors:
        if isinstance(error, OdooError):
            for words in (
                error.message,
                " ".join(error.message.split()),
                repr(error.message)[1:-1],
            ):
                text = text.replace(words, "...") if words else text
    return text


def _holds(text: str, value: str) -> bool:
    return value in text and re.search(rf"(?<!\w){re.escape(value)}(?!\w)", text) is not None
