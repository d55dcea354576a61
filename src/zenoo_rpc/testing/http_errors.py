"""Refusals that are an HTTP status first of all: before a method ran, or instead of it."""

from .errors import EXCEPTIONS, OdooError

_TITLES = {
    400: "Bad Request",
    401: "Unauthorized",
    404: "Not Found",
    413: "Request Entity Too Large",
    422: "Unprocessable Entity",
}
_STATUS = {
    "UserError": 422,
    "ValidationError": 422,
    "AccessError": 403,
    "AccessDenied": 403,
    "MissingError": 404,
}


class HttpError(OdooError):
    """A refusal by the layer around the methods, whose class is one of werkzeug's."""

    def __init__(self, status: int, message: str, hint: str = "") -> None:
        kind = _TITLES[status].replace(" ", "")
        super().__init__(f"werkzeug.exceptions.{kind}", message, [message, status], hint=hint)
        self.status = status

    @property
    def debug(self) -> str:
        """Return a text in the form of a traceback, without any frame."""
        return self.as_traceback(
            f"{self.name}: {self.status} {_TITLES[self.status]}: {self.message}\n"
        )


def unprocessable(message: str) -> HttpError:
    """Return the refusal of arguments that are not those of the method."""
    return HttpError(422, message)


def status_of(error: OdooError) -> int:
    """Return the status with which JSON-2 answers a refusal."""
    if isinstance(error, HttpError):
        return error.status
    return _STATUS.get(error.name.removeprefix(EXCEPTIONS), 500)
