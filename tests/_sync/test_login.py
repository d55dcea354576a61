"""Login by key and by password, over the dialects that a server speaks."""

import json
import logging

import pytest

from zenoo_rpc.sync import BatchExecutionError, Status, ZenooClient, errors
from zenoo_rpc._core.keys import DESCRIPTION, Door
from zenoo_rpc.testing import OdooStandIn

from ..proxy import Proxy, error_data

PAST = "2020-01-01 00:00:00"
NO_PAGE = b"HTTP/1.1 404 NOT FOUND\r\nContent-Type: text/html\r\n\r\n<title>404 Not Found</title>"


def protocols(server):
    """Return the dialects that a server speaks, the best one last."""
    return ["jsonrpc"] if server.version == "14.0" else ["jsonrpc", "json2"]


def best(server):
    """Return the dialect that a key should lead to."""
    return protocols(server)[-1]


@pytest.fixture
def keys(client):
    """The administrator's API keys."""
    return client.api_keys


def logged_in(server, protocol, url=None):
    """Return a client that is logged in by the server's key."""
    client = ZenooClient(url or server.url, protocol=protocol)
    client.login_with_api_key(server.database, server.api_key, server.login)
    return client


# -- by key --------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["a text", "a plain function", "a function of its own colour"])
@pytest.mark.parametrize("order", ["key, name", "name, key", "by keyword"])
def test_a_key_comes_in_any_form_and_order(server, form, order):
    """The key may be a text or a function, and the name may stand before it."""

    def waiting():
        return server.api_key

    key = {"a text": server.api_key, "a plain function": lambda: server.api_key}.get(form, waiting)
    with ZenooClient(server.url) as client:
        match order:
            case "key, name":
                uid = client.login_with_api_key(server.database, key, server.login)
            case "name, key":
                uid = client.login_with_api_key(server.database, server.login, key)
            case _:
                uid = client.login_with_api_key(
                    username=server.login, api_key=key, database=server.database
                )

        assert (2, 2) == (uid, client.uid)
        assert (server.database, best(server)) == (client.database, client.protocol)
        assert "en_US" == client.context["lang"]
        assert 1 == client.search_count("res.country", [("code", "=", "CH")])


def test_over_json2_a_key_says_whose_it_is(server, limited):
    """No name is needed there; over JSON-RPC it is, and nothing is sent without it."""
    key = limited.api_keys.make("whose", server.limited_password)
    with ZenooClient(server.url) as client:
        if best(server) == "json2":
            assert limited.uid == client.login_with_api_key(server.database, key)
            return
        with pytest.raises(errors.UsageError, match="username"):
            client.login_with_api_key(server.database, key)
        assert client.protocol is None


@pytest.mark.parametrize("why", ["wrong", "a password", "expired", "revoked"])
def test_a_key_that_opens_nothing(server, keys, why, listener):
    """The error says what may be wrong, and how a person makes another one; not the key."""
    key = {"wrong": "f" * 40, "a password": server.password}.get(why, "")
    if why == "expired" and best(server) == "json2":
        wizard = {"name": "old", "duration": "-1", "expiration_date": PAST}
        action = keys._proven(Door.SESSION, "admin", DESCRIPTION, "make_key", wizard)
        key = action["context"]["default_key"]
    elif why in ("expired", "revoked"):  # on 14 no key ends
        key = keys.make("short", server.password)
        keys.revoke((keys.list())[-1].id, server.password)
    if len(key) == 40:
        listener.secrets.add(key)

    with ZenooClient(server.url) as client:
        if best(server) == "jsonrpc":
            if why == "a password":  # which is what a key stands in for there
                assert 2 == client.login_with_api_key(server.database, key, server.login)
                return
            with pytest.raises(errors.AuthenticationError, match="refused the login"):
                client.login_with_api_key(server.database, key, server.login)
        else:
            with pytest.raises(errors.AuthenticationError, match=r"expired.*Add API Key") as told:
                client.login_with_api_key(server.database, key)
            assert server.url in str(told.value)
        assert (None, None) == (client.uid, client.protocol)


@pytest.mark.parametrize("bad", ["", " ", "f" * 39 + "\n" + "f", "\u00e4" * 40, None, 5, b"f" * 40])
def test_what_is_no_key(server, proxy, bad):
    """Nothing is sent, and the error does not show it; a line break at the end is left out."""
    with ZenooClient(proxy.url) as client:
        for key in (bad, lambda: bad):
            with pytest.raises(errors.UsageError, match="an API key is a text") as told:
                client.login_with_api_key(server.database, key, server.login)
            assert "fff" not in str(told.value)
        assert [] == proxy.exchanges

        key = f" {server.api_key}\n"
        assert 2 == client.login_with_api_key(server.database, key, server.login)


def test_a_wrong_database(server):
    """It is named, whatever is spoken."""
    for protocol in protocols(server):
        with ZenooClient(server.url, protocol=protocol) as client:
            with pytest.raises(errors.DatabaseNotFoundError, match="no database 'nonesuch'"):
                client.login_with_api_key("nonesuch", server.api_key, server.login)
    with ZenooClient(server.url) as client:
        with pytest.raises(errors.ZenooError):
            client.login_with_api_key("n\u00f6ne\nsuch", server.api_key, server.login)


def test_the_only_database_need_not_be_named():
    """A server that shows one takes calls without its name."""
    with OdooStandIn() as odoo, Proxy("127.0.0.1", int(odoo.url.rpartition(":")[2])) as proxy:
        with ZenooClient(proxy.url) as client:
            assert 2 == client.login_with_api_key("", odoo.api_key)
            assert 1 == client.search_count("res.country", [("code", "=", "CH")])
            assert "" == client.database


@pytest.mark.real_odoo
def test_one_of_several_databases_must_be_named(server, client):
    """A server that shows several takes no call without a name."""
    shown = client._session.service("db", "list", [])
    if len(shown) > 1 and best(server) == "json2":
        with ZenooClient(server.url) as other:
            with pytest.raises(errors.DatabaseNotFoundError, match="several databases"):
                other.login_with_api_key("", server.api_key)


# -- another key ---------------------------------------------------------------------------------


def test_a_batch_goes_on_with_another_key(server, client, keys, listener):
    """The key is revoked in the middle; the source is asked once more, and no record is lost."""
    first = keys.make("first", server.password)
    number = (keys.list())[-1].id
    second = keys.make("second", server.password)
    listener.secrets.update((first, second))
    given = iter([first, second])
    asked = []

    def source():
        asked.append(1)
        return next(given)

    def revoke(progress):
        if progress["completed"] >= 60 and number is not None and not revoked:
            revoked.append(number)
            keys.revoke(number, server.password)

    revoked = []
    records = [{"name": f"Rotated {n:03}"} for n in range(400)]
    with ZenooClient(server.url) as other:
        other.login_with_api_key(server.database, source, server.login)
        manager = other.setup_batch_manager(max_concurrency=4)
        ids = manager.bulk_create(
            "res.partner", records, chunk_size=20, progress_callback=revoke
        )

    assert [1, 1] == asked or (server.version == "14.0" and [1] == asked)  # its workers remember
    rows = {row["id"]: row["name"] for row in server.rows("res.partner")}
    assert [record["name"] for record in records] == [rows[each] for each in ids]
    assert len(records) == len(rows)


@pytest.mark.parametrize("then", ["the same", "a wrong one", "none", "an error"])
def test_a_source_without_another_key(server, keys, then, listener):
    """What was sent did not run, and what the source did is told; it is asked once for a call."""
    if server.version == "14.0":
        return  # its workers remember for a while that a key was right
    key = keys.make("only", server.password)
    number = (keys.list())[-1].id
    listener.secrets.add(key)
    asked = []

    def source():
        asked.append(1)
        if len(asked) == 1 or then == "the same":
            return key
        if then == "an error":
            raise OSError("the vault is shut")
        return {"a wrong one": "f" * 40}.get(then)

    with ZenooClient(server.url) as client:
        client.login_with_api_key(server.database, source, server.login)
        keys.revoke(number, server.password)
        with pytest.raises(errors.ZenooError) as told:
            client.search("res.partner", limit=1)
        assert 2 == len(asked)
        with pytest.raises(BatchExecutionError) as caught:
            client.batch_manager.bulk_create("res.partner", [{"name": "Ann"}] * 3)

    kinds = {"none": "not a NoneType", "an error": "source raised OSError"}
    if then in kinds:
        assert isinstance(told.value, errors.UsageError)
        assert kinds[then] in str(told.value)
        assert "vault" not in str(told.value)
    else:
        assert isinstance(told.value, errors.AuthenticationError)
    assert [Status.NOT_SENT] * 3 == [outcome.status for outcome in caught.value.result]
    assert 0 == server.count("res.partner")


def test_a_source_that_fails_at_the_login_is_the_callers_affair(server):
    """Its own exception comes through; what is no key is told."""

    def shut():
        raise OSError("the vault is shut")

    with ZenooClient(server.url) as client:
        with pytest.raises(OSError, match="the vault is shut"):
            client.login_with_api_key(server.database, shut, server.login)
        with pytest.raises(errors.UsageError, match="not a int"):
            client.login_with_api_key(server.database, lambda: 5, server.login)
        assert client.uid is None


def test_a_password_is_not_asked_for_again(server, client):
    """After a login by password an earlier source of keys counts no more."""
    asked = []

    def source():
        asked.append(1)
        return server.api_key

    with ZenooClient(server.url) as other:
        other.login_with_api_key(server.database, source, server.login)
        other.login(server.database, server.limited_login, server.limited_password)
        client.write("res.users", other.uid, {"password": "another"})
        with pytest.raises(errors.AuthenticationError):
            other.search("res.partner", limit=1)

    assert [1] == asked


# -- which dialect -------------------------------------------------------------------------------


def test_the_dialect_is_chosen_and_told(server, limited):
    """JSON-2 for a key where the server has it; JSON-RPC for a password; or what is asked for."""
    assert server.protocol == limited.protocol
    for protocol in ("auto", *protocols(server)):
        spoken = best(server) if protocol == "auto" else protocol
        client = logged_in(server, protocol)
        version = client.version()
        release = int(server.version.partition(".")[0])
        assert [release, 0] == version["server_version_info"][:2]
        assert (server.version, spoken) == (client.server_version, client.protocol)
        capable = client.capabilities
        assert (spoken, release) == (capable.protocol, capable.version)
        assert ("web_save_multi" if release == 19 else "load") == capable.update_by
        client.close()


def test_the_dialect_goes_over_the_wire(server, proxy):
    """With a key no call goes to /jsonrpc where JSON-2 is spoken."""
    client = logged_in(server, "auto", proxy.url)
    client.create("res.partner", [{"name": "Ann"}])
    client.close()

    paths = {each.path for each in proxy.exchanges}
    assert ("/jsonrpc" in paths) is (best(server) == "jsonrpc")


def test_before_the_login_nothing_is_spoken(server):
    """There are no capabilities yet."""
    with ZenooClient(server.url) as client:
        assert (None, None, None) == (client.protocol, client.server_version, client.uid)
        with pytest.raises(errors.NotLoggedInError):
            client.capabilities  # noqa: B018
        with pytest.raises(errors.NotLoggedInError):
            client.api_keys.list()


def test_json2_takes_no_password(proxy, server):
    """The error says how to get a key, and nothing is sent."""
    with ZenooClient(proxy.url, protocol="json2") as client:
        with pytest.raises(errors.UsageError, match=r"no passwords.*Add API Key"):
            client.login(server.database, server.login, server.password)

    assert [] == proxy.exchanges


def test_json2_where_it_is_not_spoken():
    """A server before 19 has no such path, which is not to be taken for a missing database."""
    with OdooStandIn("14.0") as odoo:
        with ZenooClient(odoo.url, protocol="json2") as client:
            with pytest.raises(errors.UsageError, match="does not speak JSON-2"):
                client.login_with_api_key(odoo.database, odoo.api_key)


def test_other_dialects_are_refused():
    """There are three words for it."""
    with pytest.raises(errors.InvalidValueError, match="protocol must be"):
        ZenooClient("localhost", protocol="xmlrpc")


def test_a_database_that_is_away(server, proxy):
    """A login is told so at once: it may as well be a wrong name."""
    if best(server) == "jsonrpc":
        pytest.skip("it answers so over JSON-2")
    proxy.rule("replace", when=lambda body: b'"context_get"' in body, answer=NO_PAGE)
    with ZenooClient(proxy.url) as client:
        with pytest.raises(errors.DatabaseNotFoundError, match="there is no database"):
            client.login_with_api_key(server.database, server.api_key)
    assert 1 == sum(b'"context_get"' in each.body for each in proxy.exchanges)


def test_a_server_without_jsonrpc(server, proxy):
    """A password is of no use there, and the error says what is; a key works as ever."""
    proxy.rule("replace", when=lambda body: b'"service"' in body, answer=NO_PAGE)
    with ZenooClient(proxy.url) as client:
        if best(server) == "jsonrpc":  # nothing says that this is Odoo
            with pytest.raises(errors.NotOdooError, match="HTTP 404"):
                client.login(server.database, server.login, server.password)
            with pytest.raises(errors.NotOdooError, match="HTTP 404"):
                client.version()
            return
        assert server.version == (client.version())["server_version"]
        with pytest.raises(errors.AuthenticationError, match=r"no longer speaks.*Add API Key"):
            client.login(server.database, server.login, server.password)
        assert 2 == client.login_with_api_key(server.database, server.api_key)
        ids = client.batch_manager.bulk_create("res.partner", [{"name": "Ann"}] * 3)

    assert ids == [row["id"] for row in server.rows("res.partner")]


# -- keys that end -------------------------------------------------------------------------------


def warnings(caplog):
    """Return the warnings of the library."""
    records = [each for each in caplog.records if each.name == "zenoo_rpc"]
    return [each.getMessage() for each in records if each.levelno >= logging.WARNING]


def test_a_warning_comes_before_the_keys_end(server, caplog):
    """At a login by key, when all of the user's keys end within two weeks."""
    password = server.limited_password
    limited = ZenooClient(server.url)
    limited.login(server.database, server.limited_login, password)
    own = limited.api_keys
    for endless in own.list():
        own.revoke(endless.id, password)
    key = own.make("soon", password, days=7)
    (listed,) = own.list()
    for protocol in protocols(server):
        with ZenooClient(server.url, protocol=protocol) as client:
            client.login_with_api_key(server.database, key, server.limited_login)
        if best(server) == "json2":
            (words,) = warnings(caplog)
            assert f"{server.url}: the user's API keys end on {listed.expires.date()}" in words
        else:
            assert [] == warnings(caplog)
        caplog.clear()

    own.make("later", password, days=90)
    with ZenooClient(server.url) as client:
        client.login_with_api_key(server.database, key, server.limited_login)
        assert [] == warnings(caplog)
    limited.close()


def test_no_warning_without_need(server, caplog):
    """Not for a key that never ends, nor for a password."""
    (logged_in(server, "auto")).close()
    with ZenooClient(server.url) as client:
        client.login(server.database, server.login, server.password)

    assert [] == warnings(caplog)


def test_who_may_not_ask_about_keys_is_not_warned(server, proxy):
    """The login goes on, whatever becomes of the question."""
    forbidden = b"HTTP/1.1 403 FORBIDDEN\r\nContent-Type: text/html\r\n\r\nno"
    proxy.rule("replace", when=lambda body: b"expiration_date" in body, answer=forbidden)

    client = logged_in(server, "auto", proxy.url)

    assert 2 == client.uid
    client.close()


# -- arguments and values ------------------------------------------------------------------------


def test_arguments_without_names(server, proxy):
    """Over JSON-2 a method that is not known takes none by position: nothing is sent."""
    client = logged_in(server, "auto", proxy.url)
    before = len(proxy.exchanges)
    if best(server) == "json2":
        with pytest.raises(errors.UsageError, match=r"res\.partner\.message_post.*by name"):
            client.execute_kw("res.partner", "message_post", [[1]], {"body": "x"})
        with pytest.raises(errors.UsageError, match="by name"):
            client.execute_kw("res.partner", "search_count", [[], 1, 2])
        with pytest.raises(errors.UsageError, match="by name"):
            with client.transaction() as transaction:
                client.execute_kw("res.partner", "message_post", [[1]], {"body": "x"})
        assert before == len(proxy.exchanges)
        assert () == transaction.report.not_undone
        body = {"fields": ["id"], "ids": [3]}
        assert [{"id": 3}] == client.execute_kw("res.partner", "read", kwargs=body)
    else:
        assert 1 == client.execute_kw("res.country", "search_count", [[("code", "=", "CH")]])
    client.close()


def test_named_writes_are_taken_back(server):
    """A transaction understands them whatever their order."""
    if best(server) == "jsonrpc":
        return
    client = logged_in(server, "json2")
    ann = client.create("res.partner", {"name": "Ann", "ref": "old"})
    with pytest.raises(ValueError, match="stop"):
        with client.transaction() as transaction:
            for body in (
                {"vals": {"ref": "a"}, "ids": [ann]},
                {"ids": [ann], "vals": {"ref": "b"}},
            ):
                assert client.execute_kw("res.partner", "write", kwargs=body) is True
            made = {"vals_list": [{"name": "Bob"}, {"name": "Cid"}]}
            assert 2 == len(client.execute_kw("res.partner", "create", kwargs=made))
            raise ValueError("stop")

    assert (0, 0) == (len(transaction.report.not_undone), len(transaction.report.unknown))
    assert [("Ann", "old")] == [(row["name"], row["ref"]) for row in server.rows("res.partner")]
    client.close()


def test_a_transaction_is_taken_back_with_another_key(server, keys, listener):
    """The key is revoked between a block's writes and its end."""
    given = [keys.make(f"key {n}", server.password) for n in range(2)]
    number = next(each.id for each in keys.list() if each.name == "key 0")
    listener.secrets.update(given)
    source = iter(given)
    with ZenooClient(server.url) as client:
        client.login_with_api_key(server.database, lambda: next(source), server.login)
        with pytest.raises(ValueError, match="stop"):
            with client.transaction():
                client.create("res.partner", [{"name": "Ann"}] * 3)
                keys.revoke(number, server.password)
                raise ValueError("stop")

    assert 0 == server.count("res.partner")


def unbound(name):
    """Return the answer of a server that misses an argument."""
    text = f"missing a required argument: '{name}'"
    body = error_data("werkzeug.exceptions.UnprocessableEntity", text, frames="")
    body["arguments"] = [text, 422]
    head = b"HTTP/1.1 422 X\r\nContent-Type: application/json; charset=utf-8\r\n\r\n"
    return head + json.dumps(body).encode()


def test_the_other_name_is_tried_once(server, proxy):
    """Arguments that did not bind did not run; their other name goes out, and then no other."""
    if best(server) == "jsonrpc":
        return
    client = logged_in(server, "json2", proxy.url)
    before = len(proxy.exchanges)
    proxy.rule("replace", nth=1, when=lambda body: b'"write"' in body, answer=unbound("values"))
    with pytest.raises(errors.ServerError, match="missing a required argument: 'vals'"):
        client.write("res.partner", [1], {"ref": "x"})
    client.close()

    first, second = (json.loads(each.sent) for each in proxy.exchanges[before:])
    assert ({"ref": "x"}, {"ref": "x"}) == (first.pop("vals"), second.pop("values"))
    assert first == second


def test_the_other_name_brings_the_answer(server, proxy):
    """A method that has it is called as if nothing had been."""
    if best(server) == "jsonrpc":
        return
    client = logged_in(server, "json2", proxy.url)
    made = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n[7]"

    def creates(body):
        return b'"create"' in body

    proxy.rule("replace", nth=[1, 3], when=creates, answer=unbound("values"))
    proxy.rule("replace", when=creates, answer=made)

    assert 7 == client.create("res.partner", {"name": "Ann"})
    assert [7] == client.batch_manager.bulk_create("res.partner", [{"name": "Ann"}])
    client.close()
    sent = [json.loads(each.sent) for each in proxy.exchanges if creates(each.body)]
    assert ["vals_list", "values"] * 2 == [next(iter(body)) for body in sent]


def test_shapes_are_the_same_over_both(server):
    """One record one id, many a list; nothing is None; records are ids."""
    for protocol in protocols(server):
        client = logged_in(server, protocol)
        call = client.execute_kw
        one = client.create("res.partner", {"name": "Ann"})
        two = client.create("res.partner", [{"name": "Bob"}, {"name": "Cid"}])
        assert [int, int, int] == [type(each) for each in (one, *two)]
        assert [] == client.create("res.partner", [])
        (only,) = client.create("res.partner", [{"name": "Dan"}])
        assert int is type(only)
        if protocol == "json2":
            named = call("res.partner", "create", kwargs={"vals_list": {"name": "Eve"}})
            assert int is type(named)
        assert call("res.partner", "action_archive", [[one]]) is None
        assert call("res.partner", "write", [one, {"ref": "x"}]) is True
        assert [{"id": one, "ref": "x"}] == call("res.partner", "read", [one, ["ref"]])
        copied = call("res.partner", "copy", [[two[0]]])
        assert "Bob (copy)" == (client.read("res.partner", copied, ["name"]))[0]["name"]
        assert (list if server.version == "19.0" else int) is type(copied)
        assert client.unlink("res.partner", two) is True
        client.close()


def test_a_login_that_fails_changes_nothing(server, client):
    """Who was logged in before goes on, also where each database has sessions of its own (14)."""
    before = client.database, client.uid, client.protocol
    for attempt in (
        lambda: client.login(server.database, server.login, "wrong"),
        lambda: client.login("nonesuch", server.login, server.password),
        lambda: client.login_with_api_key(server.database, "0" * 40, server.login),
        lambda: client.login_with_api_key("nonesuch", server.api_key, server.login),
    ):
        with pytest.raises(errors.AuthenticationError):
            attempt()
        assert before == (client.database, client.uid, client.protocol)
        assert 1 == client.search_count("res.country", [("code", "=", "CH")])
        with pytest.raises(errors.OdooError):  # 14 says so in a session of the database only
            client.search_count("res.country", [("no_field", "=", 1)])
