"""The rig on a machine as people have it. In this order: what one test installs, the next ones have."""

from __future__ import annotations

import re

import pytest

from tests.machines.machine import Machine
from tests.readme import shell_block

NUMBER = "1-800-555-0100"
FAR_END = """
extends = "usb"
[near-end]
secret = {file = "/root/secret"}
"""
"""A USB modem on an emulated line, at whose other end the gateway answers: for whoever dials from this machine."""
CELLULAR = "telit-he910"
BENCH = """
description = "a modem on a USB port of this machine"
fence = "hmc-2007"
[near-end]
account = "HMCACCT"
user-id = "HMC0001"
secret = {file = "/root/secret"}
[near-end.modem]
vendor = "0572"
[near-end.ppp]
timeout = 60
[expect]
name = "service.hmc.example"
name-address = "129.42.160.48"
unauthorized-host = "129.42.160.51"
"""
RULES = "cp hw-config/udev/70-rig.rules /etc/udev/rules.d/ && udevadm control --reload && udevadm trigger --settle"

pytestmark = pytest.mark.timeout(7200)


def far_end_up(machine: Machine) -> str:
    """Start it; the port at which its modem is."""
    machine.run("systemctl reset-failed far-end; systemctl stop far-end")
    machine.run(
        "systemd-run --collect --unit far-end --working-directory /opt/rig -E PYTHONUNBUFFERED=1 "
        ".venv/bin/rig partner lig --bench /root/far-end.toml"
    ).check()
    log = "journalctl -o cat _SYSTEMD_INVOCATION_ID=$(systemctl show --property InvocationID --value far-end)"
    waited = machine.run(
        f"timeout 250 sh -c 'until {log} | grep -q ready:; do systemctl is-active far-end || exit 1; sleep 1; done' "
        f">/dev/null; {log}"
    )
    ready = re.search(r"your device's modem is (\S+);", waited.text)
    assert ready is not None, waited.text
    return ready[1]


def examined(machine: Machine) -> str:
    """What the doctor says, as one line: its table is as wide as the terminal."""
    return " ".join(machine.run(".venv/bin/rig doctor --bench loopback").text.split())


def test_its_services_run(machine: Machine) -> None:
    for unit in ("systemd-udevd", "ModemManager", "NetworkManager", "dbus"):
        assert machine.run(f"systemctl is-active {unit}").text == "active"


def test_doctor_finds_all_that_the_native_engine_needs(machine: Machine) -> None:
    doctor = machine.run(".venv/bin/rig doctor --bench loopback").check()
    assert "can run, in: native" in doctor


def test_doctor_says_what_modem_manager_does_here(machine: Machine) -> None:
    assert re.search(r"\d running: it takes cellular modems' ports, .* and leaves others alone", examined(machine))
    machine.run(RULES).check()
    assert "the rig's udev rules keep it off wired modems" in examined(machine)
    machine.run("rm /etc/udev/rules.d/70-rig.rules && udevadm control --reload && udevadm trigger --settle").check()


def test_an_emulated_bench_dials_on_its_own_kernel(machine: Machine) -> None:
    machine.run("systemctl stop ModemManager")
    said = machine.run(f".venv/bin/rig dial --number {NUMBER} --bench loopback-instant --lab native").check()
    assert "OK: 15 checks held" in said
    machine.run("systemctl start ModemManager").check()


def test_a_wired_modem_is_left_alone_by_modem_manager_without_any_rule(machine: Machine) -> None:
    machine.run("install -m 600 /dev/null /root/secret && echo -n of-the-bench > /root/secret").check()
    machine.write("/root/far-end.toml", FAR_END)
    machine.write("/root/bench.toml", BENCH)
    far_end_up(machine)
    said = machine.run(f".venv/bin/rig dial --number {NUMBER} --bench /root/bench.toml --lab native").check()
    assert re.search(r"OK: \d+ checks held", said)


def test_a_cellular_modems_port_that_modem_manager_has_is_told_with_what_keeps_it_off(machine: Machine) -> None:
    machine.write("/root/far-end.toml", f'{FAR_END}[near-end.modem]\nprofile = "{CELLULAR}"\n')
    far_end_up(machine)
    held = machine.run("timeout 120 sh -c 'until .venv/bin/rig detect | grep ModemManager; do :; done'")
    assert held.status == 0, (
        f"ModemManager has not taken it: {machine.run('mmcli -L; journalctl -u ModemManager').text}"
    )
    assert "70-rig.rules" in held.text
    machine.write("/root/far-end.toml", FAR_END)


def test_the_readmes_lines_find_a_usb_modem_and_dial_at_once(machine: Machine) -> None:
    lines = shell_block("70-rig.rules")
    machine.run("cp /root/bench.toml my-bench.toml; ln -sf /opt/rig/.venv/bin/rig /usr/local/bin/rig").check()
    for line in lines[:2]:
        machine.run(line).check()
    far_end_up(machine)
    found, doctor, dialled = (machine.run(line).check() for line in lines[2:])
    assert "ttyACM" in found
    assert "can run, with the modem at /dev/ttyACM" in doctor
    assert re.search(r"OK: \d+ checks held", dialled)
    assert machine.run("ls -l /dev/modem/by-path/").status == 0
    assert "No modems were found" in machine.run("mmcli -L").text


def test_network_manager_and_the_machines_own_routes_are_left_alone(machine: Machine) -> None:
    look = "nmcli -t -f DEVICE,STATE device; ip route; cat /etc/resolv.conf; ls /etc/ppp"
    before = machine.run(look).text
    during = machine.run(
        f".venv/bin/rig dial --number {NUMBER} --bench /root/bench.toml --lab native -- "
        f"nsenter -t 1 -n -m sh -c '{look}'"
    )
    assert during.status == 0, during.text
    assert "ppp0:" not in machine.run("nmcli -t -f DEVICE,STATE device").text
    assert machine.run(look).text == before


@pytest.mark.parametrize("variant", ["nft", "legacy"])
def test_the_fence_holds_with_either_iptables(machine: Machine, variant: str) -> None:
    machine.run(f"update-alternatives --set iptables /usr/sbin/iptables-{variant}").check()
    machine.run(f"update-alternatives --set ip6tables /usr/sbin/ip6tables-{variant}").check()
    said = machine.run(f".venv/bin/rig fence check --number {NUMBER} --bench loopback-instant --lab native").check()
    assert "OK" in said
    machine.run("update-alternatives --auto iptables; update-alternatives --auto ip6tables")


def test_the_systems_queueing_discipline_is_systemds(machine: Machine) -> None:
    """What the fence's probes and the floods went through above."""
    assert machine.run("sysctl -n net.core.default_qdisc").text == "fq_codel"


def test_an_ordinary_user_of_the_right_group_finds_and_talks_to_a_modem(machine: Machine) -> None:
    machine.run("id bench || useradd --create-home --groups dialout bench").check()
    far_end_up(machine)
    found = machine.run("su bench -c '.venv/bin/rig detect'").check()
    assert "ttyACM" in found


def test_an_ordinary_user_is_told_what_dialling_needs(machine: Machine) -> None:
    said = machine.run(f"su bench -c '.venv/bin/rig dial --number {NUMBER} --bench loopback-instant --lab native'")
    assert said.status == 4
    assert "root" in said.text


def test_the_conformance_tests_hold(machine: Machine) -> None:
    said = machine.run(".venv/bin/rig check --bench loopback-instant --lab native", seconds=1800).check()
    assert "passed" in said


def test_the_unit_tests_hold(machine: Machine) -> None:
    machine.run("ip link add net0 type dummy && ip address add 192.0.2.1/24 dev net0 && ip link set net0 up").check()
    said = machine.run(".venv/bin/pytest -q tests/unit", seconds=3600).check()  # with a network, which ser2net asks for
    machine.run("ip link delete net0").check()
    assert "passed" in said


def test_nothing_is_left_behind(machine: Machine) -> None:
    machine.run("systemctl stop far-end")
    assert machine.run("ip netns list").text == ""
    assert machine.run("pgrep -a 'pppd|dnsmasq'").text == ""
    assert machine.run("ls /sys/kernel/config/usb_gadget").text == ""
