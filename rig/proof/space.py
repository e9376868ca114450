"""Sets of headers as binary decision diagrams, by the library dd: by CUDD where its wheel has that, else in Python."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from rig.proof.header import ADDRESS_BITS, ITSELF, WIDTHS, Field, Header, State, address
from rig.proof.rules import AnyOf, Masked, Match, Sometimes, Through, Within

MEMORY = 100 << 20
"""Bytes for CUDD. Unless told it takes a gigabyte, and does not start where a machine, or a guest, has less."""
ANOTHER = "another interface"
Set = Any
"""Of headers: a node of a diagram. ``&``, ``|`` and ``~`` are what they say."""


class Space:
    """All headers at a gateway whose interfaces are ``interfaces``, and whatever else the ``patterns`` of its rules
    stand for: one interface for each pattern that is none of them, and one that no pattern knows. ``version``: of
    IP."""

    def __init__(self, interfaces: Iterable[str], patterns: Iterable[str], version: int = 4) -> None:
        self.version = version
        self.interfaces = _representatives(set(interfaces), set(patterns))
        bits = max(1, (len(self.interfaces) - 1).bit_length())
        self._diagram = _diagram()
        self._diagram.configure(reordering=False)  # what follows is the order
        of_address = ADDRESS_BITS[version]
        self._widths = {
            Field.IN: bits, Field.OUT: bits, **WIDTHS, Field.SOURCE: of_address, Field.DESTINATION: of_address,
        }  # fmt: skip
        self._bits = {name: [f"{name.value} {bit}" for bit in range(width)] for name, width in self._widths.items()}
        self._fields = [name for field in Field for name in self._bits[field]]
        self.everywhere = (1 << of_address) - 1
        self._diagram.declare(*self._fields)
        self._chances: list[str] = []
        self.nothing, self.all = self._diagram.false, self._diagram.true

    def within(self, field: Field, low: int, high: int) -> Set:
        """The headers whose field is from ``low`` to ``high``, both included."""
        width = self._widths[field]
        if low == 0 and high == (1 << width) - 1:
            return self.all
        return self._at_least(field, low, width) & ~self._at_least(field, high + 1, width)

    def _at_least(self, field: Field, bound: int, width: int) -> Set:
        if bound >> width:
            return self.nothing
        found = self.all
        for bit in range(width):  # from the last to the first
            variable = self._diagram.var(self._bits[field][width - 1 - bit])
            found = variable & found if bound >> bit & 1 else variable | found
        return found

    def exactly(self, field: Field, value: int) -> Set:
        return self.within(field, value, value)

    def through(self, field: Field, pattern: str) -> Set:
        """The headers that come in, or go out, by an interface of this name, or of one that begins so (``+``)."""
        return self.one_of(
            self.exactly(field, number) for number, name in enumerate(self.interfaces) if _means(pattern, name)
        )

    def one_of(self, sets: Iterable[Set]) -> Set:
        """Of several sets, all that is in any: two by two, as a thousand one after another would take a thousand
        times as long."""
        left = list(sets)
        while len(left) > 1:
            left = [left[at] | left[at + 1] if at + 1 < len(left) else left[at] for at in range(0, len(left), 2)]
        return left[0] if left else self.nothing

    def matching(self, matches: Iterable[Match]) -> Set:
        """The headers that all of them match."""
        found = self.all
        for match in matches:
            found &= self._matching(match)
        return found

    def _matching(self, match: Match) -> Set:
        match match:
            case Within(field, ranges, negated):
                found = self.one_of(self.within(field, *ends) for ends in ranges)
            case Through(field, pattern, negated):
                found = self.through(field, pattern)
            case Masked(mask, value, negated):
                found = self._masked(mask, value)
            case AnyOf(ways, negated):
                found = self.one_of(self.matching(way) for way in ways)
            case Sometimes():
                return self._chance()
        return ~found if negated else found

    def _masked(self, mask: int, value: int) -> Set:
        found, names = self.all, self._bits[Field.FLAGS]
        for place, name in enumerate(reversed(names)):
            if mask >> place & 1:
                variable = self._diagram.var(name)
                found &= variable if value >> place & 1 else ~variable
        return found

    def _chance(self) -> Set:
        """What holds or not, whatever the header: a variable of its own."""
        name = f"chance {len(self._chances)}"
        self._diagram.declare(name)
        self._chances.append(name)
        return self._diagram.var(name)

    def possible(self, of: Set) -> Set:
        """The headers that are of it in some case."""
        return self._diagram.exist(self._chances, of) if self._chances else of

    def certain(self, of: Set) -> Set:
        """The headers that are of it in every case."""
        return self._diagram.forall(self._chances, of) if self._chances else of

    @property
    def sound(self) -> Set:
        """The headers that exist: numbers that stand for an interface or a state; not from the gateway to itself."""
        last = len(self.interfaces) - 1
        inside = self.through(Field.IN, ITSELF) & self.through(Field.OUT, ITSELF)
        numbered = self.within(Field.IN, 0, last) & self.within(Field.OUT, 0, last)
        return numbered & self.within(Field.STATE, 0, max(State)) & ~inside

    def number_of(self, interface: str) -> int:
        return self.interfaces.index(interface)

    def only(self, header: Header) -> Set:
        """This header alone."""
        found = self.exactly(Field.IN, self.number_of(header.coming))
        found &= self.exactly(Field.OUT, self.number_of(header.going))
        for field, value in header.numbers():
            found &= self.exactly(field, value)
        return found

    def has(self, of: Set, header: Header) -> bool:
        """Whether a header is of a set."""
        return bool(self.only(header) & of != self.nothing)

    def pick(self, of: Set, tastes: Iterable[Set] = ()) -> Header | None:
        """A header of a set, to the first of the tastes that can be had, and the next, and so on; None of an empty
        one."""
        if of == self.nothing:
            return None
        for taste in tastes:
            if (liked := of & taste) != self.nothing:
                of = liked
        chosen = self._diagram.pick(of, care_vars=set(self._fields))
        value = {field: self._value(chosen, field) for field in Field}
        return Header(
            self.interfaces[value[Field.IN]], self.interfaces[value[Field.OUT]],
            address(value[Field.SOURCE], self.version), address(value[Field.DESTINATION], self.version),
            value[Field.PROTOCOL], value[Field.FROM_PORT], value[Field.TO_PORT],
            value[Field.FLAGS], State(value[Field.STATE]), bool(value[Field.OPTIONS]), bool(value[Field.FRAGMENT]),
        )  # fmt: skip

    def _value(self, chosen: dict[str, bool], field: Field) -> int:
        number = 0
        for name in self._bits[field]:
            number = number << 1 | int(chosen[name])
        return number


def _diagram() -> Any:
    """Imported where a proof is made: whoever only dials does not wait for it."""
    try:
        from dd.cudd import BDD
    except ImportError:  # no wheel for this machine
        from dd.autoref import BDD

        return BDD()
    return BDD(memory_estimate=MEMORY)


def _means(pattern: str, interface: str) -> bool:
    if interface == ITSELF:
        return pattern == ITSELF
    return interface.startswith(pattern[:-1]) if pattern.endswith("+") else interface == pattern


def _representatives(interfaces: set[str], patterns: set[str]) -> list[str]:
    """The gateway itself, those that there are and those that rules name; ``ppp?``, for ``ppp+``; and another."""
    named = interfaces | {pattern for pattern in patterns if not pattern.endswith("+")}
    others = {f"{pattern[:-1]}?" for pattern in patterns if pattern.endswith("+") and pattern != "+"}
    return [ITSELF, *sorted(named - {ITSELF, ""}), *sorted(others), ANOTHER]
