"""What a user writes as an address -> one base URL, or an error that says what is wrong with it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zenoo_rpc._core.address import parse_address
from zenoo_rpc.errors import AddressError, UsageError

HOSTS = st.from_regex(r"[a-z][a-z0-9]{0,8}(\.[a-z]{2,5})?", fullmatch=True)
PORTS = st.integers(1, 65535)
PATHS = st.from_regex(r"(/[a-z0-9]{1,5}){0,2}", fullmatch=True)


@pytest.mark.parametrize(
    ("text", "port", "expected"),
    [
        ("localhost", None, "http://localhost:8069"),
        ("localhost", 8070, "http://localhost:8070"),
        ("localhost:8070", None, "http://localhost:8070"),
        ("localhost:8070", 8070, "http://localhost:8070"),
        ("localhost:80", None, "http://localhost"),
        ("odoo.example.com/erp", None, "http://odoo.example.com:8069/erp"),
        ("http://odoo.example.com", None, "http://odoo.example.com"),
        ("https://odoo.example.com", None, "https://odoo.example.com"),
        ("https://odoo.example.com", 8443, "https://odoo.example.com:8443"),
        ("https://odoo.example.com:443/", None, "https://odoo.example.com"),
        ("https://odoo.example.com/erp//", None, "https://odoo.example.com/erp"),
        ("HTTPS://Odoo.Example.COM", None, "https://odoo.example.com"),
        ("  localhost\n", None, "http://localhost:8069"),
        ("192.0.2.7", None, "http://192.0.2.7:8069"),
        ("::1", None, "http://[::1]:8069"),
        ("[::1]", None, "http://[::1]:8069"),
        ("[::1]:8070", None, "http://[::1]:8070"),
        ("https://[2001:db8::7]/erp", None, "https://[2001:db8::7]/erp"),
    ],
)
def test_address(text, port, expected):
    """A bare host gets http and Odoo's port, a URL the port of its scheme; a path stays."""
    assert expected == parse_address(text, port)


@pytest.mark.parametrize(
    ("text", "port", "reason"),
    [
        ("", None, "the address is empty"),
        ("   ", None, "the address is empty"),
        ("http://", None, "names no host"),
        ("http://:8069", None, "names no host"),
        ("my server", None, "names no host"),
        ("http://[::1", None, "cannot be read"),
        ("localhost:port", None, "cannot be read"),
        ("localhost:99999", None, "cannot be read"),
        ("ftp://localhost", None, "the scheme is 'ftp'"),
        ("http://localhost?db=demo", None, "a query or a fragment"),
        ("http://localhost#top", None, "a query or a fragment"),
        ("localhost", 0, "it must be 1 to 65535"),
        ("localhost:0", None, "it must be 1 to 65535"),
        ("localhost", 65536, "it must be 1 to 65535"),
        ("localhost", True, "it must be a whole number"),
        ("localhost", "8069", "it must be a whole number"),
        ("localhost:8069", 8070, "the address says port 8069 and port= says 8070"),
    ],
)
def test_no_address(text, port, reason):
    """What cannot be read raises an AddressError that names the reason."""
    with pytest.raises(AddressError, match=reason):
        parse_address(text, port)


def test_error_is_a_value_error():
    """An AddressError is a usage error of ours and a ValueError of Python's."""
    assert issubclass(AddressError, UsageError)
    assert issubclass(AddressError, ValueError)


@pytest.mark.parametrize(
    "text",
    [
        "http://admin:hunter2@localhost",
        "admin:hunter2@localhost",
        "admin:hunter2@localhost:8069",
        "https://:hunter2@localhost",
        "http://admin:hunter2@[::1",
        "ftp://admin:hunter2@localhost",
        "http://admin:hunter2@",
    ],
)
def test_password_is_refused_and_not_repeated(text):
    """A password has no place in an address, and the error does not show it."""
    with pytest.raises(AddressError) as caught:
        parse_address(text)

    assert "hunter2" not in f"{caught.value}{caught.value!r}"
    assert None is caught.value.__context__  # it would quote what was given


@given(st.sampled_from(["", "http://", "https://"]), HOSTS, st.none() | PORTS, PATHS)
def test_result_is_its_own_address(scheme, host, port, path):
    """The base URL means itself: reading it again changes nothing."""
    given_port = "" if port is None else f":{port}"
    url = parse_address(f"{scheme}{host}{given_port}{path}")

    assert url == parse_address(url)


@given(HOSTS, PORTS)
def test_port_may_stand_on_either_side(host, port):
    """`host:port` and `port=` say the same."""
    assert parse_address(f"{host}:{port}") == parse_address(host, port)
