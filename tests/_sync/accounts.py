"""How clients log in to a server, and with which pauses they repeat a call."""

from zenoo_rpc.sync import RetryPolicy

QUICK = RetryPolicy(attempts=4, initial=0.01, maximum=0.05)


def log_in(client, server, *, limited=False):
    """Log a client in, as the administrator or as the limited user.

    By password over JSON-RPC, by key over JSON-2.
    """
    if server.protocol == "json2":
        key = server.limited_key if limited else server.api_key
        return client.login_with_api_key(server.database, key)
    login = server.limited_login if limited else server.login
    return client.login(server.database, login, secret_of(server, limited=limited))


def secret_of(server, *, limited=False):
    """Return what a user logs in with over JSON-RPC: the password, or what is as good.

    Real Odoo 19 gets a key in its place, which it takes as well.
    """
    if server.is_real and server.version == "19.0":
        return server.limited_key if limited else server.api_key
    return server.limited_password if limited else server.password
