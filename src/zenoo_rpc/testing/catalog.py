"""The models the stand-in knows, as in a database with `contacts` and `product`.

Names, types and texts are those that `fields_get` answers on real servers; a selection of fields,
not all of them.
"""

from . import key_models
from .models import Model, model, plain, reference, timezones
from .wording import Wording


def build(series: int) -> dict[str, Model]:
    """Return the models of a release, by name."""
    words = Wording(series)
    known = [*_people(words), *_products(words), *_company(words), *key_models.build(words)]
    return {one.name: one for one in known}


def _people(words: Wording) -> list[Model]:
    new = words.series >= 19

    def by(now: str, then: str) -> str:
        return now if new else then

    lang = plain("selection", "lang", "Language", selection=(("en_US", "English (US)"),))
    own = {"create": "ResPartner", "write": "ResPartner", "unlink": "MailThread"}
    own |= {"default_get": "ResPartner", "name_create": "ResPartner"}
    creators = ("Contact/Creation", "Extra Rights/Contact Creation")
    active = plain("boolean", "active", "Active", default=True)
    types = [("contact", "Contact"), ("invoice", by("Invoice", "Invoice Address"))]
    types += [
        ("delivery", by("Delivery", "Delivery Address")),
        ("other", by("Other", "Other Address")),
    ]
    types += [] if new else [("private", "Private Address")]
    company_types = (("person", by("Person", "Individual")), ("company", "Company"))
    partner = model(
        words,
        "res.partner",
        "Contact",
        (
            plain("char", "name", "Name"),
            plain("char", "complete_name", "Complete Name", store=False, copy=False)
            if new
            else None,
            plain("char", "email", "Email"),
            plain("char", "phone", "Phone"),
            None if new else plain("char", "mobile", "Mobile"),
            plain("char", "street", "Street"),
            plain("char", "street2", "Street2"),
            plain("char", "zip", "Zip"),
            plain("char", "city", "City"),
            reference("country_id", "Country", "res.country", ondelete="restrict"),
            reference("parent_id", "Related Company", "res.partner"),
            plain("one2many", "child_ids", "Contact", relation="res.partner", inverse="parent_id"),
            plain("many2many", "category_id", "Tags", relation="res.partner.category"),
            active,
            plain("boolean", "is_company", "Is a Company", default=False),
            plain(
                "selection", "company_type", "Company Type", store=False, selection=company_types
            ),
            plain("selection", "type", "Address Type", default="contact", selection=tuple(types)),
            plain("integer", "color", "Color Index", default=0),
            plain("char", "ref", "Reference"),
            plain(by("html", "text"), "comment", "Notes"),
            plain("char", "website", "Website Link"),
            plain("selection", "lang", "Language", selection=lang.selection, default="en_US"),
            plain("selection", "tz", "Timezone", selection=timezones()),
            plain("char", "vat", "Tax ID"),
            None if new else plain("date", "date", "Date"),
            plain("char", "function", "Job Position"),
            reference("user_id", "Salesperson", "res.users"),
            plain("one2many", "user_ids", "Users", relation="res.users", inverse="partner_id"),
            reference("company_id", "Company", "res.company"),
            plain("binary", "image_1920", "Image"),
        ),
        order=by("complete_name ASC, id DESC", "display_name"),
        group=creators,
        missing=("write", "unlink"),
        python=own,
    )
    category = model(
        words,
        "res.partner.category",
        "Partner Tags",
        (
            plain("char", "name", by("Name", "Tag Name"), required=True, translate=True),
            plain("integer", "color", by("Color", "Color Index"), default=1),
            reference(
                "parent_id",
                by("Category", "Parent Category"),
                "res.partner.category",
                ondelete="cascade",
            ),
            plain(
                "one2many",
                "child_ids",
                "Child Tags",
                relation="res.partner.category",
                inverse="parent_id",
            ),
            active,
        ),
        group=creators,
        python={"unlink": "Base"},
    )
    country_methods = ("create", "write", "unlink", "name_search")
    country = model(
        words,
        "res.country",
        "Country",
        (
            plain("char", "name", "Country Name", required=True, translate=True),
            plain("char", "code", "Country Code", required=new, size=2),
            plain("integer", "phone_code", "Country Calling Code"),
            reference("currency_id", "Currency", "res.currency"),
            plain("char", "vat_label", "Vat Label", translate=True),
        ),
        python=dict.fromkeys(country_methods, "ResCountry"),
        unique=(
            ("name", "res_country_name_uniq", "The name of the country must be unique!"),
            ("code", "res_country_code_uniq", "The code of the country must be unique!"),
        ),
    )
    user_methods = ("create", "write", "unlink", "read", "name_search")
    seen = {"through": "partner_id", "store": False, "copy": False}
    users = model(
        words,
        "res.users",
        by("User", "Users"),
        (
            plain("char", "name", "Name", **seen),
            plain("char", "email", "Email", **seen),
            plain("char", "login", "Login", required=True),
            plain("char", "password", "Password", store=False, copy=False),
            reference(
                "partner_id", "Related Partner", "res.partner", required=True, ondelete="restrict"
            ),
            reference("company_id", "Company", "res.company", required=True, default=1),
            plain("selection", "lang", "Language", selection=lang.selection, **seen),
            plain("selection", "tz", "Timezone", selection=timezones(), **seen),
            active,
        ),
        order="name, login",
        group=("Access Rights", "Administration/Access Rights"),
        missing=("write", "unlink"),
        python=dict.fromkeys(user_methods, "ResUsers"),
        unique=(
            ("login", "res_users_login_key", "You can not have two users with the same login!"),
        ),
    )
    return [partner, category, country, users]


def _products(words: Wording) -> list[Model]:
    new = words.series >= 19
    template = {"owner": ("product.template", "Product" if new else "Product Template")}
    group = ("Products/Create", "Administration/Settings")
    goods = (("consu", "Goods"), ("service", "Service"), ("combo", "Combo"))
    old = (("consu", "Consumable"), ("service", "Service"))
    methods = ("create", "write", "unlink", "copy", "name_search")
    product = model(
        words,
        "product.product",
        "Product Variant" if new else "Product",
        (
            plain("char", "name", "Name", required=True, translate=True, **template),
            plain("float", "list_price", "Sales Price", default=1.0),
            plain("float", "standard_price", "Cost", default=0.0),
            plain("char", "default_code", "Internal Reference"),
            plain("char", "barcode", "Barcode", copy=False),
            plain(
                "selection",
                "type",
                "Product Type",
                required=True,
                default="consu",
                selection=goods if new else old,
                **template,
            ),
            plain("boolean", "active", "Active", default=True),
            reference(
                "categ_id",
                "Product Category",
                "product.category",
                default=None if new else 1,
                ondelete="restrict",
            ),
            plain("float", "weight", "Weight", default=0.0),
            plain("boolean", "sale_ok", "Sales" if new else "Can be Sold", default=True),
            plain("html" if new else "text", "description", "Description", translate=True),
            plain("binary", "image_1920", "Image"),
        ),
        order="default_code, name, id",
        group=group,
        missing=("write",),
        python=dict.fromkeys(methods, "ProductProduct"),
        unique=(("barcode", "product_product_barcode_uniq", ""),),
    )
    category = model(
        words,
        "product.category",
        "Product Category",
        (
            plain("char", "name", "Name", required=True),
            plain("char", "complete_name", "Complete Name", store=False, readonly=True, copy=False),
            reference("parent_id", "Parent Category", "product.category", ondelete="cascade"),
        ),
        order="complete_name",
        group=group,
        python=dict.fromkeys(("create", "write", "unlink"), "MailThread"),
    )
    return [product, category]


def _company(words: Wording) -> list[Model]:
    new = words.series >= 19
    computed = {"store": False, "readonly": True, "copy": False}
    currency = model(
        words,
        "res.currency",
        "Currency",
        (
            plain("char", "name", "Currency", required=True, size=3),
            plain("char", "symbol", "Symbol", required=True),
            plain("float", "rounding", "Rounding Factor", default=0.01),
            plain("boolean", "active", "Active", default=True),
        ),
        order="active desc, name",
        python=dict.fromkeys(("create", "write", "unlink"), "ResCurrency"),
        unique=(("name", "res_currency_unique_name", "The currency code must be unique!"),),
    )
    rate = model(
        words,
        "res.currency.rate",
        "Currency Rate",
        (
            plain("date", "name", "Date", required=True),
            plain("float", "rate", "Technical Rate" if new else "Rate"),
            reference("currency_id", "Currency", "res.currency", required=True, ondelete="cascade"),
            reference("company_id", "Company", "res.company", default=1),
        ),
        order="name desc, id",
    )
    company = model(
        words,
        "res.company",
        "Companies",
        (
            plain("char", "name", "Company Name", required=True),
            reference("partner_id", "Partner", "res.partner", required=True, ondelete="restrict"),
        ),
    )
    parameter = model(
        words,
        "ir.config_parameter",
        "System Parameter",
        (
            plain("char", "key", "Key", required=True),
            plain("text", "value", "Value", required=True),
        ),
        order="key",
        everyone=(),
        unique=(("key", "ir_config_parameter_key_uniq", "Key must be unique."),),
    )
    external = model(
        words,
        "ir.model.data",
        "Model Data",
        (
            plain("char", "name", "External Identifier", required=True),
            plain("char", "complete_name", "Complete ID", **computed),
            plain("char", "model", "Model Name", required=True),
            plain("char", "module", "Module", required=True, default=""),
            plain("many2one_reference", "res_id", "Record ID"),
            plain("boolean", "noupdate", "Non Updatable", default=False),
            plain("char", "reference", "Reference", **computed),
        ),
        order="module, model, name",
        group=("Access Rights", "Administration/Access Rights"),
        everyone=() if new else ("access", "create"),
        python=dict.fromkeys(("create", "write", "unlink"), "IrModelData"),
        unique=(("module,name", "ir_model_data_module_name_uniq_index", ""),),
        indexed=("model,res_id",),
    )
    return [currency, rate, company, parameter, external]
