"""A clinic on a public name that tries to send the crawler into the machine and the network that it runs on.

The name's address, and the few others that a name here leads to, are the test's: in the crawl's process a stand-in for
the system's lookup answers them, and one for its routes takes the public address to this machine. All else is real:
the command, its resolver, its sockets, and a listener on every loopback address that must hear of nobody.
"""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from html import escape
from pathlib import Path

import pytest

from tests import warm
from tests.e2e.hostile import Blog, Reply, post, serving
from tests.e2e.product import Done, column, environment, rows, value_of
from tests.e2e.test_bad_setup import CRAWLER
from tests.soak import sampled
from tests.spellings import AROUND, ESCAPED, LEVELLED, NAMES, NEIGHBOURS, NUMBERS, SCHEMES, SIX
from tests.waiting import HANG

PUBLIC = "93.184.216.34"
CLINIC = "clinic.test"
# Names whose owners say that they are in here; the last answer stands. As those of nip.io and sslip.io do.
LEADING_HOME = {
    "127.0.0.1.nip.test": ["127.0.0.1"], "7f000001.nip.test": ["127.0.0.1"], "169-254-169-254.nip.test":
    ["169.254.169.254"], "zero.test": ["0.0.0.0"], "ten.test": ["10.0.0.1"], "router.test": ["192.168.0.1"],
    "shared.test": ["100.64.0.1"], "oracle.test": ["192.0.0.192"], "azure.test": ["168.63.129.16"],
    "many.test": ["224.0.0.1"], "rebound.test": ["127.0.0.1"], "rebinding.test": [PUBLIC, "127.0.0.1"],
}  # fmt: skip

LANDSCAPE = """
import json, os, socket, sys

_answers = json.loads(os.environ["LANDSCAPE"])
_public, _port, _told = os.environ["PUBLIC"], int(os.environ["CLINIC_PORT"]), os.environ["TOLD"]
_lookup = socket.gethostbyname

def _tell(event, place):
    with open(_told, "a") as file:
        file.write(json.dumps([event, str(place)]) + chr(10))

def _gethostbyname(name):
    name = name.decode() if isinstance(name, bytes) else name
    _tell("lookup", name)
    given = _answers.get(name.lower().rstrip("."))
    if given:
        return given.pop(0) if len(given) > 1 else given[0]
    if not set(name.lower()) <= set("0123456789abcdefx.") and not name.lower().strip(".").endswith("localhost"):
        raise socket.gaierror(name)
    return _lookup(name)

class _Routed(socket.socket):
    def _where(self, address):
        if self.family not in (socket.AF_INET, socket.AF_INET6):
            return address
        _tell("connect", address[0])
        return ("127.0.0.1", _port) if address[0] == _public else address

    def connect(self, address):
        return super().connect(self._where(address))

    def connect_ex(self, address):
        return super().connect_ex(self._where(address))

socket.gethostbyname, socket.socket = _gethostbyname, _Routed
"""


@dataclass
class Listener:
    """Listens at one port of every address of this machine, IPv4 and IPv6, and counts who comes."""

    came: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._sockets = [socket.create_server(("0.0.0.0", 0))]
        self.port = self._sockets[0].getsockname()[1]
        if socket.has_ipv6:
            with suppress(OSError):  # a machine without IPv6 has nothing there to reach
                self._sockets.append(socket.create_server(("::", self.port), family=socket.AF_INET6))
        for each in self._sockets:
            threading.Thread(target=self._listen, args=(each,), daemon=True).start()

    def _listen(self, listener: socket.socket) -> None:
        while True:
            try:
                connection, peer = listener.accept()
            except OSError:
                return
            self.came.append(f"{peer[0]} to {connection.getsockname()[0]}")
            with connection, suppress(OSError):
                connection.recv(65536)
                connection.sendall(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")

    def stop(self) -> None:
        for each in self._sockets:
            each.shutdown(socket.SHUT_RDWR)
            each.close()


@pytest.fixture
def listener() -> Iterator[Listener]:
    made = Listener()
    try:
        yield made
    finally:
        made.stop()


@pytest.fixture
def clinic() -> Iterator[Blog]:
    with serving(Blog()) as server:
        yield server


@dataclass(frozen=True)
class Visited:
    """A crawl of the clinic under its public name."""

    archive: Path
    done: Done
    connected: list[str]  # the addresses, as often as they were tried
    log: str


def visited(clinic: Blog, folder: Path, more: str = "") -> Visited:
    """Crawl it, with `clinics.toml` as a user writes it; `more`: lines of its stanza."""
    stanza = f'[clinics.public]\nname = "Public"\nurl = "http://{CLINIC}"\n{more}'
    (folder / "clinics.toml").write_text(CRAWLER + stanza, "utf-8")
    env = environment(
        LANDSCAPE=json.dumps({CLINIC: [PUBLIC], **LEADING_HOME}),
        PUBLIC=PUBLIC,
        CLINIC_PORT=clinic.url.rpartition(":")[2],
        TOLD=str(folder / "told"),
    )
    given = ("crawl", "--delay", "0", "--archive", str(folder / "archive"))
    ended = warm.run(*given, cwd=folder, environment=env, timeout=HANG, first=LANDSCAPE)
    done = Done(ended.code, ended.out, ended.err)
    found = [json.loads(line) for line in (folder / "told").read_text("utf-8").splitlines()]
    log = (folder / "archive" / "log" / "crawl.log").read_text("utf-8")
    return Visited(folder / "archive", done, [place for event, place in found if event == "connect"], log)


def public(clinic: Blog) -> None:
    """The blog names itself by its public name."""
    for path, reply in list(clinic.answers.items()):
        assert isinstance(reply, Reply) and isinstance(reply.body, bytes)
        body = reply.body.replace(clinic.url.encode(), f"http://{CLINIC}".encode())
        clinic.answers[path] = Reply(body, kind=reply.kind)


def forbidden(port: int) -> list[str]:
    """Addresses that must not be asked: every spelling of every private host, at the port where somebody listens."""
    hosts = (*NUMBERS, *NEIGHBOURS, *SIX, *LEVELLED, *NAMES, *ESCAPED, *LEADING_HOME)
    around = [each.replace("{0}", f"{host}:{port}") for each in AROUND for host in ("127.0.0.1", "[::1]")]
    schemes = [each.replace("{0}", f"127.0.0.1:{port}") for each in SCHEMES]
    return [*(f"http://{host}:{port}/post/inside" for host in hosts), *around, *schemes]


def put(clinic: Blog, path: str, before: bytes, more: str, after: bool = False) -> None:
    """Text before, or after, a mark in the answer at a path."""
    reply = clinic.answers[path]
    assert isinstance(reply, Reply) and isinstance(reply.body, bytes) and before in reply.body
    text = more.encode()
    clinic.answers[path] = Reply(
        reply.body.replace(before, before + text if after else text + before, 1), kind=reply.kind
    )


def nobody_came(seen: Visited, listener: Listener) -> None:
    assert set(seen.connected) == {PUBLIC}
    assert listener.came == []
    assert "Traceback" not in seen.log + seen.done.err
    assert "please report it" not in seen.log + seen.done.err


def test_redirects_of_every_kind(clinic: Blog, listener: Listener, tmp_path: Path) -> None:
    """Each post leads somewhere that it must not; each is told as what it was, and the visit goes on to the next.

    By default 40 hosts and every scheme; all with SOAK. The next test has all of them.
    """
    public(clinic)
    every = forbidden(listener.port)
    targets = [*sampled(every[: -len(SCHEMES)], 40), *every[-len(SCHEMES) :]]
    for number, target in enumerate(targets):
        status = (301, 302, 303, 307, 308)[number % 5]
        clinic.answers[f"/post/trap-{number}"] = Reply(b"", status, headers=(("Location", target),))
    listed = [f"<url><loc>http://{CLINIC}/post/trap-{number}</loc></url>" for number in range(len(targets))]
    put(clinic, "/sitemap.xml", b"</urlset>", "".join(listed))
    seen = visited(clinic, tmp_path)
    nobody_came(seen, listener)
    assert {path for path in clinic.paths if "/trap-" in path} == {f"/post/trap-{n}" for n in range(len(targets))}
    (ended,) = rows(seen.archive, "SELECT * FROM clinic_runs")
    assert (seen.done.code, ended["status"], ended["fetched"]) == (3, "failed", 3)  # over half of its posts were traps
    found = rows(seen.archive, "SELECT kind, message FROM problems")
    unheard = {"dns", "fetch-failed", "gone"}  # no such host, no host at all, or a path of the clinic's own
    assert {each["kind"] for each in found} <= {"private-address", "robots-refused", "foreign-scheme", *unheard}
    lines = "\n".join(each["message"] for each in found if each["kind"] == "foreign-scheme")
    assert [each for each in SCHEMES if each.partition(":")[0] + ":" not in lines] == []
    private = [each for each in found if each["kind"] == "private-address"]
    inside = {f"http://{host}:{listener.port}/post/inside" for host in (*NUMBERS, *NEIGHBOURS, *SIX, *NAMES)}
    assert len(private) > len(inside & set(targets)) > 15


def test_everything_that_a_page_a_list_or_a_feed_can_name(clinic: Blog, listener: Listener, tmp_path: Path) -> None:
    """Sitemaps, feeds, links, cards, pictures, frames, refreshes and what a page says its own address is."""
    public(clinic)
    targets = [escape(each) for each in forbidden(listener.port)]
    refresh, base = (f'<meta http-equiv="refresh" content="0;url={targets[0]}"/>', f'<base href="{targets[0]}"/>')
    links = "".join(f'<a href="{each}">x</a><img src="{each}"/><iframe src="{each}"></iframe>' for each in targets)
    cards = "".join(f'<article data-hook="post-list-item"><a href="{each}">x</a></article>' for each in targets)
    put(clinic, "/robots.txt", b"Allow: /\n", "".join(f"Sitemap: {each}\n" for each in forbidden(listener.port)), True)
    put(clinic, "/sitemap.xml", b"</urlset>", "".join(f"<url><loc>{each}</loc></url>" for each in targets))
    put(clinic, "/blog-feed.xml", b"</channel>",
        "".join(f"<item><title>x</title><link>{each}</link></item>" for each in targets))  # fmt: skip
    put(clinic, "/blog", b"</body>", links + cards)
    put(clinic, "/", b"</head>", refresh + base)
    put(clinic, "/", b"</body>", links)
    related = f'<div data-hook="recent-posts">{links}</div>'
    put(clinic, "/post/note-1", b"</body>", related)
    put(clinic, "/post/note-1", b"</span></p>", links)
    itself = post(f"http://127.0.0.1.nip.test:{listener.port}", 2)  # what it says its address is
    clinic.answers["/post/note-2"] = Reply(itself.replace("</head>", f"{refresh}</head>").encode())
    index = "".join(f"<sitemap><loc>{each}</loc></sitemap>" for each in targets)
    clinic.answers["/blog-posts-sitemap.xml"] = Reply(f"<sitemapindex>{index}</sitemapindex>".encode())
    for _ in range(2):  # what the first crawl learned is where the second begins
        seen = visited(clinic, tmp_path)
        nobody_came(seen, listener)
    requests = column(seen.archive, "SELECT DISTINCT url FROM captures WHERE record_type != 'failure'")
    assert [url for url in requests if not f"{url}/".startswith(f"http://{CLINIC}/")] == []
    assert {each.headers["host"] for each in clinic.asked} == {CLINIC}
    assert value_of(seen.archive, "SELECT count(*) FROM posts") == 3


def test_the_home_page_that_leads_inside(clinic: Blog, listener: Listener, tmp_path: Path) -> None:
    public(clinic)
    clinic.answers["/"] = Reply(b"", 302, headers=(("Location", f"http://127.0.0.1.nip.test:{listener.port}/"),))
    seen = visited(clinic, tmp_path)
    nobody_came(seen, listener)
    assert (seen.done.code, len(seen.done.lines)) == (3, 1)
    assert "127.0.0.1.nip.test: 127.0.0.1 is a loopback address" in seen.done.err


def test_the_listener_hears_who_is_allowed_to_come(clinic: Blog, listener: Listener, tmp_path: Path) -> None:
    """The counterpart: what was shut above is open where the stanza says so, and would have been counted."""
    public(clinic)
    clinic.answers["/"] = Reply(b"", 302, headers=(("Location", f"http://127.0.0.1.nip.test:{listener.port}/"),))
    seen = visited(clinic, tmp_path, "allow_private = true\n")
    assert listener.came
    assert set(seen.connected) == {PUBLIC, "127.0.0.1"}


def test_a_robots_txt_that_leads_inside(clinic: Blog, listener: Listener, tmp_path: Path) -> None:
    public(clinic)
    clinic.answers["/robots.txt"] = Reply(b"", 301, headers=(("Location", f"http://[::1]:{listener.port}/robots.txt"),))
    seen = visited(clinic, tmp_path)
    nobody_came(seen, listener)
    assert (seen.done.code, len(seen.done.lines)) == (3, 1)
    assert set(clinic.paths) == {"/robots.txt"}


def test_robots_of_the_host_that_is_meant_by_an_odd_address(clinic: Blog, listener: Listener, tmp_path: Path) -> None:
    """Readers of addresses differ about backslashes: the host that is connected to is the one whose rules are asked."""
    public(clinic)
    clinic.answers["/post/note-2"] = Reply(b"", 302, headers=(("Location", "http://rebinding.test\\@other.test/x"),))
    seen = visited(clinic, tmp_path)
    nobody_came(seen, listener)
    hosts = [(each.headers["host"], each.path) for each in clinic.asked if each.headers["host"] != CLINIC]
    assert hosts == [("rebinding.test", "/robots.txt"), ("rebinding.test", "/@other.test/x")]
