"""The listener finds a planted value or secret; the words of the server are no leak."""

import logging

import pytest

from zenoo_rpc.errors import AccessError, InvalidValueError, UsageError

from .leaks import Leaks, listening

VALUE = "Ann Example 4711"


@pytest.fixture
def leaks():
    """A listener of its own that has seen a value and knows a secret."""
    with listening() as leaks:
        leaks.secrets.add("pa55word")
        leaks.sent(
            "create", [[{"name": VALUE, "color": 7, "tags": [[0, 0, {"name": "Inner tag"}]]}]]
        )
        yield leaks


@pytest.mark.parametrize("logger", ["zenoo_rpc", "httpx", "httpcore.connection"])
@pytest.mark.parametrize("text", [VALUE, "pa55word", "Inner tag"])
def test_a_log_line(leaks, logger, text):
    """In the text or in an argument, at the lowest level."""
    logging.getLogger(logger).debug("it was %s, you know", text)
    assert 2 == len(leaks.found())
    assert [] == leaks.found()


@pytest.mark.parametrize("text", [VALUE, "pa55word"])
def test_an_exception(leaks, text):
    """Raised or not, in its text or in a note on it."""
    InvalidValueError(f"not {text}!")
    noted = UsageError("nothing")
    noted.add_note(f"for {text}")
    assert 3 <= len(leaks.found())


def test_the_words_of_the_server(leaks):
    """They may quote a value, not a secret."""
    told = AccessError(f"{VALUE}\nis not yours", "odoo.exceptions.AccessError")
    UsageError(f"it said: {told}")
    assert [] == leaks.found()
    AccessError("pa55word is not yours", "odoo.exceptions.AccessError")
    assert 2 == len(leaks.found())


def test_what_is_no_leak(leaks):
    """A word that only contains a value, and what was sent to be read."""
    leaks.sent("search_read", [[["name", "=", "Nobody at all"]]])
    leaks.sent("create", [])
    InvalidValueError("Ann Example 4711th, and Nobody at all")
    assert [] == leaks.found()


def test_it_leaves_nothing_behind():
    """Afterwards exceptions are made as before, and loggers are as loud as before."""

    def habits():
        logger = logging.getLogger("httpx")
        return logger.level, list(logger.handlers), vars(UsageError.__mro__[1]).get("__new__")

    before = habits()  # the whole run may be listened to
    with listening():
        assert before != habits()
    assert before == habits()
    assert "x" == str(UsageError("x"))
    assert isinstance(Leaks(), logging.Handler)
