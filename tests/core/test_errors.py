"""Every exception of the library: the tree as drawn, the texts, and pickling."""

import pickle
import re
from array import array

import pytest

import zenoo_rpc
from zenoo_rpc import errors
from zenoo_rpc._core.faults import Kind, transport_fault
from zenoo_rpc.batch import errors as batch_errors
from zenoo_rpc.batch import exceptions, results, transaction
from zenoo_rpc.batch.exceptions import (
    BatchExecutionError,
    BatchStateError,
    BatchValidationError,
    StreamStoppedError,
)
from zenoo_rpc.batch.operations import CreateOperation
from zenoo_rpc.batch.results import BatchResult, OperationResult

ADDRESS = "http://localhost:8069"


# -- the tree --------------------------------------------------------------------------------------


def drawn(docstring):
    """Return the parent of each class in a drawn tree, and the other bases that it tells of."""
    parents, also, branch = {}, {}, []
    margin = docstring.index(re.search(r"^ *(\w+Error)$", docstring, re.MULTILINE)[1])
    margin -= docstring.rindex("\n", 0, margin) + 1
    for line in docstring.splitlines():
        names = list(re.finditer(r"(?:[|`]-- |^ *)([A-Z]\w+Error)\b", line))
        for name in names:
            depth = (names[0].start(1) - margin) // 4  # those beside it are its siblings
            parents[name[1]] = branch[depth - 1] if branch else None
            branch[depth:] = [name[1]]
        if names and (other := re.search(r"\(also an? (\w+)\)", line)):
            also[names[0][1]] = other[1]
    return parents, also


def own_classes(module):
    return [
        each
        for each in vars(module).values()
        if isinstance(each, type)
        and issubclass(each, errors.ZenooError)
        and each.__module__ == module.__name__
    ]


def test_tree_is_as_drawn():
    """The docstring of the module draws the classes that there are, each below its base."""
    parents, _ = drawn(errors.__doc__)
    expected = {each.__name__: each.__bases__[0].__name__ for each in own_classes(errors)}
    others = {"BatchError": "ZenooError", "TransactionError": "ZenooError"}
    expected |= {"ZenooError": None, **others}

    assert expected == parents


def test_other_bases_are_as_drawn():
    """Where a class is also one of Python's, the drawing says so."""
    _, also = drawn(errors.__doc__)
    expected = {
        each.__name__: each.__bases__[1].__name__
        for each in own_classes(errors)
        if len(each.__bases__) > 1
    }

    assert expected == also


def test_tree_of_batches_is_as_drawn():
    """The exceptions of batches are drawn in their own module."""
    parents, _ = drawn(exceptions.__doc__)
    classes = [getattr(exceptions, name) for name in exceptions.__all__]
    expected = {each.__name__: each.__bases__[0].__name__ for each in classes}

    assert {**expected, "BatchError": None} == parents
    assert "ZenooError" == expected["BatchError"]


def test_tree_of_transactions_is_as_drawn():
    """So are those of transactions."""
    parents, _ = drawn(transaction.__doc__)
    expected = {each.__name__: each.__bases__[0].__name__ for each in own_classes(transaction)}

    assert {**expected, "TransactionError": None} == parents
    assert "ZenooError" == expected["TransactionError"]


def test_no_exception_elsewhere():
    """Each exception of the library is in one of the three trees."""

    def below(each):
        return {each}.union(*map(below, each.__subclasses__()))

    modules = {each.__module__ for each in below(errors.ZenooError)}

    homes = {errors, batch_errors, results, transaction}
    assert {each.__name__ for each in homes} == {
        name for name in modules if name.startswith("zenoo_rpc.") and ".testing" not in name
    }


def test_public_exceptions_are_the_same():
    """What the package exports under a name of the tree is the class of the tree."""
    exported = {name: getattr(zenoo_rpc, name) for name in zenoo_rpc.__all__ if "Error" in name}

    assert {errors.ZenooError, errors.OdooError, errors.TransportError} < set(exported.values())
    for name, error_class in exported.items():
        homes = [each for each in (errors, exceptions, transaction) if hasattr(each, name)]
        assert all(getattr(home, name) is error_class for home in homes)
        assert homes


# -- pickling --------------------------------------------------------------------------------------

RESULT = BatchResult(
    (OperationResult(CreateOperation("m", [{"x": 1}]), b"\x02", array("q", [0]), {}),)
)
REPORT = transaction.TransactionReport(
    transaction.TransactionState.PARTLY_ROLLED_BACK,
    not_undone=(transaction.Change("copy", "m", (1,), "it cannot be taken back"),),
)
SPECIAL = {
    errors.InvalidValueError: ("NaN has no JSON form", "line_ids[0].price"),
    errors.QuestionError: ("m", "no answer came"),
    BatchValidationError: ("create m", "there is nothing in it", 7),
    BatchStateError: ("the batch is over",),
    BatchExecutionError: (RESULT,),
    StreamStoppedError: ("create m", {"applied": 7}),
    transaction.NotUndoableError: ("write m", "field 'x': it is not stored", ("x",)),
    transaction.TransactionRollbackError: (REPORT,),
}


def an_error(error_class):
    """Return an error of the class, with all that it can carry."""
    if error_class in SPECIAL:
        return error_class(*SPECIAL[error_class])
    if issubclass(error_class, errors.TransportError):
        return error_class(ADDRESS, "as the network says")
    if issubclass(error_class, errors.OdooError):
        return error_class("No.", "odoo.exceptions.UserError", ("No.", 7), "Traceback ...")
    return error_class("No.")


ALL = [*own_classes(errors), *own_classes(exceptions), *own_classes(transaction)]


@pytest.mark.parametrize("error_class", ALL, ids=lambda each: each.__name__)
@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_pickle(error_class, protocol):
    """An exception that went through pickle says the same and carries the same."""
    error = an_error(error_class)
    error.add_note("while importing partners.csv")

    copy = pickle.loads(pickle.dumps(error, protocol))

    assert type(error) is type(copy)
    assert str(error) == str(copy)
    assert repr(error) == repr(copy)
    assert vars(error).keys() == vars(copy).keys()
    if error_class is not BatchExecutionError:  # its result is compared in test_results
        assert (error.args, vars(error)) == (copy.args, vars(copy))


def test_pickle_keeps_what_was_added():
    """The server's wish and the HTTP status come through as well."""
    busy = transport_fault(Kind.BUSY, ADDRESS, retry_after=30.0).error
    foreign = transport_fault(Kind.NOT_THERE, ADDRESS, status=404).error

    assert 30.0 == pickle.loads(pickle.dumps(busy)).retry_after
    assert 404 == pickle.loads(pickle.dumps(foreign)).status


# -- texts -----------------------------------------------------------------------------------------

TRANSPORT = [each for each in ALL if issubclass(each, errors.TransportError)]


@pytest.mark.parametrize("error_class", TRANSPORT, ids=lambda each: each.__name__)
def test_transport_error(error_class):
    """It says where, what, the network's own words, and what to do."""
    text = str(error_class(ADDRESS, "[Errno 7]"))

    assert text.startswith(f"{ADDRESS}: {error_class.summary} ([Errno 7])")
    assert text.endswith(error_class.advice)
    assert "(" not in str(error_class(ADDRESS)).removesuffix(error_class.advice)


def test_transport_error_without_advice():
    """Without advice the sentence ends where it ends."""
    assert f"{ADDRESS}: no answer came" == str(errors.TransportError(ADDRESS))


def test_nothing_was_sent_is_said():
    """The texts of failed connections say it, the others do not."""
    told = [each for each in TRANSPORT if "Nothing was sent." in each.advice]

    assert [each for each in TRANSPORT if issubclass(each, errors.ConnectionFailedError)] == told


def test_odoo_error():
    """Its text is the server's message; name, arguments and traceback are attributes."""
    error = an_error(errors.UserError)

    assert "No." == str(error)
    assert ("odoo.exceptions.UserError", ("No.", 7), "Traceback ...") == (
        error.name,
        error.arguments,
        error.debug,
    )


def test_odoo_error_does_not_show_the_traceback():
    """Odoo's traceback may quote values, so no text of the error holds it."""
    error = errors.ServerError("No.", "builtins.ValueError", ({"k": "hunter2"},), "hunter2")

    assert "ServerError('No.', name='builtins.ValueError')" == repr(error)
    assert "hunter2" not in f"{error}{error!r}"


REQUIRED_19 = (
    "The operation cannot be completed: Missing required value for the field 'Country Name' (name)."
    "\nModel: 'Country' (res.country)\n- create/update: a mandatory field is not set"
)
REQUIRED_14 = (
    "The operation cannot be completed:\n- Create/update: a mandatory field is not set.\n\n"
    "Model: Country (res.country), Field: Country Name (name)\n"
)
FOREIGN_KEY_19 = (
    "The operation cannot be completed: Another model is using the record you are trying to delete."
    "\n\nThe troublemaker is: 'Contact' (res.partner)\nThanks to the following constraint: "
    "'Country' (country_id)\nHow about archiving the record instead?"
)


@pytest.mark.parametrize(
    ("message", "field"),
    [
        ("Wrong value for res.partner.type: 'bogus'", "type"),
        ("Wrong value for res.partner.category_id: nope", "category_id"),
        ("Invalid field 'nofield' in 'res.partner'", "nofield"),
        ("Invalid field 'nofield' on model 'res.partner'", "nofield"),
        (REQUIRED_19, "name"),
        (REQUIRED_14, "name"),
        (FOREIGN_KEY_19, "country_id"),
        ("The operation cannot be completed: Contacts require a name", None),
        ("You cannot create recursive Partner hierarchies.", None),
        ("invalid literal for int() with base 10: 'red'", None),
        ("", None),
    ],
)
def test_field(message, field):
    """The field is read from the messages of 19 and 14; where none is named there is none."""
    assert field == errors.ValidationError(message).field


def test_invalid_value_without_a_path():
    """A value that was given alone has no path."""
    assert "NaN has no JSON form" == str(errors.InvalidValueError("NaN has no JSON form"))


@pytest.mark.parametrize(
    ("steps", "path"),
    [
        (["price"], "price"),
        ([0], "[0]"),
        (["price", 2, 0, "line_ids"], "line_ids[0][2].price"),
        (["b", "a"], "a.b"),
        ([1, 0], "[0][1]"),
    ],
)
def test_invalid_value_within(steps, path):
    """Seen from further out the path is longer; the reason is the same."""
    error = errors.InvalidValueError("no")
    for step in steps:
        error = error.within(step)

    assert (path, "no") == (error.path, error.reason)
    assert f"field '{path}': no" == str(error)


def test_a_login_that_is_not_accepted_any_more():
    """The server's words tell little; a database that is not there is another matter."""
    rejected = errors.AuthenticationError("Invalid apikey", "werkzeug.exceptions.Unauthorized")
    assert str(rejected).startswith("Invalid apikey (the login is not accepted any more: the key")
    assert "at the login" == str(errors.AuthenticationError("at the login"))
    gone = errors.DatabaseNotFoundError("no such database", "psycopg2.OperationalError")
    assert "no such database" == str(gone)
