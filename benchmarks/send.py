"""What is sent: a file over a modem's line, beside what the line can carry and curl; a dump over Ethernet, beside curl;
memory by size."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import msgspec

from benchmarks.figures import Figure, spread
from rig.callhome import wire
from rig.callhome.catalogue import load as load_catalogue
from rig.callhome.outgoing import Outgoing, manifest_of
from rig.config.bench import Bench
from rig.config.bench_files import catalogue_file, load, load_tls_policy
from rig.drivers.base.line_rate import BITS_A_BYTE
from rig.drivers.modem.number import Number
from rig.jobs import send
from rig.jobs.conversation import Pace, conversation
from rig.jobs.sending import Sending, SendPlan
from rig.paths.building import build
from rig.paths.built import Built
from rig.paths.up import Up
from rig.run.owner import Owner
from rig.run.progress import Progress
from rig.verdict.callhome import CallHomeVerdict, FileReport
from rig.verdict.verdict import Verdict
from tests.process_memory import peak

NAME = "SYSDUMP.10B2345.0000001A.20070613142536"
LIG = (Number("1-800-555-0100"),)
LINE_OCTETS, LINE_RUNS = 100_000, 3
DUMP_OCTETS, DUMP_RUNS = 64_000_000, 5
LINE_TARGET, LINE_PEER, DUMP_TARGET, MEMORY_TARGET = 0.97, 1.03, 0.9, 60
HEADS, FCS, PROTOCOL, FLAG = 52, 2, 1, 1
"""Bytes: of IP and TCP with timestamps; of PPP, whose address and control fields are left out (RFC 1661 §6.5, §6.6)."""
TLS_RECORD = 22
"""What TLS 1.3 adds to each (RFC 8446 §5.2)."""
ESCAPED = 1 + 2 / 256
"""Random bytes on a line where flag and escape alone are escaped (RFC 1662 §4.2)."""


def slow() -> Bench:
    """A line at 33,600 bit/s that connects at once."""
    bench = load("loopback")
    assert bench.exchange is not None
    exchange = msgspec.structs.replace(bench.exchange, setup=0.0, training=0.0)
    return msgspec.structs.replace(bench, exchange=exchange)


def could_be(octets: float, mtu: int, pace: Pace) -> float:
    """Bytes of a file a second, of a line that carries so many, less what PPP, IP, TCP and TLS take."""
    segment = mtu - HEADS
    on_the_line = (mtu + PROTOCOL + FCS) * ESCAPED + FLAG
    return octets * segment / on_the_line * pace.piece / (pace.piece + TLS_RECORD)


def dump(folder: Path, octets: int, bench: Bench) -> Outgoing:
    path = folder / NAME
    with path.open("wb") as file, Path("/dev/urandom").open("rb") as random:
        for _ in range(octets // 1_000_000 or 1):
            file.write(random.read(min(octets, 1_000_000)))
    return Outgoing.measured(path, load_catalogue(catalogue_file(bench)))


def ours(bench: Bench, way: Built, up: Up, one: Outgoing, pace: Pace) -> float:
    """Seconds from the file's first byte to the answer that it is there, as a transaction of its own."""
    manifest = manifest_of("extended-error-data", "bench", [one])
    verdict = CallHomeVerdict(bench=bench.name, lab="")
    verdict.files = [FileReport(one.entry.name, one.entry.size, one.entry.sha256)]
    sending = Sending([one], manifest, Progress.silent(), verdict, time.monotonic())
    with conversation(up, way.path, up.allowed.servers[0], load_tls_policy(bench), way.ca, pace) as made:
        sending.talk(made, pace)
    return verdict.files[0].seconds


def curls(bench: Bench, way: Built, up: Up, one: Outgoing) -> float:
    """The same by curl, to the same place: seconds from its TLS to the answer."""
    manifest = manifest_of("extended-error-data", "bench", [one])
    server = up.allowed.servers[0]
    with conversation(up, way.path, server, load_tls_policy(bench), way.ca, Pace(0.0)) as made:
        made.ask(wire.opening(manifest), wire.Held)
    request = wire.part(manifest, one.entry, 0)
    headers = [word for name, value in request.headers.items() for word in ("--header", f"{name}: {value}")]
    command = [
        "curl", "--silent", "--fail", "--output", "/dev/null", "--cacert", way.ca, "--upload-file", str(one.path),
        "--write-out", "%{time_total} %{time_pretransfer}", "--header", "Expect:", *headers,
    ]  # fmt: skip
    with up.namespace.entered():
        done = subprocess.run(
            [*command, f"https://{server}{request.target}"], capture_output=True, text=True, timeout=300, check=True
        )
    total, before = map(float, done.stdout.split())
    return total - before


def over_the_line() -> Figure:
    bench = slow()
    with Owner() as owner:
        way = build(bench, LIG, owner, Progress.silent())
        told = Verdict("", "")
        up = way.path.open(told)
        octets = told.connect.rate / BITS_A_BYTE
        pace, one = Pace(octets), dump(owner.folder, LINE_OCTETS, bench)
        pairs = [(ours(bench, way, up, one, pace), curls(bench, way, up, one)) for _ in range(LINE_RUNS)]
        limit = could_be(octets, up.mtu, pace)
    mine, theirs = [LINE_OCTETS / pair[0] for pair in pairs], [pair[0] / pair[1] for pair in pairs]
    of_limit, of_curl = sorted(mine)[LINE_RUNS // 2] / limit, sorted(theirs)[LINE_RUNS // 2]
    return Figure(
        f"{LINE_OCTETS // 1000} kB sent at 33,600 bit/s", spread(mine, "B/s"),
        f"computed: {limit:,.0f} B/s, {of_limit:.3f} of it; {of_curl:.3f} times as long as curl",
        f"at least {LINE_TARGET} of it, at most {LINE_PEER} times curl",
        of_limit >= LINE_TARGET and of_curl <= LINE_PEER,
    )  # fmt: skip


def over_ethernet() -> Figure:
    bench = load("internet")
    with Owner() as owner:
        way = build(bench, (), owner, Progress.silent())
        up = way.path.open(Verdict("", ""))
        one = dump(owner.folder, DUMP_OCTETS, bench)
        ours(bench, way, up, one, Pace(0.0))  # both find it in memory then
        pairs = [(ours(bench, way, up, one, Pace(0.0)), curls(bench, way, up, one)) for _ in range(DUMP_RUNS)]
    mine, ratios = [DUMP_OCTETS / pair[0] / 1e6 for pair in pairs], [pair[1] / pair[0] for pair in pairs]
    ratio = sorted(ratios)[DUMP_RUNS // 2]
    return Figure(
        "64 MB sent over Ethernet", spread(mine, "MB/s"), f"curl: {ratio:.2f} times its rate",
        f"at least {DUMP_TARGET}", ratio >= DUMP_TARGET,
    )  # fmt: skip


def memory() -> Figure:
    """Of a process that sends, and has loaded all that this takes."""
    peaks = []
    for octets in (1_000_000, DUMP_OCTETS, 4 * DUMP_OCTETS):
        command = [sys.executable, "-m", "benchmarks.send", str(octets)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=True)
        peaks.append(float(done.stdout))
    grown = peaks[-1] - peaks[0]
    return Figure(
        "memory at its peak, 1, 64 and 256 MB sent", ", ".join(f"{each:.0f}" for each in peaks) + " MB",
        f"{grown:+.1f} MB", f"flat, under {MEMORY_TARGET} MB", max(peaks) < MEMORY_TARGET and grown < 2,
    )  # fmt: skip


def measure() -> list[Figure]:
    return [over_the_line(), over_ethernet(), memory()]


if __name__ == "__main__":
    send.run(load("internet"), SendPlan("problem", sizes={NAME: int(sys.argv[1])}), Progress.silent())
    print(peak())
