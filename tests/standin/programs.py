"""Programs of calls that every server of a release must answer alike.

Each takes a `Talk` and makes calls; the docstring says what the answers show. Records carry the
tag of the run in their names, so that a program finds its own in a database that others use.
"""

from collections.abc import Callable

from .conversation import Talk

PARTNER = "res.partner"
TAG = "res.partner.category"
COUNTRY = "res.country"
PRODUCT = "product.product"
GONE = 99_999_999
SWITZERLAND, BELGIUM = 43, 20


def create_forms(s: Talk) -> None:
    """A mapping gives an id, a list gives ids, other things are refused."""
    s(PARTNER, "create", {"name": s.tag})
    s(PARTNER, "create", [{"name": s.tag}, {"name": f"{s.tag} b"}])
    wrong: tuple[object, ...] = (5, "x", [5], [[]], False, [])
    for vals in wrong:
        s(PARTNER, "create", vals)


def wrong_calls(s: Talk) -> None:
    """A call with too few, too many or unknown arguments is refused in Python's words."""
    s(PARTNER, "create")
    s(PARTNER, "create", {"name": s.tag}, 5)
    s(PARTNER, "create", [{"name": s.tag}], bogus=1)
    s(PARTNER, "write", [1])
    s(PARTNER, "write")
    s(PARTNER, "unlink", [1], 5)
    s(PARTNER, "read", [1], ["id"], None, 5)
    s(PARTNER, "name_create")
    s(TAG, "create")
    s(COUNTRY, "write", [SWITZERLAND])
    s("res.users", "unlink", [1], 5)


def what_cannot_be_called(s: Talk) -> None:
    """Unknown models and methods and private ones are refused."""
    s("no.such.model", "read", [1])
    s(PARTNER, "frobnicate", [1])
    s(PARTNER, "_write", [1], {})
    s(PARTNER, "init")
    s(PARTNER, "context_get")


def odd_context(s: Talk) -> None:
    """A context may be None."""
    s(PARTNER, "search_count", [["id", "=", 1]], context=None)


def defaults(s: Talk) -> None:
    """A contact with nothing but a name has the defaults of a new database."""
    row = s(PARTNER, "create", {"name": s.tag})
    names = ["name", "display_name", "type", "lang", "is_company", "active", "category_id"]
    names += ["child_ids", "comment", "website", "company_type", "create_uid", "write_uid", "color"]
    s(PARTNER, "read", [row], [*names, "country_id", "vat", "ref", "tz", "parent_id", "email"])


def odd_texts(s: Talk) -> None:
    """A text field takes anything, and nothing is trimmed but the name of 19's list."""
    for odd in (f"  {s.tag} ", "", 5, 0, True, 1.5, [1, 2], {"a": 1}):
        row = s(PARTNER, "create", {"name": odd, "email": "", "phone": None, "street": False})
        s(PARTNER, "read", [row], ["name", "display_name", "email", "phone", "street"])
    s(PARTNER, "create", {"name": False})
    s(PARTNER, "create", {"name": None})
    s(PARTNER, "create", {"email": "x"})


def odd_numbers(s: Talk) -> None:
    """An integer field takes what `int` takes and fits four bytes."""
    for odd in ("5", 1.9, True, None, False, "red", [1], 2**31, 2**31 - 1):
        row = s(PARTNER, "create", {"name": s.tag, "color": odd})
        if isinstance(row, int):
            s(PARTNER, "read", [row], ["color"])


def odd_booleans(s: Talk) -> None:
    """A boolean field takes anything for what Python takes it for."""
    for odd in ("yes", 0, "false", "", None):
        row = s(PARTNER, "create", {"name": s.tag, "active": odd})
        s(PARTNER, "read", [row], ["active"])


def odd_selections(s: Talk) -> None:
    """A selection takes its options, and nothing for none."""
    for odd in (False, "", "other", "bogus", 5):
        row = s(PARTNER, "create", {"name": s.tag, "type": odd})
        if isinstance(row, int):
            s(PARTNER, "read", [row], ["type"])
    s(PARTNER, "create", {"name": s.tag, "tz": "Mars/X"})


def odd_references(s: Talk) -> None:
    """A many2one takes an id of an existing record."""
    for odd in (SWITZERLAND, 0, False, 43.0, GONE, "CH"):
        row = s(PARTNER, "create", {"name": s.tag, "country_id": odd})
        if isinstance(row, int):
            s(PARTNER, "read", [row], ["country_id"])
    s(PARTNER, "create", {"name": s.tag, "user_id": GONE})
    s(PARTNER, "create", {"name": s.tag, "parent_id": GONE})
    s(PARTNER, "write", [1], {"country_id": GONE})


def odd_dates(s: Talk) -> None:
    """A date is checked by 19 itself and by PostgreSQL for 14."""
    s("res.currency.rate", "create", {"name": "not-a-date", "rate": 2.0, "currency_id": 1})
    s("res.currency.rate", "create", {"rate": 2.0})


def what_is_tidied(s: Talk) -> None:
    """Notes are HTML in 19 and plain text in 14."""
    for vals in (
        {"website": "https://example.com/a"},
        {"comment": "plain & text"},
    ):
        row = s(PARTNER, "create", {"name": s.tag, **vals})
        s(PARTNER, "read", [row], list(vals))


def read_only_fields(s: Talk) -> None:
    """Values for the server's own fields are passed over."""
    own = {"id": 77, "create_uid": 1, "display_name": "zzz"}
    row = s(PARTNER, "create", {"name": s.tag, **own})
    s(PARTNER, "read", [row], ["create_uid", "display_name"])
    s(PARTNER, "write", [row], {"id": 5})


def company_type(s: Talk) -> None:
    """The computed company type sets the stored flag."""
    row = s(PARTNER, "create", {"name": s.tag, "company_type": "company"})
    s(PARTNER, "read", [row], ["is_company", "company_type"])


def unknown_fields(s: Talk) -> None:
    """A field that is not there is refused wherever it is named."""
    s(PARTNER, "create", {"name": s.tag, "nofield": 1})
    s(PARTNER, "write", [1], {"nofield": 1})
    s(COUNTRY, "write", [SWITZERLAND], {"nofield": 1})
    s(PARTNER, "read", [1], ["name", "nofield"])
    s(PARTNER, "read", [1], "name")
    s(PARTNER, "search", [["nofield", "=", 1]])
    s(PARTNER, "search", [["country_id.bogus", "=", "x"]])
    s(PARTNER, "search", [["name.bogus", "=", "x"]])
    s(PARTNER, "search", [], order="bogus")


def all_or_nothing(s: Talk) -> None:
    """One refused record of a list undoes the others, and one missing id a write."""
    good, bad = {"name": s.tag}, {"name": s.tag, "country_id": GONE}
    s(PARTNER, "create", [good, bad, good])
    s(PARTNER, "search_count", [["name", "=", s.tag]])
    row = s(PARTNER, "create", good)
    s(PARTNER, "write", [row, GONE], {"ref": "z"})
    s(PARTNER, "unlink", [row, GONE])
    s(PARTNER, "read", [row, GONE], ["ref"])


def missing_ids(s: Talk) -> None:
    """Contacts refuse an id that is not there; models that track nothing answer True."""
    for model in (PARTNER, COUNTRY, TAG, PRODUCT, "res.users", "res.currency", "product.category"):
        s(model, "write", [GONE], {"name": "x"})
        s(model, "unlink", [GONE])
        s(model, "read", [GONE], ["id"])
    s(PARTNER, "write", [GONE, GONE - 1], {})
    s(PARTNER, "action_archive", [GONE])


def ways_to_say_ids(s: Talk) -> None:
    """One id, a list, empty ones and ids of a wrong type."""
    row = s(PARTNER, "create", {"name": s.tag})
    for ids in (row, [row, row], [], [0], [False], [float(row)], [-5], ["a"], "a"):
        s(PARTNER, "write", ids, {"ref": "z"})
    s(PARTNER, "read", row, ["ref"])
    s(PARTNER, "read", [row, row], ["ref"])


def write_values(s: Talk) -> None:
    """A write sets the values of all records; wrong values leave them."""
    rows = s(PARTNER, "create", [{"name": f"{s.tag} {n}"} for n in range(3)])
    s(PARTNER, "write", rows, {"phone": "1", "color": 7})
    for vals in ({}, {"type": "bogus"}, {"name": False}, {"color": "red"}, {"color": False}):
        s(PARTNER, "write", rows, vals)
    s(PARTNER, "read", rows, ["phone", "color", "type", "name"])


def required_and_unique(s: Talk) -> None:
    """Mandatory values and unique codes are asked for on create and on write."""
    s(COUNTRY, "create", {"code": "Q1"})
    s(COUNTRY, "create", {"name": "Again", "code": "CH"})
    s(COUNTRY, "create", {"name": "Belgium", "code": "Q9"})
    s(COUNTRY, "write", [SWITZERLAND], {"code": "BE"})
    s(COUNTRY, "write", [SWITZERLAND], {"name": False})
    s(TAG, "create", {"color": 1})


def products(s: Talk) -> None:
    """Products have a price, a code in their name and a barcode of their own."""
    first = s(PRODUCT, "create", {"name": s.tag, "list_price": "1.5", "default_code": f"C{s.tag}"})
    names = ["name", "display_name", "list_price", "default_code", "barcode", "type", "active"]
    s(PRODUCT, "read", [first], [*names, "standard_price", "sale_ok", "weight"])
    s(PRODUCT, "create", {"name": s.tag, "list_price": "abc"})
    s(PRODUCT, "create", {"name": f"{s.tag} B", "barcode": s.tag})
    s(PRODUCT, "write", [first], {"list_price": 3})
    s(PRODUCT, "search_read", [["default_code", "=", f"C{s.tag}"]], ["list_price"])
    s(PRODUCT, "unlink", [first])


def tags_by_command(s: Talk) -> None:
    """The commands of a many2many: create, update, delete, unlink, link, clear, set."""
    a, b = s(TAG, "create", [{"name": f"{s.tag} a"}, {"name": f"{s.tag} b"}])
    row = s(PARTNER, "create", {"name": s.tag, "category_id": [[6, 0, [b, a]]]})

    def then(commands: object) -> None:
        s(PARTNER, "write", [row], {"category_id": commands})
        s(PARTNER, "read", [row], ["category_id"])

    then([[3, a, 0]])
    then([[4, a, 0], [1, b, {"name": f"{s.tag} c"}]])
    then([[5, 0, 0]])
    then([a])
    then([[2, a, 0]])
    then([[9, 0, 0], ["a"]])
    then([[6, 0, [b]]])
    then([])
    then(False)
    for wrong in ("nope", 5, {"a": 1}, [[4, GONE]], [[6, 0, [GONE]]], [[0, 0, {}]]):
        then(wrong)
    then([[2, GONE, 0], [3, GONE, 0], [1, GONE, {"name": "q"}]])
    s(TAG, "read", [a, b], ["name"])


def deleting_a_tag(s: Talk) -> None:
    """A deleted tag disappears from its contacts, and takes its children along."""
    [a] = s(TAG, "create", [{"name": f"{s.tag} a"}])
    b = s(TAG, "create", {"name": f"{s.tag} b", "parent_id": a})
    s(TAG, "read", [a, b], ["display_name", "parent_id", "child_ids"])
    row = s(PARTNER, "create", {"name": s.tag, "category_id": [a, b]})
    s(TAG, "write", [a], {"parent_id": b})
    s(TAG, "unlink", [a])
    s(PARTNER, "read", [row], ["category_id"])
    s(TAG, "read", [b], ["name"])


def archived_tags(s: Talk) -> None:
    """An archived tag hides from reading unless the context asks for it."""
    tags = [{"name": f"{s.tag} a", "active": False}, {"name": f"{s.tag} b"}]
    ids = s(TAG, "create", tags)
    row = s(PARTNER, "create", {"name": s.tag, "category_id": [[6, 0, ids]]})
    s(PARTNER, "read", [row], ["category_id"])
    s(PARTNER, "read", [row], ["category_id"], context={"active_test": False})


def children_by_command(s: Talk) -> None:
    """The commands of a one2many make, move and delete children."""
    kids = [[0, 0, {"name": f"{s.tag} z"}], [0, 0, {"name": f"{s.tag} a"}]]
    dead = [[0, 0, {"name": f"{s.tag} dead", "active": False}]]
    top = s(PARTNER, "create", {"name": s.tag, "child_ids": kids + dead})
    hidden = {"active_test": False}
    ids = s.quiet(PARTNER, "search", [["parent_id", "=", top]], order="id", context=hidden)
    for one in ids:
        s.know(one)
    s(PARTNER, "read", [top], ["child_ids"])
    s(PARTNER, "read", [top], ["child_ids"], context=hidden)
    other = s(PARTNER, "create", {"name": f"{s.tag} other"})
    for command in ([4, other, 0], [1, other, {"ref": "r"}], [3, ids[0], 0], [2, ids[1], 0]):
        s(PARTNER, "write", [top], {"child_ids": [command]})
        s(PARTNER, "read", [top], ["child_ids"])
    s(PARTNER, "read", [*ids, other], ["parent_id", "ref"])
    s(PARTNER, "write", [top], {"child_ids": [[4, GONE, 0]]})
    s(PARTNER, "write", [top], {"child_ids": [[0, 0, {"email": "no name"}]]})
    s(PARTNER, "write", [top], {"child_ids": [[6, 0, [ids[0]]]]})
    s(PARTNER, "read", [top], ["child_ids"])
    s(PARTNER, "unlink", [top])
    s(PARTNER, "read", ids, ["parent_id"])


def names_of_contacts(s: Talk) -> None:
    """A contact is shown with its company; an address without a name by its kind."""
    top = s(PARTNER, "create", {"name": s.tag, "is_company": True})
    kinds = [{"name": "x"}, {"name": "", "type": "invoice"}, {"type": "other"}]
    made = [{"parent_id": top, **vals} for vals in kinds]
    made += [{"type": "invoice"}, {"name": "sub", "is_company": True, "parent_id": top}]
    s(PARTNER, "read", s(PARTNER, "create", made), ["name", "display_name", "parent_id"])


def circles(s: Talk) -> None:
    """No record is its own ancestor."""
    a = s(PARTNER, "create", {"name": s.tag})
    b = s(PARTNER, "create", {"name": s.tag, "parent_id": a})
    s(PARTNER, "write", [a], {"parent_id": a})
    s(PARTNER, "write", [a], {"parent_id": b})
    [tag] = s(TAG, "create", [{"name": s.tag}])
    s(TAG, "write", [tag], {"parent_id": tag})


def archive(s: Talk) -> None:
    """Archived records leave the search and come back; the methods answer nothing."""
    row = s(PARTNER, "create", {"name": s.tag})
    named = [["name", "=", s.tag]]
    for method in ("action_archive", "action_unarchive", "action_archive", "action_unarchive"):
        s(PARTNER, method, [row])
        s(PARTNER, "search", named)
    s(PARTNER, "write", [row], {"active": False})
    s(PARTNER, "search", named)
    s(PARTNER, "search", named, context={"active_test": False})
    s(PARTNER, "search", [*named, ["active", "=", False]])
    s(PARTNER, "search", [*named, ["active", "in", [True, False]]])
    s(PARTNER, "search_count", named)
    s(PARTNER, "read", [row], ["active"])
    s(PARTNER, "action_archive", [])


def partners_of_users(s: Talk) -> None:
    """The partners of users and of the company cannot be deleted."""
    for partner in (1, 2):
        s(PARTNER, "unlink", [partner])
    s("res.users", "unlink", [1])


def deleting(s: Talk) -> None:
    """What is deleted is gone for search and read; deleting it again is refused."""
    rows = s(PARTNER, "create", [{"name": s.tag}, {"name": s.tag}])
    s(PARTNER, "unlink", rows[:1])
    s(PARTNER, "search", [["id", "in", rows]])
    s(PARTNER, "read", rows, ["name"])
    s(PARTNER, "unlink", rows)
    s(PARTNER, "search_count", [["id", "in", rows]])


def country_in_use(s: Talk) -> None:
    """A country that a contact uses cannot be deleted; without its contact it can."""
    country = s(COUNTRY, "create", {"name": f"{s.tag} land", "code": f"9{s.tag[1]}"})
    row = s(PARTNER, "create", {"name": s.tag, "country_id": country})
    s(COUNTRY, "unlink", [country])
    s(PARTNER, "unlink", [row])
    s(COUNTRY, "unlink", [country])


def copies(s: Talk) -> None:
    """A copy has a name of its own, no children and no reference."""
    kids = [[0, 0, {"name": "k"}]]
    row = s(PARTNER, "create", {"name": s.tag, "ref": "r", "email": "e@x.y", "child_ids": kids})
    made = s(PARTNER, "copy", [row])
    wanted = ["name", "ref", "email", "child_ids", "active"]
    s(PARTNER, "read", made, wanted)
    s(PARTNER, "read", s(PARTNER, "copy", row, {"name": f"{s.tag} Zed"}), wanted)


def reading(s: Talk) -> None:
    """Names or ids for references, in the order of the ids asked for."""
    a = s(PARTNER, "create", {"name": s.tag, "country_id": SWITZERLAND})
    b = s(PARTNER, "create", {"name": f"{s.tag} b"})
    for load in ("_classic_read", None, "_classic_write"):
        s(PARTNER, "read", [b, a], ["name", "country_id"], load=load)
    s(PARTNER, "read", [a], ["id"])
    s(PARTNER, "read", [], ["name"])
    s(PARTNER, "search_read", [["id", "=", a]], ["name"], 0, 1, "id")
    s(PARTNER, "search_read", domain=[["id", "=", a]], fields=["name", "country_id"])


def order_and_paging(s: Talk) -> None:
    """Order, offset and limit; nothing comes last, first when descending."""
    rows = [("b", 2, BELGIUM), ("a", 1, False), ("c", 3, SWITZERLAND)]
    s(
        PARTNER,
        "create",
        [{"name": f"{s.tag} {n}", "color": c, "country_id": k} for n, c, k in rows],
    )
    mine = [["name", "like", s.tag]]
    for order in ("id", "id desc", "name", "name desc", "color desc, id", "country_id, id"):
        s(PARTNER, "search", mine, order=order)
    s(PARTNER, "search", mine, order="country_id desc, id")
    s(PARTNER, "search", mine)
    s(PARTNER, "search", mine, order="")
    s(PARTNER, "search", mine, 1, 1, "id")
    s(PARTNER, "search", mine, offset=2, order="id")
    for limit in (0, None, False, 2, -1):
        s(PARTNER, "search", mine, limit=limit, order="id")
    s(PARTNER, "search", mine, offset=-1)
    for order in ("id; drop", "name sideways", "NAME desc"):
        s(PARTNER, "search", mine, order=order)


def operators(s: Talk) -> None:
    """The operators on a text, with and without values."""
    emails = ["Ann@x.y", "bob@x.y", "", False, "100%_a"]
    s(PARTNER, "create", [{"name": f"{s.tag} {n}", "email": e} for n, e in enumerate(emails)])
    for operator, value in (
        ("=", "bob@x.y"),
        ("=", False),
        ("=", ""),
        ("!=", "bob@x.y"),
        ("!=", False),
        ("in", ["bob@x.y", False]),
        ("in", [False]),
        ("in", []),
        ("not in", ["bob@x.y"]),
        ("not in", ["bob@x.y", False]),
        ("not in", []),
        ("like", "ann"),
        ("ilike", "ann"),
        ("ilike", ""),
        ("ilike", False),
        ("not ilike", "ann"),
        ("not like", "%@%"),
        ("=like", "bob%"),
        ("=ilike", "BOB%"),
        ("=ilike", "bob"),
        ("like", "\\%_"),
        ("like", "b_b"),
        ("<", "b"),
        (">=", "b"),
        ("=?", False),
        ("=?", "bob@x.y"),
        ("<>", "bob@x.y"),
        ("=", ["bob@x.y"]),
        ("bogus", "x"),
    ):
        s(PARTNER, "search", [["name", "like", s.tag], ["email", operator, value]], order="id")


def operators_on_numbers(s: Talk) -> None:
    """The operators on an integer and a boolean."""
    s(PARTNER, "create", [{"name": f"{s.tag} {n}", "color": n} for n in range(4)])
    for leaf in (
        ["color", "=", 2],
        ["color", "=", "2"],
        ["color", "=", "red"],
        ["color", "!=", 2],
        ["color", ">", 1],
        ["color", "<=", 1],
        ["color", "in", [1, "3"]],
        ["color", "like", "1"],
        ["color", ">", -1],
        ["is_company", "=", False],
        ["is_company", "!=", True],
        ["is_company", "=", True],
        ["create_date", ">", "nope"],
        ["create_date", ">", "2020-01-01"],
        ["create_date", "<", "2020-01-01 10:00:00"],
        ["id", "=", "a"],
        ["id", "in", ["a"]],
        ["type", "=", "bogus"],
        ["type", "=", "contact"],
    ):
        s(PARTNER, "search", [["name", "like", s.tag], leaf], order="id")


def references_in_domains(s: Talk) -> None:
    """Relations by id, by name, by path, and empty ones."""
    [tag] = s(TAG, "create", [{"name": f"{s.tag} tag"}])
    top = s(PARTNER, "create", {"name": f"{s.tag} top", "country_id": SWITZERLAND})
    made = [{"name": f"{s.tag} kid", "parent_id": top, "category_id": [tag], "type": "other"}]
    s(PARTNER, "create", [*made, {"name": f"{s.tag} other", "country_id": BELGIUM}])
    for leaves in (
        [["country_id", "=", SWITZERLAND]],
        [["country_id", "!=", SWITZERLAND]],
        [["country_id", "=", False]],
        [["country_id", "!=", False]],
        [["country_id", "in", [SWITZERLAND, False]]],
        [["country_id", "not in", [SWITZERLAND]]],
        [["country_id", "=", "Belgium"]],
        [["country_id", "ilike", "belg"]],
        [["country_id.code", "=", "CH"]],
        [["country_id.code", "!=", "CH"]],
        ["!", ["country_id", "=", SWITZERLAND]],
        [["parent_id.country_id.code", "=", "CH"]],
        [["parent_id", "=", top]],
        [["child_ids", "=", False]],
        [["child_ids.name", "ilike", "kid"]],
        [["category_id", "in", [tag]]],
        [["category_id", "not in", [tag]]],
        [["category_id", "=", False]],
        [["category_id", "ilike", f"{s.tag} t"]],
        [["category_id.name", "=", f"{s.tag} tag"]],
        [["id", "child_of", top]],
        [["id", "parent_of", top]],
        [["parent_id", "child_of", top]],
        [["display_name", "ilike", f"{s.tag} top, "]],
    ):
        s(PARTNER, "search", [["name", "like", s.tag], *leaves], order="id")


def conditions_on_relations(s: Talk) -> None:
    """19 has an operator for a domain on the other side of a relation."""
    if s.series < 19:
        return
    tag = s(TAG, "create", {"name": f"{s.tag} tag"})
    top = s(PARTNER, "create", {"name": f"{s.tag} top", "country_id": SWITZERLAND})
    kid = {"name": f"{s.tag} kid", "parent_id": top, "category_id": [tag]}
    s(PARTNER, "create", {**kid, "type": "other"})
    for leaf in (
        ["country_id", "any", [["code", "=", "CH"]]],
        ["country_id", "not any", [["code", "=", "CH"]]],
        ["category_id", "any", [["name", "=", f"{s.tag} tag"]]],
        ["child_ids", "any", [["name", "like", "kid"]]],
        ["name", "==", f"{s.tag} top"],
        ["name", "ILIKE", f"{s.tag} TOP"],
        ["email", "in", "x"],
        ["company_type", "=", "person"],
    ):
        s(PARTNER, "search", [["name", "like", s.tag], leaf], order="id")


def computed_fields_in_searches(s: Talk) -> None:
    """A field that is not stored sorts and selects nothing on 14, and is refused by 19."""
    s(PARTNER, "create", [{"name": f"{s.tag} {n}"} for n in "ba"])
    mine = [["name", "like", s.tag]]
    for order in ("company_type, id", "child_ids, id", "category_id, id", "display_name desc"):
        s(PARTNER, "search", mine, order=order)
    if s.series >= 19:
        s(PARTNER, "search", mine, order="complete_name desc")
    else:
        s(PARTNER, "search", [*mine, ["company_type", "=", "company"]])
    s("res.users", "search", [["login", "=", "admin"]], order="name desc, login")
    s("res.users", "search", [["name", "=", "Administrator"], ["login", "=", "admin"]])


def logic(s: Talk) -> None:
    """And, or and not in prefix notation."""
    a, b, c = s(PARTNER, "create", [{"name": f"{s.tag} {n}", "ref": n} for n in "abc"])
    mine = ["name", "like", s.tag]
    ra, rb = ["ref", "=", "a"], ["ref", "=", "b"]
    for domain in (
        ["&", mine, ra],
        [mine, "|", ra, rb],
        [mine, "!", ra],
        [mine, "!", "|", ra, rb],
        [mine, "!", "&", ra, rb],
        [mine, "!", "!", ra],
        [mine, "!", ["ref", "in", ["a", "b"]]],
        [mine, "!", ["ref", "ilike", "A"]],
        [mine, "!", ["id", "<", c]],
        [mine, "|", ["id", "in", [a, b]], "&", ra, rb],
        [mine, [1, "=", 1]],
        [mine, [0, "=", 1]],
    ):
        s(PARTNER, "search", domain, order="id")


def broken_domains(s: Talk) -> None:
    """A domain that is none is refused."""
    one = ["id", "=", 1]
    for domain in (["&"], ["|", one], ["!"], "x", [["name", "="]]):
        s(PARTNER, "search_count", domain)
    s(PARTNER, "search_count", [one, "|"])
    s(PARTNER, "search_count", [["NAME", "=", "x"]])


def name_search(s: Talk) -> None:
    """Names are searched, with a domain, an operator and a limit."""
    vals = [{"name": f"{s.tag} {n}", "ref": f"ref{s.tag}"} for n in "ab"]
    rows = s(PARTNER, "create", vals)
    s(PARTNER, "name_search", s.tag)
    s(PARTNER, "name_search", f"{s.tag} b")
    s(PARTNER, "name_search", f"ref{s.tag}")
    s(PARTNER, "name_search", s.tag, [["id", "in", rows[:1]]], "ilike", 5)
    s(PARTNER, "name_search", s.tag, limit=1)
    s(PARTNER, "name_search", f"{s.tag} a", operator="=")
    s(PARTNER, "name_search", name=s.tag, args=[])
    s(PARTNER, "name_search", f"{s.tag} none")
    s(PARTNER, "name_get", rows)
    s(PARTNER, "exists", [*rows, GONE])
    s(COUNTRY, "name_search", "Switz")


def little_methods(s: Talk) -> None:
    """Defaults, fields, the user's context, a record from a name."""
    s(PARTNER, "default_get", ["name", "type", "lang", "active", "color"])
    about = ["type", "string", "required", "readonly", "relation", "selection", "store"]
    names = ["name", "email", "type", "parent_id", "category_id", "child_ids", "color", "active"]
    s(PARTNER, "fields_get", [*names, "comment", "image_1920", "create_date", "id"], about)
    s(PARTNER, "fields_get", ["nofield", "name"], ["type"])
    s(COUNTRY, "fields_get", ["name", "code", "currency_id"], about)
    s(PRODUCT, "fields_get", ["name", "list_price", "default_code", "type"], about[:3])
    s("res.users", "context_get")
    admin = [["login", "=", "admin"]]
    s("res.users", "search_read", admin, ["name", "login", "partner_id", "lang"])
    s("res.company", "search_read", [], ["name", "partner_id"])
    made = s.quiet(PARTNER, "name_create", s.tag)
    s.answers.append(str(made[1]).replace(s.tag, "TAG"))


def save_multi(s: Talk) -> None:
    """19 writes different values to several records in one call, 14 does not know the method."""
    rows = s(PARTNER, "create", [{"name": s.tag}, {"name": s.tag}])
    s(PARTNER, "web_save_multi", rows, [{"ref": "a"}, {"ref": "b"}], {})
    s(PARTNER, "read", rows, ["ref"])
    s(PARTNER, "web_save_multi", rows, [{"ref": "c"}, {"country_id": GONE}], {})
    s(PARTNER, "web_save_multi", rows, [{"ref": "c"}, {"nofield": 1}], {})
    s(PARTNER, "web_save_multi", [rows[0], GONE], [{"ref": "c"}, {"ref": "d"}], {})
    s(PARTNER, "read", rows, ["ref"])


def save_multi_by_name(s: Talk) -> None:
    """Named arguments, other models, and the same record twice: its last values stay."""
    first, second = s(PARTNER, "create", [{"name": s.tag}, {"name": s.tag}])
    values = [{"ref": "a"}, {"ref": "b"}]
    s(PARTNER, "web_save_multi", [second, first], vals_list=values, specification={})
    s(PARTNER, "web_save_multi", [first, first], vals_list=values, specification={})
    s(PARTNER, "read", [first, second], ["ref"])
    s(PARTNER, "web_save_multi", [first], [{"category_id": [[0, 0, {"name": s.tag}]]}], {})
    s(PARTNER, "web_save_multi", [first], [{"parent_id": second, "active": False}], {})
    s(PARTNER, "read", [first], ["ref", "parent_id", "active"])
    s(PARTNER, "web_save_multi", [second], [{"parent_id": first}], {})
    s(COUNTRY, "web_save_multi", [GONE], [{"name": s.tag}], {})
    s(TAG, "web_save_multi", [GONE], [{"name": s.tag}], {})
    s(COUNTRY, "web_save_multi", [SWITZERLAND, BELGIUM], [{"vat_label": "x"}, {"code": "CH"}], {})
    s(COUNTRY, "read", [SWITZERLAND], ["vat_label"])


def save_multi_shapes(s: Talk) -> None:
    """One mapping for each record, and a specification of what is to be read afterwards."""
    [row] = s(PARTNER, "create", [{"name": s.tag, "country_id": SWITZERLAND}])
    s(PARTNER, "web_save_multi")
    s(PARTNER, "web_save_multi", [row])
    s(PARTNER, "web_save_multi", [row], [{}])
    s(PARTNER, "web_save_multi", [row], [{}], {}, None)
    s(PARTNER, "web_save_multi", [row], [{}], {}, next_id=None)
    s(PARTNER, "web_save_multi", [], [], {})
    s(PARTNER, "web_save_multi", [row], [], {})
    s(PARTNER, "web_save_multi", [row], [{}, {}], {})
    s(PARTNER, "web_save_multi", [row], {"ref": "x"}, {})
    wrong: tuple[object, ...] = (5, None, "x", ["x"], [5], [[]])
    for values in wrong:
        s(PARTNER, "web_save_multi", [row], values, {})
    s(PARTNER, "web_save_multi", row, [{"ref": "y"}], {})
    s(PARTNER, "web_save_multi", [row], [{}], {"id": {}})
    s(PARTNER, "web_save_multi", [row], [{}], {"ref": {}, "country_id": {}, "child_ids": {}})
    s(PARTNER, "web_save_multi", [row], [{"ref": "z"}], {"nofield": {}})
    s(PARTNER, "read", [row], ["ref"])


def limited_user(s: Talk) -> None:
    """A user with few rights reads contacts, countries and products and writes none of them."""
    s(PARTNER, "create", [{"name": "x"}])
    s(PARTNER, "create", {"nofield": 1})
    s(PARTNER, "create", [])
    s(PARTNER, "write", [1], {"name": "x"})
    s(PARTNER, "write", [GONE], {"name": "x"})
    s(PARTNER, "write", [], {"name": "x"})
    s(PARTNER, "unlink", [1])
    s(PARTNER, "unlink", [])
    s(PARTNER, "action_archive", [1])
    s(PARTNER, "web_save_multi", [1], [{"name": "x"}], {})
    s(PARTNER, "search_count", [["id", "=", 1]])
    s(PARTNER, "read", [1], ["id"])
    for model in (COUNTRY, TAG, PRODUCT, "product.category", "res.currency.rate"):
        s(model, "create", {"name": "2020-01-01"})
    s(COUNTRY, "write", [1], {"name": "x"})
    s(COUNTRY, "unlink", [1])
    s("res.users", "write", [2], {"name": "x"})
    s("res.users", "read", [2], ["login", "name"])
    s("ir.config_parameter", "search_read", [], ["key"])


ADMIN: list[Callable[[Talk], None]] = [
    create_forms,
    wrong_calls,
    what_cannot_be_called,
    odd_context,
    defaults,
    odd_texts,
    odd_numbers,
    odd_booleans,
    odd_selections,
    odd_references,
    odd_dates,
    what_is_tidied,
    read_only_fields,
    company_type,
    unknown_fields,
    all_or_nothing,
    missing_ids,
    ways_to_say_ids,
    write_values,
    required_and_unique,
    products,
    tags_by_command,
    deleting_a_tag,
    archived_tags,
    children_by_command,
    names_of_contacts,
    circles,
    archive,
    partners_of_users,
    deleting,
    country_in_use,
    copies,
    reading,
    order_and_paging,
    operators,
    operators_on_numbers,
    references_in_domains,
    conditions_on_relations,
    computed_fields_in_searches,
    logic,
    broken_domains,
    name_search,
    little_methods,
    save_multi,
    save_multi_by_name,
    save_multi_shapes,
]
LIMITED: list[Callable[[Talk], None]] = [limited_user]
