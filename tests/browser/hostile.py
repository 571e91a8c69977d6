"""Small pages that try what a page must not get away with, on a loopback server that remembers who asked for what."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

BIG = 50 * 1024 * 1024

_PAGES = {
    "/plain": "<h1>Plain</h1>",
    "/reaches": """<h1 id=said></h1><script>
      const other = OTHER;
      const places = [`http://127.0.0.1:${other}/a`, `http://127.0.0.2:${other}/b`, `http://[::1]:${other}/c`,
        `http://0x7f000001:${other}/d`, `http://localhost:${other}/e`, `http://rebinding.example:${other}/f`,
        'https://rebinding.example/g', `https://rebinding.example:${other}/h`, `http://10.0.0.1/i`,
        `http://[::ffff:127.0.0.1]:${other}/j`, '/redirect/literal', '/redirect/named',
        '/redirect/forbidden', '/robots-forbid-this'];
      Promise.allSettled(places.map(place => fetch(place, {mode: 'no-cors'}))).then(all => {
        document.getElementById('said').textContent = all.map(one => one.status).join(' ');
        document.body.dataset.done = 'yes';
      });
    </script>""",
    "/framed": """<iframe src="http://rebinding.example:OTHER/frame"></iframe><iframe src="/plain"></iframe>
      <link rel=preconnect href="http://127.0.0.1:OTHER"><link rel=dns-prefetch href="//rebinding.example">
      <link rel=prefetch href="http://127.0.0.1:OTHER/prefetched"><img src="http://127.0.0.1:OTHER/image">
      <p id=said>framed</p><script>setTimeout(() => document.body.dataset.done = 'yes', 800)</script>""",
    "/tricks": """<p id=said></p><a id=get href="/download" download>get</a><script>
      const report = {};
      function tell(name, value) {
        report[name] = value;
        document.getElementById('said').textContent = JSON.stringify(report);
      }
      tell('dialog', confirm('sure?'));
      tell('popup', window.open('http://127.0.0.1:OTHER/popup') === null);
      const link = document.createElement('a');
      link.target = '_blank'; link.href = '/popup'; document.body.append(link); link.click();
      document.getElementById('get').click();
      tell('rtc', typeof RTCPeerConnection); tell('transport', typeof WebTransport);
      tell('notification', typeof Notification === 'undefined' ? 'none' : Notification.permission);
      navigator.geolocation && navigator.geolocation.getCurrentPosition(
        () => tell('place', 'granted'), error => tell('place', 'refused'));
      'serviceWorker' in navigator && navigator.serviceWorker.register('/worker.js').then(
        () => tell('worker', 'registered'), () => tell('worker', 'refused'));
      for (const [name, place] of [['socket', `ws://${location.host}/socket`], ['other', 'ws://127.0.0.1:OTHER/']]) {
        const socket = new WebSocket(place);
        socket.onopen = () => tell(name, 'opened');
        socket.onclose = () => report[name] || tell(name, 'closed');
      }
      const hidden = new Worker(URL.createObjectURL(new Blob([`
        const socket = new WebSocket('ws://127.0.0.1:OTHER/hidden');
        socket.onopen = () => postMessage('opened'); socket.onerror = () => postMessage('refused');
        fetch('http://127.0.0.1:OTHER/hidden-fetch').catch(() => 0);
        fetch('${location.origin}/from-worker').catch(() => 0);`])));
      hidden.onmessage = event => tell('hidden', event.data);
      new EventSource('/events');
      navigator.sendBeacon('/beacon', 'seen');
      setTimeout(() => { location.href = '/plain'; tell('left', 'tried'); }, 300);
      setTimeout(() => document.body.dataset.done = 'yes', 1500);
    </script>""",
    "/endless": "<h1 id=said>endless</h1><script>setTimeout(() => { while (true) {} }, 200)</script>",
    "/leaves": """<h1 id=said>here</h1><script>
      setTimeout(() => { location.href = URL.createObjectURL(new Blob(['gone'], {type: 'text/html'})); }, 200);
    </script>""",
    "/heavy": """<h1 id=said></h1><script>
      fetch('/big').then(answer => answer.arrayBuffer()).then(bytes => {
        document.getElementById('said').textContent = bytes.byteLength;
      });</script>""",
    "/pending": "<h1 id=said>all here</h1><script>fetch('/never')</script>",
    "/bottomless": """<h1 id=said></h1><script>
      const more = () => { const p = document.createElement('p'); p.style.height = '3000px'; document.body.append(p); };
      addEventListener('scroll', more); more();</script>""",
    "/pressing": """<div id=root><div class=item>one</div></div><script>
      // A button for each way: it toggles, it says the same for ever, it brings something only sometimes, it is hidden.
      const root = document.getElementById('root');
      function button(text, press, attributes) {
        const made = document.createElement('button');
        made.textContent = text; made.onclick = () => press(made); root.append(made);
        Object.assign(made.style, attributes || {});
        return made;
      }
      const item = () => { const made = document.createElement('div'); made.className = 'item'; return made; };
      let open = false;
      const shown = [item(), item()];
      button('Show replies', made => {
        open = !open;
        shown.forEach(one => open ? root.append(one) : one.remove());
        made.textContent = open ? 'Hide replies' : 'Show replies';
      }).dataset.hook = 'toggle';
      button('View more', () => {});
      let left = 3;
      button('Weitere Kommentare', made => setTimeout(() => { root.append(item()); --left || made.remove(); }, 300));
      button('Load more', () => root.append(item()), {display: 'none'});
      const link = button('', made => { root.append(item()); made.remove(); });
      link.setAttribute('aria-label', 'Afficher plus de commentaires');
      button('Delete my account', () => fetch('/deleted'));
    </script>""",
    "/dying": """<h1 id=said>dying</h1><script>
      fetch('/slowly').then(() => { document.body.dataset.done = 'yes'; });</script>""",
    "/agent": "<h1 id=said></h1><script>document.getElementById('said').textContent = navigator.userAgent</script>",
}


@dataclass
class Hostile:
    """The running server: its address, and the requests it received."""

    port: int
    requests: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    @property
    def place(self) -> str:
        return f"127.0.0.1:{self.port}"

    def url(self, path: str) -> str:
        return f"http://{self.place}{path}"

    def paths(self) -> list[str]:
        return [path for path, _ in self.requests]


@contextmanager
def serving(other: int = 0, address: str = "127.0.0.1") -> Iterator[Hostile]:
    """A server that knows the port of another one, which its pages must not reach."""
    stopping = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            hostile.requests.append((self.path, dict(self.headers)))
            if self.path == "/never":
                stopping.wait(60)
                return
            if self.path == "/slowly":
                stopping.wait(0.5)
            if self.path == "/redirect/forbidden":
                self._send(302, b"", ("Location", "/robots-forbid-this-too"))
            elif self.path.startswith("/redirect/"):
                host = "127.0.0.1" if self.path.endswith("literal") else "rebinding.example"
                self._send(302, b"", ("Location", f"http://{host}:{other}/redirected"))
            elif self.path == "/big":
                self._send(200, b"\0" * BIG)
            elif self.path == "/download":
                self._send(200, b"bytes", ("Content-Disposition", "attachment; filename=x.bin"))
            elif self.path in _PAGES:
                page = f"<!doctype html><meta charset=utf-8><title>x</title>{_PAGES[self.path]}"
                self._send(
                    200,
                    page.replace("OTHER", str(other)).encode(),
                    ("Content-Type", "text/html; charset=utf-8"),
                    ("Set-Cookie", "one=1"),
                    ("Set-Cookie", "two=2"),
                )
            else:
                self._send(404, b"<h1 id=said>nothing here</h1>", ("Content-Type", "text/html"))

        do_POST = do_GET  # noqa: N815 (its name)

        def _send(self, status: int, body: bytes, *headers: tuple[str, str]) -> None:
            self.send_response(status)
            for name, value in headers:
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            try:
                self.wfile.write(body)
            except ConnectionError:
                self.close_connection = True

        def log_message(self, *args: object) -> None: ...

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: object, client_address: object) -> None: ...

    server = Server((address, 0), Handler)
    hostile = Hostile(server.server_address[1])
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield hostile
    finally:
        stopping.set()
        server.shutdown()
        thread.join()
        server.server_close()
