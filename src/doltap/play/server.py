"""The playground's server: it answers one page on this machine, and nobody else.

Every request has to name this server's own address and carry the token, which is
part of the address and drawn anew for each run. The only files that are served
are those of the page, which are read when the server starts.
"""

from __future__ import annotations

import hmac
import http.server
import importlib.resources
import json
import os
import secrets
import socketserver
import sys
import threading
import time
import urllib.parse
import webbrowser
from pathlib import Path
from typing import Any

from doltap.play import tables
from doltap.play.experiment import GRID
from doltap.play.lab import Lab
from doltap.play.points import FEATURES
from doltap.play.refusals import RefusedError, told
from doltap.play.settings import ACTIVATIONS, OPTIMIZERS, SPEEDS
from doltap.play.tables import Table
from doltap.play.toys import TOYS
from doltap.reporting import language as languages

__all__ = ["Playground", "serve"]

_HOST = "127.0.0.1"
_KINDS = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
# Nothing from elsewhere is loaded, nothing in the page's text is run, and no other page may frame it.
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
# What somebody may come to see who types an address, in both languages.
_WRONG_ADDRESS = (
    "Open the address that `doltap play` printed last: it is another one each time.",
    "`doltap play`가 마지막에 알려 준 주소를 여세요. 시작할 때마다 주소가 바뀝니다.",
)
_NOTHING = "There is nothing here.", "여기에는 아무것도 없습니다."
_CLOSED = "This lab is closed.", "닫힌 실험입니다."
_NOT_OURS = "This is not what the page sends.", "화면이 보내는 것이 아닙니다."
_MOST_LABS = 8
_SECONDS_FOR_A_FRAME = 2.0
_MOST_JSON_BYTES = 100_000
# What is compiled at the end is waited for so long.
_LONGEST_END_SECONDS = 15.0


def serve(
    *,
    port: int | None = None,
    data: Path | None = None,
    language: str | None = None,
    opens_browser: bool = True,
) -> None:
    """Open the playground, and answer its page until Ctrl-C.

    Args:
        port: None finds a free one.
        data: a CSV file to begin with.
        language: "en" or "ko"; None asks DOLTAP_LANG and the locale.
        opens_browser: whether to show the page; otherwise its address is printed only.
    """
    chosen = languages.chosen(language)
    try:
        table = tables.read_file(data) if data else None
        playground = Playground(port or 0, language=chosen, table=table)
    except RefusedError as refused:
        refused.language = chosen
        raise
    print(told(chosen, f"The playground: {playground.address}", f"놀이터: {playground.address}"), flush=True)
    if opens_browser and not _shows(playground.address):
        port = playground.server_address[1]
        tunnel = f"ssh -L {port}:{_HOST}:{port} ..."
        english = (
            f"No browser could be opened: open the address yourself; from another machine after {tunnel}"
        )
        korean = f"브라우저를 열 수 없습니다. 주소를 직접 여세요. 다른 컴퓨터에서는 {tunnel} 다음에 여세요."
        print(told(chosen, english, korean), flush=True)
    print(told(chosen, "Ctrl-C ends it.", "Ctrl-C를 누르면 끝납니다."), flush=True)
    try:
        playground.serve_forever()
    except KeyboardInterrupt:
        print(told(chosen, "\nThe playground is closed.", "\n놀이터를 닫았습니다."))
    finally:
        playground.close()


def _shows(address: str) -> bool:
    """Whether a browser could be opened, one with windows."""
    is_unix = sys.platform.startswith(("linux", "freebsd"))
    if is_unix and not any(map(os.environ.get, ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER"))):
        # What Python finds then is a browser that takes over the terminal.
        return False
    try:
        return webbrowser.open(address)
    except webbrowser.Error:
        return False


class Playground(http.server.ThreadingHTTPServer):
    """The server, with a lab for each page that is open.

    Args:
        port: 0 finds a free one.
        language: of pages that do not ask for another.
        table: what every lab begins with, if anything.
    """

    daemon_threads = True
    # Another program on the port is an error on Windows too.
    allow_reuse_address = os.name != "nt"

    def __init__(self, port: int = 0, *, language: str = "en", table: Table | None = None) -> None:
        try:
            super().__init__((_HOST, port), _Answer)
        except OSError as error:
            raise RefusedError("port", port=port, why=error.strerror or error) from error
        self.language, self.table = language, table
        self.token = secrets.token_urlsafe(24)
        port = self.server_address[1]
        self.address = f"http://{_HOST}:{port}/{self.token}/"
        self.names = {f"{name}:{port}" for name in (_HOST, "localhost")}
        if port == 80:
            self.names |= {_HOST, "localhost"}
        folder = importlib.resources.files("doltap.play") / "page"
        self.files = {each.name: each.read_bytes() for each in folder.iterdir() if each.is_file()}
        self.is_closed = False
        self._labs: dict[str, Lab] = {}
        # Those that were told to stop, and may not have done so.
        self._leaving: list[Lab] = []
        self._lock = threading.Lock()

    def server_bind(self) -> None:
        """Take the port, without asking the network for this machine's name."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = _HOST, self.server_address[1]

    def new_lab(self) -> dict[str, Any]:
        """A lab for a page, and what there is to choose."""
        name, lab = secrets.token_urlsafe(12), Lab(self.table)
        with self._lock:
            self._labs[name] = lab
            oldest = sorted(self._labs, key=lambda each: self._labs[each].last_seen)
        for each in oldest[:-_MOST_LABS]:
            self.drop(each)
        return {
            "lab": name,
            "language": self.language,
            "grid": GRID,
            "table": self.table.describe() if self.table else None,
            "choices": {
                "data": list(TOYS),
                "features": list(FEATURES),
                "activation": list(ACTIVATIONS),
                "optimizer": list(OPTIMIZERS),
                "speed": list(SPEEDS),
            },
        }

    def lab(self, name: str) -> Lab | None:
        """The lab of this name, which is being looked at now."""
        with self._lock:
            lab = self._labs.get(name)
        if lab is not None:
            lab.last_seen = time.monotonic()
        return lab

    def drop(self, name: str) -> None:
        """Stop the lab of a page that was closed; nobody waits for it."""
        with self._lock:
            lab = self._labs.pop(name, None)
            self._leaving = [each for each in self._leaving if not each.is_done()]
            if lab is not None:
                self._leaving.append(lab)
                lab.stop()

    def close(self) -> None:
        """Stop every lab, wait a moment for all of them together, and give the port back."""
        self.is_closed = True
        for name in list(self._labs):
            self.drop(name)
        end = time.monotonic() + _LONGEST_END_SECONDS
        for lab in self._leaving:
            lab.is_done(max(0.0, end - time.monotonic()))
        self.server_close()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A page that was closed in the middle of an answer is no error; the rest is traced."""
        if not isinstance(sys.exception(), (ConnectionError, TimeoutError)):
            super().handle_error(request, client_address)


class _Answer(http.server.BaseHTTPRequestHandler):
    """The answer to one request."""

    server: Playground
    protocol_version = "HTTP/1.1"
    server_version, sys_version = "doltap", ""
    timeout = 60
    # Head and body leave together.
    wbufsize = -1
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        self._answer("GET")

    def do_POST(self) -> None:
        self._answer("POST")

    def log_message(self, format: str, *arguments: Any) -> None:
        """Nothing: the terminal belongs to the user."""

    def _answer(self, method: str) -> None:
        if self.server.is_closed:
            # A connection that was open before.
            self.close_connection = True
            return
        address = urllib.parse.urlsplit(self.path)
        token, slash, path = address.path.removeprefix("/").partition("/")
        if not self._is_own(token):
            self._refuse(403, *_WRONG_ADDRESS)
            return
        if not slash:
            # The page's own addresses are relative to it.
            self._send(301, b"", "text/plain", Location=f"/{token}/")
            return
        if method == "GET" and (path or "index.html") in self.server.files:
            self._file(path or "index.html")
            return
        query = dict(urllib.parse.parse_qsl(address.query))
        words = path.split("/")
        try:
            self._call(method, words, query)
        except RefusedError as refused:
            # An answer like others: what the user chose cannot be done, the page did nothing wrong.
            self._json({"refused": {each: refused.told(each) for each in languages.LANGUAGES}})
        except (ValueError, KeyError, AttributeError, RecursionError):
            # What no page of ours sends.
            self._refuse(400, *_NOT_OURS)

    def _is_own(self, token: str) -> bool:
        """Whether the request comes from the page: by address, by token, and from no other site."""
        host, origin = self.headers.get("Host", ""), self.headers.get("Origin")
        if host not in self.server.names or (origin is not None and origin != f"http://{host}"):
            return False
        return hmac.compare_digest(token.encode(), self.server.token.encode())

    def _call(self, method: str, words: list[str], query: dict[str, str]) -> None:
        """Do what `labs`, `labs/NAME/what` asks for."""
        if (method, words) == ("POST", ["labs"]):
            self._body(_MOST_JSON_BYTES)
            self._json(self.server.new_lab())
            return
        if len(words) != 3 or words[0] != "labs" or (method, words[2]) not in _CALLS:
            self._refuse(404, *_NOTHING)
            return
        lab = self.server.lab(words[1])
        if lab is None:
            self._refuse(410, *_CLOSED)
            return
        _CALLS[method, words[2]](self, lab, query)

    def _frame(self, lab: Lab, query: dict[str, str]) -> None:
        frame = lab.frame_after(int(query["after"]), _SECONDS_FOR_A_FRAME)
        self._send(204 if frame is None else 200, frame or b"", "application/json")

    def _program(self, lab: Lab, query: dict[str, str]) -> None:
        text = lab.program(languages.chosen(query["language"]))
        self._send(200, text.encode(), "text/plain; charset=utf-8")

    def _setup(self, lab: Lab, query: dict[str, str]) -> None:
        self._json(lab.choose(self._given()))

    def _go(self, lab: Lab, query: dict[str, str]) -> None:
        lab.go(self._given())
        self._json({})

    def _table(self, lab: Lab, query: dict[str, str]) -> None:
        self._json(lab.open_table(self._body(tables.MOST_BYTES), query["name"]))

    def _close(self, lab: Lab, query: dict[str, str]) -> None:
        self._body(_MOST_JSON_BYTES)
        self.server.drop(urllib.parse.urlsplit(self.path).path.split("/")[-2])
        self._json({})

    def _given(self) -> dict[str, Any]:
        given = json.loads(self._body(_MOST_JSON_BYTES))
        if not isinstance(given, dict):
            raise ValueError("expected names with values")
        return given

    def _body(self, most: int) -> bytes:
        size = int(self.headers["Content-Length"] or 0)
        if not 0 <= size <= most:
            # What was not read would be taken for the next request.
            self.close_connection = True
            raise RefusedError("large", most=most // 1_000_000)
        return self.rfile.read(size)

    def _file(self, name: str) -> None:
        content = self.server.files[name]
        if name == "index.html":
            content = content.replace(b'lang="en"', f'lang="{self.server.language}"'.encode(), 1)
        self._send(200, content, _KINDS[Path(name).suffix])

    def _json(self, value: Any) -> None:
        self._send(200, json.dumps(value, allow_nan=False).encode(), "application/json")

    def _refuse(self, status: int, english: str, korean: str) -> None:
        self.close_connection = True
        sentence = told(self.server.language, english, korean)
        self._send(status, f"{sentence}\n".encode(), "text/plain; charset=utf-8")

    def _send(self, status: int, content: bytes, kind: str, **more: str) -> None:
        self.send_response(status)
        for name, value in (*_HEADERS.items(), *more.items()):
            self.send_header(name, value)
        self.send_header("Content-Type", kind)
        if status != 204:
            self.send_header("Content-Length", str(len(content)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(content)


_CALLS = {
    ("GET", "frame"): _Answer._frame,
    ("GET", "program"): _Answer._program,
    ("POST", "setup"): _Answer._setup,
    ("POST", "go"): _Answer._go,
    ("POST", "table"): _Answer._table,
    ("POST", "close"): _Answer._close,
}
