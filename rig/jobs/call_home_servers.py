"""What the checks of ``rig consoles`` hold call-home servers to (§5.4.2): each request is carried out once, or its
failure is said; work is spread; one that dies is nobody's loss, and is not waited for."""

from __future__ import annotations

import functools
import itertools
import os
import signal
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from rig.callhome.transaction import Manifest
from rig.checks.check import not_run
from rig.config.bench import Bench
from rig.console.console import Console
from rig.jobs.calling_home_for_others import ByModem
from rig.jobs.handing_in import HandingIn
from rig.jobs.sending import at_the_centre
from rig.parts.consoles.brokering import SILENCE_SECONDS
from rig.parts.consoles.emulated import EmulatedConsole
from rig.parts.consoles.handing_on import WayHome
from rig.parts.rack import FarEnd
from rig.run.control import ControlError
from rig.run.owner import Owner
from rig.verdict.callhome import counted
from rig.verdict.verdict import CheckResult

A_CALL_SECONDS = 60.0
"""For one call and what it carries, on a busy machine."""
LARGE = 4_000_000
"""Bytes, so that a request is not over before one looks."""


class CallHomeServers:
    """The gateway and the exchange of a bench, and requests that its consoles hand in."""

    def __init__(self, bench: Bench, owner: Owner) -> None:
        self.bench = bench
        self.far = FarEnd(bench, owner)
        self.requests = HandingIn(bench, owner)
        self._lines = itertools.count()

    def way(self, console: Console) -> Callable[[], WayHome]:
        """The making of one, by a modem on a new line."""
        number = self.bench.gateway_number
        assert number is not None
        port = self.far.install_line(f"server-{next(self._lines)}", "")
        return functools.partial(ByModem, self.bench, console, port, self.far.secret, number, str(self.far.ca))

    # --- the checks ----------------------------------------------------------------------------------------------

    def checks(self, ends: Mapping[str, EmulatedConsole], again: Callable[[str], None]) -> Iterator[CheckResult]:
        """``ends``: all consoles, by name, those that call home among them; ``again`` starts one anew."""
        asking = [one for one in ends.values() if one.way is None]
        found = {one.plan.name: self._found_by(one, ends) for one in asking}
        yield from self.carried(asking, [name for name in ends if any(name in names for names in found.values())])
        console = max(asking, key=lambda one: len(found[one.plan.name]))
        serving = found[console.plan.name]
        yield from self.one_dies(console, serving, ends)
        for name in serving:
            again(name)
        yield self.all_die(console, serving, ends)

    def _found_by(self, console: EmulatedConsole, ends: Mapping[str, EmulatedConsole]) -> list[str]:
        """The call-home servers that a console has found."""
        try:
            known = console.control.ask("found")["known"]
        except ControlError:  # it has died
            return []
        return [name for name, one in ends.items() if one.way is not None and name in known]

    def carried(self, asking: list[EmulatedConsole], serving: list[str]) -> Iterator[CheckResult]:
        """A request for each reason, in turn by each console that has no modem, at once; by whom they were done."""
        turns = zip(self.requests.catalogue.reasons, itertools.cycle(asking), strict=False)
        handed_in = [(console, self.requests.hand_in(console, reason)) for reason, console in turns]
        by: Counter[str] = Counter()
        for console in asking:
            own = [manifest for who, manifest in handed_in if who is console]
            for manifest, became in self._became(console, own, SILENCE_SECONDS + len(own) * A_CALL_SECONDS):
                by.update([became["server"]] if became and not became["why"] else [])
                yield self._result("called home for", f"{console.plan.name}: {manifest.reason}", manifest, became)
        said = ", ".join(f"{name} {by[name]}" for name in serving)
        yield CheckResult("work is spread", counted(len(handed_in), "request"), "each has some", said, all(
            by[name] for name in serving
        ))  # fmt: skip

    def one_dies(
        self, console: EmulatedConsole, serving: list[str], ends: Mapping[str, EmulatedConsole]
    ) -> Iterator[CheckResult]:
        """While it carries a request, as by a power cut: another goes on with it."""
        name = "goes on where one died"
        if len(serving) < 2:
            yield not_run(name, console.plan.name, "it has found no two call-home servers")
            return
        handed_in = [self.requests.hand_in(console, "extended-error-data") for _ in serving]
        dying = ends[serving[0]]
        try:
            carrying = dying.control.ask("carries", least=1)["carrying"]
            os.kill(dying.process.pid, signal.SIGKILL)
        except ControlError as error:
            yield CheckResult(name, serving[0], "it carries a request", str(error), held=False)
            return
        if not carrying:
            yield CheckResult(name, serving[0], "it carries a request", "it has none", held=False)
        for manifest, became in self._became(console, handed_in, SILENCE_SECONDS + len(handed_in) * A_CALL_SECONDS):
            yield self._result(name, manifest.reason, manifest, became)

    def all_die(self, console: EmulatedConsole, serving: list[str], ends: Mapping[str, EmulatedConsole]) -> CheckResult:
        """While each has something to carry: its failure is said, with what each has come to, and soon."""
        name, expected = "says that it failed", f"within {SILENCE_SECONDS:g} s, of each"
        if not serving:
            return not_run(name, console.plan.name, "it has found no call-home server")
        sizes = {"sys.eed": LARGE}
        handed_in = [self.requests.hand_in(console, "extended-error-data", sizes) for _ in serving]
        target = counted(len(handed_in), "request")
        try:
            if not all(ends[one].control.ask("carries", least=1)["carrying"] for one in serving):
                return CheckResult(name, target, "each carries one", "one has none", held=False)
        except ControlError as error:
            return CheckResult(name, target, "each carries one", str(error), held=False)
        for one in serving:
            os.kill(ends[one].process.pid, signal.SIGKILL)
        said = [became["why"] if became else "" for _, became in self._became(console, handed_in, SILENCE_SECONDS)]
        held = all(f"{one}: " in why for one in serving for why in said)
        observed = said[0] if held else "; ".join(why or "nothing was said, or it was done" for why in said)
        return CheckResult(name, target, expected, observed, held)

    def _became(
        self, console: EmulatedConsole, wanted: list[Manifest], seconds: float
    ) -> list[tuple[Manifest, dict[str, Any] | None]]:
        try:
            found = self.requests.over(console, wanted, seconds)
        except ControlError:  # it has died
            found = {}
        return [(manifest, found.get(manifest.id)) for manifest in wanted]

    def _result(self, name: str, target: str, manifest: Manifest, became: dict[str, Any] | None) -> CheckResult:
        """One request: done, and at the service centre whole, once."""
        expected = "whole, once"
        if became is None or became["why"]:
            said = f"it failed: {became['why']}" if became else "it is not over"
            return CheckResult(name, target, expected, said, held=False)
        there = list(at_the_centre(manifest, self.far.hosts.ask("transactions"), None))
        wrong = [check.line() for check in there if not check.held]
        said = "; ".join(wrong) or f"{counted(len(manifest.files), 'file')} by {became['server']}"
        return CheckResult(name, target, expected, f"{said}, after {became['seconds']:.1f} s", not wrong)
