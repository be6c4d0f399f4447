"""A web server on loopback that behaves as badly as real ones do."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Web:
    """What the server offers, and what it was asked: (path, Range header or '')."""

    port: int
    files: dict[str, bytes] = field(default_factory=dict)
    understands_range: bool = True
    cuts: list[int] = field(default_factory=list)
    """For each of the next answers: after how many bytes of the body the connection is closed."""
    statuses: list[int] = field(default_factory=list)
    """Statuses of the next answers, instead of the file."""
    headers: dict[str, str] = field(default_factory=dict)
    before_body: Callable[[], None] = lambda: None
    after_cut: Callable[[], None] = lambda: None
    asked: list[tuple[str, str]] = field(default_factory=list)

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}/{path}"


@contextmanager
def serving(**files: bytes) -> Iterator[Web]:
    """Serve `files` by name, underscores for dots."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        wanted = handler.headers.get("Range", "")
        web.asked.append((handler.path, wanted))
        status = web.statuses.pop(0) if web.statuses else 200
        content = web.files.get(handler.path.lstrip("/"))
        if content is None:
            status = 404
        if status != 200 or content is None:
            handler.send_error(status)
            return
        body = content
        if wanted and web.understands_range:
            start = int(wanted.removeprefix("bytes=").rstrip("-"))
            if start >= len(content):
                handler.send_response(416)
                handler.send_header("Content-Range", f"bytes */{len(content)}")
                handler.send_header("Content-Length", "0")
                handler.end_headers()
                return
            body = content[start:]
            handler.send_response(206)
            handler.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        else:
            handler.send_response(200)
        handler.send_header("Content-Length", str(len(body)))
        for name, value in web.headers.items():
            handler.send_header(name, value)
        handler.end_headers()
        web.before_body()
        if web.cuts:
            handler.wfile.write(body[: web.cuts.pop(0)])
            handler.wfile.flush()
            web.after_cut()
            handler.close_connection = True
        else:
            handler.wfile.write(body)

    handler = type(
        "Handler",
        (BaseHTTPRequestHandler,),
        {"do_GET": answer, "log_message": lambda *ignored: None},
    )
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    web = Web(server.server_address[1], {name.replace("_", "."): content for name, content in files.items()})
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield web
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
