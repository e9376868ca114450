"""What calls home: names as the paper has them, files that are what they were, a format that takes nothing for granted,
and a service centre that has a file whole or not at all."""

from __future__ import annotations

import contextlib
import hashlib
import os
import threading
from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig.callhome import plausible, wire
from rig.callhome.catalogue import PIECE, Catalogue, Contents, FileKind
from rig.callhome.catalogue import load as load_file
from rig.callhome.outgoing import Outgoing, manifest_of
from rig.callhome.transaction import LARGEST, Entry, Manifest, NotReceivedError, wrong_manifest, wrong_name
from rig.config import broken
from rig.config.shipped import HW_CONFIG
from rig.drivers.base.errors import ConfigError, UsageError
from rig.parts.service_centre.centre import Centre, CutError, Incoming
from rig.parts.service_centre.faults import BY_NAME, FAULTS
from rig.parts.service_centre.store import RefusedError, Store

CATALOGUE = load_file(HW_CONFIG / "call-home" / "hmc-2007.toml")
OF_THE_PAPER = (
    "actzuict.dat", "hmc.eed", "iqyvdp.dat", "iqyvpc.dat", "iqyycom0.log", "iqyycom1.log", "iqyycom2.log",
    "iqyylog.log", "PMap.eed", "problems.xml", "sys.eed", "8203-E4A_10B2345.VPD.xml",
    *(f"{dump}DUMP.10B2345.0000001A.20070613142536" for dump in ("SYS", "FSP", "BMC", "SMA", "PWR", "LOG", "RSC")),
)  # fmt: skip
"""Every name of §4.2, and each type of dump."""
DUMP = "SYSDUMP.10B2345.0000001A.20070613142536"
DATA = bytes(range(256)) * 40


def lacks(kind: FileKind, path: Path) -> list[str]:
    """What a file does not hold, by the pieces in which a service centre reads it."""
    contents, data = Contents(kind), path.read_bytes()
    for at in range(0, len(data), PIECE):
        contents.feed(data[at : at + PIECE])
    return contents.lacks()


# --- names, and what is in files --------------------------------------------------------------------------------------


@pytest.mark.paper("4.2")
@pytest.mark.parametrize("name", OF_THE_PAPER)
def test_every_name_of_the_paper_fits_and_a_file_of_it_can_be_made(name: str, tmp_path: Path) -> None:
    kind = CATALOGUE.fit(name).kind
    assert kind is not None
    plausible.write(CATALOGUE, name, 20_000, tmp_path / name)
    assert (tmp_path / name).stat().st_size == 20_000
    assert lacks(kind, tmp_path / name) == []


@pytest.mark.paper("4.1")
def test_there_are_the_seven_reasons_of_the_paper() -> None:
    assert list(CATALOGUE.reasons) == [
        "problem", "fixes", "inventory", "extended-error-data", "repair-and-verify", "heartbeat", "performance",
    ]  # fmt: skip


@pytest.mark.paper("4.2")
@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("SYSDUMP.10B2345.0000001A.20071301142536", "'20071301142536' is not a date and time as yyyymmddhhmmss"),
        ("SYSDUMP.10B2345.0000001A.20070229000000", "'20070229000000' is not a date and time"),
        ("CPUDUMP.10B2345.0000001A.20070613142536", "'CPUDUMP' is not a dump's type: SYSDUMP, FSPDUMP,"),
        ("SYSDUMP.10B234.0000001A.20070613142536", "'10B234' is not a serial number of seven characters"),
        ("SYSDUMP.10B2345.1A.20070613142536", "'1A' is not a dump's ID of eight hexadecimal digits"),
        ("820-E4A_10B2345.VPD.xml", "'820' is not a machine type of four characters"),
        ("8203-E4A_.VPD.xml", "'' is not a serial number"),
        ("problems.XML", "it is none of actzuict.dat, hmc.eed,"),
        ("", "it is none of"),
    ],
)
def test_a_name_that_does_not_fit_is_named_by_the_part_that_is_wrong(name: str, wrong: str) -> None:
    fit = CATALOGUE.fit(name)
    assert fit.kind is None
    assert wrong in fit.wrong


@given(st.text(max_size=60))
def test_any_name_fits_or_says_why_not(name: str) -> None:
    fit = CATALOGUE.fit(name)
    assert (fit.kind is None) == bool(fit.wrong)


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("hmc.eed", "lshmc -V\n", ["'lssysconn -r all' is not in it"]),
        ("problems.xml", "<problems><open></problems>", ["it is no XML: mismatched tag: line 1, column 18"]),
        ("problems.xml", "<problems>", ["it is no XML: no element found: line 1, column 10"]),
        ("problems.xml", "<other/>", ["'<problems' is not in it"]),
    ],
)
def test_what_a_file_lacks_is_said(name: str, text: str, said: list[str], tmp_path: Path) -> None:
    (tmp_path / name).write_text(text)
    kind = CATALOGUE.fit(name).kind
    assert kind is not None
    assert lacks(kind, tmp_path / name) == said


def test_what_it_is_to_hold_is_found_across_two_pieces(tmp_path: Path) -> None:
    kind = CATALOGUE.fit("PMap.eed").kind
    assert kind is not None
    (tmp_path / "PMap.eed").write_bytes(b"x" * ((1 << 16) - 8) + b"lshsc -w -c machine")
    assert lacks(kind, tmp_path / "PMap.eed") == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (('pattern = "[0-9A-F]{8}"', 'pattern = "[0-9A-F{8}"'), "key 'parts.id.pattern': no regular expression"),
        (("{dump}.{serial}.{id}", "{dump}.{serial}.{number}"), "{number} is none of machine, model, serial"),
        (('"actzuict.dat"]\n\n[reasons.fixes]', '"actzuict.txt"]\n\n[reasons.fixes]'), "key 'reasons.problem.files'"),
        (('form = "xml"', 'form = "json"'), "form': it takes 'text' or 'log' or 'xml' or 'binary'"),
    ],
)
def test_a_catalogue_that_is_wrong_says_where(change: tuple[str, str], said: str, tmp_path: Path) -> None:
    text = (HW_CONFIG / "call-home" / "hmc-2007.toml").read_text()
    assert change[0] in text
    (tmp_path / "mine.toml").write_text(text.replace(*change))
    with pytest.raises(ConfigError) as failure:
        load_file(tmp_path / "mine.toml")
    assert said in str(failure.value)
    assert "mine.toml" in str(failure.value)


# --- files of this machine's ------------------------------------------------------------------------------------------


def outgoing(path: Path) -> Outgoing:
    return Outgoing.measured(path, CATALOGUE)


def test_a_file_is_measured_and_given_from_where_one_likes(tmp_path: Path) -> None:
    (tmp_path / "hmc.eed").write_bytes(DATA)
    one = outgoing(tmp_path / "hmc.eed")
    assert one.entry == Entry("hmc.eed", len(DATA), hashlib.sha256(DATA).hexdigest())
    assert b"".join(one.pieces(1000, 333)) == DATA[1000:]


def _folder(path: Path) -> None:
    path.mkdir()


def _empty(path: Path) -> None:
    path.touch()


def _pipe(path: Path) -> None:
    os.mkfifo(path)


def _nothing(path: Path) -> None:
    pass


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (_folder, "hmc.eed: it is a folder"),
        (_empty, "hmc.eed: it is empty"),
        (_pipe, "hmc.eed: it is no regular file"),
        (_nothing, "hmc.eed: No such file or directory"),
    ],
)
def test_what_cannot_be_sent_is_named(made: Callable[[Path], None], said: str, tmp_path: Path) -> None:
    made(tmp_path / "hmc.eed")
    with pytest.raises(UsageError) as failure:
        outgoing(tmp_path / "hmc.eed")
    assert said in str(failure.value)


def test_one_that_changes_or_vanishes_is_said_while_it_is_sent(tmp_path: Path) -> None:
    path = tmp_path / "hmc.eed"
    path.write_bytes(DATA)
    one = outgoing(path)
    pieces = one.pieces(0, 100)
    next(pieces)
    with path.open("ab") as file:
        file.write(b"more")
    with pytest.raises(NotReceivedError, match=r"hmc\.eed: it changed while it was sent"):
        next(pieces)
    path.unlink()
    with pytest.raises(NotReceivedError, match=r"hmc\.eed: no such file or directory, while it was sent"):
        next(one.pieces(0))


def test_two_files_of_one_name_are_refused(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "hmc.eed").write_bytes(DATA)
    with pytest.raises(UsageError, match=r"two files are named hmc\.eed"):
        manifest_of("heartbeat", "hmc", [outgoing(tmp_path / folder / "hmc.eed") for folder in ("a", "b")])


# --- the format -------------------------------------------------------------------------------------------------------


def entry(name: str = "hmc.eed", data: bytes = DATA) -> Entry:
    return Entry(name, len(data), hashlib.sha256(data).hexdigest())


def manifest(*files: Entry) -> Manifest:
    return Manifest("0" * 32, "heartbeat", "hmc", files or (entry(),))


@pytest.mark.parametrize(
    "name", ["../x", "/etc/passwd", "..", ".", "", "a/b", "a\\b", "x\0y", "x\n", " x", "x" * 256, "é" * 128]
)
def test_a_name_that_leads_anywhere_is_refused(name: str) -> None:
    assert wrong_name(name)
    assert repr(name) in wrong_manifest(manifest(entry(name)))


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"id": "x"}, "its id is not 32 hexadecimal digits"),
        ({"files": ()}, "it has 0 files"),
        ({"files": (entry(), entry())}, "'hmc.eed' is in it twice"),
        ({"files": (Entry("x", LARGEST + 1, "0" * 64),)}, f"its size is {LARGEST + 1}, and may be 1 to {LARGEST}"),
        ({"files": (Entry("x", 0, "0" * 64),)}, "its size is 0"),
        ({"files": (Entry("x", 1, "0"),)}, "its SHA-256 is not 64 hexadecimal digits"),
    ],
)
def test_a_manifest_that_is_wrong_is_refused(changed: dict[str, object], said: str) -> None:
    assert wrong_manifest(manifest()) == ""
    assert said in wrong_manifest(msgspec.structs.replace(manifest(), **changed))


def test_what_is_asked_is_what_is_heard() -> None:
    whole, odd = manifest(), entry("a b%.eed")
    opened, part, closed = wire.opening(whole), wire.part(manifest(odd), odd, 7), wire.closing(whole)
    assert wire.asked(opened.method, opened.target, opened.headers) == wire.Asked("open", whole.id)
    assert wire.manifest_in(opened.body) == whole
    assert wire.asked(part.method, part.target, part.headers) == wire.Asked("part", whole.id, odd.name, 7)
    assert wire.asked(closed.method, closed.target, closed.headers) == wire.Asked("close", whole.id)
    fetched = wire.fetching(odd, 9)
    assert wire.asked(fetched.method, fetched.target, fetched.headers) == wire.Asked("fetch", "", odd.name, 9)


@given(
    st.sampled_from(["GET", "PUT", "POST"]),
    st.text(max_size=30).map(lambda text: f"/transactions/{text}") | st.text(max_size=30).map(lambda t: f"/fixes{t}"),
    st.dictionaries(st.sampled_from(["Content-Range", "Content-Length", "Range"]), st.text(max_size=30)),
)
def test_any_request_is_one_of_the_format_or_none_or_says_what_is_wrong(
    method: str, target: str, headers: dict[str, str]
) -> None:
    with contextlib.suppress(ValueError):
        found = wire.asked(method, target, headers)
        assert found is None or found.what in ("open", "part", "close", "list", "fetch")


@given(st.integers(100, 599), st.binary(max_size=80))
def test_any_answer_is_understood_or_refused(status: int, body: bytes) -> None:
    with contextlib.suppress(NotReceivedError):
        held = wire.answer(status, body, wire.Held)
        assert isinstance(held.held, dict)


# --- the service centre -----------------------------------------------------------------------------------------------


def reading(data: bytes) -> Callable[[int], bytes]:
    rest = [data]

    def read(count: int) -> bytes:
        piece, rest[0] = rest[0][:count], rest[0][count:]
        return piece

    return read


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "centre", CATALOGUE)


def test_a_file_that_breaks_off_goes_on_where_it_stopped(store: Store) -> None:
    whole = manifest()
    assert store.open(whole.id, whole, "hmc").held == {"hmc.eed": 0}
    with pytest.raises(EOFError):
        store.take(whole.id, "hmc.eed", 0, reading(DATA[:3000]), len(DATA))
    with pytest.raises(RefusedError, match=r"not there whole: hmc\.eed"):
        store.close(whole.id)
    assert store.open(whole.id, whole, "hmc").held == {"hmc.eed": 3000}
    with pytest.raises(RefusedError, match="3000 of 10240 bytes are there, not 0"):
        store.take(whole.id, "hmc.eed", 0, reading(DATA), len(DATA))
    assert store.take(whole.id, "hmc.eed", 3000, reading(DATA[3000:]), len(DATA) - 3000) == len(DATA)
    for _ in range(2):  # a receipt that was lost on its way is given again
        assert store.close(whole.id).files == whole.files
    [told] = store.transactions()
    assert told["files"][0]["parts"] == 2


def test_one_whose_digest_is_another_is_not_there(store: Store) -> None:
    whole = manifest()
    store.open(whole.id, whole, "hmc")
    with pytest.raises(RefusedError) as failure:
        store.take(whole.id, "hmc.eed", 0, reading(bytes(len(DATA))), len(DATA))
    assert failure.value.status is HTTPStatus.UNPROCESSABLE_ENTITY
    assert store.open(whole.id, whole, "hmc").held == {"hmc.eed": 0}


def test_who_was_there_before_does_not_take_the_place_of_who_came_anew(store: Store) -> None:
    """However late it begins to write."""
    whole = manifest()
    old, new = (store.open(whole.id, whole, client) for client in ("lost", "anew"))
    with pytest.raises(RefusedError, match="is sent by another connection now"):
        store.take(whole.id, "hmc.eed", 0, reading(DATA), len(DATA), old.turn)
    store.take(whole.id, "hmc.eed", 0, reading(DATA), len(DATA), new.turn)
    assert store.close(whole.id).files == whole.files


def test_who_comes_anew_takes_the_place_of_a_connection_that_hangs(store: Store) -> None:
    """As after a call that was lost, of which the service centre knows nothing yet: nothing is mixed."""
    whole, begun, go_on = manifest(), threading.Event(), threading.Event()
    store.open(whole.id, whole, "hmc")
    read = reading(b"of the lost call" * 1000)
    told: list[HTTPStatus] = []

    def slowly(count: int) -> bytes:
        begun.set()
        assert go_on.wait(10)
        return read(count)

    def take() -> None:
        with pytest.raises(RefusedError, match="is sent by another connection now") as failure:
            store.take(whole.id, "hmc.eed", 0, slowly, len(DATA))
        told.append(failure.value.status)

    first = threading.Thread(target=take)
    first.start()
    assert begun.wait(10)
    store.open(whole.id, whole, "hmc")
    go_on.set()
    first.join(10)
    assert told == [HTTPStatus.CONFLICT]
    store.take(whole.id, "hmc.eed", 0, reading(DATA), len(DATA))
    assert store.close(whole.id).files == whole.files


def test_a_second_manifest_under_one_id_is_refused(store: Store) -> None:
    store.open("0" * 32, manifest(), "hmc")
    with pytest.raises(RefusedError, match="another manifest"):
        store.open("0" * 32, manifest(entry("sys.eed")), "hmc")
    with pytest.raises(RefusedError, match="reason 'boredom' is none of problem"):
        store.open("0" * 32, msgspec.structs.replace(manifest(), reason="boredom"), "hmc")


def incoming(request: wire.Request, body: bytes = b"") -> Incoming:
    body = request.body or body
    return Incoming(request.method, request.target, request.headers, "192.0.2.1", len(body), reading(body))


def test_the_ways_in_which_a_centre_may_be_broken_are_those_that_a_bench_may_name() -> None:
    assert tuple(fault.name for fault in FAULTS) == broken.CENTRE


@pytest.mark.parametrize("name", ["", *broken.CENTRE])
def test_each_broken_centre_does_what_it_is_named_for(name: str, store: Store, tmp_path: Path) -> None:
    centre, whole = Centre(store, tmp_path / "fixes", BY_NAME[name]), manifest()
    opened = centre.answer(incoming(wire.opening(whole)))
    assert opened is not None
    refused = {"refuses": HTTPStatus.SERVICE_UNAVAILABLE, "full": HTTPStatus.INSUFFICIENT_STORAGE}
    assert opened.status is refused.get(name, HTTPStatus.OK)
    if name in refused:
        assert opened.closes
        return
    part = wire.part(whole, whole.files[0], 0)
    if name == "cuts":
        with pytest.raises(CutError):
            centre.answer(incoming(part, DATA))
        part = wire.part(whole, whole.files[0], 2000)
    taken = centre.answer(incoming(part, DATA[2000:] if name == "cuts" else DATA))
    assert taken is not None
    assert wire.answer(taken.status, b"".join(taken.body), wire.Held).held == {"hmc.eed": len(DATA)}
    receipt = centre.store.close(whole.id)
    given_out = BY_NAME[name].receipt(receipt)
    assert (given_out == receipt) is (name not in ("lies", "forgets"))


def test_a_fix_is_given_from_where_one_has_it(store: Store, tmp_path: Path) -> None:
    centre = Centre(store, tmp_path / "fixes")
    listed = centre.answer(incoming(wire.listing()))
    assert listed is not None
    first = wire.answer(listed.status, b"".join(listed.body), wire.Fixes).fixes[0]
    both = [centre.answer(incoming(wire.fetching(first, at))) for at in (0, 1000)]
    whole, rest = (b"".join(one.body) if one else b"" for one in both)
    assert hashlib.sha256(whole).hexdigest() == first.sha256
    assert whole[1000:] == rest
    assert [one.status if one else 0 for one in both] == [HTTPStatus.OK, HTTPStatus.PARTIAL_CONTENT]
    beyond = centre.answer(incoming(wire.fetching(first, first.size)))
    assert beyond is not None
    assert beyond.status is HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE
    absent = centre.answer(incoming(wire.fetching(entry("../ca.pem"), 0)))
    assert absent is not None
    assert absent.status is HTTPStatus.NOT_FOUND


def test_a_catalogue_of_ones_own_takes_other_names(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(
        'source = "my appliance"\n[reasons.alarm]\nwhat = "x"\nfiles = ["alarm.json"]\n'
        '[[files]]\nname = "alarm.json"\nwhat = "the alarm"\nform = "text"\n'
    )
    mine: Catalogue = load_file(tmp_path / "mine.toml")
    assert mine.fit("alarm.json").kind is not None
    assert mine.fit("hmc.eed").wrong == "it is none of alarm.json"
