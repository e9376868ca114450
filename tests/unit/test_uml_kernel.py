"""Which kernel the lab is: the one asked for, the one that was built, Debian's, or none."""

from __future__ import annotations

from pathlib import Path

import pytest

from rig.lab import uml_kernel


@pytest.fixture
def debians(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine on which there is no kernel but Debian's."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv(uml_kernel.CHOSEN, raising=False)
    program(tmp_path / "linux.uml")


def program(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return path


@pytest.mark.usefixtures("debians")
def test_debians_is_taken_with_its_modules_where_no_other_is() -> None:
    found = uml_kernel.find()
    assert found == uml_kernel.UmlKernel("linux.uml", modules="/usr/lib/uml/modules")


@pytest.mark.usefixtures("debians")
def test_one_that_was_built_comes_first_and_needs_no_mend() -> None:
    own = program(uml_kernel.built())
    found = uml_kernel.find()
    assert found is not None
    assert (found.program, found.words, found.modules) == (str(own), ("seccomp=auto",), "")
    assert found.any_processor


@pytest.mark.usefixtures("debians")
def test_another_is_asked_for_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    program(uml_kernel.built())
    monkeypatch.setenv(uml_kernel.CHOSEN, "linux.uml")
    found = uml_kernel.find()
    assert found is not None
    assert found.program == "linux.uml"


@pytest.mark.usefixtures("debians")
def test_where_the_one_asked_for_is_not_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(uml_kernel.CHOSEN, "/nowhere/linux")
    assert uml_kernel.find() is None


def test_another_configuration_is_another_kernel(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Catches one that stays after what it is made of has changed."""
    before = uml_kernel.built()
    monkeypatch.setattr(uml_kernel, "CONFIGURATION", tmp_path / "kernel.config")
    (tmp_path / "kernel.config").write_text("CONFIG_PPP=y\n")
    assert uml_kernel.built() != before
