"""The proof of a fence: its rules, all of them, against what is declared."""

from __future__ import annotations

import itertools
import json
from ipaddress import IPv4Address, IPv6Address

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rig.config.bench_files import load, load_destinations
from rig.config.fenced_side import FencedSide
from rig.parts.fence_mutants import MUTANTS
from rig.parts.fence_rules import BASE_RULES, IPV6_RULES, session_rules
from rig.parts.mutation import GatewayMutant
from rig.proof import iptables_file, nft_file
from rig.proof.coverage import changed, rows
from rig.proof.deciding import decide
from rig.proof.declared import Around
from rig.proof.found import Proof
from rig.proof.header import ITSELF, Field, Header, State
from rig.proof.passing import Passage
from rig.proof.proof import prove
from rig.proof.rules import RulesError, RuleSet
from rig.proof.space import ANOTHER, Space
from rig.proof.tracking import can_be_sent

BENCH = load("loopback")
ALLOWED = load_destinations(BENCH)
FIRST = IPv4Address("198.51.100.17")
OF_RULES = [one for one in MUTANTS if one.of_rules]


def side(number: int) -> FencedSide:
    return FencedSide(f"ppp{number}", FIRST + number)


def gateway(count: int = 1, mutant: GatewayMutant | None = None) -> str:
    """The rules of a gateway with so many sessions."""
    texts = [session_rules(ALLOWED, side(number)) for number in range(count)]
    if mutant is not None:
        texts[0] = mutant.change(texts[0], ALLOWED, side(0))
    return "*raw\n:PREROUTING ACCEPT\nCOMMIT\n" + BASE_RULES + "".join(texts)


def proof_of(text: str, count: int = 1) -> Proof:
    assert BENCH.lig is not None
    callers = tuple(side(number) for number in range(count))
    return prove(iptables_file.read(text, "rules"), Around(ALLOWED, callers, pool=BENCH.lig.pool))


@pytest.mark.parametrize("count", [1, 2, 32])
def test_the_sound_gateway_is_proven(count: int) -> None:
    proof = proof_of(gateway(count), count)
    assert proof.found == ()
    assert proof.ways == count * 12
    assert str(proof).startswith("proven: ")


@pytest.mark.paper("3.1", "5.1")
@pytest.mark.parametrize("mutant", OF_RULES, ids=lambda mutant: mutant.name)
def test_a_broken_gateway_is_found_by_proof_alone(mutant: GatewayMutant) -> None:
    """Each counter-example, looked up rule by rule, does what the sets say of it."""
    text = gateway(2, mutant)
    proof = proof_of(text, 2)
    assert proof.found
    rules = iptables_file.read(text, "rules")
    for example in proof.found:
        ways = {decide(rules, example.header).passes, decide(rules, example.header, lambda match: True).passes}
        assert ways == ({True, False} if example.sometimes else {example.leaks})


def test_what_passes_at_times_is_said_to() -> None:
    rules = gateway().replace("-A from-ppp0 -m u32", "-A from-ppp0 -m quota --quota 300 -j ACCEPT\n-A from-ppp0 -m u32")
    found = proof_of(rules).found
    assert found[0].sometimes
    assert "at times passes" in str(found[0])


def test_what_passes_only_where_one_chance_holds_and_another_does_not_is_said_to() -> None:
    both = "-m quota --quota 3 -j RETURN\n-A from-ppp0 -m limit --limit 1/hour -j ACCEPT\n-A from-ppp0 -m u32"
    found = proof_of(gateway().replace("-A from-ppp0 -m u32", f"-A from-ppp0 {both}")).found
    assert {one.sometimes for one in found} == {True}
    assert any(one.leaks for one in found)
    assert len(found) < 20, "each of another kind"


def test_later_fragments_that_a_filter_without_memory_lets_by_are_found() -> None:
    stateless = "*filter\n:INPUT DROP\n:OUTPUT DROP\n:FORWARD DROP\n-A FORWARD -f -j ACCEPT\nCOMMIT\n"
    found = [one for one in proof_of(stateless).found if one.leaks]
    assert [one.header.fragment for one in found] == [True]


def test_what_must_pass_and_does_not_is_found_with_the_way_that_it_belongs_to() -> None:
    found = proof_of(gateway().replace("-d 129.42.160.48/32 -p tcp", "-d 129.42.160.47/32 -p tcp")).found
    assert {(one.leaks, one.way) for one in found} == {(True, ""), (False, "ppp0 to authorized server 129.42.160.48")}


def test_one_wrong_bit_of_one_rule_of_hundreds_is_found() -> None:
    text = gateway(32)
    at = text.index("-A from-ppp17 -d 207.25.252.204/32")
    found = proof_of(text[:at] + text[at:].replace("/32", "/31", 1), 32).found
    assert [(str(one.header.destination), one.header.coming) for one in found] == [("207.25.252.205", "ppp17")]


# What the rules are made of.

REFUSED = {
    "a match": "-A FORWARD -m geoip --src-cc A1 -j DROP",
    "a target": "-A FORWARD -j TARPIT",
    "a set": "-A FORWARD -m set --match-set blocked src -j DROP",
    "another u32": '-A FORWARD -m u32 --u32 "0x0&0xff=0x4" -j DROP',
    "a state": "-A FORWARD -m conntrack --ctstate SNAT -j DROP",
    "a port with no protocol": "-A FORWARD --dport 443 -j ACCEPT",
    "an address": "-A FORWARD -s 300.1.1.1 -j ACCEPT",
    "a protocol": "-A FORWARD -p nonsense -j ACCEPT",
    "a range": "-A FORWARD -p tcp --dport 9:8 -j ACCEPT",
    "a chain": "-A nowhere -j ACCEPT",
    "an icmp type": "-A FORWARD -p icmp --icmp-type nonsense -j ACCEPT",
    "a flag": "-A FORWARD -p tcp --tcp-flags SYN,NO SYN -j ACCEPT",
    "a rule that ends": "-A FORWARD -s",
    "quotes": '-A FORWARD -m comment --comment "open -j ACCEPT',
    "a command": "-R FORWARD 1 -j ACCEPT",
}  # fmt: skip


@pytest.mark.parametrize("line", REFUSED.values(), ids=REFUSED)
def test_a_rule_that_is_not_understood_is_refused_by_name_and_line(line: str) -> None:
    with pytest.raises(RulesError) as refused:
        iptables_file.read(f"*filter\n:FORWARD DROP\n{line}\nCOMMIT\n", "gateway.rules")
    assert "gateway.rules, line 3: " in str(refused.value)
    assert line in str(refused.value)


PROVES_NOTHING = {
    "empty": "",
    "cut off": "*filter\n:FORWARD DROP\n",
    "no filter": "*nat\n:PREROUTING ACCEPT\nCOMMIT\n",
    "a policy that is none": "*filter\n:FORWARD MAYBE\nCOMMIT\n",
    "no table": ":FORWARD DROP\n",
    "another table": "*broute\n:A ACCEPT\nCOMMIT\n",
    "a destination that changes": "*nat\n:PREROUTING ACCEPT\n-A PREROUTING -p tcp -j DNAT --to 1.2.3.4\nCOMMIT\n",
    "a circle": "*filter\n:FORWARD DROP\n:a -\n-A FORWARD -j a\n-A a -j a\nCOMMIT\n",
}


@pytest.mark.parametrize("text", PROVES_NOTHING.values(), ids=PROVES_NOTHING)
def test_a_file_that_proves_nothing_is_refused(text: str) -> None:
    with pytest.raises(RulesError):
        proof_of(text)


def passes(rules: RuleSet, **fields: object) -> bool:
    header = Header(**{"coming": "a", "going": "b", "source": FIRST, "destination": FIRST, **fields})  # type: ignore[arg-type]
    space = Space(["a", "b"], rules.patterns())
    whole = space.has(Passage(rules, space).all().certain, header)
    assert whole == decide(rules, header).passes
    return whole


def forward(*lines: str, chains: str = "") -> RuleSet:
    return iptables_file.read("\n".join(["*filter", ":FORWARD DROP", *chains.split("|"), *lines, "COMMIT"]), "rules")


ICMP: dict[str, object] = {"protocol": 1}
HOLDS = [
    ("-A FORWARD -p tcp -m tcp --dport 1:9 -j ACCEPT", {"to_port": 9}, {"to_port": 10}),
    ("-A FORWARD -p tcp -m multiport --dports 1,5:6 -j ACCEPT", {"to_port": 6}, {"to_port": 2}),
    ("-A FORWARD -p udp -m multiport --ports 5 -j ACCEPT", {"protocol": 17, "from_port": 5}, {"protocol": 17}),
    ("-A FORWARD -p tcp -m multiport ! --dports 1 -j ACCEPT", {"to_port": 2}, {"to_port": 1}),
    ("-A FORWARD ! -s 198.51.100.0/24 -j ACCEPT", {"source": FIRST + 256}, {"source": FIRST}),
    ("-A FORWARD -i a+ -j ACCEPT", {"coming": "a"}, {"coming": "b"}),
    ("-A FORWARD ! -o b -j ACCEPT", {"going": ANOTHER}, {"going": "b"}),
    ("-A FORWARD -p tcp --syn -j ACCEPT", {"flags": 2}, {"flags": 18}),
    ("-A FORWARD -p tcp --tcp-flags ALL NONE -j ACCEPT", {"flags": 0}, {"flags": 1}),
    ("-A FORWARD -p icmp --icmp-type 3/4 -j ACCEPT", ICMP | {"to_port": 0x304}, ICMP | {"to_port": 0x303}),
    ("-A FORWARD -p icmp ! --icmp-type echo-request -j ACCEPT", ICMP, ICMP | {"to_port": 0x800}),
    ("-A FORWARD -m iprange --src-range 198.51.100.17-198.51.100.18 -j ACCEPT", {}, {"source": FIRST + 2}),
    ("-A FORWARD -m state --state RELATED,NEW -j ACCEPT", {}, {"state": State.INVALID}),
    ("-A FORWARD -p esp -j ACCEPT", {"protocol": 50}, {"protocol": 51}),
    ("-A FORWARD -f -j ACCEPT", {"fragment": True}, {}),
]  # fmt: skip


@pytest.mark.parametrize(("line", "does", "not_"), HOLDS, ids=[line for line, *_ in HOLDS])
def test_a_match_is_what_the_manual_says(line: str, does: dict[str, object], not_: dict[str, object]) -> None:
    assert passes(forward(line), **does)
    assert not passes(forward(line), **not_)


def test_chains_are_jumped_to_returned_from_and_gone_to() -> None:
    below = ["-A a -d 198.51.100.17 -j RETURN", "-A a -j ACCEPT"]
    jumps = forward("-A FORWARD -j a", *below, "-A FORWARD -s 198.51.100.17 -j ACCEPT", chains=":a -")
    goes = forward("-A FORWARD -g a", *below, "-A FORWARD -s 198.51.100.17 -j ACCEPT", chains=":a -")
    assert passes(jumps)
    assert not passes(goes), "what a chain that was gone to hands back is the policy's"
    assert passes(goes, destination=FIRST + 1)


def test_a_fragment_has_no_ports_and_where_conntrack_looks_there_are_none() -> None:
    assert not passes(forward("-A FORWARD -p tcp ! --dport 1 -j ACCEPT"), fragment=True)
    tracked = forward("-A FORWARD -m state --state NEW -j ACCEPT")
    space = Space(["a"], tracked.patterns())
    assert Passage(tracked, space).all().possible & space.exactly(Field.FRAGMENT, 1) == space.nothing


def test_every_table_on_the_way_may_drop() -> None:
    text = "*mangle\n:POSTROUTING ACCEPT\n-A POSTROUTING -p udp -j DROP\nCOMMIT\n*filter\n:FORWARD ACCEPT\nCOMMIT\n"
    rules = iptables_file.read(text, "rules")
    assert passes(rules)
    assert not passes(rules, protocol=17)


# The sets against the rules one by one.

ADDRESSES = [FIRST, FIRST + 1, IPv4Address("10.0.0.1")]
MATCHES = st.sampled_from([
    "-s 198.51.100.17", "! -s 198.51.100.16/31", "-d 198.51.100.17", "-d 198.51.100.0/24", "! -d 10.0.0.0/8", "-p tcp",
    "-p udp", "! -p tcp", "-p tcp --dport 443", "-p udp --dport 53", "-p tcp ! --sport 53", "-i a", "! -i a", "-o b",
    "-o +", "-i a+", "-m conntrack --ctstate NEW", "-m conntrack ! --ctstate NEW,ESTABLISHED", "-p tcp --syn",
    "-p tcp -m multiport --dports 1:60,443",
])  # fmt: skip
RULES = st.lists(
    st.tuples(st.lists(MATCHES, max_size=3), st.sampled_from(["ACCEPT", "DROP", "RETURN", "x", "y", "LOG"])), max_size=8
)
HEADERS = [
    Header(coming, going, source, to, protocol, from_port, to_port, flags, state)
    for coming, going in (("a", "b"), ("b", "a"), ("a", ANOTHER), ("a", ITSELF), (ITSELF, "a"))
    for source, to in itertools.product(ADDRESSES, repeat=2)
    for protocol, flags, from_port, to_port in ((6, 2, 53, 443), (6, 16, 443, 53), (17, 0, 443, 53), (50, 0, 0, 0))
    for state in (State.NEW, State.ESTABLISHED)
]


@settings(max_examples=60, deadline=None)
@given(RULES, RULES, RULES, st.sampled_from(["ACCEPT", "DROP"]))
def test_any_rules_let_through_what_they_do_one_by_one(
    top: list[tuple[list[str], str]], x: list[tuple[list[str], str]], y: list[tuple[list[str], str]], policy: str
) -> None:
    lines = [f":{chain} {policy}" for chain in ("FORWARD", "INPUT", "OUTPUT")] + [":x -", ":y -"]
    allowed = {"FORWARD": ("x", "y"), "INPUT": ("x", "y"), "OUTPUT": ("y",), "x": ("y",), "y": ()}
    for chain, rules in (("FORWARD", top), ("INPUT", x), ("OUTPUT", y), ("x", x), ("y", y)):
        for matches, target in rules:
            if target not in ("x", "y") or target in allowed[chain]:
                lines.append(f"-A {chain} {' '.join(dict.fromkeys(matches))} -j {target}")
    ruleset = iptables_file.read("\n".join(["*filter", *lines, "COMMIT"]), "rules")
    space = Space(["a", "b"], ruleset.patterns())
    passing = Passage(ruleset, space).all()
    assert passing.certain == passing.possible
    wrong = [
        one for one in HEADERS if (space.only(one) & passing.certain != space.nothing) != decide(ruleset, one).passes
    ]
    assert wrong == []


# nft.


def match(left: object, right: object, op: str = "==") -> dict[str, object]:
    return {"match": {"op": op, "left": left, "right": right}}


def payload(protocol: str, field: str) -> dict[str, object]:
    return {"payload": {"protocol": protocol, "field": field}}


STATE = {"ct": {"key": "state"}}


Expressions = list[dict[str, object]]


def nft_gateway(*outward: Expressions) -> str:
    """The same fence as of :func:`gateway`, as somebody writes it for nft."""
    table = {"family": "inet", "table": "filter"}
    servers = [str(server) for server in ALLOWED.servers]
    names = [str(server) for server in ALLOWED.name_servers]
    new = match(STATE, ["new", "established"], "in")
    ways = {"set": [{"concat": [protocol, 53]} for protocol in ("udp", "tcp")]}
    drop: dict[str, object] = {"drop": None}
    fenced: list[Expressions] = [
        [match(STATE, ["invalid", "untracked"], "in"), drop],
        *outward,
        [match(payload("ip", "saddr"), str(FIRST), "!="), drop],
        [match(payload("ip", "daddr"), "@servers"), match(payload("tcp", "dport"), 443), new, {"accept": None}],
        [match(payload("ip", "daddr"), {"set": names}),
         match({"concat": [{"meta": {"key": "l4proto"}}, payload("th", "dport")]}, ways), new, {"accept": None}],
        [{"counter": {"packets": 3, "bytes": 120}}, drop],
    ]  # fmt: skip
    back: list[Expressions] = [
        [match(payload("ip", "daddr"), str(FIRST), "!="), drop],
        [{"vmap": {"key": STATE, "data": {"set": [["established", {"accept": None}], ["new", {"drop": None}]]}}}],
        [drop],
    ]

    def jump(key: str, chain: str) -> Expressions:
        return [match({"meta": {"key": key}}, "ppp0"), {"jump": {"target": chain}}]

    chains: dict[str, list[Expressions]] = {
        "fenced": fenced, "back": back,
        "forward": [jump("iifname", "fenced"), jump("oifname", "back")],
        "input": [jump("iifname", "fenced"), [match({"meta": {"key": "iifname"}}, "ppp*"), drop]],
        "output": [jump("oifname", "back"), [match({"meta": {"key": "oifname"}}, "ppp*"), drop]],
    }  # fmt: skip
    listed: list[dict[str, object]] = [
        {"metainfo": {"json_schema_version": 1}}, {"table": {"family": "inet", "name": "filter"}},
        {"set": {**table, "name": "servers", "type": "ipv4_addr", "elem": servers}},
    ]  # fmt: skip
    for number, (name, rules) in enumerate(chains.items()):
        base = {"hook": name, "prio": 0, "policy": "drop" if name == "forward" else "accept"} if number > 1 else {}
        listed.append({"chain": {**table, "name": name, **base}})
        listed += [
            {"rule": {**table, "chain": name, "handle": handle, "expr": expressions}}
            for handle, expressions in enumerate(rules)
        ]
    return json.dumps({"nftables": listed})


def nft_proof(text: str) -> Proof:
    assert BENCH.lig is not None
    rules = nft_file.read(text, "rules")
    return prove(rules, Around(ALLOWED, (FencedSide("ppp0", FIRST),), pool=BENCH.lig.pool))


def test_the_same_fence_for_nft_lacks_what_it_cannot_say_and_no_more() -> None:
    """IP options: that table does not look at them."""
    found = nft_proof(nft_gateway()).found
    assert found
    assert {one.header.options for one in found} == {True}


LEAKS: list[tuple[Expressions, dict[str, object]]] = [
    ([match(payload("ip", "daddr"), {"prefix": {"addr": "10.0.0.0", "len": 8}}), {"accept": None}], {}),
    ([match(payload("udp", "dport"), {"range": [500, 4500]}), {"accept": None}], {"protocol": 17}),
    ([match(payload("icmp", "type"), "echo-request"), {"accept": None}], {"protocol": 1, "to_port": 0x800}),
    ([match(payload("tcp", "flags"), "fin", "in"), {"accept": None}], {"protocol": 6}),
    ([match({"&": [payload("tcp", "flags"), ["syn", "ack"]]}, "ack"), {"accept": None}], {"protocol": 6}),
    ([match(payload("tcp", "dport"), 1024, ">="), {"accept": None}], {"protocol": 6}),
    ([match(payload("ip", "protocol"), "gre"), {"accept": None}], {"protocol": 47}),
    ([{"limit": {"rate": 1, "per": "hour"}}, {"accept": None}], {}),
    ([match({"meta": {"key": "mark"}}, 7), {"accept": None}], {}),
]


@pytest.mark.parametrize(("rule", "fields"), LEAKS, ids=[json.dumps(rule[0])[:70] for rule, _ in LEAKS])
def test_a_rule_too_many_of_nft_is_found(rule: Expressions, fields: dict[str, object]) -> None:
    found = [one for one in nft_proof(nft_gateway(rule)).found if not one.header.options]
    assert found
    assert {name: getattr(found[0].header, name) for name in fields} == fields


def test_a_rule_of_ipv6_says_nothing_of_ipv4() -> None:
    rule: Expressions = [match({"meta": {"key": "nfproto"}}, "ipv6"), {"accept": None}]
    assert {one.header.options for one in nft_proof(nft_gateway(rule)).found} == {True}


@pytest.mark.parametrize("expression", [
    match({"fib": {"result": "oif"}}, 1), {"dnat": {"addr": "10.0.0.1"}}, {"xt": None},
    {"mangle": {}}, match(payload("ip", "version"), 4), match(payload("tcp", "dport"), "https"), {"tproxy": {}},
    match(payload("ip", "daddr"), "@nowhere"),
], ids=json.dumps)  # fmt: skip
def test_an_expression_that_is_not_understood_is_refused(expression: dict[str, object]) -> None:
    with pytest.raises(RulesError, match="rules, table inet filter, chain fenced, handle 1: "):
        nft_proof(nft_gateway([expression, {"accept": None}]))


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"nftables": []}', '{"nftables": [{"flowtable": {}}]}'])
def test_what_is_no_rule_set_of_nfts_is_refused(text: str) -> None:
    with pytest.raises(RulesError):
        nft_file.read(text, "rules")


# What a rule decided.


def test_each_rule_has_a_row_with_what_it_counted_and_one_that_was_read_wrongly_shows() -> None:
    text = "*filter\n:FORWARD DROP\n[{}:0] -A FORWARD -p tcp -j ACCEPT\n[0:0] -A FORWARD -p udp -j ACCEPT\nCOMMIT\n"
    before, after = (iptables_file.read(text.format(count), "rules") for count in (5, 9))
    tcp, udp = after.chains["filter FORWARD"].rules
    found = rows(before, after, {tcp: 4, udp: 1})
    assert [(row.packets, row.probes, row.reached, row.contradicts) for row in found] == [
        (4, 4, True, False), (0, 1, False, True),
    ]  # fmt: skip


def test_the_difference_of_two_rule_sets_is_told_whatever_they_counted() -> None:
    one = "*filter\n:FORWARD DROP\n[1:0] -A FORWARD -p tcp -j ACCEPT\n[0:0] -A FORWARD -p udp -j ACCEPT\nCOMMIT\n"
    other = one.replace("[1:0]", "[7:0]").replace("-p udp", "-p esp")
    difference = changed(*(iptables_file.read(text, "rules") for text in (one, other)))
    assert difference.lines() == [
        "- filter FORWARD: -A FORWARD -p udp -j ACCEPT", "+ filter FORWARD: -A FORWARD -p esp -j ACCEPT",
    ]  # fmt: skip


def test_a_packet_that_can_be_sent_alone_is_known() -> None:
    syn = Header("a", "b", FIRST, FIRST, flags=2)
    assert can_be_sent(syn)
    assert not can_be_sent(Header("a", "b", FIRST, FIRST, flags=3)), "NEW it is not"
    assert can_be_sent(Header("a", "b", FIRST, FIRST, flags=3, state=State.INVALID))
    assert not can_be_sent(Header("a", "b", FIRST, FIRST, flags=2, state=State.ESTABLISHED))


# --- IPv6 ------------------------------------------------------------------------------------------------------------

OF_IPV6 = [one for one in MUTANTS if one.ipv6]


def proof_of_ipv6(text: str) -> Proof:
    return prove(iptables_file.read(text, "rules", 6), Around(ALLOWED, (side(0), side(1))))


def test_of_ipv6_nothing_passes_at_the_sound_gateway() -> None:
    proof = proof_of_ipv6(IPV6_RULES)
    assert proof.found == ()
    assert str(proof) == "proven: 0 rules of IPv6, and no header passes"


@pytest.mark.parametrize("mutant", OF_IPV6, ids=lambda mutant: mutant.name)
def test_what_of_ipv6_passes_is_found_by_proof_alone(mutant: GatewayMutant) -> None:
    rules = iptables_file.read(mutant.ipv6, "rules", 6)
    found = proof_of_ipv6(mutant.ipv6).found
    assert found
    for example in found:
        assert example.leaks
        assert isinstance(example.header.source, IPv6Address)
        assert decide(rules, example.header).passes


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ("-A FORWARD -s 2001:db8::/32 -p tcp --dport 80 -j ACCEPT", "TCP from [2001:db8:"),
        ("-A FORWARD -d 64:ff9b::/96 -j ACCEPT", " to [64:ff9b::"),
        ("-A FORWARD -p ipv6-icmp -m icmp6 --icmpv6-type 136 -j ACCEPT", "ICMPv6 type 136 code "),
        ("-A FORWARD -p ipv6-icmp -m icmp6 --icmpv6-type neighbour-advertisement/3 -j ACCEPT", "type 136 code 3"),
        ("-A FORWARD -m conntrack --ctstate UNTRACKED -j ACCEPT", "UNTRACKED"),
    ],
)
def test_rules_of_ipv6_are_read_as_they_are_meant(rule: str, words: str) -> None:
    [example, *_] = proof_of_ipv6(IPV6_RULES.replace("COMMIT", f"{rule}\nCOMMIT")).found
    assert words in str(example)


@pytest.mark.parametrize(("rule", "version"), [("-s 10.0.0.0/8", 6), ("-d 2001:db8::1/128", 4)])
def test_an_address_of_the_other_version_is_refused_with_its_line(rule: str, version: int) -> None:
    text = BASE_RULES.replace("COMMIT", f"-A FORWARD {rule} -j ACCEPT\nCOMMIT")
    with pytest.raises(RulesError, match=rf"rules, line 9: .* is no address of IPv{version}, whose rules these are"):
        iptables_file.read(text, "rules", version)
