"""The records of a new database, with the ids they have on real servers."""

from typing import Any

from . import external_ids, writing
from .database import Database
from .env import Env
from .wording import Wording

COUNTRIES = (
    (12, "Austria", "AT", 43),
    (13, "Australia", "AU", 61),
    (20, "Belgium", "BE", 32),
    (31, "Brazil", "BR", 55),
    (38, "Canada", "CA", 1),
    (43, "Switzerland", "CH", 41),
    (48, "China", "CN", 86),
    (57, "Germany", "DE", 49),
    (68, "Spain", "ES", 34),
    (75, "France", "FR", 33),
    (109, "Italy", "IT", 39),
    (113, "Japan", "JP", 81),
    (128, "Liechtenstein", "LI", 423),
    (133, "Luxembourg", "LU", 352),
    (165, "Netherlands", "NL", 31),
    (231, "United Kingdom", "GB", 44),
    (233, "United States", "US", 1),
)
PASSWORDS = {"admin": "admin", "limited": "limited"}


def fill(db: Database, words: Wording) -> None:
    """Put the first records into an empty database."""
    env = Env(db, words, uid=1, trusted=True)
    new = words.series >= 19
    with db.transaction():
        _currencies(env, new)
        for row_id, name, code, phone in COUNTRIES:
            _insert(env, "res.country", row_id, name=name, code=code, phone_code=phone)
        env.table("res.country").last_id = 251 if new else 250
        categories = ("Goods", "Expenses", "Services") if new else ("All", "Saleable", "Expenses")
        for row_id, name in enumerate(categories, 1):
            parent = False if new or row_id == 1 else 1
            _insert(env, "product.category", row_id, name=name, parent_id=parent)
        _people(env, new)
        _name(env, new)


def _currencies(env: Env, new: bool) -> None:
    active = [("USD", "$")] if new else [("EUR", "€"), ("USD", "$")]
    for row_id, (name, symbol) in enumerate(active, 1):
        _insert(env, "res.currency", row_id, name=name, symbol=symbol)


def _people(env: Env, new: bool) -> None:
    _insert(env, "res.partner", 1, name="My Company", is_company=True)
    _insert(env, "res.company", 1, name="My Company", partner_id=1)
    middle = [("public", 4, "Public user"), ("portaltemplate", 5, "Portal User Template")]
    if not new:
        middle = [
            ("default", 5, "Default User Template"),
            ("public", 4, "Public user"),
            ("portaltemplate", 6, "Portal User Template"),
        ]
    people = [("__system__", 2, "OdooBot"), ("admin", 3, "Administrator"), *middle]
    people.append(("limited", len(people) + 2, "Limited"))
    for user, (login, partner, name) in enumerate(people, 1):
        active = login in PASSWORDS
        email = "admin@example.com" if login == "admin" else False
        company = 1 if login == "admin" else False
        _insert(
            env, "res.partner", partner, name=name, active=active, email=email, company_id=company
        )
        secret = PASSWORDS.get(login, False)
        _insert(
            env, "res.users", user, login=login, partner_id=partner, active=active, password=secret
        )
    env.table("res.partner").last_id = len(people) + 1


def _name(env: Env, new: bool) -> None:
    """Give the records the external ids they have on real servers."""
    named = [
        (f"base.{'uk' if code == 'GB' else code.lower()}", "res.country", row_id)
        for row_id, _, code, _ in COUNTRIES
    ]
    kinds = ("goods", "expenses", "services")
    categories = [f"product.product_category_{kind}" for kind in kinds]
    if not new:
        categories = ["product.product_category_all", "product.product_category_1"]
        categories.append("product.cat_expense")
    people = ["main_partner", "partner_root", "partner_admin", "public_partner"]
    users = ["user_root", "user_admin", "public_user"]
    if not new:
        users.insert(2, "default_user")
        people.append("default_user_res_partner")
    lists = {
        "res.currency": ["base.USD"] if new else ["base.EUR", "base.USD"],
        "res.company": ["base.main_company"],
        "product.category": categories,
        "res.partner": [f"base.{name}" for name in people],
        "res.users": [f"base.{name}" for name in users],
    }
    for model, names in lists.items():
        named += [(name, model, row_id) for row_id, name in enumerate(names, 1)]
    external_ids.assign(env, named, noupdate=True)
    portal = [("template_portal_user_id", "res.users", len(users) + 1)]
    portal.append(("template_portal_user_id_res_partner", "res.partner", len(people) + 1))
    named = [(f"base.{name}", model, row_id) for name, model, row_id in portal]
    external_ids.assign(env, named, noupdate=False)


def _insert(env: Env, model: str, row_id: int, **vals: Any) -> None:
    env.table(model).last_id = row_id - 1
    writing.create(env, model, [vals])
