"""A folder that belongs to a process as long as that lives."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import signal
from multiprocessing.synchronize import Event
from pathlib import Path

import pytest

from rig.lab import held_folder


def hold(parent: Path, made: Event) -> None:
    held_folder.make(parent, "held")
    made.set()
    signal.pause()


def test_it_is_its_makers_until_that_dies(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    made = context.Event()
    maker = context.Process(target=hold, args=(tmp_path, made))
    maker.start()
    assert made.wait(10)
    assert not held_folder.abandoned(tmp_path / "held")
    maker.kill()
    maker.join()
    assert held_folder.abandoned(tmp_path / "held")


def clear_for_ever(parent: Path) -> None:
    while True:
        for folder in parent.iterdir():
            if held_folder.abandoned(folder):
                shutil.rmtree(folder, ignore_errors=True)


def test_one_that_is_just_being_made_is_not_cleared(tmp_path: Path) -> None:
    """Catches the moment between a folder and its lock, in which another run takes it for left over."""
    clearing = multiprocessing.get_context("fork").Process(target=clear_for_ever, args=(tmp_path,))
    clearing.start()
    try:
        for number in range(500):
            folder, lock = held_folder.make(tmp_path, str(number))
            assert (folder / held_folder.LOCK).exists()
            shutil.rmtree(folder, ignore_errors=True)
            os.close(lock)
    finally:
        clearing.kill()
        clearing.join()


def test_a_beginning_that_was_left_is_cleared_in_the_end(tmp_path: Path) -> None:
    left = tmp_path / f"{held_folder.BEGINNING}x"
    left.mkdir()
    assert not held_folder.abandoned(left)
    os.utime(left, (0, 0))
    assert held_folder.abandoned(left)


def test_a_name_that_is_taken_is_an_error(tmp_path: Path) -> None:
    _, lock = held_folder.make(tmp_path, "one")
    with pytest.raises(OSError, match="not empty"):
        held_folder.make(tmp_path, "one")
    os.close(lock)
