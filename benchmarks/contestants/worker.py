"""What the contestants share: a job comes in on standard input, what it took goes out.

A contestant is a script that calls `run` with a function that logs in and one for each job it can
do. They are given the job, a mapping: its `name`, the `target` (URL, database, user, password), the
`model`, the `chunk` and `concurrency` (None: the library's own), whether to be `quiet` and to make
`external` ids, and `records`, `ids` and `values`, or `ids` and `updates`. What a contestant does in
the first function, logging in, is not timed.
"""

import asyncio
import contextlib
import inspect
import json
import sys
import time


def run(login, **jobs):
    """Do one job and tell the seconds, the CPU seconds of this process, and what was returned."""
    job = json.load(sys.stdin)
    told = {}
    # some contestants print
    with contextlib.redirect_stdout(sys.stderr), asyncio.Runner() as runner:

        def called(function, *arguments):
            value = function(*arguments)
            return runner.run(value) if inspect.iscoroutine(value) else value

        client = called(login, job)
        cpu, began = time.process_time(), time.perf_counter()
        try:
            told["returned"] = called(jobs[job["name"]], client, job)
        except Exception as error:
            told["error"] = f"{type(error).__name__}: {error}"[:300]
        told["seconds"] = time.perf_counter() - began
        told["cpu"] = time.process_time() - cpu
    json.dump(told, sys.stdout)


def chunks(items, size):
    """Cut a list; a library that has no chunks of its own sends all at once."""
    size = size or len(items)
    return [items[start : start + size] for start in range(0, len(items), size)]
