"""Transactions over every way home (§4): every kind of file over each, calls that drop in the middle, service centres
that refuse, cut, are slow or lie."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import pytest

from rig.callhome.catalogue import load as load_catalogue
from rig.callhome.outgoing import Outgoing, manifest_of
from rig.config.bench import Bench, HostsTable, NumberTable
from rig.config.bench_files import catalogue_file, load, load_tls_policy
from rig.drivers.modem.number import Number
from rig.jobs import fetch, send
from rig.jobs.conversation import Pace, conversation
from rig.jobs.fetch import FetchPlan
from rig.jobs.sending import Sending, SendPlan
from rig.paths.building import build
from rig.run.owner import Owner
from rig.run.progress import Progress
from rig.verdict.callhome import CallHomeVerdict, FileReport
from rig.verdict.verdict import Verdict
from tests.unit.test_call_home import OF_THE_PAPER

LIG, DROPPING = Number("1-800-555-0100"), Number("1-800-555-0177")
WAYS = ("loopback-instant", "loopback-2007", "i5os", "internet", "proxy", "vpn", "vpn-modem", "multi-hop")


def of(name: str, broken: str = "") -> Bench:
    """A bench, on an instant line where it has one."""
    bench = load(name)
    if bench.exchange is not None:
        exchange = msgspec.structs.replace(bench.exchange, rate="instant", setup=0.0, training=0.0)
        bench = msgspec.structs.replace(bench, exchange=exchange)
    tls = bench.hosts.tls
    return msgspec.structs.replace(bench, hosts=HostsTable(tls=tls, broken=broken))


def sent(bench: Bench, reason: str = "problem", **words: object) -> CallHomeVerdict:
    numbers = (LIG,) if bench.dials else ()
    return send.run(bench, SendPlan(reason, **{"numbers": numbers, **words}), Progress.silent())  # type: ignore[arg-type]


@pytest.mark.paper("4.1", "4.2")
@pytest.mark.parametrize("name", WAYS)
def test_every_way_home_carries_every_kind_of_file(name: str) -> None:
    verdict = sent(of(name), sizes=dict.fromkeys(OF_THE_PAPER, 3000))
    assert verdict.outcome == "OK", verdict.message
    assert {one.name for one in verdict.files} == set(OF_THE_PAPER)
    assert all(one.whole and one.parts == 1 and one.carried == one.size for one in verdict.files)
    held = [check for check in verdict.checks if check.held]
    assert len(held) == len(verdict.checks) == 3 * len(OF_THE_PAPER)


def dropping(after: int) -> Bench:
    """With a number at which the line drops after so many bytes of the gateway's, which are acknowledgements mostly."""
    bench = of("loopback-instant")
    assert bench.exchange is not None
    listed = (*bench.exchange.numbers, NumberTable(number=DROPPING, kind="lig", drop_after=after))
    return msgspec.structs.replace(bench, exchange=msgspec.structs.replace(bench.exchange, numbers=listed))


@pytest.mark.paper("4.2")
def test_a_dropped_call_goes_on_where_it_stopped() -> None:
    sizes = {"hmc.eed": 1_500_000}  # more than a call takes on a machine that is fast
    verdict = sent(dropping(6000), "heartbeat", sizes=sizes, numbers=(DROPPING,), attempts=20)
    assert verdict.outcome == "OK", verdict.message
    [file] = verdict.files
    assert verdict.sessions > 1
    assert file.parts > 1
    there = next(one for one in verdict.checks if one.name == "at the service centre")
    assert there.observed == f"1500000 of 1500000 bytes, in {file.parts} parts"


@pytest.mark.paper("4.2")
def test_of_one_that_drops_too_often_nothing_half_is_called_received() -> None:
    sizes = {"hmc.eed": 2_000_000}
    verdict = sent(dropping(6000), "heartbeat", sizes=sizes, numbers=(DROPPING,), attempts=2)
    assert (verdict.outcome, verdict.exit, verdict.sessions) == ("CARRIER LOST", 22, 2)
    assert not verdict.receipt
    assert not verdict.files[0].whole


@pytest.mark.paper("4.2")
def test_a_connection_that_is_cut_goes_on_over_the_same_call() -> None:
    verdict = sent(of("internet", "cuts"))
    assert (verdict.outcome, verdict.sessions) == ("OK", 1), verdict.message
    assert {one.parts for one in verdict.files} == {2}


@pytest.mark.paper("4.2")
@pytest.mark.parametrize(
    ("broken", "outcome", "said"),
    [
        ("refuses", ("NOT RECEIVED", 25), "HTTP status 503: nothing is taken at this time"),
        ("full", ("NOT RECEIVED", 25), "HTTP status 507: there is room for 4096 bytes"),
        ("slow", ("OK", 0), "1 file received"),
        ("lies", ("CHECK FAILED", 1), "in the receipt"),
        ("forgets", ("CHECK FAILED", 1), "in the receipt"),
    ],
)
def test_a_service_centre_that_is_broken_is_an_outcome(broken: str, outcome: tuple[str, int], said: str) -> None:
    verdict = sent(of("internet", broken), "heartbeat", sizes={"hmc.eed": 5000})
    assert (verdict.outcome, verdict.exit) == outcome
    assert said in verdict.message


@pytest.mark.paper("4.2")
def test_several_at_once_are_kept_apart(tmp_path: Path) -> None:
    """Eight transactions with a file of one name, each another's contents, over one way."""
    bench = of("internet")
    catalogue, policy = load_catalogue(catalogue_file(bench)), load_tls_policy(bench)
    files = []
    for number in range(8):
        folder = tmp_path / f"{number}"
        folder.mkdir()
        (folder / "hmc.eed").write_bytes(f"lshmc -V, lssysconn -r all, {number}\n".encode() * 20_000)
        files.append(Outgoing.measured(folder / "hmc.eed", catalogue))
    with Owner() as owner:
        way = build(bench, (), owner, Progress.silent())
        up = way.path.open(Verdict("", ""))

        def one(outgoing: Outgoing) -> bool:
            manifest = manifest_of("heartbeat", "hmc", [outgoing])
            told = CallHomeVerdict(bench="", lab="")
            told.files = [FileReport(outgoing.entry.name, outgoing.entry.size, outgoing.entry.sha256)]
            sending = Sending([outgoing], manifest, Progress.silent(), told, 0.0)
            with conversation(up, way.path, up.allowed.servers[0], policy, way.ca, Pace(0.0)) as made:
                return sending.talk(made, Pace(0.0)).files == manifest.files

        with ThreadPoolExecutor(8) as pool:
            assert list(pool.map(one, files)) == [True] * 8
        assert way.watch is not None
        arrived = way.watch.ask("transactions")
    assert {file["sha256"] for one in arrived for file in one["files"]} == {one.entry.sha256 for one in files}


@pytest.mark.paper("4.2")
def test_a_secret_that_is_refused_is_not_tried_again_and_a_busy_line_is() -> None:
    bench = of("loopback-instant")
    refused = sent(bench, "heartbeat", numbers=(Number("1-800-555-0104"),))
    assert (refused.outcome, len(refused.attempts)) == ("AUTHENTICATION REFUSED", 1)
    busy = sent(bench, "heartbeat", numbers=(Number("1-800-555-0101"),), attempts=2)
    assert (busy.outcome, [one.result for one in busy.attempts]) == ("BUSY", ["BUSY", "BUSY"])


def test_a_reason_that_there_is_not_is_said_before_anything_is_dialled() -> None:
    verdict = sent(of("internet"), "boredom")
    assert verdict.exit == 2
    assert "reason 'boredom': it is one of problem, fixes, inventory" in verdict.message
    assert verdict.sessions == 0


@pytest.mark.paper("4.2")
def test_a_file_that_does_not_hold_what_it_is_to_is_found(tmp_path: Path) -> None:
    (tmp_path / "PMap.eed").write_text("nothing of it")
    verdict = sent(of("internet"), "inventory", files=(tmp_path / "PMap.eed",))
    assert verdict.exit == 1
    [found] = [check for check in verdict.checks if check.held is False]
    assert (found.name, found.observed) == ("what it is to hold", "'lshsc -w -c machine' is not in it")


@pytest.mark.paper("4.2")
def test_what_may_not_leave_is_looked_for_in_what_arrives(tmp_path: Path) -> None:
    (tmp_path / "patterns.txt").write_text("state=running\nAcme\n")
    bench = of("internet")
    table = msgspec.structs.replace(bench.call_home, forbidden=str(tmp_path / "patterns.txt"))
    verdict = sent(msgspec.structs.replace(bench, call_home=table), "heartbeat")
    assert verdict.exit == 1
    [found] = [check for check in verdict.checks if check.held is False]
    assert (found.name, found.expected, found.observed) == (
        "what may not leave", "none of 2 patterns", "line 1 of patterns.txt",
    )  # fmt: skip


@pytest.mark.paper("4.1")
@pytest.mark.parametrize("name", ["loopback-instant", "internet"])
def test_fixes_are_fetched_and_go_on_where_they_stopped(name: str, tmp_path: Path) -> None:
    bench = of(name)
    numbers = (LIG,) if bench.dials else ()
    first = fetch.run(bench, FetchPlan((), tmp_path, numbers=numbers), Progress.silent())
    assert first.outcome == "OK", first.message
    [iso] = [one for one in first.files if one.name.endswith(".iso")]
    path = tmp_path / iso.name
    (tmp_path / f"{iso.name}.{iso.sha256[:8]}{fetch.UNFINISHED}").write_bytes(path.read_bytes()[:150_000])
    path.unlink()
    again = fetch.run(bench, FetchPlan((iso.name,), tmp_path, numbers=numbers), Progress.silent())
    assert again.outcome == "OK", again.message
    assert [(one.name, one.carried) for one in again.files] == [(iso.name, 50_000)]
    assert sorted(one.name for one in tmp_path.iterdir()) == sorted(one.name for one in first.files)


def test_a_fix_that_there_is_not_is_said(tmp_path: Path) -> None:
    verdict = fetch.run(of("internet"), FetchPlan(("nothing.iso",), tmp_path), Progress.silent())
    assert verdict.exit == 2
    assert "there is no fix nothing.iso" in verdict.message
    assert "MH01081.iso" in verdict.advice
