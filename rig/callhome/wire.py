"""How a transaction goes over HTTPS: the rig's own format, both ends of it. The paper gives none; whoever has an
appliance with another replaces this module, and nothing else has to know.

    PUT  /transactions/ID          the manifest; the answer says how much of each file is there already
    PUT  /transactions/ID/NAME     the rest of one file, from where it stopped (Content-Range, RFC 9110 §14.4), and the
                                   digest of the whole (Repr-Digest, RFC 9530)
    POST /transactions/ID/receipt  the receipt, once every file is there whole; the same again whenever it is asked for
    GET  /fixes                    the fixes that are there, each with size and digest
    GET  /fixes/NAME               one, from where it stopped (Range)

All that is no file is JSON. What is refused has a status of RFC 9110 §15, and why, as ``{"why": text}``.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeVar
from urllib.parse import quote, unquote

import msgspec

from rig.callhome.transaction import Entry, Manifest, NotReceivedError, Receipt
from rig.drivers.base.typed_json import from_json

TRANSACTIONS, RECEIPT, FIXES = "/transactions/", "/receipt", "/fixes"
RANGE = re.compile(r"bytes (\d{1,16})-(\d{1,16})/(\d{1,16})")
ASKED_RANGE = re.compile(r"bytes=(\d{1,16})-")
LARGEST_ANSWER = 1 << 20
SERVER_FAILS = 500
_T = TypeVar("_T")


@dataclass(frozen=True)
class Request:
    """``body``: all of it, but for a file's part, which is sent behind; its length is in ``headers`` either way."""

    method: str
    target: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


class Held(msgspec.Struct, frozen=True):
    """How many bytes of each file the other end has."""

    held: dict[str, int]


class Fixes(msgspec.Struct, frozen=True):
    """What may be fetched."""

    fixes: tuple[Entry, ...]


class Refusal(msgspec.Struct, frozen=True):
    """Why something was not done."""

    why: str = ""


# --- who calls home ---------------------------------------------------------------------------------------------------


def opening(manifest: Manifest) -> Request:
    body = msgspec.json.encode(manifest)
    return Request("PUT", TRANSACTIONS + manifest.id, _length(body), body)


def part(manifest: Manifest, entry: Entry, at: int) -> Request:
    """The rest of a file, from the byte ``at`` on."""
    headers = {
        "Content-Length": f"{entry.size - at}",
        "Content-Type": "application/octet-stream",
        "Content-Range": f"bytes {at}-{entry.size - 1}/{entry.size}",
        "Repr-Digest": f"sha-256=:{base64.b64encode(bytes.fromhex(entry.sha256)).decode()}:",
    }
    return Request("PUT", f"{TRANSACTIONS}{manifest.id}/{quote(entry.name, safe='')}", headers)


def closing(manifest: Manifest) -> Request:
    return Request("POST", TRANSACTIONS + manifest.id + RECEIPT, {"Content-Length": "0"})


def listing() -> Request:
    return Request("GET", FIXES)


def fetching(entry: Entry, at: int) -> Request:
    """The rest of a fix, from the byte ``at`` on."""
    return Request("GET", f"{FIXES}/{quote(entry.name, safe='')}", {"Range": f"bytes={at}-"} if at else {})


def answer(status: int, body: bytes, kind: type[_T]) -> _T:
    """What an answer says. Raises NotReceivedError, with the other end's own words, for a refusal, and for what is no
    answer of this format."""
    if not 200 <= status < 300:
        raise NotReceivedError(f"refused with HTTP status {status}: {_why(body) or 'it does not say why'}")
    try:
        return from_json(body, kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise NotReceivedError(f"an answer that is not of this format: {error}") from None


def _why(body: bytes) -> str:
    try:
        return from_json(body, Refusal).why
    except (msgspec.DecodeError, UnicodeDecodeError):
        return ""


# --- the service centre -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Asked:
    """What a request asks for. ``id`` and ``name``: of which transaction, of which file; ``at``: from which byte."""

    what: Literal["open", "part", "close", "list", "fetch"]
    id: str = ""
    name: str = ""
    at: int = 0


def asked(method: str, target: str, headers: Mapping[str, str]) -> Asked | None:
    """What a request asks for; None for what is none of this format. Raises ValueError for a range that is none."""
    path = target.partition("?")[0]
    if path.startswith(TRANSACTIONS):
        number, _, rest = path.removeprefix(TRANSACTIONS).partition("/")
        if method == "PUT" and not rest:
            return Asked("open", number)
        if method == "PUT":
            return Asked("part", number, unquote(rest), _range(headers))
        return Asked("close", number) if method == "POST" and f"/{rest}" == RECEIPT else None
    if method == "GET" and path == FIXES:
        return Asked("list")
    if method == "GET" and path.startswith(f"{FIXES}/"):
        found = ASKED_RANGE.fullmatch(headers.get("Range") or "bytes=0-")
        if found is None:
            raise ValueError(f"Range {headers['Range']!r}: it takes bytes=N-")
        return Asked("fetch", name=unquote(path.removeprefix(f"{FIXES}/")), at=int(found[1]))
    return None


def _range(headers: Mapping[str, str]) -> int:
    said = headers.get("Content-Range") or ""
    found = RANGE.fullmatch(said)
    if found is None:
        raise ValueError(f"Content-Range {said!r}: it takes bytes FIRST-LAST/SIZE")
    first, last, size = map(int, found.groups())
    length = headers.get("Content-Length") or ""
    if last != size - 1 or first > last or length != f"{last - first + 1}":
        raise ValueError(
            f"Content-Range {said!r} with Content-Length {length!r}: it takes all that is left of the file"
        )
    return first


def manifest_in(body: bytes) -> Manifest:
    """Raises ValueError for what is none."""
    try:
        return from_json(body, Manifest)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"no manifest: {error}") from None


def said(value: Held | Receipt | Fixes | Refusal) -> bytes:
    """The body of an answer."""
    return msgspec.json.encode(value)


def _length(body: bytes) -> dict[str, str]:
    return {"Content-Length": f"{len(body)}", "Content-Type": "application/json"}
