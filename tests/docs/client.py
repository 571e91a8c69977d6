"""`clinic-archive` in the shell of a document: sends its arguments to `tests.docs.cli_server`, and ends as that did.

Two commands run differently than for a reader. What crawls may visit the sample clinic, which is on this machine.
`serve` takes any free port, and ends with 0 as soon as its first page answers 200.
"""

import json
import os
import signal
import socket
import sys
import urllib.request
from pathlib import Path

CRAWLING = (["crawl"], ["clinics", "check"], ["backfill"])


def main() -> int:
    arguments = sys.argv[1:]
    if any(arguments[: len(words)] == words for words in CRAWLING):
        arguments.append("--allow-private")
    if arguments[:1] != ["serve"]:
        return run(arguments)
    reading, writing = os.pipe()
    with connected([*arguments, "--port", "0"], writing) as answers, os.fdopen(reading) as output:
        os.close(writing)
        process = int(answers.readline())
        address = output.readline().strip()
        print(address, flush=True)
        try:
            for _ in range(600):
                if answer(address) == 200:
                    return 0
                signal.sigtimedwait([], 0.05)
            return 1
        finally:
            os.kill(process, signal.SIGTERM)
            answers.readline()


def run(arguments):
    with connected(arguments, 1) as answers:
        answers.readline()
        return int(answers.readline())


def connected(arguments, stdout):
    """The server's answers to a command, as a file."""
    command = {"arguments": arguments, "cwd": str(Path.cwd()), "environment": dict(os.environ)}
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connection.connect(os.environ["CLI_SERVER"])
    socket.send_fds(connection, [json.dumps(command).encode()], [0, stdout, 2])
    return connection.makefile()


def answer(address):
    """The status of the first page, or None while nobody listens there."""
    try:
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(address, timeout=30) as page:
            return page.status
    except OSError:
        return None


sys.exit(main())
