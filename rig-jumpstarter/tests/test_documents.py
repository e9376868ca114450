"""What the documents say of jumpstarter is so."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from pathlib import Path

import pytest
import yaml
from jumpstarter.config.exporter import ExporterConfigV1Alpha1
from programs import PROGRAMS, RIG, SECONDS, Started, await_port, free_port

DOCUMENT = (Path(__file__).resolve().parents[2] / "docs" / "farm.md").read_text()


def block(kind: str, word: str) -> str:
    (found,) = (text for text in re.findall(rf"```{kind}\n(.*?)```", DOCUMENT, re.DOTALL) if word in text)
    return str(found)


def test_the_documents_exporter_dials_by_the_documents_commands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "bench.yaml").write_text(block("yaml", "ExporterConfig"))
    monkeypatch.setenv("PATH", os.pathsep.join([str(RIG.parent), str(PROGRAMS), os.environ["PATH"]]))
    monkeypatch.setenv("RIG_FARM_STATE", str(tmp_path / "state"))
    address = f"127.0.0.1:{free_port()}"  # for the documents', which may be somebody's
    exporting, asking = block("sh", "jmp shell").replace("127.0.0.1:2219", address).splitlines()
    exporting = exporting.replace("bench.yaml", str(tmp_path / "bench.yaml"))
    exporter = Started(tmp_path / "exporter.log", *shlex.split(exporting))  # from where the lab sees the rig
    try:
        await_port(address)
        ran = subprocess.run(
            shlex.split(asking), cwd=tmp_path, text=True, timeout=2 * SECONDS, check=False,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
    finally:
        exporter.end()
    assert ran.returncode == 0, ran.stdout
    assert "OK: " in ran.stdout
    assert (tmp_path / "results" / "called" / "report.html").exists()


def test_every_key_that_is_told_of_is_the_drivers() -> None:
    told = yaml.safe_load(block("yaml", "ExporterConfig"))
    told["export"]["courier"]["config"] |= {"rig": "rig", "partner": "lig --bench loopback-instant"}
    courier = ExporterConfigV1Alpha1.model_validate(told).export["courier"].instantiate()
    assert (courier.bench, courier.rig) == ("loopback-instant", "rig")


def test_jumpstarter_finds_the_driver_by_its_name() -> None:
    listed = subprocess.run(
        [PROGRAMS / "jmp", "driver", "list"], text=True, capture_output=True, check=True, timeout=SECONDS
    )
    assert "RigBench" in listed.stdout, listed.stdout + listed.stderr
