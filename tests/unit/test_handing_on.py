"""Requests that one console hands on to another (§5.4.2), over a pair of sockets: what either end should not say is a
failure with its words, and nothing is waited for without an end."""

from __future__ import annotations

import contextlib
import hashlib
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
import pytest

from rig.callhome.transaction import Entry, Manifest, Receipt
from rig.drivers.base.errors import CallError, RigError
from rig.parts.consoles.call_home_server import CallHomeServer
from rig.parts.consoles.conversation import Hello, Spoken, Stream, Talk
from rig.parts.consoles.handing_on import Said
from rig.parts.consoles.requests import Requests

CONTENT = b"state=running\n" * 20_000
SECONDS = 10.0


def manifest(number: int = 1, name: str = "hmc.eed", content: bytes = CONTENT) -> Manifest:
    return Manifest(
        f"{number:032x}", "heartbeat", "hmc3", (Entry(name, len(content), hashlib.sha256(content).hexdigest()),)
    )


def receipt(of: Manifest) -> Receipt:
    return Receipt(of.id, of.files)


def stream_of(end: socket.socket) -> Stream:
    return Stream(end.recv, end.sendall)


# --- who asks ---------------------------------------------------------------------------------------------------------


def asked(folder: Path, server: Callable[[Stream, socket.socket], None]) -> dict[str, Any]:
    """What became of a request whose only server is a script."""
    ours, theirs = socket.socketpair()
    ours.settimeout(SECONDS)
    theirs.settimeout(SECONDS)

    @contextlib.contextmanager
    def speak_with(number: str) -> Iterator[Talk]:
        with ours:
            yield Talk(Spoken(number, "hmc1", "", "", ""), stream_of(ours), lambda seconds: None)

    def script() -> None:
        with theirs, contextlib.suppress(OSError):
            server(stream_of(theirs), theirs)

    thread = threading.Thread(target=script, daemon=True)
    thread.start()
    file = folder / "hmc.eed"
    file.write_bytes(CONTENT)
    requests = Requests(speak_with, {"one": "hmc1"}.__getitem__, SECONDS)
    requests.servers(["one"])
    requests.hand_in(manifest(), {"hmc.eed": file})
    [became] = requests.all(seen=0)["over"]
    thread.join(SECONDS)
    assert isinstance(became, dict)
    return became


def takes(stream: Stream, held: Mapping[str, int]) -> None:
    assert stream.heard(Manifest) == manifest()
    stream.say(Said("takes", dict(held)))


def read(stream: Stream, count: int) -> bytes:
    data = b""
    while len(data) < count and (piece := stream.read(count - len(data))):
        data += piece
    return data


@pytest.mark.paper("5.4.2")
@pytest.mark.parametrize("held", [0, 5, len(CONTENT) - 1, len(CONTENT)])
def test_a_request_is_handed_on_from_the_byte_that_is_there(tmp_path: Path, held: int) -> None:
    came = []

    def server(stream: Stream, _: socket.socket) -> None:
        takes(stream, {"hmc.eed": held})
        came.append(read(stream, len(CONTENT) - held))
        stream.say(Said("goes on"))
        stream.say(Said("done", receipt=receipt(manifest())))

    became = asked(tmp_path, server)
    assert (became["server"], became["why"]) == ("hmc1", "")
    assert came == [CONTENT[held:]]


def says(*lines: bytes) -> Callable[[Stream, socket.socket], None]:
    """A server that says so many lines of bytes, whatever it is asked, and reads all."""

    def server(stream: Stream, end: socket.socket) -> None:
        stream.heard(Manifest)
        for line in lines:
            end.sendall(line)
        end.shutdown(socket.SHUT_WR)
        while end.recv(1 << 16):
            pass

    return server


def said(value: Said) -> bytes:
    return msgspec.json.encode(value) + b"\n"


OTHER = Receipt("f" * 32, manifest().files)
NOTHING = Receipt(manifest().id, ())
MORE = Receipt(manifest().id, (*manifest().files, Entry("sys.eed", 1, "0" * 64)))
ALTERED = Receipt(manifest().id, (Entry("hmc.eed", len(CONTENT), "0" * 64),))


@pytest.mark.paper("5.4.2")
@pytest.mark.parametrize(
    ("lines", "why"),
    [
        ((), "it ended the conversation"),
        ((b"hello\n",), "it said nothing that is understood"),
        ((b"x" * (2 << 20) + b"\n",), "it said nothing that is a line"),
        ((b'{"what": "perhaps"}\n',), "it said nothing that is understood"),
        ((said(Said("takes", {"hmc.eed": len(CONTENT) + 1})),), f"it says that it has {len(CONTENT) + 1} of"),
        ((said(Said("takes", {"hmc.eed": -1})),), "it says that it has -1 of"),
        ((said(Said("takes")), said(Said("takes"))), "it takes the same request twice"),
        ((said(Said("takes")),), "it ended the conversation"),
        ((said(Said("done")),), "it has no receipt"),
        ((said(Said("done", receipt=OTHER)),), "its receipt is for another transaction"),
        ((said(Said("done", receipt=NOTHING)),), "hmc.eed is not in its receipt"),
        ((said(Said("done", receipt=MORE)),), "sys.eed is in its receipt, and was not sent"),
        ((said(Said("done", receipt=ALTERED)),), "hmc.eed: its receipt is for"),
        ((said(Said("failed", why="NO CARRIER")),), "NO CARRIER"),
    ],
)
def test_whatever_a_server_says_is_the_requests_failure_in_words(
    tmp_path: Path, lines: tuple[bytes, ...], why: str
) -> None:
    became = asked(tmp_path, says(*lines))
    assert became["why"].startswith(f"hmc1: {why}"), became


# --- who calls home for others ----------------------------------------------------------------------------------------


class Way:
    """A way home that a test holds up. ``carried``: what came, by transaction."""

    def __init__(self) -> None:
        self.carried: dict[str, bytes] = {}
        self.goes = threading.Event()
        self.fails: RigError | None = None
        self.rested = 0

    def carry(self, request: Manifest, files: Mapping[str, Path]) -> Receipt:
        assert self.goes.wait(SECONDS)
        if self.fails is not None:
            raise self.fails
        assert request.id not in self.carried
        self.carried[request.id] = b"".join(files[entry.name].read_bytes() for entry in request.files)
        return receipt(request)

    def rest(self) -> None:
        self.rested += 1


class Serving:
    """A call-home server, asked by whom a test likes."""

    def __init__(self, folder: Path) -> None:
        self.way = Way()
        self.server = CallHomeServer(self.way, 2, folder)
        self.stack = contextlib.ExitStack()

    def ask(self) -> tuple[Stream, socket.socket]:
        """A conversation, its greetings over."""
        ours, theirs = socket.socketpair()
        self.stack.enter_context(ours)
        ours.settimeout(SECONDS)
        theirs.settimeout(SECONDS)

        def converse() -> None:
            with theirs, contextlib.suppress(OSError):
                self.server.converse(Hello("a" * 32, "hmc3"), stream_of(theirs))

        thread = threading.Thread(target=converse, daemon=True)
        thread.start()
        self.stack.callback(thread.join, SECONDS)
        self.stack.callback(ours.close)
        return stream_of(ours), ours

    def hand_on(self, request: Manifest, content: bytes = CONTENT) -> tuple[Stream, socket.socket]:
        stream, end = self.ask()
        stream.say(request)
        answer = stream.heard(Said)
        assert answer == Said("takes", {request.files[0].name: 0})
        end.sendall(content)
        return stream, end


@pytest.fixture
def serving(tmp_path: Path) -> Iterator[Serving]:
    made = Serving(tmp_path / "requests")
    yield made
    made.way.goes.set()
    made.stack.close()
    made.server.stop()
    assert not list((tmp_path / "requests").glob("*/*")), "files of requests are left"


def heard_at_the_end(stream: Stream) -> Said:
    while (heard := stream.heard(Said)) is not None:
        if heard.what != "goes on":
            return heard
    raise AssertionError


@pytest.mark.paper("5.4.2")
def test_a_request_is_carried_out_and_known_afterwards(serving: Serving) -> None:
    stream, _ = serving.hand_on(manifest())
    serving.way.goes.set()
    assert heard_at_the_end(stream) == Said("done", receipt=receipt(manifest()))
    assert serving.way.carried == {manifest().id: CONTENT}
    again, _ = serving.ask()
    again.say(manifest())
    assert again.heard(Said) == Said("done", receipt=receipt(manifest()))
    assert serving.server.state(0, 0) == {"carrying": {}, "done": 1}


@pytest.mark.paper("5.4.2")
def test_signs_of_life_come_while_it_is_carried(serving: Serving, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rig.parts.consoles.call_home_server.GOES_ON_SECONDS", 0.05)
    stream, _ = serving.hand_on(manifest())
    assert [stream.heard(Said) for _ in range(3)] == [Said("goes on")] * 3


@pytest.mark.paper("5.4.2")
def test_it_takes_what_it_has_room_for(serving: Serving) -> None:
    for number in (1, 2):
        serving.hand_on(manifest(number))
    stream, _ = serving.ask()
    stream.say(manifest(3))
    assert stream.heard(Said) == Said("busy")


@pytest.mark.paper("5.4.2")
def test_what_it_has_taken_it_carries_out_also_when_nobody_waits(serving: Serving) -> None:
    _, end = serving.hand_on(manifest())
    assert serving.server.state(1, SECONDS)["carrying"]
    end.close()
    other, _ = serving.hand_on(manifest(2))  # by when the first has been received, and is held up
    serving.way.goes.set()
    heard_at_the_end(other)
    assert set(serving.way.carried) == {manifest().id, manifest(2).id}


@pytest.mark.paper("5.4.2")
def test_a_failure_is_said_and_the_request_may_come_again(serving: Serving) -> None:
    serving.way.fails = CallError("NO CARRIER", result="NO CARRIER")
    serving.way.goes.set()
    stream, _ = serving.hand_on(manifest())
    assert heard_at_the_end(stream) == Said("failed", why="NO CARRIER")
    serving.way.fails = None
    stream, _ = serving.hand_on(manifest())
    assert heard_at_the_end(stream).what == "done"


def test_files_that_do_not_come_whole_are_forgotten_and_their_place_is_free(serving: Serving) -> None:
    for number in range(1, 4):
        stream, end = serving.hand_on(manifest(number), CONTENT[:1000])
        end.shutdown(socket.SHUT_WR)
        assert heard_at_the_end(stream) == Said("failed", why="its files did not come whole")
    serving.way.goes.set()
    stream, _ = serving.hand_on(manifest(1))
    assert heard_at_the_end(stream).what == "done"


def test_a_file_that_is_not_what_was_announced_is_refused_by_name(serving: Serving) -> None:
    stream, _ = serving.hand_on(manifest(), CONTENT[::-1])
    answer = heard_at_the_end(stream)
    assert answer.what == "failed"
    assert answer.why.startswith("hmc.eed: its SHA-256 is ")


def test_one_conversation_takes_the_place_of_another_that_hangs(serving: Serving) -> None:
    _, hanging = serving.hand_on(manifest(), CONTENT[:1000])
    stream, end = serving.ask()
    stream.say(manifest())
    answer = stream.heard(Said)
    assert answer is not None
    assert answer.what == "takes"
    end.sendall(CONTENT[answer.held["hmc.eed"] :])
    serving.way.goes.set()
    assert heard_at_the_end(stream).what == "done"
    assert serving.way.carried == {manifest().id: CONTENT}
    hanging.close()


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (msgspec.json.encode(manifest(name="../x")), "file '../x': a name is a file's own, without a folder"),
        (msgspec.json.encode(manifest(name="/etc/shadow")), "file '/etc/shadow': a name is a file's own"),
        (msgspec.json.encode(Manifest("x", "heartbeat", "hmc3", manifest().files)), "its id is not 32 hexadecimal"),
        (msgspec.json.encode(Manifest("0" * 32, "heartbeat", "hmc3", ())), "it has 0 files, and may have 1 to 1000"),
    ],
)
def test_a_manifest_that_cannot_be_is_refused_in_words(serving: Serving, line: bytes, why: str) -> None:
    stream, end = serving.ask()
    end.sendall(line + b"\n")
    answer = stream.heard(Said)
    assert answer is not None
    assert answer.what == "failed"
    assert answer.why.startswith(why)


@pytest.mark.parametrize("line", [b"GET / HTTP/1.1\r\n\r\n", b"\n", b"x" * (2 << 20), b'{"id": 7}\n'])
def test_what_is_no_request_ends_its_own_conversation_alone(serving: Serving, line: bytes) -> None:
    stream, end = serving.ask()
    with contextlib.suppress(OSError):
        end.sendall(line)
        end.shutdown(socket.SHUT_WR)
    with contextlib.suppress(ConnectionError):
        assert stream.heard(Said) is None
    serving.way.goes.set()
    stream, _ = serving.hand_on(manifest())
    assert heard_at_the_end(stream).what == "done"
