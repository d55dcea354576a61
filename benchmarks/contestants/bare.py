"""The limit: bodies that are ready before the clock starts, over plain sockets, by no library."""

import asyncio
import json
import urllib.request
from urllib.parse import urlsplit

from worker import chunks, run


def body_of(service, method, *args):
    """Encode one request."""
    params = {"service": service, "method": method, "args": args}
    request = {"jsonrpc": "2.0", "method": "call", "id": 1, "params": params}
    return json.dumps(request, separators=(",", ":")).encode()


def login(job):
    """Return the bodies of the job, encoded."""
    url, database, user, password = job["target"]

    def asked(body):
        headers = {"Content-Type": "application/json"}
        with urllib.request.urlopen(urllib.request.Request(f"{url}/jsonrpc", body, headers)) as got:
            return json.load(got)["result"]

    uid = asked(body_of("common", "login", database, user, password))
    head = ("object", "execute_kw", database, uid, password)
    context = asked(body_of(*head, "res.users", "context_get", [], {}))
    if job["quiet"]:
        context["tracking_disable"] = True
    size = job["chunk"]
    match job["name"]:
        case "create":
            method, calls = "create", [[chunk] for chunk in chunks(job["records"], size)]
        case "same":
            method = "write"
            calls = [[chunk, job["values"]] for chunk in chunks(job["ids"], size)]
        case "different":
            method = "web_save_multi"
            pairs = zip(chunks(job["ids"], size), chunks(job["updates"], size), strict=True)
            calls = [[ids, updates, {}] for ids, updates in pairs]
        case "delete":
            method, calls = "unlink", [[chunk] for chunk in chunks(job["ids"], size)]
    return [body_of(*head, job["model"], method, args, {"context": context}) for args in calls]


async def send(bodies, job):
    """Send the bodies, so many at a time, and return what was answered to each."""
    place = urlsplit(job["target"][0])
    answers = {}
    left = iter(enumerate(bodies))

    async def worker():
        streams = None
        for number, body in left:
            if streams is None:
                streams = await asyncio.open_connection(place.hostname, place.port, limit=2**24)
            reader, writer = streams
            writer.write(
                b"POST /jsonrpc HTTP/1.1\r\nHost: %b\r\nContent-Type: application/json\r\n"
                b"Content-Length: %d\r\n\r\n" % (place.netloc.encode(), len(body))
            )
            writer.write(body)
            head = (await reader.readuntil(b"\r\n\r\n")).lower()
            length = int(head.split(b"content-length:")[1].split(b"\r\n")[0])
            answers[number] = json.loads(await reader.readexactly(length))["result"]
            if head.startswith(b"http/1.0") or b"connection: close" in head:
                writer.close()
                streams = None
        if streams is not None:
            streams[1].close()

    await asyncio.gather(*(worker() for _ in range(job["concurrency"])))
    return [answers[number] for number in sorted(answers)]


async def create(bodies, job):
    """Send, and put the ids together."""
    return [number for ids in await send(bodies, job) for number in ids]


if __name__ == "__main__":
    run(login, create=create, same=send, different=send, delete=send)
