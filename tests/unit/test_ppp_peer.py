"""The PPP peer of our own: frames, packets, the automaton's table, and LCP between two of them."""

from __future__ import annotations

import contextlib
import itertools
import random
import tracemalloc
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rig.drivers.ppp.peer.automaton import TABLE, Automaton, Event, State
from rig.drivers.ppp.peer.endpoint import Endpoint
from rig.drivers.ppp.peer.hdlc import (
    EVERY_CONTROL,
    LONGEST,
    Check,
    Decoder,
    NoFrame,
    Wrong,
    check_of,
    escaped,
    fcs16,
    fcs32,
    framed,
)
from rig.drivers.ppp.peer.lcp import LayerDown, LayerUp, Timing
from rig.drivers.ppp.peer.packet import (
    LCP,
    Kind,
    MalformedError,
    Option,
    Packet,
    options_in,
    packed,
    packet_in,
    protocol_in,
)

FRAMES = st.lists(st.binary(min_size=2, max_size=300), min_size=1, max_size=6)


# --- RFC 1662 ---------------------------------------------------------------------------------------------------------


def test_check_sequences_are_those_of_the_rfc() -> None:
    """CRC-16/X-25 and CRC-32 of the nine digits, as every catalogue of CRCs has them."""
    assert fcs16(b"123456789") == 0x906E
    assert fcs32(b"123456789") == 0xCBF43926
    assert check_of(b"123456789", Check.FCS16) == b"\x6e\x90"


def split(data: bytes, cuts: list[int]) -> Iterator[bytes]:
    at = 0
    for cut in sorted(cut % (len(data) + 1) for cut in cuts):
        yield data[at:cut]
        at = cut
    yield data[at:]


@given(frames=FRAMES, accm=st.integers(0, EVERY_CONTROL), check=st.sampled_from(Check), cuts=st.lists(st.integers(0)))
def test_what_is_framed_comes_back_wherever_the_bytes_are_split(
    frames: list[bytes], accm: int, check: Check, cuts: list[int]
) -> None:
    decoder, found = Decoder(check=check), []
    for piece in split(b"".join(framed(frame, accm, check) for frame in frames), cuts):
        found += list(decoder.feed(piece))
    assert found == frames


@given(frame=st.binary(min_size=2, max_size=100), accm=st.integers(0, EVERY_CONTROL), noise=st.binary(max_size=20))
def test_control_characters_of_the_map_that_come_bare_are_nothing(frame: bytes, accm: int, noise: bytes) -> None:
    """A modem's XON in the middle of a frame (RFC 1662 §7.1)."""
    inserted = bytes(byte for byte in noise if byte < 0x20 and accm >> byte & 1)
    raw = framed(frame, accm)
    middle = next(at for at in range(len(raw) // 2, len(raw)) if raw[at - 1] != 0x7D)
    assert list(Decoder(accm).feed(raw[:middle] + inserted + raw[middle:])) == [frame]


@given(data=st.binary(max_size=2000), cuts=st.lists(st.integers(0)))
def test_any_bytes_are_frames_or_none_and_what_comes_behind_is_understood(data: bytes, cuts: list[int]) -> None:
    decoder, whole = Decoder(), framed(b"\xff\x03\xc0\x21hello")
    for piece in split(data, cuts):
        list(decoder.feed(piece))
    assert list(decoder.feed(whole))[-1] == b"\xff\x03\xc0\x21hello"


@pytest.mark.parametrize(
    ("raw", "wrong"),
    [
        (b"\x7e\xff\x03\x7d\x7e", Wrong.ABORTED),
        (b"\x7eabc\x7e", Wrong.SHORT),
        (b"\x7eabcdefgh\x7e", Wrong.CHECK),
        (b"\x7e" + b"a" * (LONGEST + 1) + b"\x7e", Wrong.LONG),
    ],
)
def test_what_is_no_frame_is_said_to_be_none_and_why(raw: bytes, wrong: Wrong) -> None:
    [found] = Decoder().feed(raw)
    assert isinstance(found, NoFrame)
    assert found.wrong is wrong


def test_a_frame_without_an_end_takes_no_more_room_than_the_longest() -> None:
    decoder, piece = Decoder(), b"x" * 65536
    found = [one for _ in range(200) for one in decoder.feed(piece)]
    assert found == []
    assert len(decoder._rest) <= LONGEST
    [one] = decoder.feed(b"\x7e")
    assert isinstance(one, NoFrame)
    assert one.wrong is Wrong.LONG
    assert list(decoder.feed(framed(b"next"))) == [b"next"]


def test_only_what_is_to_be_escaped_is() -> None:
    assert escaped(b"\x00\x11\x7d\x7e\x7fA", 1 << 0x11) == b"\x00\x7d\x31\x7d\x5d\x7d\x5e\x7fA"


# --- RFC 1661 §5 ------------------------------------------------------------------------------------------------------

OPTIONS = st.lists(st.builds(Option, st.integers(0, 255), st.binary(max_size=20)), max_size=8).map(tuple)


@given(options=OPTIONS, code=st.integers(0, 255), number=st.integers(0, 255), padding=st.binary(max_size=9))
def test_packets_and_options_come_back_and_padding_does_not(
    options: tuple[Option, ...], code: int, number: int, padding: bytes
) -> None:
    packet = Packet(LCP, code, number, packed(options))
    protocol, data, address = protocol_in(packet.frame() + padding)
    assert (protocol, address) == (LCP, True)
    found = packet_in(protocol, data)
    assert found == packet
    assert found.options == options
    assert str(found)


@given(data=st.binary(max_size=60))
def test_any_bytes_are_a_packet_or_are_said_to_be_none(data: bytes) -> None:
    for read in (protocol_in, lambda data: packet_in(LCP, data), options_in):
        with contextlib.suppress(MalformedError):
            read(data)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"\1\1\0\3", "its length says 3, and there are 4"),
        (b"\1\1\0\5", "its length says 5, and there are 4"),
        (b"\1\1\0", "3 octets are no packet"),
    ],
)
def test_a_length_that_cannot_be_is_named(data: bytes, said: str) -> None:
    with pytest.raises(MalformedError, match=said):
        packet_in(LCP, data)


# --- RFC 1661 §4 ------------------------------------------------------------------------------------------------------

# The table of §4.1, state by state as it is printed there: actions, and the next state.
PRINTED = """
Up    | 2         irc,scr/6 -         -         -       -      | -          -         -         -
Down  | -         -         0         tls/1     0       1      | 1          1         1         tld/1
Open  | tls/1     1         irc,scr/6 3         5       5      | 6          7         8         9
Close | 0         tlf/0     2         2         4       4      | irc,str/4  irc,str/4 irc,str/4 tld,irc,str/4
TO+   | -         -         -         -         str/4   str/5  | scr/6      scr/6     scr/8     -
TO-   | -         -         -         -         tlf/2   tlf/3  | tlf/3      tlf/3     tlf/3     -
RCR+  | -         -         sta/2 irc,scr,sca/8 4       5      | sca/8      sca,tlu/9 sca/8     tld,scr,sca/8
RCR-  | -         -         sta/2 irc,scr,scn/6 4       5      | scn/6      scn/7     scn/6     tld,scr,scn/6
RCA   | -         -         sta/2     sta/3     4       5      | irc/7      scr/6     irc,tlu/9 tld,scr/6
RCN   | -         -         sta/2     sta/3     4       5      | irc,scr/6  scr/6     irc,scr/8 tld,scr/6
RTR   | -         -         sta/2     sta/3     sta/4   sta/5  | sta/6      sta/6     sta/6     tld,zrc,sta/5
RTA   | -         -         2         3         tlf/2   tlf/3  | 6          6         8         tld,scr/6
RUC   | -         -         scj/2     scj/3     scj/4   scj/5  | scj/6      scj/7     scj/8     scj/9
RXJ+  | -         -         2         3         4       5      | 6          6         8         9
RXJ-  | -         -         tlf/2     tlf/3     tlf/2   tlf/3  | tlf/3      tlf/3     tlf/3     tld,irc,str/5
RXR   | -         -         2         3         4       5      | 6          7         8         ser/9
"""


class Written:
    """An owner of an automaton, which writes down what it is asked to do, by the first letters of its words."""

    def __init__(self) -> None:
        self.did: list[str] = []

    def __getattr__(self, name: str) -> object:
        short = {"send_configure_nak": "scn", "send_code_reject": "scj", "send_echo_reply": "ser"}
        words = short.get(name) or "".join(word[0] for word in name.split("_"))
        return lambda: self.did.append(words)


@pytest.mark.parametrize("line", PRINTED.strip().splitlines(), ids=lambda line: line.split()[0])
def test_the_automaton_is_the_table_of_the_rfc(line: str) -> None:
    name, _, rest = line.partition("|")
    event = next(one for one in Event if one.value == name.strip())
    for state, cell in zip(State, rest.replace("|", " ").split(), strict=True):
        assert (state in TABLE[event]) == (cell != "-"), state
        if cell == "-":
            continue
        *actions, following = cell.replace("/", ",").split(",")
        owner = Written()
        automaton = Automaton(owner)  # type: ignore[arg-type]
        automaton.state = state
        automaton.event(event)
        assert (owner.did, automaton.state) == (actions, int(following)), state


# --- two of them ------------------------------------------------------------------------------------------------------


PATIENT = Timing(max_configure=30)


def ends(twos_first: int = 1000, timing: Timing = PATIENT) -> tuple[Endpoint, Endpoint]:
    """Two that draw their magic numbers by counting from 1, and from 1001; the first number of the second is said."""
    first = (number.to_bytes(4, "big") for number in itertools.count(1))
    second = (number.to_bytes(4, "big") for number in itertools.chain([twos_first], itertools.count(1001)))
    return Endpoint(lambda: next(first), timing), Endpoint(lambda: next(second), timing)


def is_up(end: Endpoint) -> bool:
    states = [event for event in end.lcp.events if isinstance(event, LayerUp | LayerDown)]
    return end.lcp.state is State.OPENED and bool(states) and isinstance(states[-1], LayerUp)


@settings(max_examples=200, deadline=None)
@given(
    losses=st.lists(st.sampled_from(["passes", "lost", "damaged", "twice"]), max_size=20),
    later=st.floats(0, 10),
    same_magic=st.booleans(),
)
def test_two_of_them_agree_whatever_the_line_does_at_first(losses: list[str], later: float, same_magic: bool) -> None:
    one, two = ends(1 if same_magic else 1000)
    fates = iter(losses)
    now = 0.0
    one.begin(now)
    two_begins: float | None = later
    for _ in range(500):
        if two_begins is not None and now >= two_begins:
            two.begin(now)
            two_begins = None
        for sender, receiver in ((one, two), (two, one)):
            if not (data := sender.send()):
                continue
            fate = next(fates, "passes")
            if fate == "damaged":
                data = bytes((byte ^ 1) if byte not in (0x7E, 0x7D) else byte for byte in data)
            for _ in range({"lost": 0, "twice": 2}.get(fate, 1)):
                receiver.receive(data, now)
        if is_up(one) and is_up(two) and not one.lcp.out and not two.lcp.out:
            break
        if not one.lcp.out and not two.lcp.out:
            due = [end.deadline for end in (one, two) if end.deadline is not None]
            now = min([*due, *([two_begins] if two_begins is not None else [])], default=now + 1)
            one.tick(now)
            two.tick(now)
    assert is_up(one)
    assert is_up(two)
    own = [option.value for end in (one, two) for option in end.lcp.wishes.options if option.kind == Kind.MAGIC]
    assert len(set(own)) == len(own), "nobody has the other's magic number"


@settings(max_examples=300, deadline=None)
@given(
    data=st.lists(
        st.one_of(
            st.binary(max_size=60),
            st.builds(
                lambda code, number, rest: framed(Packet(LCP, code, number, rest).frame()),
                st.integers(0, 13),
                st.integers(0, 3),
                st.one_of(st.binary(max_size=12), OPTIONS.map(packed)),
            ),
            st.just(b"tick"),
        ),
        max_size=30,
    )
)
def test_no_bytes_break_it_in_any_state(data: list[bytes]) -> None:
    end, _ = ends(timing=Timing(1.0, 3, 2, 2))
    now = 0.0
    end.begin(now)
    for piece in data:
        now += 0.6
        if piece == b"tick":
            end.tick(now)
        else:
            end.receive(piece, now)
        end.send()
        waits = end.lcp.state in (*range(State.CLOSING, State.OPENED),)
        assert (end.deadline is not None) == waits, end.lcp.state


def test_without_an_answer_it_gives_up_after_max_configure() -> None:
    end, _ = ends(timing=Timing(1.0, 4, 2, 5))
    now, sent = 0.0, 0
    end.begin(now)
    while end.deadline is not None:
        sent += len(end.lcp.out)
        end.send()
        now = end.deadline
        end.tick(now)
    assert (sent, now, end.lcp.state) == (4, 4.0, State.STOPPED)


def test_a_hundred_thousand_hostile_frames_take_no_more_room() -> None:
    drawn, (end, _) = random.Random(18), ends()
    end.begin(0.0)
    held = []
    for number in range(100_000):
        code, rest = drawn.randrange(15), drawn.randbytes(drawn.randrange(20))
        line = framed(Packet(drawn.choice((LCP, 0x8021, 0x21)), code, drawn.randrange(256), rest).frame())
        end.receive(line if number % 3 else line[: len(line) // 2] + b"\x7e", number / 1000)
        end.tick(number / 1000)
        end.send()
        end.lcp.events.clear()
        if number % 20_000 == 10_000:
            tracemalloc.start()
        elif number % 20_000 == 19_999:
            held.append(tracemalloc.get_traced_memory()[0])
            tracemalloc.stop()
    assert max(held) < 100_000, held
