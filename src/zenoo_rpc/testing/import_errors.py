"""What an import says about a record that the server or its database refused."""

from .errors import OdooError, Violation

PREFIX = "The operation cannot be completed: "


def message(error: OdooError, model: str, series: int) -> dict[str, str]:
    """Return the parts of the message that a refusal makes, in an import into *model*."""
    found = error.violation
    if found is not None:
        return _new(error, found, model) if series >= 19 else _old(error, found, model)
    if error.name.startswith("psycopg2."):
        return {"message": error.message}
    if series >= 19 and error.is_for_users:
        return {"message": error.message}
    kind = error.name.removeprefix("builtins.")
    text = f"Unknown error during import: <class '{kind}'>: {error.as_text}"
    return {"message": text, "moreinfo": "Resolve other errors first"}


def _new(error: OdooError, found: Violation, model: str) -> dict[str, str]:
    text = error.message.removeprefix(PREFIX)
    if found.model == model:
        return {"message": text, **({"field": found.field} if found.field else {})}
    if found.kind == "required":
        lines = text.split("\n")
        text = "\n".join([lines[0], "Model: Unknown", *lines[2:]])
    return {"message": text}


def _old(error: OdooError, found: Violation, model: str) -> dict[str, str]:
    mine = found.model == model
    if found.kind == "required":
        if not mine:
            return {"message": f"Missing required value for the field '{found.field}'"}
        text = f"Missing required value for the field '{found.string}' ({found.field})"
        return {"message": text, "field": found.field}
    if found.kind == "unique" and mine and found.field:
        text = f"The value for the field '{found.field}' already exists"
        text += f" (this is probably '{found.string}' in the current model)."
        return {"message": text, "field": found.field}
    if found.kind == "check" and mine:
        return {"message": f"'{found.text}'"}
    return {"message": error.message}
