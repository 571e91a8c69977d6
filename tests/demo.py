"""`make demo`: the sample clinic on loopback, crawled into var/demo/, then served. Run again, it is a second crawl."""

from __future__ import annotations

import argparse
import json
import socket
import subprocess
import sys
from pathlib import Path

from pipelines.commands.serve import free_port
from tests.clinic import running

DEMO = Path("var/demo")
CLI = [str(Path(sys.executable).with_name("clinic-archive"))]


def kept_port() -> int:
    """The clinic's port, chosen once: its address is the clinic's identity in the archive."""
    file = DEMO / "port"
    if not file.exists():
        DEMO.mkdir(parents=True, exist_ok=True)
        file.write_text(f"{free_port()}\n", "ascii")
    return int(file.read_text("ascii"))


def main() -> int:
    """Start, crawl, tell, serve. Returns the crawl's exit code."""
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--serve", type=int, default=1)
    serve = bool(arguments.parse_args().serve)
    port = kept_port()
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            print(f"port {port} is taken: another demo is running? If not, delete {DEMO / 'port'} for another one")
            return 1
    with running(DEMO / "clinic", port=port) as clinic:
        print(f"A sample clinic's blog stands at {clinic.url}/blog; crawling it into {DEMO}/ ...", flush=True)
        crawl = [*CLI, "crawl", "--url", clinic.url, "--allow-private", "--archive", str(DEMO), "--json"]
        done = subprocess.run(crawl, stdout=subprocess.PIPE, text=True, check=False)
        if done.returncode:
            return done.returncode
        (numbers,) = json.loads(done.stdout)["clinics"].values()
        print(story(numbers), flush=True)
        if serve:
            print("Browse it with Datasette (Ctrl-C ends it):", flush=True)
            try:
                subprocess.run([*CLI, "serve", "--archive", str(DEMO), "--port", "0"], check=False)
            except KeyboardInterrupt:
                print()
        else:
            print(f"Browse it: make serve ARCHIVE={DEMO}", flush=True)
    return 0


def story(numbers: dict[str, int]) -> str:
    """What the crawl got, for a person."""
    same = numbers["fetched"] - numbers["new_posts"] - numbers["new_revisions"]
    return (
        f"  {numbers['posts']} posts: {numbers['new_posts']} new, {numbers['new_revisions']} edited, {same} as they"
        f" were, {numbers['not_due']} not due yet; {numbers['members_only']} more for members only\n"
        f"  {numbers['readings']} readings of their counters, {numbers['comments']} comments read in threads\n"
        f"  {numbers['requests']} requests, {numbers['wire_bytes'] / 1e6:.1f} MB received,"
        f" {numbers['warc_bytes'] / 1e6:.1f} MB of WARC that prove every row"
    )


if __name__ == "__main__":
    sys.exit(main())
