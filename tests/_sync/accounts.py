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
    login, password = server.login, server.password
    if limited:
        login, password = server.limited_login, server.limited_password
    return client.login(server.database, login, password)
