"""Modem profiles: every one shipped is right, and one that is wrong is named by file and key."""

from __future__ import annotations

from pathlib import Path

import pytest

from rig.config import profiles
from rig.config.profiles import FOLDER, named, recognise
from rig.drivers.base.errors import ConfigError, UsageError
from rig.drivers.modem.identity import Identity
from rig.drivers.modem.profile import load

GOOD = 'title = "T"\nsource = ["a manual"]\nrests-on = "manual"\nkind = "pstn"\n'


def test_every_profile_shipped_has_a_source_and_says_what_it_rests_on() -> None:
    found = profiles.all_profiles()
    assert len(found) >= 15
    assert all(known.source and known.rests_on for known in found)


def test_the_modems_of_the_papers_users_have_profiles() -> None:
    names = {known.name for known in profiles.all_profiles()}
    assert names >= {
        "ibm-7852-400", "multitech-mt5600ba", "multitech-mt9234zba", "multitech-mt9234zba-usb", "usrobotics-courier",
        "usrobotics-usr5637", "conexant-cx93010", "zoom-3095", "startech-usb56kemh2", "huawei-e173", "sierra-mc7455",
        "telit-he910", "quectel-ec25", "simcom-sim7600", "hayes-smartmodem", "null-modem", "generic",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (GOOD + "[match]\nusb = ['0BAF:0303']", r"'match\.usb': it takes four hexadecimal digits"),
        (GOOD + "[match]\ntext = ['(']", r"'match\.text': '\(' is no regular expression"),
        (GOOD + "[commands]\ninit = ['&F']", "'commands': a command line begins with AT: '&F'"),
        (GOOD + "[port]\ninterface = 2\nuntouched = [2]", r"'port\.interface': .* not to be touched"),
        (GOOD + "[port]\ninterfaces = 2", r"unknown key 'port\.interfaces'; did you mean 'interface'"),
        (GOOD + "extends = 'nothing'", "'extends': there is no nothing.toml"),
        (GOOD.replace("pstn", "modem"), "'kind': it takes 'pstn' or"),
        (GOOD.replace('["a manual"]', "[]"), "'source': it takes at least one"),
        (GOOD + "name = 'x'", "unknown key 'name'"),
        ("title = 'T'", "key 'source' is missing"),
        ("title = ", "not TOML"),
    ],
)
def test_a_profile_that_is_wrong_is_named_by_file_and_key(tmp_path: Path, text: str, says: str) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(text)
    with pytest.raises(ConfigError, match=says) as error:
        load(file)
    assert str(file) in str(error.value)


def test_one_that_extends_another_keeps_what_it_does_not_say(tmp_path: Path) -> None:
    (tmp_path / "base.toml").write_text(GOOD + "[dialect]\ncaller-id = 'AT#CID=1'\n[match]\ntext = ['base']\n")
    (tmp_path / "mine.toml").write_text("extends = 'base'\ntitle = 'Mine'\n[dialect]\nspeaker-off = 'ATM0'\n")
    mine = load(tmp_path / "mine.toml")
    assert (mine.dialect.caller_id, mine.dialect.speaker_off) == ("AT#CID=1", "ATM0")
    assert mine.match.text == ()


def test_what_a_modem_says_counts_before_the_id_that_its_chip_has() -> None:
    said = Identity(model="MT9234ZBA")
    assert recognise(said, "0572", "1329").name == "multitech-mt9234zba"
    assert recognise(Identity(model="no known text"), "0572", "1329").name == "conexant-cx93010"
    assert recognise(Identity(model="no known text")).name == "generic"


def test_a_name_that_is_no_profile_lists_those_there_are() -> None:
    with pytest.raises(UsageError) as error:
        named("usr5637")
    assert "usrobotics-usr5637" in error.value.advice


def test_every_file_of_the_folder_is_read() -> None:
    assert {known.name for known in profiles.all_profiles()} == {path.stem for path in FOLDER.iterdir()}
