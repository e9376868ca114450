"""``rig answer``: one inbound call, armed, answered, ended; the rig's representative calls where nobody else does."""

from __future__ import annotations

import contextlib
import os
import secrets
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from rig import lab
from rig.checks.check import not_run
from rig.checks.inbound.promise import promised_by
from rig.checks.inbound.representative import Behind, Promised, Verification
from rig.config.bench import Bench, InboundTable
from rig.config.bench_files import load_destinations
from rig.config.ports import near_port
from rig.config.secret_files import is_made, secret_value
from rig.console import partitions
from rig.console.console import Console
from rig.console.partitions import Partition
from rig.drivers.base.errors import (
    AuthenticationError,
    BusyError,
    CallError,
    CarrierLostError,
    InterfaceGoneError,
    NoAnswerError,
    NoCarrierError,
    NoDialtoneError,
    PortLostError,
    PppError,
    RigError,
)
from rig.drivers.base.interruptions import waiting
from rig.drivers.base.secret import Secret
from rig.drivers.modem.number import Number
from rig.drivers.net.namespace import NetworkNamespace
from rig.jobs.arming import Arming, ArmingError, Step
from rig.jobs.credentials import derive
from rig.jobs.ending import to_its_end
from rig.jobs.faults import happened
from rig.jobs.services import serve_names
from rig.links.answering import AnsweringEnd, NotCalledError
from rig.links.l2tp_call import L2tpCall
from rig.links.making import answering_link, caller_at, lead_to_partition
from rig.links.near_end import NearEnd
from rig.parts.exchange.emulated import EmulatedExchange
from rig.parts.i5os.emulated import EmulatedPartition
from rig.paths.modem_building import begin
from rig.run.capture import Capture
from rig.run.owner import Owner
from rig.run.progress import Progress
from rig.verdict.inbound import InboundCall, InboundVerdict
from rig.verdict.verdict import CheckResult

LISTEN_SECONDS = 60.0
"""How long the answering side may take to be ready for the next call."""
SECOND_CALL_SECONDS = 3


def state_folder() -> Path:
    """Where armings are kept: on this machine's disk; in a lab, whose machine ends with it, in its memory."""
    if folder := os.environ.get("RIG_STATE"):
        return Path(folder)
    return Path("/var/lib/rig") if lab.current() == "native" else Path("/run/rig-state")


@dataclass
class InboundBench:
    """What an inbound call is taken on: exchange, partitions, services that say whose they are; and both ends."""

    bench: Bench
    owner: Owner
    end: AnsweringEnd
    lines: EmulatedExchange | None
    made: list[Partition]

    def with_end(
        self, kind: type[AnsweringEnd], progress: Progress, bench: Bench | None = None, port: str = "", unit: int = 0
    ) -> InboundBench:
        """The same with another answering end, as one that is broken on purpose, one of another [inbound], or one more
        on the same console, at a port of its own."""
        bench = bench or self.bench
        end = _answering_end(kind, bench, self.owner, self.end.near.console, port or self.end.port, progress, unit)
        end.partitions = self.end.partitions
        return replace(self, bench=bench, end=end)

    @property
    def number(self) -> Number:
        """Where the answering end is called."""
        assert self.bench.near_end.number is not None
        return self.bench.near_end.number

    @classmethod
    def built(cls, bench: Bench, owner: Owner, progress: Progress) -> InboundBench:
        """Everything started, nothing armed."""
        lines = EmulatedExchange(bench, owner) if bench.exchange else None
        if lines is not None:
            lines.process.wait_ready()
        console = Console.owned_by(owner, bench.near_end.allow)
        lead_to_partition(owner, bench, console)
        borrows = bench.near_end.remote_modem is not None
        on_exchange = lines is not None and not borrows
        port = lines.near_end() if lines and on_exchange else near_port(bench)
        end = _answering_end(AnsweringEnd, bench, owner, console, port, progress)
        if bench.i5os is not None:
            partition = EmulatedPartition(bench, owner, lines)
            partition.start()
            partition.attach(console.namespace)
        made = partitions.make(owner, end.namespace, end.inbound.partitions)
        end.partitions = tuple(made)
        serve_names(owner, end.namespace, load_destinations(bench).inbound, made)
        return cls(bench, owner, end, lines, made)

    @property
    def promised(self) -> Promised:
        """What the bench says that a caller may reach."""
        table = self.end.inbound
        elsewhere = [address for one in self.made for address in (one.own, one.console)]
        return promised_by(self.bench, table, tuple(elsewhere))

    @property
    def behind(self) -> Behind:
        return Behind(
            self.end.namespace, self.end.role.interface, tuple((one.name, one.namespace) for one in self.made)
        )

    def logs(self) -> dict[str, str]:
        """What its processes wrote."""
        return {file.stem: file.read_text(errors="replace")[-8000:] for file in self.owner.folder.glob("*.log")}

    def representative(self, credentials: Secret, progress: Progress, name: str = "representative") -> NearEnd:
        """Somebody on another line of the exchange, with credentials; its modem is not yet open."""
        assert self.lines is not None
        port = self.lines.install_line(name, "", bus="pty")
        return caller_at(self.owner, self.bench, port, credentials, progress, name, self.end.inbound.auth)


def _answering_end(
    kind: type[AnsweringEnd],
    bench: Bench,
    owner: Owner,
    console: Console,
    port: str,
    progress: Progress,
    unit: int = 0,
) -> AnsweringEnd:
    assert bench.inbound is not None
    link = answering_link(bench, port, console, progress)
    ports = load_destinations(bench).inbound
    end = owner.own(kind(console, link, bench.inbound, bench.near_end.ppp, ports, progress, unit))
    if isinstance(link, L2tpCall):
        link.lost = end.near.lost
    return end


def run(
    bench: Bench, progress: Progress, show: Callable[[Secret, bool], None], capture: Capture | None = None
) -> InboundVerdict:
    """Take one inbound call. ``show`` is told the credentials, once, and whether the arming is new."""
    verdict = InboundVerdict(bench.name, lab.current())
    with to_its_end(verdict, progress, capture, "taking everything down") as owner:
        _Job(bench, owner, progress, verdict, show, capture).run()
    return verdict


class _Job:
    """One arming, from beginning to end."""

    def __init__(
        self,
        bench: Bench,
        owner: Owner,
        progress: Progress,
        verdict: InboundVerdict,
        show: Callable[[Secret, bool], None],
        capture: Capture | None,
    ) -> None:
        assert bench.inbound is not None
        self.bench = bench
        self.table = bench.inbound
        self.owner = owner
        self.progress = progress
        self.verdict = verdict
        self.show = show
        self.capture = capture

    def run(self) -> None:
        with self.progress.step("partitions, services" + (", exchange" if self.bench.exchange else "")):
            stage = InboundBench.built(self.bench, self.owner, self.progress)
        if self.capture is not None:
            begin(self.capture, self.owner, self.bench, stage.end.near, stage.lines)
        self.verdict.port, self.verdict.address = stage.end.port, str(self.table.ppp_address)
        key = secret_value(self.bench, "inbound.key", self.table.key, secrets.token_urlsafe(18))
        # With a key that was made for this run the credentials are, too: there is nothing to find again.
        once = is_made(self.table.key)
        file = (self.owner.folder if once else state_folder() / "inbound") / f"{self.bench.name}.json"
        with Arming.opened(file, str(self.table.ppp_address), self.table.waiting) as (arming, new):
            credentials = credentials_for(self.table, key, arming)
            stage.end.arm(credentials)
            self.show(credentials, new)
            before = stage.end.surroundings()
            with self._representative(stage, credentials) as working:
                take_call(stage.end, arming, self.progress, self.verdict)
                self.verdict.checks.append(as_before(stage.end, before))
                if working is not None:
                    self._second_call(stage, working)
        self.verdict.checks.extend(happened(self.bench, self.owner.folder, self.progress))
        self._judge(arming)

    @contextlib.contextmanager
    def _representative(self, stage: InboundBench, credentials: Secret) -> Iterator[Future[None] | None]:
        """On an emulated bench nobody would call: the rig's own representative does, in a thread."""
        if stage.lines is None:
            yield None
            return
        caller = stage.representative(credentials, Progress.silent())
        with ThreadPoolExecutor(1, "representative") as pool:
            working = pool.submit(self._call, stage, caller)
            working.add_done_callback(lambda done: stage.end.abandon() if done.exception() else None)
            try:
                yield working
            except PortLostError:
                working.result()  # what went wrong over there is why nobody called
                raise

    def _call(self, stage: InboundBench, caller: NearEnd) -> None:
        caller.open()
        try:
            await_listening(stage.end)
            caller.dial(stage.number)
            up = caller.start_ppp()
            with caller.in_session():
                for result in Verification(caller, up, stage.promised, stage.behind).run():
                    self.verdict.checks.append(result)
                    self.progress.note(result.line())
        finally:
            caller.hang_up()

    def _second_call(self, stage: InboundBench, working: Future[None]) -> None:
        """It works once: nobody answers now."""
        with waiting():
            working.result()
        with self.progress.step("a second call"):
            again = stage.representative(stage.end.credentials, Progress.silent(), "again")
            result = second_call(again, stage.number)
        self.verdict.checks.append(result)
        self.progress.note(result.line())

    def _judge(self, arming: Arming) -> None:
        verdict = self.verdict
        verdict.arming = arming.record.state.value
        verdict.judge_by(verdict.checks, "the call was taken, and the arming is used")


def credentials_for(table: InboundTable, key: str, arming: Arming) -> Secret:
    """Whom to let in: derived from the PPP address, or what the bench says of a device that has its own way."""
    if table.account:
        return Secret(table.account, key)
    return derive(key, table.ppp_address, arming.record.serial)


def await_listening(end: AnsweringEnd) -> None:
    """Raises TimeoutError when the answering side would not answer within LISTEN_SECONDS."""
    with waiting():
        if not end.listening.wait(LISTEN_SECONDS):
            raise TimeoutError(f"the answering side was not ready for a call within {LISTEN_SECONDS:g} s")


class Surrounded(Protocol):
    """One end of a call, on a console that is to be the same after it."""

    @property
    def namespace(self) -> NetworkNamespace: ...

    def surroundings(self) -> str:
        """See rig.console.surroundings."""


def as_before(end: Surrounded, before: str) -> CheckResult:
    """The customer's rules, and all routes and addresses, are back as they were before the call."""
    after = end.surroundings()
    changed = set(before.splitlines()) ^ set(after.splitlines())
    observed = f"changed: {'; '.join(sorted(changed)[:4])}" if before != after else "all of it"
    return CheckResult("rules, routes, addresses as before", end.namespace.name, "all of it", observed, before == after)


def second_call(caller: NearEnd, number: Number) -> CheckResult:
    """Dial once more: nobody may answer. Only a call that rang, or found no carrier, has shown that; raises CallError
    for a modem that would not even be set up for it."""
    name = "a second call is not answered"
    caller.open()
    try:
        caller.modem.command(f"ATS7={SECOND_CALL_SECONDS}")
        connection = caller.dial(number)
    except (NoCarrierError, NoAnswerError) as error:
        return CheckResult(name, number, "no carrier", error.result, True)
    except (BusyError, NoDialtoneError) as error:
        return not_run(name, number, f"the call did not get there: {error.result}")
    finally:
        caller.hang_up()
    return CheckResult(name, number, "no carrier", connection.text, False)


def take_call(end: AnsweringEnd, arming: Arming, progress: Progress, verdict: InboundVerdict) -> None:
    """Answer until somebody has got in and is gone again, or nobody may any more.

    Raises NotCalledError when the time is over, ArmingError after too many wrong credentials, and what ended a
    session that somebody had got into but by hanging up.
    """
    while True:
        end.open()
        try:
            if _one_call(end, arming, progress, verdict):
                return
        finally:
            end.hang_up()
        if not arming.armed:
            raise ArmingError("wrong credentials three times: nobody is let in any more", "arm it again: rig answer")


def _one_call(end: AnsweringEnd, arming: Arming, progress: Progress, verdict: InboundVerdict) -> bool:
    """One call; whether somebody got in. What ended it before that is a row of the verdict, and not the end."""
    try:
        with progress.step(f"waiting for a call on {end.port}"):
            end.wait_for_call(arming.seconds_left)
    except NotCalledError:
        arming.step(Step.EXPIRE)
        raise
    rang = time.monotonic()
    arming.step(Step.ANSWER)
    rate, got_in = 0, ""
    try:
        rate = end.answer().rate
        up = end.start_ppp()
        got_in = f"{up.interface} is up: {up.local}, caller {up.peer}, {up.auth}"
    except InterfaceGoneError:
        got_in = "somebody got in, and was gone before the way to the partitions was there"
    except AuthenticationError as error:
        arming.step(Step.WRONG)
        failure: RigError = error
    except (CallError, PppError) as error:
        arming.step(Step.AUTHENTICATED if end.authenticated else Step.GIVEN_UP)
        failure = error
    if not got_in:
        said = failure.result if isinstance(failure, CallError) else failure.outcome
        verdict.calls.append(InboundCall(end.caller, said, rate))
        progress.note(f"{said}: {failure}")
        if end.authenticated:
            raise failure
        return False
    arming.step(Step.AUTHENTICATED)
    verdict.calls.append(InboundCall(end.caller, "CONNECT", rate, time.monotonic() - rang))
    progress.note(got_in)
    _until_the_end(end, progress)
    return True


def _until_the_end(end: AnsweringEnd, progress: Progress) -> None:
    """Until the caller hangs up. Raises what else ended it: time, silence, a lost line."""
    with progress.step("the caller is there"), waiting():
        end.session.wait_end(None)
    failure = end.near.failure()
    if not isinstance(failure, CarrierLostError):
        raise failure
    progress.note(str(failure))
