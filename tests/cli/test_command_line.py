"""``rig`` as a person types it, on whatever machine this is: exit statuses, sentences, and the way into the lab."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import signal
import struct
import subprocess
import sys
import termios
import time
from pathlib import Path

import pytest

from rig.lab import engines
from rig.lab.uml import UmlLab

RIG = [sys.executable, "-m", "rig"]
BOUND = 60.0


def rig(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*RIG, *arguments],
        capture_output=True,
        text=True,
        timeout=BOUND,
        env={**os.environ, **environment},
        check=False,
    )


needs_uml = pytest.mark.skipif(bool(UmlLab().missing()), reason=f"no lab here: {UmlLab().missing()}")


def test_help_has_an_example() -> None:
    assert "Example: rig dial --number" in rig("dial", "--help").stdout


def test_the_shell_completes_commands_and_benches() -> None:
    script = ["-c", "import sys; sys.argv = ['rig']; from rig.__main__ import main; main()"]
    for words, wanted in (("rig do", "plain,doctor"), ("rig dial --bench i5", "plain,i5os")):
        environment = {"_RIG_COMPLETE": "bash_complete", "COMP_WORDS": words, "COMP_CWORD": str(words.count(" "))}
        done = subprocess.run(
            [sys.executable, *script], env=os.environ | environment, capture_output=True, text=True, check=False
        )
        assert wanted in done.stdout.splitlines(), done.stderr


def test_interrupted_while_it_still_starts_it_says_so_and_shows_no_traceback(tmp_path: Path) -> None:
    """Ctrl-C in the second that the imports take, by a module that is interrupted as it is imported."""
    (tmp_path / "click.py").write_text("raise KeyboardInterrupt\n")
    result = rig("dial", "--number", "1", PYTHONPATH=str(tmp_path))
    assert (result.returncode, result.stderr) == (130, "rig: interrupted; nothing was begun\n")


def test_wrong_option_is_2() -> None:
    assert rig("dial", "--nubmer", "1").returncode == 2


def test_number_that_is_none_is_2_and_says_what_one_is() -> None:
    result = rig("dial", "--number", "home", "--bench", "loopback")
    assert result.returncode == 2
    assert "'home' is not a number to dial" in result.stderr


@pytest.mark.parametrize("words", ["dial --number 1 800 555 0100", "connect --bench internet 800 555 0100"])
def test_a_word_too_many_is_2_and_no_command_to_run(words: str) -> None:
    """A number without quotes: 1 was dialled, and a program called 800 was looked for."""
    done = rig(*words.split())
    assert done.returncode == 2
    assert "nothing takes “800 555 0100”: a number with spaces wants quotes" in done.stderr


def test_bench_with_a_wrong_key_is_2_and_names_file_and_key(tmp_path: Path) -> None:
    file = tmp_path / "b.toml"
    file.write_text("[near-end]\nacount = 'x'\n")
    result = rig("dial", "--number", "1", "--bench", str(file))
    assert result.returncode == 2
    assert f"{file}: unknown key 'near-end.acount'; did you mean 'account'?" in result.stderr


def test_probes_through_a_proxy_are_2_and_what_checks_one_is_named() -> None:
    result = rig("fence", "check", "--bench", "proxy")
    assert result.returncode == 2
    assert "a proxy passes no packet on" in result.stderr
    assert "rig connect --bench proxy" in result.stderr


def test_no_modem_is_3_and_never_emulation() -> None:
    """Catches a silent fall back to the emulated bench."""
    result = rig("dial", "--number", "1")
    assert result.returncode == 3
    assert "--bench loopback" in result.stderr


def test_error_is_json_too_when_asked_for() -> None:
    result = rig("dial", "--number", "1", "--json")
    assert json.loads(result.stdout)["exit"] == 3


def test_no_ppp_anywhere_is_4_and_names_the_package() -> None:
    result = rig("dial", "--number", "1", "--bench", "loopback", PATH="/nonexistent", RIG_UML="linux.uml")
    if not engines.missing("native"):
        pytest.skip("this machine's own kernel has PPP, so there is no way to have none")
    assert result.returncode == 4
    assert "user-mode-linux" in result.stderr


def test_unknown_engine_is_2() -> None:
    assert rig("lab", "run", "--lab", "vax", "--", "true").returncode == 2


@needs_uml
def test_command_inside_has_its_status_streams_folder_and_environment(tmp_path: Path) -> None:
    script = "import os, sys; print(os.getcwd()); print('err', file=sys.stderr); print(os.environ['X']); sys.exit(7)"
    result = rig("lab", "run", "--lab", "uml", "--", sys.executable, "-c", script, X="a b")
    assert result.returncode == 7
    assert result.stdout == f"{Path.cwd()}\na b\n"
    assert result.stderr == "err\n"


@needs_uml
def test_input_of_any_length_reaches_a_command_inside() -> None:
    """Catches a serial line of the guest that is overrun: it never comes back."""
    data = "".join(f"{number}\n" for number in range(20000))
    command = [*RIG, "lab", "run", "--lab", "uml", "--", "wc", "-c"]
    result = subprocess.run(command, input=data, capture_output=True, text=True, timeout=BOUND, check=False)
    assert result.stdout.strip() == str(len(data))


@needs_uml
def test_files_of_the_host_cannot_be_written_inside_but_the_project_can() -> None:
    mark = Path("results") / "written-inside"
    mark.unlink(missing_ok=True)
    result = rig(
        "lab", "run", "--lab", "uml", "--", "sh", "-c", "mkdir -p results; touch results/written-inside; touch /usr/x"
    )
    assert "Read-only file system" in result.stderr
    assert mark.exists()
    mark.unlink()


@needs_uml
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signals_reach_the_command_inside(number: signal.Signals) -> None:
    script = "import time\nprint('here', flush=True)\nwhile True: time.sleep(0.1)"
    command = [*RIG, "lab", "run", "--lab", "uml", "--", sys.executable, "-c", script]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "here\n"
            process.send_signal(number)
            process.communicate(timeout=BOUND)
        finally:
            process.kill()  # one that did not end would keep its guest up
    assert process.returncode in (1, 128 + number, 130)


@needs_uml
def test_terminal_inside_has_the_outsides_width() -> None:
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 33, 107, 0, 0))
    command = [*RIG, "lab", "run", "--lab", "uml", "--", "stty", "size"]
    process = subprocess.Popen(command, stdin=slave, stdout=slave, stderr=slave, start_new_session=True)
    os.close(slave)
    seen = b""
    end = time.monotonic() + BOUND
    while b"33 107" not in seen and time.monotonic() < end:
        try:
            seen += os.read(master, 4096)
        except OSError:
            break
    assert process.wait(BOUND) == 0
    os.close(master)
    assert b"33 107" in seen


@needs_uml
def test_guest_ends_with_the_one_who_started_it() -> None:
    """Catches a guest left behind by a kill: it would keep memory and a telephone line."""
    command = [*RIG, "lab", "run", "--lab", "uml", "--own", "--", "sh", "-c", "echo here; exec sleep 1000"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    with process.stdout:
        process.stdout.readline()
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    assert children
    process.kill()
    process.wait()
    end = time.monotonic() + 10
    while time.monotonic() < end and any(Path(f"/proc/{child}").exists() for child in children):
        time.sleep(0.05)  # another process's children send no event when they end
    assert not any(Path(f"/proc/{child}").exists() for child in children)


def test_detect_where_there_is_no_modem_is_3_and_says_what_to_do() -> None:
    """On a machine with no serial port, and on one whose ports have nothing on them."""
    result = rig("detect")
    assert result.returncode == 3
    assert "rig detect --" in result.stderr


def test_detect_of_a_port_that_is_none_says_so() -> None:
    result = rig("detect", "--port", "/dev/ttyNONE", "--json")
    assert result.returncode == 3
    assert "there is no such port" in result.stdout
