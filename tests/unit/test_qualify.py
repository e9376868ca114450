"""The report card: curves of calls over lines that are impaired more and more, and the limits that they show."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from rig.cli.main import rig
from rig.config.bench_files import load
from rig.drivers.base.errors import UsageError
from rig.drivers.base.typed_json import from_json
from rig.drivers.sound.impairments import Impairments
from rig.jobs import qualify
from rig.jobs.qualify import SWEEPS, Sweep
from rig.parts.exchange.analogue.asked import impaired
from rig.report import qualification
from rig.run.progress import Progress
from rig.verdict.qualification import Curve, QualifyCall, QualifyVerdict, point


def called(strength: float, rate: int = 2400, whole: float = 1.0) -> QualifyCall:
    return QualifyCall("noise", strength, "CONNECT" if rate else "NO CARRIER", rate, 12.0, whole)


def curve(*calls: list[QualifyCall]) -> Curve:
    return Curve("noise", "dBm0", tuple(point(there) for there in calls))


def test_two_modems_bear_a_quiet_line_and_not_one_as_loud_as_they_are(tmp_path: Path) -> None:
    sweep = Sweep("noise", "dBm0", (-60, -20), lambda it: {"noise": it})
    verdict = qualify.run(load("analogue"), [sweep], 2, Progress.silent())
    quiet, loud = verdict.curves[0].points
    assert (quiet.connected.value, quiet.whole, quiet.rates) == (1.0, 1.0, (2400,))
    assert 9 < quiet.seconds < 20, "of the line's time"
    assert not loud.borne
    assert verdict.curves[0].limit == -60
    page = qualification.write(tmp_path, verdict).read_text()
    assert "noise" in page
    assert page.count("<circle") == 2
    kept = from_json((tmp_path / qualification.CALLS).read_bytes(), QualifyVerdict)
    assert [call.strength for call in kept.calls] == [-60, -60, -20, -20]


def test_a_limit_is_the_last_strength_before_the_first_that_is_not_borne() -> None:
    good, bad = [called(1)] * 10, [called(2, 0)] * 10
    assert curve(good, bad).limit == 1
    assert curve(good, bad, [called(3)] * 10).limit == 1, "what is borne beyond it was luck"
    assert curve(bad).limit is None
    assert "not even 2 dBm0" in curve(bad).line()
    assert "the strongest that was tried" in curve(good).line()


def test_a_line_on_which_characters_are_lost_is_not_borne() -> None:
    assert not point([called(1, whole=0.5)] * 10).borne
    assert not point([called(1)] * 8 + [called(1, 0)] * 2).borne


@pytest.mark.parametrize("sweep", SWEEPS, ids=lambda sweep: sweep.impairment)
def test_every_strength_is_one_that_a_bench_may_have_and_the_first_is_the_weakest(sweep: Sweep) -> None:
    lines = [impaired(Impairments(), sweep.keys(strength)) for strength in sweep.strengths]
    assert len(set(map(repr, lines))) == len(lines)
    assert sorted(sweep.strengths) == list(sweep.strengths)


def test_a_bench_without_sound_and_an_impairment_that_there_is_not_are_refused() -> None:
    with pytest.raises(UsageError, match="bench loopback has no line that can be impaired"):
        qualify.run(load("loopback"), SWEEPS, 1, Progress.silent())
    with pytest.raises(UsageError, match="--only hum") as caught:
        CliRunner().invoke(rig, ["qualify", "--only", "hum"], catch_exceptions=False, standalone_mode=False)
    assert "phase-jitter" in caught.value.advice
