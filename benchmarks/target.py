"""The server that a benchmark runs against, as the environment names it."""

import os

import zenoo_rpc.sync


def target():
    """Return URL, database, user and password."""
    names = ("ZENOO_URL", "ZENOO_DATABASE", "ZENOO_USER", "ZENOO_PASSWORD")
    return [os.environ[name] for name in names]


def connected():
    """Return a blocking client that is logged in."""
    url, *login = target()
    client = zenoo_rpc.sync.ZenooClient(url)
    client.login(*login)
    return client
