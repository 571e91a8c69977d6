"""Many sample clinics in one process, each at a port of its own: `python -m tests.simulation.hosted CLINICS POSTS`.

It prints the addresses as a JSON list and serves until it is ended, or its parent is. Each clinic has its newest POSTS
posts; the others are deleted.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.e2e.product import ROOT


def _prepare(folder: Path, posts: int) -> None:
    """Make the state of a clinic that has so many posts: the newest that everybody may read and every list names."""
    from tests.clinic.world import World

    world = World(folder, "http://127.0.0.1")
    plain = [post for post in world.feed() if not post.members_only and "noindex" not in post.flags]
    for post in world.live():
        if post not in plain[:posts]:
            world.control({"action": "delete", "slug": post.slug})
    world.state.close()


async def _serve(clinics: int, posts: int, folder: Path) -> None:
    import uvicorn

    from tests.clinic.server import application

    _prepare(folder / "first", posts)
    listeners = [socket.create_server(("127.0.0.1", 0), backlog=128) for _ in range(clinics)]
    urls = [f"http://127.0.0.1:{listener.getsockname()[1]}" for listener in listeners]
    servers = []
    for number, (url, listener) in enumerate(zip(urls, listeners, strict=True)):
        shutil.copytree(folder / "first", folder / str(number))
        app = application(folder / str(number), url, True)
        config = uvicorn.Config(app, log_level="warning", access_log=False, lifespan="off", server_header=False)
        servers.append(asyncio.create_task(uvicorn.Server(config).serve(sockets=[listener])))
    sys.stdout.write(json.dumps(urls) + "\n")
    sys.stdout.flush()
    parent = os.getppid()
    while os.getppid() == parent:
        await asyncio.sleep(0.5)
    os._exit(0)


@contextmanager
def hosted(clinics: int, posts: int) -> Iterator[list[str]]:
    """So many sample clinics with so many posts each; gives their addresses and ends with the block."""
    command = [sys.executable, "-m", "tests.simulation.hosted", str(clinics), str(posts)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            urls: list[str] = json.loads(process.stdout.readline() or "[]")
            if len(urls) != clinics:
                raise RuntimeError("the sample clinics did not start")
            yield urls
        finally:
            process.kill()


if __name__ == "__main__":
    with suppress(KeyboardInterrupt), TemporaryDirectory() as where:
        asyncio.run(_serve(int(sys.argv[1]), int(sys.argv[2]), Path(where)))
