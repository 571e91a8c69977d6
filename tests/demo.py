"""`make demo`: the sample clinic on loopback, crawled before and after it changes some posts, then served.

Run again, it changes others, and is crawled once more.
"""

from __future__ import annotations

import argparse
import json
import socket
import subprocess
import sys
from pathlib import Path

from archive.db import DATABASE
from pipelines.commands.serve import free_port
from tests.clinic import Clinic, running

DEMO = Path("var/demo")
CLI = [str(Path(sys.executable).with_name("clinic-archive"))]
# What the clinic adds to three posts at once.
ADDED = "After every ketamine infusion you stay with us for two hours, and somebody drives you home."


def own_port() -> int:
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
    port = own_port()
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            print(f"port {port} is taken: another demo is running? If not, delete {DEMO / 'port'} for another one")
            return 1
    is_new = not (DEMO / DATABASE).exists()
    with running(DEMO / "clinic", port=port) as clinic:
        print(f"A sample clinic's blog stands at {clinic.url}/blog; crawling it into {DEMO}/ ...", flush=True)
        if is_new and (code := crawl(clinic)):
            return code
        print(f"The clinic {change(clinic)}; crawling it again ...", flush=True)
        if code := crawl(clinic):
            return code
        if serve:
            print("Browse it with Datasette (Ctrl-C ends it):", flush=True)
            try:
                subprocess.run([*CLI, "serve", "--archive", str(DEMO), "--port", "0"], check=False)
            except KeyboardInterrupt:
                print()
        else:
            print(f"Browse it: make serve ARCHIVE={DEMO}", flush=True)
    return 0


def crawl(clinic: Clinic) -> int:
    """Crawl, and print what the crawl got. Returns its exit code."""
    command = [*CLI, "crawl", "--url", clinic.url, "--allow-private", "--archive", str(DEMO), "--json"]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if not done.returncode:
        (numbers,) = json.loads(done.stdout)["clinics"].values()
        print(story(numbers), flush=True)
    return done.returncode


def change(clinic: Clinic) -> str:
    """Change posts that the clinic has never changed; return what was done, in words."""
    truth = clinic.truth()
    unchanged = [
        post for post in truth["posts"]
        if (post["access"], post["counters"], post["language"], post["deleted"]) == ("public", "shown", "en", False)
        and (post["modified_at"] or "") < truth["first_start"] and not post["old_urls"] and not post["render_id"]
    ]  # fmt: skip
    if len(unchanged) < 6:
        return "changes nothing this time"
    first = [post["body_text"].split("\n", 1)[0] for post in unchanged]
    for post, paragraph in zip(unchanged[:3], first, strict=False):
        clinic.control("edit", slug=post["slug"], text=f"{paragraph} {ADDED}")
    shorter = max(range(3, len(unchanged)), key=lambda number: first[number].count(". "))
    clinic.control("edit", slug=unchanged[shorter]["slug"], text=first[shorter].partition(". ")[0] + ".")
    left = [post["slug"] for number, post in enumerate(unchanged[3:], 3) if number != shorter]
    clinic.control("delete", slug=left[0])
    clinic.control("rename", slug=left[1])
    return "adds a sentence to three posts, shortens one, removes one, and renames one"


def story(numbers: dict[str, int]) -> str:
    """What the crawl got, for a person."""
    return (
        f"  {numbers['posts']} posts: {numbers['new_posts']} new, {numbers['fetched']} pages read,"
        f" {numbers['not_due']} not due yet; {numbers['members_only']} more for members only\n"
        f"  {numbers['readings']} readings of their counters, {numbers['comments']} comments read in threads\n"
        f"  {numbers['requests']} requests, {numbers['wire_bytes'] / 1e6:.1f} MB received,"
        f" {numbers['warc_bytes'] / 1e6:.1f} MB of WARC that prove every row"
    )


if __name__ == "__main__":
    sys.exit(main())
