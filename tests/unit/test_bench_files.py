"""Bench files: what is wrong is named by file and key, and what it takes is said."""

from __future__ import annotations

from ipaddress import IPv4Address
from pathlib import Path

import pytest

from rig.config import broken
from rig.config.bench import Bench
from rig.config.bench_files import load, load_destinations, load_fence_file
from rig.config.secret_files import read_secret
from rig.config.shipped import HW_CONFIG
from rig.drivers.base.errors import ConfigError, UsageError
from rig.drivers.ppp.misbehaving.gateways import GATEWAYS
from rig.jobs.partner import gateway_numbers
from rig.parts import fence_mutants as lig_mutants
from rig.parts.router import mutants as router_mutants

LIG = '[lig]\naddress = "198.51.100.1"\npool = "198.51.100.16/28"\nname-servers = []\n'


def write(folder: Path, text: str) -> str:
    file = folder / "mine.toml"
    file.write_text(text)
    return str(file)


INBOUND = "[inbound]\nppp-address = '10.0.0.1'\n"
DEVICE = "[i5os]\ninterface = 'eth9'\naddress = '192.0.2.1/24'\npeers = ['192.0.2.2']\n"
CONSOLES = """[consoles]
[[consoles.console]]
name = 'a'
on = ['lan']
[[consoles.console]]
name = 'b'
on = ['lan']
"""
CONSOLE_DEVICE = "[consoles.device]\nname = 'c'\ninterface = 'eth9'\naddress = '192.0.2.1/24'\n"
NETWORK = "[internet]\nconsole = '192.168.10.2/24'\nrouter = '192.168.10.1'\noutside = '203.0.113.2/30'\n"
PROXY = NETWORK + "[proxy]\naddress = '192.168.11.2/24'\n"
VPN = NETWORK + "[vpn-gateway]\nserver = '129.42.160.16'\n"
CARD = "[near-end.modem]\nemulated = false\n[exchange.sound-card]\n"
BORROWED = "[near-end.remote-modem]\npartition = '192.0.2.1'\ninterface = 'eth8'\n"


@pytest.mark.parametrize("path", sorted((HW_CONFIG / "benches").glob("*.toml")), ids=lambda path: path.stem)
def test_every_shipped_bench_loads(path: Path) -> None:
    assert load(str(path)).name == path.stem


def test_bench_takes_over_what_it_extends_and_changes_what_it_says() -> None:
    slow, instant = load("loopback"), load("loopback-instant")
    assert slow.exchange is not None
    assert instant.exchange is not None
    assert (slow.exchange.rate, instant.exchange.rate) == (33600, "instant")
    assert instant.exchange.numbers == slow.exchange.numbers


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("regoin = 'americas'", "unknown key 'regoin'; did you mean 'region'?"),
        ("[near-end.modem]\nsped = 9600", "unknown key 'near-end.modem.sped'; did you mean 'speed'?"),
        ("[near-end.modem]\nspeed = 'fast'", "key 'near-end.modem.speed': it takes `int`"),
        ("[near-end.modem]\nport = '/dev/ttyUSB0'\nvendor = '0572'", "name the modem one way"),
        ("[near-end.modem]\nemulated = true", "needs the tables [exchange] and [lig]"),
        ("[near-end]\nsecret = 'generated'", "a real gateway does not know a generated secret"),
        ("[near-end]\nsecret = 'hunter2'", "key 'near-end.secret'"),
        ("region = 'mars'", "key 'region': it takes 'americas' or 'non-americas'"),
        ("[lig]\naddress = '300.1.1.1'", "key 'lig.address'"),
        ("[lig]\naddress = '1.1.1.1'", "key 'lig.pool' is missing"),
        (LIG.replace("16/28", "17/28"), "has host bits set"),
        ("[exchange]\nrate = 56", "key 'exchange.rate': it takes 300 to 115200 bit/s"),
        ("[exchange]\nline = 'analogue'", "key 'exchange.rate': modems that make sound take 300, 1200, 2400 bit/s"),
        ("[exchange.impairments]\nnoise = -40", 'they are of a line that carries sound: line = "analogue"'),
        ("[exchange.impairments]\nnoise = 20", "key 'exchange.impairments.noise': it takes `float` <= 3"),
        ("extends = 'analogue'\n[exchange.sound-card]", "a real modem is behind it: name it in near-end.modem"),
        ("extends = 'loopback'\n" + CARD, 'it takes lines that carry sound: line = "analogue"'),
        ("extends = 'analogue'\n" + CARD + "louder-in = 61", "key 'exchange.sound-card.louder-in': it takes -60 to 60"),
        ("extends = 'i5os'\n" + CARD, "key 'exchange.sound-card'"),
        ("extends = 'analogue'\n[near-end.modem]\nemulated = false", "key 'exchange': a real modem is not on it"),
        ("[exchange.impairments]\nhits = 3", "unknown key 'exchange.impairments.hits'"),
        ("[exchange.impairments.tone]\nherz = 3", "key 'exchange.impairments.tone.herz'; did you mean 'hertz'?"),
        ("[exchange]\nsetup = -1", "key 'exchange.setup': it takes 0 to 600 seconds"),
        ("[[exchange.numbers]]\nnumber = '555'\nkind = 'fax'", "key 'exchange.numbers[0].kind': it takes 'lig' or"),
        (
            "[[exchange.numbers]]\nnumber = 'xyz'\nkind = 'busy'",
            "key 'exchange.numbers[0].number': 'xyz' is not a",
        ),
        ("[near-end]\nnumber = 'home'", "key 'near-end.number': 'home' is not a number to dial"),
        ("[[near-end.allow]]\nprotocol = 'tcp'", "key 'near-end.allow.ports'"),
        ("[[near-end.allow]]\nprotocol = 'tcp'\nports = '9-2'", "'9-2': it takes a port from 1 to 65535, or two"),
        ("[[near-end.allow]]\nprotocol = 'icmp'\nports = '8'", "icmp none"),
        ("[expect]\ntls = 'tomorrow'", "tomorrow.toml: No such file"),
        ("[hosts]\ntls = 'tomorrow'", "key 'hosts.tls': it takes 'today' or 'paper-2007'"),
        (INBOUND + "remote = '10.0.0.1'", "must differ"),
        (INBOUND + "remote = '10.0.0.2'\nkey = 'generated'", "does not know a generated key"),
        (INBOUND + "remote = '10.0.0.2'\nidle = 0", "key 'inbound.idle'"),
        (INBOUND + "remote = '10.0.0.2'\nrings = 40", "key 'inbound.rings': it takes 1 to 20"),
        (NETWORK.replace("10.1'", "11.1'"), "key 'internet.router': it takes another address of"),
        (NETWORK.replace("10.2/24", "10.0/24"), "key 'internet.console': it takes a machine's address"),
        (NETWORK.replace("10.2/24", "10.2"), "key 'internet.console': it takes a machine's address"),
        (NETWORK.replace("203.0.113.2", "192.168.10.9"), "key 'internet.outside': it takes an address outside"),
        (
            NETWORK + "local-network = '192.168.10.130/25'",
            "key 'internet.local-network': it takes an address of",
        ),
        (NETWORK + "masking = 'nat'", "key 'internet.masking': it takes 'fixed'"),
        (NETWORK + "broken = 'everything'", "key 'internet.broken': it takes anybody-443, snat-missing"),
        (
            NETWORK + "[inbound]\nppp-address = '10.0.0.1'\nremote = '10.0.0.2'",
            "key 'inbound': a bench has one way home",
        ),
        ("[proxy]\naddress = '192.168.11.2/24'", "key 'proxy': it stands between the console and the router"),
        (PROXY.replace("11.2", "10.7"), "key 'proxy.address': it takes an address of a network apart"),
        (PROXY + "engine = 'nginx'", "key 'proxy.engine': it takes 'squid' or 'tinyproxy'"),
        (PROXY + "port = 70000", "key 'proxy.port': it takes 1 to 65535"),
        (PROXY + "account = 'a:b'", "key 'proxy.account': it takes a name without blanks and colons"),
        (PROXY + "secret = {environment = 'X'}", "key 'proxy.account': it goes with the key secret"),
        ("[vpn-gateway]\nserver = '129.42.160.16'", "key 'vpn-gateway': it is reached over the table [internet]"),
        (NETWORK + "[vpn-gateway]\nserver = '129.42.160.48'", "key 'vpn-gateway.server': it takes an address of §5.2"),
        (VPN + "policy = 'none'", "key 'vpn-gateway.policy': it takes 'paper-2007' or 'today'"),
        (VPN + "rekey = 300", "key 'vpn-gateway.rekey': it takes seconds, more than rekey-spread and fewer than"),
        (VPN + "silence = 90", "key 'vpn-gateway.silence': it takes seconds, fewer than patience"),
        (VPN.replace("[internet]", "[internet]\nbroken = 'udp-443'"), "key 'internet.broken': it takes ike-alone"),
        (
            "extends = 'loopback'\n[vpn-gateway]\nserver = '129.42.160.16'",
            "key 'vpn': it takes true: the LIG's fence must let the VPN through",
        ),
        (CONSOLES.replace("'b'", "'a'"), "key 'consoles.console.name': it takes up to eight of a-z, 0-9 and -, each"),
        (CONSOLES.split("[[", 2)[0] + "console = []", "key 'consoles.console': it takes 2 to 16 of them"),
        (CONSOLES + "looks-on = ['eth1']", "key 'consoles.console.looks-on': b has eth0, and no eth1"),
        (CONSOLES + "systems = ['x']", "key 'consoles.console.systems': there is no [[consoles.system]] x"),
        (CONSOLES.replace("['lan']", "[]"), "key 'consoles.console.on': it takes a subnet for each network card"),
        (CONSOLES + NETWORK, "key 'internet': [consoles] beside each other call home by the emulated modems"),
        (
            CONSOLES + LIG + "[exchange]\n[near-end.modem]\nemulated = true\n",
            "key 'exchange.numbers': a gateway's number is missing, which call-home servers dial",
        ),
        ("extends = 'loopback'\n" + CONSOLES, "key 'consoles.console.server': beside a [lig], some call home, for"),
        (
            "extends = 'call-home-servers'\n" + CONSOLES.replace("'b'", "'lig'\nserver = true"),
            "key 'consoles.console.name': lig is what the gateway's side is called here",
        ),
        (CONSOLES + CONSOLE_DEVICE, "key 'consoles.device': the rig is one console beside it: there are no others"),
        ("[consoles]\nevery = 1", "key 'consoles.console': it takes 2 to 16 of them, or a device under test"),
        (VPN + "interface = 'eth1'", "key 'vpn-gateway.secret': a device does not know a generated secret"),
        (
            "extends = 'vpn-modem'\n[vpn-gateway]\ninterface = 'eth1'",
            "key 'vpn-gateway.interface': it takes [internet] for the console's address",
        ),
        (
            "extends = 'vpn-inbound'\n[vpn-gateway]\ninterface = 'eth1'",
            "key 'inbound': it goes with the rig's own VPN gateway",
        ),
        (VPN + "pool = '198.51.100.64/29'", "key 'vpn-gateway.pool': it takes a network of at least four addresses"),
        ("[i5os]\nmodems = 2", "key 'i5os': for a device under test it takes interface, address and peers"),
        (DEVICE, "key 'i5os': its modems are on the emulated [exchange], or are real ones"),
        (DEVICE + "[[i5os.modem]]\nport = '/dev/ttyS0'\nurl = 'socket://x:1'", "key 'i5os.modem': name the modem one"),
        (DEVICE.replace("address", "#"), "key 'i5os.interface': it goes with the key address"),
        (DEVICE.replace("/24", "/33"), "key 'i5os.address'"),
        (
            DEVICE + BORROWED.replace("interface", "#"),
            "key 'i5os': interface and peers are for a device under test, in the place of",
        ),
        ("[near-end.remote-modem]\npartition = '192.0.2.1'", "it takes either [i5os], the rig's own partition, or"),
        (BORROWED, "key 'near-end.remote-modem.interface': it goes with the key address"),
        ("extends = 'mine'", "in a circle"),
        ("this is = = not TOML", "not TOML: "),
        ("fence = 'none-such'", "none-such.toml: No such file"),
        ("name = 'x'", "unknown key 'name'"),
    ],
)
def test_what_is_wrong_is_named_with_file_and_key(tmp_path: Path, text: str, says: str) -> None:
    file = write(tmp_path, text)
    with pytest.raises(ConfigError) as error:
        load(file)
    assert says in str(error.value)
    assert ".toml" in str(error.value)
    assert error.value.exit_status == 2


def test_toml_error_names_the_line(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="line 2"):
        load(write(tmp_path, "region = 'americas'\n= 3\n"))


def test_unknown_bench_lists_those_there_are() -> None:
    with pytest.raises(ConfigError) as error:
        load("lopback")
    assert "loopback" in error.value.advice


def test_fence_has_the_papers_addresses_by_region() -> None:
    """§5.1: four servers a region, two of them in both."""
    servers = load_fence_file("hmc-2007").servers
    assert load_destinations(load("loopback")).servers == servers["americas"]
    assert IPv4Address("129.42.160.49") in servers["americas"]
    assert IPv4Address("129.42.160.49") not in servers["non-americas"]
    assert {len(addresses) for addresses in servers.values()} == {4}


def secret_bench(tmp_path: Path, secret: str) -> Bench:
    return load(write(tmp_path, f"[near-end]\naccount = 'A'\nuser-id = 'U'\nsecret = {secret}\n"))


def test_secret_comes_from_a_file_that_its_owner_alone_reads(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text("s3cret\n")
    file.chmod(0o600)
    secret = read_secret(secret_bench(tmp_path, "{file = 'secret'}"), "")
    assert (secret.user, secret.password) == ("A.U", "s3cret")
    assert "s3cret" not in repr(secret)


def test_secret_that_others_may_read_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text("s3cret")
    file.chmod(0o640)
    with pytest.raises(UsageError, match="others may read this secret") as error:
        read_secret(secret_bench(tmp_path, "{file = 'secret'}"), "")
    assert error.value.advice == f"chmod 600 {file}"
    assert "s3cret" not in str(error.value)


def test_secret_from_a_variable_that_is_not_set_names_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RIG_TEST_SECRET", raising=False)
    with pytest.raises(UsageError, match="RIG_TEST_SECRET"):
        read_secret(secret_bench(tmp_path, "{environment = 'RIG_TEST_SECRET'}"), "")
    monkeypatch.setenv("RIG_TEST_SECRET", "v")
    assert read_secret(secret_bench(tmp_path, "{environment = 'RIG_TEST_SECRET'}"), "").password == "v"


def test_secret_of_two_lines_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Catches a secret that would write a second account into pppd's file."""
    monkeypatch.setenv("RIG_TEST_SECRET", "one\n* * two *")
    with pytest.raises(UsageError, match="control characters"):
        read_secret(secret_bench(tmp_path, "{environment = 'RIG_TEST_SECRET'}"), "")


def test_no_secret_at_all_says_which_key(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"near-end\.secret"):
        read_secret(load(write(tmp_path, "")), "")


@pytest.mark.parametrize(
    ("names", "says"),
    [
        ("'ok.ibm.com' = '192.0.2.7'\n'b.ibm.com' = '192.0.2.999'", r"'lig\.names\.\"b\.ibm\.com\"': Octet 999"),
        ("ok = '192.0.2.7'\nbad = 7", r"'lig\.names\.bad'"),
    ],
)
def test_an_entry_of_a_table_of_names_is_named(tmp_path: Path, names: str, says: str) -> None:
    """msgspec says "$.names[...]" of whichever entry it is."""
    path = tmp_path / "mine.toml"
    path.write_text(f"extends = 'loopback'\n[lig.names]\n{names}\n")
    with pytest.raises(ConfigError, match=says):
        load(str(path))


@pytest.mark.parametrize(("content", "says"), [(b"", "is empty"), (b" \n", "is empty"), (b"\xff\xfe", "is no text")])
def test_a_secret_that_is_none_is_an_error_that_names_its_file(tmp_path: Path, content: bytes, says: str) -> None:
    """Catches an empty secret, with which pppd lets in whoever names the account."""
    file = tmp_path / "secret"
    file.write_bytes(content)
    file.chmod(0o600)
    (tmp_path / "mine.toml").write_text(f"[near-end]\naccount = 'A'\nsecret = {{ file = '{file}' }}\n")
    with pytest.raises(UsageError, match=f"{file}.*{says}"):
        read_secret(load(str(tmp_path / "mine.toml")), "")


def test_a_variable_that_is_empty_is_no_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RIG_TEST_SECRET", " ")
    (tmp_path / "mine.toml").write_text("[near-end]\naccount = 'A'\nsecret = { environment = 'RIG_TEST_SECRET' }\n")
    with pytest.raises(UsageError, match="RIG_TEST_SECRET, which holds the secret, is empty"):
        read_secret(load(str(tmp_path / "mine.toml")), "")


def test_a_far_ends_modem_is_a_real_one(tmp_path: Path) -> None:
    """Catches a key that is taken and means nothing."""
    text = "[near-end.modem]\nport = '/dev/ttyS0'\n[near-end]\naccount = 'A'\nsecret = { environment = 'X' }\n"
    lig = "address = '198.51.100.1'\npool = '198.51.100.16/28'\nname-servers = ['198.51.100.53']\n"
    (tmp_path / "mine.toml").write_text(f"{text}[lig]\n{lig}[lig.modem]\nemulated = true\n")
    with pytest.raises(ConfigError, match=r"'lig\.modem\.emulated': it takes a real modem"):
        load(str(tmp_path / "mine.toml"))


@pytest.mark.parametrize(
    ("number", "says"),
    [
        ("kind = 'misbehaving'", "it takes sound, pap-never"),
        ("kind = 'misbehaving'\nmanner = 'rude'", "it takes sound, pap-never"),
        ("kind = 'lig'\nmanner = 'silent'", '555-0123 is not of the kind "misbehaving", which alone has one'),
    ],
)
def test_a_manner_is_one_that_there_is_and_of_who_misbehaves(tmp_path: Path, number: str, says: str) -> None:
    text = f"extends = 'loopback-instant'\n[[exchange.numbers]]\nnumber = '555-0123'\n{number}\n"
    with pytest.raises(ConfigError, match=rf"'exchange\.numbers\.manner': .*{says}"):
        load(write(tmp_path, text))
    assert load(write(tmp_path, text.replace(number, "kind = 'misbehaving'\nmanner = 'silent'"))).exchange is not None


@pytest.mark.parametrize("key", ["manner = 'silent'", "patience = 0"])
def test_a_gateway_of_an_exchange_has_no_manner_and_every_one_has_patience(tmp_path: Path, key: str) -> None:
    with pytest.raises(ConfigError, match=rf"'lig\.{key.split()[0]}': it "):
        load(write(tmp_path, f"extends = 'loopback-instant'\n[lig]\n{key}\n"))


def test_the_gateways_number_is_one_at_which_it_lets_its_customer_in() -> None:
    """Catches a person who is told to dial a modem with nothing behind it."""
    assert gateway_numbers(load("loopback")) == ("1-800-555-0100",)


def test_the_ways_to_break_a_far_end_are_those_that_a_bench_may_name() -> None:
    assert tuple(lig_mutants.BY_NAME) == broken.LIG
    assert tuple(one.name for one in router_mutants.MUTANTS) == broken.ROUTER
    assert tuple(one.name for one in router_mutants.OF_A_VPN) == broken.ROUTER_OF_A_VPN
    assert tuple(GATEWAYS) == broken.MANNERS
