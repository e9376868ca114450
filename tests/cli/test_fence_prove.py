"""``rig fence prove``: somebody's rules, from a file."""

from __future__ import annotations

import json
from ipaddress import IPv4Address
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from drivers.base.errors import UsageError
from rig.cli.fence import fence
from rig.config.bench_files import load, load_destinations
from rig.config.fenced_side import FencedSide
from rig.parts.fence_rules import BASE_RULES, session_rules

SESSION = "198.51.100.17@ppp0"


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    """The sound gateway's."""
    file = tmp_path / "gateway.rules"
    side = FencedSide("ppp0", IPv4Address("198.51.100.17"))
    file.write_text(BASE_RULES + session_rules(load_destinations(load("loopback")), side))
    return file


def prove(*words: str) -> Result:
    return CliRunner().invoke(fence, ["prove", *words], standalone_mode=False)


def test_the_sound_gateways_rules_are_proven(rules: Path) -> None:
    done = prove(str(rules), "--session", SESSION)
    assert done.return_value == 0
    assert f"{rules}: proven: 21 rules, 12 ways that are declared pass, and no other header does\n" == done.output


def test_what_passes_and_should_not_is_told_with_its_rule_and_what_is_new_in_it(rules: Path, tmp_path: Path) -> None:
    other = tmp_path / "today.rules"
    other.write_text(rules.read_text().replace("207.25.252.204/32", "207.25.252.204/31"))
    done = prove(str(other), "--session", SESSION, "--against", str(rules))
    assert done.return_value == 1
    assert "- filter from-ppp0: -A from-ppp0 -d 207.25.252.204/32 " in done.output
    assert "+ filter from-ppp0: -A from-ppp0 -d 207.25.252.204/31 " in done.output
    assert "passes: TCP from 198.51.100.17:61500 to 207.25.252.205:443, SYN, ppp0 to " in done.output


def test_a_prefix_that_holds_nobody_else_is_no_mistake(rules: Path) -> None:
    """Both addresses of 129.42.160.48/31 are authorized."""
    rules.write_text(rules.read_text().replace("129.42.160.48/32", "129.42.160.48/31"))
    assert prove(str(rules), "--session", SESSION).return_value == 0


def test_its_json_has_each_counter_example(rules: Path) -> None:
    rules.write_text(rules.read_text().replace("207.25.252.204/32", "207.25.252.204/31"))
    said = json.loads(prove(str(rules), "--session", SESSION, "--json").output)
    assert (said["holds"], said["rules"], said["callers"]) == (False, 21, 1)
    [one] = said["counterexamples"]
    assert one["leaks"]
    assert "207.25.252.205" in one["header"]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("-A FORWARD -m geoip --src-cc A1 -j DROP", "the match --src-cc is not known"),
        ("-A FORWARD -j TARPIT", "TARPIT"),
    ],
)
def test_what_is_not_understood_is_refused_with_its_line(rules: Path, line: str, said: str) -> None:
    rules.write_text(rules.read_text().replace("-A INPUT -i ppp+ -j DROP", line))
    done = prove(str(rules), "--session", SESSION)
    assert isinstance(done.exception, UsageError)
    assert f"{rules}, line 7: " in str(done.exception)
    assert said in str(done.exception)


def test_who_was_there_has_to_be_said(rules: Path) -> None:
    assert isinstance(prove(str(rules)).exception, click.MissingParameter)
    assert "--session" in str(prove(str(rules), "--session", "nobody").exception)


def test_a_file_that_is_none_of_rules_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "picture"
    file.write_bytes(bytes(range(128, 256)))
    assert isinstance(prove(str(file), "--session", SESSION).exception, UsageError)
