"""The models about API keys: the keys, the wizard that makes one, the check of who asks for it."""

from .models import Model, model, plain, reference
from .wording import Wording

APIKEYS = "res.users.apikeys"
DESCRIPTION = "res.users.apikeys.description"
CHECK = "res.users.identitycheck"


def build(words: Wording) -> list[Model]:
    """Return the models of a release: nobody may write them but through their own methods."""
    new = words.series >= 19
    nobody = ("", "")
    expiration = plain("datetime", "expiration_date", "Expiration Date", readonly=True)
    keys = model(
        words,
        APIKEYS,
        "Users API Keys" if new else APIKEYS,
        (
            plain("char", "name", "Description", required=True, readonly=True),
            reference("user_id", "User", "res.users", required=True, ondelete="cascade"),
            plain("char", "scope", "Scope", readonly=True),
            expiration if new else None,
        ),
        order="id",
        group=nobody,
        private_to="user_id",
        for_admin=True,
    )
    description = model(
        words,
        DESCRIPTION,
        "API Key Description" if new else DESCRIPTION,
        (
            plain("char", "name", "Description", required=True),
            plain("char", "duration", "Duration", required=True, default="1") if new else None,
            plain("datetime", "expiration_date", "Expiration Date") if new else None,
        ),
        order="id",
        group=nobody,
        everyone=("access", "create"),
        private_to="create_uid",
    )
    options = (("password", "Password"),)
    auth = plain("selection", "auth_method", "Auth Method", selection=options, default="password")
    check = model(
        words,
        CHECK,
        "Password Check Wizard",
        (auth if new else None, plain("char", "password", "Password", store=not new)),
        order="id",
        group=nobody,
        everyone=("access", "create", "modify"),
        private_to="create_uid",
    )
    return [keys, description, check]
