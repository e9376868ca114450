"""The service centre behind http.server, whose requests it answers where they are of its format."""

from __future__ import annotations

import contextlib
import http.server
import time
from collections.abc import Callable

from rig.parts.service_centre.centre import Answer, Centre, CutError, Incoming

LINGER_SECONDS = 10.0
"""For whoever is refused in the middle of sending to read why: what is still on its way is taken meanwhile, as a
connection that is closed before that is reset."""
PIECE = 1 << 16


def serve(handler: http.server.BaseHTTPRequestHandler, centre: Centre) -> bool:
    """Answer one request; whether it was of the centre's format. The connection ends where a body did."""
    length = handler.headers.get("Content-Length") or "0"
    if not length.isdecimal():
        handler.send_error(400)
        return True
    left = int(length)

    def read(count: int) -> bytes:
        nonlocal left
        piece = handler.rfile.read1(min(count, left)) if left else b""
        left -= len(piece)
        return bytes(piece)

    headers = {name.title(): value for name, value in handler.headers.items()}
    incoming = Incoming(handler.command, handler.path, headers, "{}:{}".format(*handler.client_address[:2]), left, read)
    try:
        answer = centre.answer(incoming)
    except CutError:
        handler.close_connection = True
        return True
    if answer is None:
        return False
    _send(handler, answer, close=answer.closes or left > 0)  # what is unread would be taken for the next request
    if left:
        _linger(handler, read)
    return True


def _send(handler: http.server.BaseHTTPRequestHandler, answer: Answer, *, close: bool) -> None:
    handler.send_response(answer.status)
    handler.send_header("Content-Type", answer.kind)
    handler.send_header("Content-Length", str(answer.length))
    if answer.range:
        handler.send_header("Content-Range", answer.range)
    if close:
        handler.send_header("Connection", "close")
        handler.close_connection = True
    handler.end_headers()
    for piece in answer.body:
        handler.wfile.write(piece)
    handler.wfile.flush()


def _linger(handler: http.server.BaseHTTPRequestHandler, read: Callable[[int], bytes]) -> None:
    end = time.monotonic() + LINGER_SECONDS
    with contextlib.suppress(OSError):
        handler.connection.settimeout(LINGER_SECONDS)
        while time.monotonic() < end and read(PIECE):
            pass
