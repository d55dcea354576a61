"""Programs about JSON-2 and about API keys, which every server of a release must answer alike.

`ADMIN` and `LIMITED` speak JSON-2, `SESSION` runs in a web session, `JSON_RPC` over `/jsonrpc`
and `JSON_RPC_14` over that of 14.
"""

from collections.abc import Callable

from .conversation import Json2Talk, Talk, WebTalk, masked
from .programs import COUNTRY, GONE, PARTNER, SWITZERLAND

APIKEYS = "res.users.apikeys"
DESCRIPTION = "res.users.apikeys.description"
CHECK = "res.users.identitycheck"
PAST, FAR = "2020-01-01 00:00:00", "2099-01-01 00:00:00"


def arguments_by_name(s: Json2Talk) -> None:
    """Arguments that are not those of the method are refused before it runs."""
    _, [row] = s.raw(f"{PARTNER}/create", {"vals_list": [{"name": s.tag}]})
    one = {"ids": [row]}
    for body in (
        {},
        {"values": {}},
        {"vals": {"ref": "x"}, "zzz": 1},
        {"zzz": 1},
        {"vals": {}, "b": 1, "a": 2},
        {"vals": {}, "args": []},
        {"vals": {}, "kwargs": {}},
    ):
        s.raw(f"{PARTNER}/write", body if "ids" in body else {**body, **one})
    for body in ({}, {"vals": {"name": s.tag}}, {"values": {}}, {"vals_list": [], "x": 1}):
        s.raw(f"{PARTNER}/create", body)
    for method in ("search", "search_count", "name_create", "default_get", "load"):
        s.raw(f"{PARTNER}/{method}", {})
    s.raw(f"{PARTNER}/search", {"args": []})
    s.raw(f"{PARTNER}/default_get", {"fields_list": ["type"]})
    s.raw(f"{PARTNER}/default_get", {"fields": ["type"]})
    asked = {"domain": [["id", "=", SWITZERLAND]], "fields": ["currency_id"]}
    s.raw(f"{COUNTRY}/search_read", {**asked, "load": None, "offset": 1})
    s.raw(f"{PARTNER}/web_save_multi", {**one, "vals_list": [{"ref": "y"}]})
    s.raw(f"{PARTNER}/web_save_multi", {**one, "vals_list": [{}], "specification": {}, "x": 1})
    s.raw(f"{PARTNER}/read", {**one, "fields": ["ref"]})


def ids_beside_the_arguments(s: Json2Talk) -> None:
    """The ids of a method on records, none by default; a method of the model takes none."""
    _, [row] = s.raw(f"{PARTNER}/create", {"vals_list": [{"name": s.tag}]})
    for ids in (row, [row], [], None, 0, [GONE], [row, row], [row, GONE], ["x"]):
        s.raw(f"{PARTNER}/read", {"ids": ids, "fields": ["ref"]})
    s.raw(f"{PARTNER}/write", {"vals": {"ref": "x"}})
    s.raw(f"{PARTNER}/read", {"fields": ["ref"]})
    s.raw(f"{PARTNER}/write", {"ids": [row, GONE], "vals": {"ref": "x"}})
    s.raw(f"{PARTNER}/unlink", {})
    s.raw(f"{PARTNER}/create", {"ids": [row], "vals_list": []})
    s.raw(f"{PARTNER}/create", {"ids": [], "vals_list": []})
    s.raw(f"{PARTNER}/search", {"ids": [row], "nonsense": []})
    s.raw(f"{PARTNER}/fields_get", {"ids": row})


def shapes_of_values(s: Json2Talk) -> None:
    """A create answers a list, nothing is null, records are ids."""
    _, [one] = s.raw(f"{PARTNER}/create", {"vals_list": {"name": s.tag}})
    s.raw(f"{PARTNER}/create", {"vals_list": [{"name": s.tag}, {"name": f"{s.tag} b"}]})
    s.raw(f"{PARTNER}/create", {"vals_list": []})
    for wrong in (None, 5, "x", [5]):
        s.raw(f"{PARTNER}/create", {"vals_list": wrong})
    s.raw(f"{PARTNER}/action_archive", {"ids": [one]})
    s.raw(f"{PARTNER}/action_unarchive", {"ids": [one]})
    s.raw(f"{PARTNER}/search", {"domain": [["name", "=", s.tag]], "order": "id", "limit": 1})
    s.raw(f"{PARTNER}/name_search", {"name": s.tag, "limit": 1})
    s.raw(f"{PARTNER}/web_save_multi", {"ids": one, "vals_list": [{}], "specification": {}})
    s.raw(f"{PARTNER}/unlink", {"ids": [one]})


def contexts(s: Json2Talk) -> None:
    """A context is a mapping, or what `dict` takes for one."""
    archived = {"name": s.tag, "active": False}
    s.raw(f"{PARTNER}/create", {"vals_list": archived})
    domain = [["name", "=", s.tag]]
    off = {"active_test": False}
    for context in (off, [["active_test", False]], {}, [], None, "", 5, "x"):
        s.raw(f"{PARTNER}/search_count", {"domain": domain, "context": context})
    s.raw(f"{PARTNER}/create", {"vals_list": {"name": s.tag}, "context": {"default_ref": "d"}})
    s.raw(f"{PARTNER}/search_count", {"domain": [["ref", "=", "d"], *domain]})


def bodies(s: Json2Talk) -> None:
    """A body is an object; any other JSON counts as none, and no JSON is refused."""
    for body in ("[]", "null", "5", '"x"', '[["domain", []]]', "", "{", '{"domain": []', "x"):
        s.raw(f"{PARTNER}/search_count", body)
    s.raw(f"{PARTNER}/search_count", None)
    s.raw("res.company/name_search", '[{"name": "none"}]')
    asked = '{"domain": [["id", "=", 1]]}'
    for kind in ("application/json; charset=utf-8", "application/json-rpc", "text/plain", None):
        s.raw(f"{PARTNER}/search_count", asked, Content_Type=kind)
    s.raw(f"{PARTNER}/search_count", None, Content_Type="text/plain")


def paths(s: Json2Talk) -> None:
    """Only `POST /json/2/<model>/<method>` is a call."""
    for path in ("", PARTNER, f"{PARTNER}/", f"{PARTNER}/read/1", f"{PARTNER}/search_count/"):
        s.raw(path, {})
    for method in ("GET", "PUT", "DELETE", "PATCH"):
        s.raw(f"{PARTNER}/search_count", {"domain": []}, method)
    s.raw("no.such.model/read", {})
    s.raw("no.such.model/_read", {})
    for name in ("frobnicate", "_write", "init", "exists", "with_context", "search_fetch", "name"):
        s.raw(f"{PARTNER}/{name}", {"ids": [1]})


def who_may_come_in(s: Json2Talk) -> None:
    """A key, in a database that is there; the key is looked at before the call is."""
    s.ready()
    path, asked = f"{PARTNER}/search_count", {"domain": [["id", "=", 1]]}
    for form in (f"Bearer  {s.key}", f"BEARER {s.key}", f"bearer {s.key}0", s.key, "bearer ", None):
        s.raw(path, asked, Authorization=form)
    for form in ("Basic YWRtaW46YWRtaW4=", "bearer admin", "bearer x"):
        s.raw(path, asked, Authorization=form)
    s.raw(path, "{", Authorization=None)
    s.raw("no.such.model/read", {}, Authorization="bearer x")
    s.raw(path, asked, Authorization=None, Content_Type="text/plain")
    for database in ("nonesuch", f"{s.database}x"):
        s.raw(path, asked, X_Odoo_Database=database)
    s.raw("", {}, X_Odoo_Database="nonesuch")


def refusals(s: Json2Talk) -> None:
    """Each class of error has its status."""
    made = {"vals_list": {"name": s.tag, "country_id": SWITZERLAND}}
    _, [row] = s.raw(f"{PARTNER}/create", made)
    for vals in (
        {"country_id": GONE},
        {"nofield": 1},
        {"type": "bogus"},
        {"color": "red"},
        {"category_id": "nope"},
        {"parent_id": row},
        {"name": False},
    ):
        s.raw(f"{PARTNER}/write", {"ids": [row], "vals": vals})
    s.raw(f"{PARTNER}/create", {"vals_list": {"email": "x"}})
    s.raw(f"{COUNTRY}/create", {"vals_list": {"name": s.tag, "code": "CH"}})
    s.raw("res.users/unlink", {"ids": [1]})
    s.raw(f"{PARTNER}/search", {"domain": [["nofield", "=", 1]]})
    s.raw(f"{PARTNER}/search", {"domain": [], "order": "no order!"})
    s.raw(f"{PARTNER}/search", {"domain": [], "limit": -1})
    s.raw(f"{PARTNER}/read", {"ids": [row], "fields": ["country_id"]})


def limited_by_key(s: Json2Talk) -> None:
    """A key gives the rights of its user, and no sight of the keys of others."""
    s.raw(f"{PARTNER}/create", {"vals_list": {"name": s.tag}})
    s.raw(f"{PARTNER}/write", {"ids": [1], "vals": {"name": s.tag}})
    s.raw(f"{PARTNER}/search_count", {"domain": [["id", "=", 1]]})
    others = {"domain": [["user_id", "!=", s.uid]]}
    s.raw(f"{APIKEYS}/search", others)
    s.raw(f"{APIKEYS}/read", {"ids": [1], "fields": ["name"]})
    s.raw(f"{APIKEYS}/unlink", {"ids": [1]})
    for vals in ({"duration": "90"}, {"duration": "180"}, {"duration": "0"}, {"duration": "-1"}):
        s.raw(f"{DESCRIPTION}/create", {"vals_list": {"name": s.tag, **vals}})
    for end in (PAST, FAR):
        vals = {"name": s.tag, "duration": "-1", "expiration_date": end}
        s.raw(f"{DESCRIPTION}/create", {"vals_list": vals})


def keys_by_key(s: Json2Talk) -> None:
    """A key makes and removes keys, with the password in the context of the check."""
    s.ready()
    _, made = s.raw(f"{DESCRIPTION}/create", {"vals_list": {"name": s.tag, "duration": "1"}})
    _, asked = s.raw(f"{DESCRIPTION}/make_key", {"ids": made})
    check = {"ids": [asked["res_id"]]}
    s.raw(f"{CHECK}/run_check", check)
    for password in ("wrong", s.key):
        s.raw(f"{CHECK}/run_check", {**check, "context": {"password": password}})
    _, done = s.raw(f"{CHECK}/run_check", {**check, "context": {"password": s.password}})
    new = {"Authorization": f"bearer {done['context']['default_key']}"}
    mine = {"domain": [["name", "=", s.tag]]}
    _, [row] = s.raw(f"{APIKEYS}/search", mine, **new)
    s.raw(f"{APIKEYS}/read", {"ids": [row], "fields": ["name", "scope", "user_id"]}, **new)
    _, asked = s.raw(f"{APIKEYS}/remove", {"ids": [row]})
    check = {"ids": [asked["res_id"]], "context": {"password": s.password}}
    s.raw(f"{CHECK}/run_check", check)
    s.raw(f"{APIKEYS}/search", mine, **new)
    s.raw(f"{APIKEYS}/search", mine)
    s.raw(f"{APIKEYS}/remove", {"ids": []})
    s.raw(f"{PARTNER}/make_key", {"ids": []})


def keys_in_a_session(s: WebTalk) -> None:
    """A session asks for the password once, then makes and removes keys for ten minutes."""
    first = s(DESCRIPTION, "create", {"name": s.tag, "duration": "1"})
    asked = s(DESCRIPTION, "make_key", [first])
    s(CHECK, "run_check", [asked["res_id"]])
    s(CHECK, "run_check", [asked["res_id"]], context={"password": "wrong"})
    context = {"password": s.password}
    done = s(CHECK, "run_check", [asked["res_id"]], context=context)
    key = done["context"]["default_key"]
    s(CHECK, "run_check", [asked["res_id"]], context=context)
    vals = {"name": s.tag, "duration": "-1", "expiration_date": PAST}
    second = s(DESCRIPTION, "create", vals)
    expired = s(DESCRIPTION, "make_key", [second])["context"]["default_key"]
    s(DESCRIPTION, "make_key", [second])
    names = ["name", "scope", "expiration_date", "user_id"]
    mine = [["name", "=", s.tag]]
    rows = s.quiet(APIKEYS, "search", mine, order="id")
    s(APIKEYS, "read", rows[1:], names)
    for one in (key, expired):
        s.raw(f"{APIKEYS}/search", {"domain": mine}, Authorization=f"bearer {one}")
        talk = Talk(s.url, s.database, "19.0", s.uid, one)
        s.answers.append(masked(talk.quiet(APIKEYS, "search", mine)))
    s(APIKEYS, "unlink", rows)
    s(APIKEYS, "remove", rows)
    s(APIKEYS, "remove", rows)
    s(APIKEYS, "remove", [])
    s.raw(f"{APIKEYS}/search", {"domain": []}, Authorization=f"bearer {key}")
    s.log_in()  # the same session goes on
    s(APIKEYS, "remove", [GONE])
    s.cookie = ""
    s(APIKEYS, "remove", [GONE])


def sessions(s: WebTalk) -> None:
    """A session calls methods as /jsonrpc does, under the rights of who logged in."""
    s(PARTNER, "frobnicate", [1])
    s(PARTNER, "_write", [1], {})
    s(PARTNER, "action_archive", [])
    s(PARTNER, "create", {"name": s.tag})
    s(PARTNER, "write", [GONE], {"name": "x"})
    _, _, answer = s.web("/web/session/destroy", {})
    s.answers.append(answer)
    params = {"db": s.database, "login": "admin", "password": "wrong"}
    _, _, answer = s.web("/web/session/authenticate", params)
    s.answers.append([answer["error"]["data"]["name"], answer["error"]["data"]["message"]])


def keys_over_jsonrpc(s: Talk) -> None:
    """Keys are listed over /jsonrpc, but neither made nor removed."""
    first = s(DESCRIPTION, "create", {"name": s.tag, "duration": "1"})
    s(DESCRIPTION, "make_key", [first])
    s(DESCRIPTION, "make_key", [])
    s(DESCRIPTION, "create", {"duration": "1"})
    for vals in ({}, {"duration": "0"}, {"duration": "-1"}, {"expiration_date": FAR}):
        row = s(DESCRIPTION, "create", {"name": s.tag, **vals})
        if vals.get("duration") == "0" or "expiration_date" in vals:
            s(DESCRIPTION, "read", [row], ["name", "duration", "expiration_date"])
    s(DESCRIPTION, "write", [first], {"name": "x"})
    s(DESCRIPTION, "unlink", [first])
    s(CHECK, "create", {})
    s(APIKEYS, "remove", [1])
    s(APIKEYS, "unlink", [GONE])
    s(APIKEYS, "create", {"name": s.tag})
    s(APIKEYS, "write", [GONE], {"name": s.tag})
    s(APIKEYS, "search", [["name", "=", s.tag]])
    s(APIKEYS, "_generate", [], "x")


def keys_of_14(s: Talk) -> None:
    """14 makes and removes keys over /jsonrpc, after the password was written into the check.

    A worker that has seen a key at work does not notice its removal, so the key that is tried after
    that is one that was not used before.
    """
    first = s(DESCRIPTION, "create", {"name": s.tag})
    s(DESCRIPTION, "create", {"name": s.tag, "duration": "1"})
    s(DESCRIPTION, "create", {})
    check = [s(DESCRIPTION, "make_key", [first])["res_id"]]
    s(CHECK, "write", check, {"password": "wrong"})
    s(CHECK, "run_check", check)
    s(CHECK, "write", check, {"password": s.password})
    key = s(CHECK, "run_check", check)["context"]["default_key"]
    s(CHECK, "read", check, ["password"])
    other = s(DESCRIPTION, "create", {"name": s.tag})
    check = [s(DESCRIPTION, "make_key", [other])["res_id"]]
    s(CHECK, "write", check, {"password": s.password})
    unused = s(CHECK, "run_check", check)["context"]["default_key"]
    mine = [["name", "=", s.tag]]
    rows = s(APIKEYS, "search", mine)
    s(APIKEYS, "read", rows, ["name", "scope", "user_id"])
    talk = Talk(s.url, s.database, "14.0", s.uid, key)
    talk.cookie = s.cookie
    s.answers.append(masked(talk.quiet(APIKEYS, "search", mine)))
    s(APIKEYS, "unlink", rows)
    s(DESCRIPTION, "unlink", [first])
    s(DESCRIPTION, "write", [first], {"name": "x"})
    check = [s(APIKEYS, "remove", rows)["res_id"]]
    s(CHECK, "write", check, {"password": s.password})
    s(CHECK, "run_check", check)
    s(APIKEYS, "search", mine)
    talk = Talk(s.url, s.database, "14.0", s.uid, unused)
    talk.cookie = s.cookie
    s.answers.append(masked(talk.quiet(APIKEYS, "search", mine)))
    s(CHECK, "run_check", [GONE])


ADMIN: list[Callable[[Json2Talk], None]] = [
    arguments_by_name,
    ids_beside_the_arguments,
    shapes_of_values,
    contexts,
    bodies,
    paths,
    who_may_come_in,
    refusals,
    keys_by_key,
]
LIMITED: list[Callable[[Json2Talk], None]] = [limited_by_key]
SESSION: list[Callable[[WebTalk], None]] = [keys_in_a_session, sessions]
JSON_RPC: list[Callable[[Talk], None]] = [keys_over_jsonrpc]
JSON_RPC_14: list[Callable[[Talk], None]] = [keys_of_14]
