"""The client by itself: login, calls, and what their errors say."""

import json
import pickle
import socket

import attrs
import pytest
from werkzeug import Response

from zenoo_rpc.sync import ZenooClient, __version__, errors, from_wire

from ..proxy import Proxy
from .accounts import log_in


def test_login_tells_who_and_where(server):
    """After the login the client knows the user, the database, the version and the context."""
    with ZenooClient("127.0.0.1", port=server.port) as client:
        uid = log_in(client, server)

        assert (2, 2) == (uid, client.uid)
        assert server.database == client.database
        assert server.version == client.server_version
        assert "en_US" == client.context["lang"]


def test_the_context_of_the_user_goes_along(client, server):
    """What the user has set (language, time zone) is loaded at login and sent with every call."""
    client.write("res.users", client.uid, {"tz": "Europe/Zurich"})

    with Proxy(server.host, server.port) as proxy:
        with ZenooClient(proxy.url) as other:
            log_in(other, server)
            other.search("res.country", limit=1)
        body = json.loads(proxy.exchanges[-1].body)

    *_, kwargs = body["params"]["args"]
    assert ("en_US", "Europe/Zurich") == (kwargs["context"]["lang"], kwargs["context"]["tz"])


def test_an_api_key_stands_in_for_the_password(server):
    """With a key everything works as with the password."""
    with ZenooClient(server.url) as client:
        client.login_with_api_key(server.database, "admin", server.api_key)

        assert 1 == client.search_count("res.country", [("code", "=", "CH")])


def test_version_needs_no_login(server):
    """The version can be asked before any login."""
    with ZenooClient(server.url) as client:
        version = client.version()

    assert server.version == version["server_version"]


def test_records_live_and_die(client, server):
    """create, read, write, search, search_count and unlink do what they say."""
    ann = client.create("res.partner", {"name": "Ann", "email": "ann@example.com"})
    others = client.create("res.partner", [{"name": "Bob"}, {"name": "Cid"}])
    ids = [ann, *others]

    assert [{"id": ann, "name": "Ann"}] == client.read("res.partner", ann, ["name"])
    assert client.write("res.partner", others, {"city": "Bern"}) is True
    assert ids == client.search("res.partner", [("id", "in", ids)], order="id")
    assert [others[1]] == client.search(
        "res.partner", [("id", "in", ids)], order="id", offset=2
    )
    assert [ann] == client.search("res.partner", [("id", "in", ids)], order="id", limit=1)
    assert 2 == client.search_count("res.partner", [("city", "=", "Bern"), ("id", "in", ids)])
    assert client.unlink("res.partner", ids) is True
    assert 0 == server.count("res.partner")


def test_search_read_gives_values(client):
    """search_read finds and reads in one call."""
    rows = client.search_read(
        "res.country", [("code", "in", ["CH", "BE"])], ["code"], order="code"
    )

    assert ["BE", "CH"] == [row["code"] for row in rows]


def test_fields_get_describes(client):
    """fields_get tells types and attributes."""
    fields = client.fields_get("res.partner", ["name", "country_id"], ["type", "relation"])

    assert {"type": "char"} == fields["name"]
    assert {"type": "many2one", "relation": "res.country"} == fields["country_id"]


def test_archived_records_are_found_when_asked_for(client):
    """The context of a call reaches the server."""
    ann = client.create("res.partner", {"name": "Ann"})
    client.write("res.partner", ann, {"active": False})
    domain = [("id", "=", ann)]

    assert [] == client.search("res.partner", domain)
    assert [ann] == client.search("res.partner", domain, context={"active_test": False})
    assert [ann] == client.execute_kw(
        "res.partner", "search", [domain], {"context": {"active_test": False}}
    )


def test_a_method_may_return_nothing(client):
    """The absent result of a method that returned None is None."""
    ann = client.create("res.partner", {"name": "Ann"})

    assert client.execute_kw("res.partner", "action_archive", [[ann]]) is None


def test_rows_become_objects(client):
    """What was read can be structured as attrs classes: no "False" for an empty text."""

    @attrs.frozen
    class Partner:
        id: int
        name: str
        email: str
        city: str | None
        country_id: int | None

    (switzerland,) = client.search("res.country", [("code", "=", "CH")])
    ann = client.create("res.partner", {"name": "Ann", "country_id": switzerland})

    rows = client.read("res.partner", ann, ["name", "email", "city", "country_id"])

    assert [Partner(ann, "Ann", "", None, switzerland)] == from_wire(rows, list[Partner])


@pytest.mark.parametrize(
    ("call", "error_class", "words"),
    [
        (("write", [99999999], {"name": "x"}), errors.MissingError, "does not exist"),
        (
            ("create", {"name": "x", "country_id": 99999999}),
            errors.ValidationError,
            "cannot be completed",
        ),
        (("create", {"name": "x", "no_field": 1}), errors.ServerError, "Invalid field 'no_field'"),
        (("unlink", [3]), errors.OdooError, ""),
    ],
)
def test_refusals_are_typed_and_quote_the_server(client, call, error_class, words):
    """An error has the server's own message, its class name, its arguments and its traceback."""
    method, *args = call

    with pytest.raises(error_class) as caught:
        getattr(client, method)("res.partner", *args)

    error = caught.value
    assert words in str(error)
    assert error.name.split(".")[0] in ("odoo", "builtins", "psycopg2")
    assert error.message
    assert error.debug
    assert str(error) == str(pickle.loads(pickle.dumps(error)))


def test_a_user_without_rights_gets_an_access_error(limited):
    """The server's reason names the model."""
    with pytest.raises(errors.AccessError, match=r"res\.partner"):
        limited.create("res.partner", {"name": "Ann"})


def test_a_forbidden_deletion_is_a_user_error(client):
    """What Odoo's rules forbid is a UserError."""
    with pytest.raises(errors.UserError, match="admin user"):
        client.unlink("res.users", [1])


def test_a_wrong_password_is_told(server):
    """The error names the address and what to check, not the password."""
    with ZenooClient(server.url) as client:
        with pytest.raises(errors.AuthenticationError, match="Check the user's name") as caught:
            client.login(server.database, "admin", "s3cret-wrong")

        assert server.url in str(caught.value)
        assert "s3cret" not in repr(caught.value) + str(caught.value) + repr(client)
        assert client.uid is None


def test_a_password_or_key_that_ended_since_the_login_is_told(client):
    """That it is refused in a later call is an AuthenticationError too."""
    client._session.login = attrs.evolve(client._session.login, password="s3cret-wrong")

    with pytest.raises(errors.AuthenticationError, match=r"Access Denied|Invalid apikey"):
        client.search("res.partner")


def test_an_unknown_database_is_told(server):
    """The error names the address and the database."""
    with ZenooClient(server.url) as client:
        with pytest.raises(errors.DatabaseNotFoundError, match="no database 'nonesuch'") as caught:
            client.login("nonesuch", "admin", "admin")

        assert server.url in str(caught.value)


def test_an_unknown_host_is_told():
    """The error names the address and what to check."""
    with ZenooClient("no-such-host.invalid") as client:
        with pytest.raises(
            errors.UnknownHostError, match=r"http://no-such-host\.invalid:8069.*DNS"
        ):
            client.login("demo", "admin", "admin")


def test_a_refused_port_is_told(free_port):
    """The error names the address and what to check."""
    with ZenooClient("127.0.0.1", free_port) as client:
        with pytest.raises(
            errors.RefusedConnectionError, match=f"127.0.0.1:{free_port}.*Odoo runs"
        ):
            client.login("demo", "admin", "admin")


def test_https_where_http_is_spoken_is_told(server):
    """The error says that it is about TLS."""
    with ZenooClient(f"https://127.0.0.1:{server.port}") as client:
        with pytest.raises(errors.TLSError, match="certificate"):
            log_in(client, server)


def test_a_server_that_never_answers_is_told(deaf_port):
    """After the time-out the error says that the outcome is unknown."""
    with ZenooClient("127.0.0.1", deaf_port, timeout=2) as client:
        with pytest.raises(errors.AnswerTimeoutError, match="unknown"):
            client.login("demo", "admin", "admin")


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, "<html>Login</html>"),
        (404, "<html>Not found</html>"),
        (502, "<html>Bad gateway</html>"),
        (200, ""),
    ],
)
def test_a_server_that_is_not_odoo_is_told(httpserver, status, body):
    """A web page for an answer is a NotOdooError with the address and the HTTP status."""
    httpserver.expect_request("/jsonrpc").respond_with_data(body, status, content_type="text/html")
    url = httpserver.url_for("")

    with ZenooClient(url) as client:
        with pytest.raises(errors.NotOdooError, match=f"HTTP {status}, text/html") as caught:
            client.login("demo", "admin", "admin")

    assert url.rstrip("/") == caught.value.address
    assert status == caught.value.status


def test_a_move_to_another_address_is_told(httpserver):
    """A redirection is not followed; the error says whether it leads to another host."""
    httpserver.expect_request("/jsonrpc").respond_with_data(
        "", 301, headers={"Location": "https://elsewhere.example.com/jsonrpc?x=1"}
    )
    httpserver.expect_request("/erp/jsonrpc").respond_with_data(
        "", 301, headers={"Location": "/jsonrpc?x=1"}
    )

    for path, where in (("", "another host"), ("/erp", "http://localhost")):
        with ZenooClient(httpserver.url_for(path)) as client:
            with pytest.raises(errors.NotOdooError, match=rf"moved to {where}\)"):
                client.version()


def test_a_busy_server_is_told(httpserver):
    """429 is a ServerBusyError with the seconds that the server asks for."""
    httpserver.expect_request("/jsonrpc").respond_with_data("", 429, headers={"Retry-After": "7"})

    with ZenooClient(httpserver.url_for("")) as client:
        with pytest.raises(errors.ServerBusyError, match="did not run") as caught:
            client.version()

    assert 7.0 == caught.value.retry_after


def answers_a_version(request):
    """Answer a request as a server that sets a cookie."""
    body = {"jsonrpc": "2.0", "id": request.json["id"], "result": {"server_version": "19.0"}}
    return Response(json.dumps(body), headers={"Set-Cookie": "session_id=abc"})


def test_a_base_path_and_headers_reach_the_server(httpserver):
    """A path before /jsonrpc is kept; headers and the User-Agent are sent along."""
    httpserver.expect_request(
        "/erp/jsonrpc", headers={"X-Tenant": "a", "User-Agent": f"zenoo-rpc/{__version__}"}
    ).respond_with_handler(answers_a_version)

    with ZenooClient(httpserver.url_for("/erp/"), headers={"X-Tenant": "a"}) as client:
        assert {"server_version": "19.0"} == client.version()


def test_cookies_are_not_kept(httpserver):
    """Each call stands for itself, so a session that expires cannot disturb the next."""
    httpserver.expect_request("/jsonrpc").respond_with_handler(answers_a_version)

    with ZenooClient(httpserver.url_for("")) as client:
        client.version()
        client.version()

    assert [None, None] == [request.cookies.get("session_id") for request, _ in httpserver.log]


def test_nothing_works_before_the_login(server):
    """A call before login() is an error that says so."""
    with ZenooClient(server.url) as client:
        with pytest.raises(errors.NotLoggedInError, match="login"):
            client.search("res.partner")


def test_a_closed_client_says_so(server):
    """After close() every call is an error that says so; closing twice is no fault."""
    client = ZenooClient(server.url)
    log_in(client, server)
    client.close()
    client.close()

    with pytest.raises(errors.ClientClosedError):
        client.search("res.partner")
    with pytest.raises(errors.ClientClosedError):
        log_in(client, server)


@pytest.mark.parametrize(
    "options",
    [
        {"timeout": 0},
        {"timeout": "1"},
        {"timeout": True},
        {"max_connections": 0},
        {"retry": 5},
        {"headers": ["X"]},
        {"trust_env": "no"},
        {"verify": None},
        {"verify": 0},
        {"proxy": 8080},
    ],
    ids=str,
)
def test_bad_options_are_refused(options):
    """A client is not made with options that cannot work."""
    with pytest.raises(errors.InvalidValueError, match=next(iter(options))):
        ZenooClient("localhost", **options)


def test_bad_values_are_refused_before_anything_is_sent(client):
    """A value without a wire form is named by its place."""
    with pytest.raises(errors.InvalidValueError, match="price"):
        client.create("res.partner", {"name": "Ann", "price": float("nan")})


def test_a_client_shows_no_secret(server):
    """The repr names the address only."""
    assert f"<ZenooClient {server.url}, not logged in>" == repr(ZenooClient(server.url))


@pytest.fixture
def free_port():
    """A port at which nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


@pytest.fixture
def deaf_port():
    """A port at which connections are taken and nothing is ever said."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]
