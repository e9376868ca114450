"""The command line as it arrives, character by character (V.250 §5.2). Sans-I/O."""

from __future__ import annotations

from collections.abc import Mapping

from rig.parts.exchange.hayes.parse import CommandLineError

END, ERASE = 3, 5
"""The registers with the characters that end a line and that take its last character back (V.250 §6.2.1, §6.2.3)."""


class CommandLine:
    """One modem's. ``longest``: characters of a line behind its AT that there is room for."""

    def __init__(self, longest: int) -> None:
        self._longest = longest
        self._text = bytearray()
        self._collecting = self._overflow = False
        self._last = ""

    def clear(self) -> None:
        """Forget what has come of a line so far."""
        self._text.clear()
        self._collecting = self._overflow = False

    def feed(self, byte: int, registers: Mapping[int, int]) -> str | None:
        """Take a character of seven bits. The line, without its AT, where it is whole now; else None.

        Raises CommandLineError at the end of one that was too long; nothing of it counts.
        """
        if not self._collecting:
            return self._seek_attention(byte)
        if byte == registers[END]:
            return self._whole()
        if byte == registers[ERASE]:
            del self._text[-1:]
        elif byte >= 0x20:
            self._overflow = self._overflow or len(self._text) >= self._longest
            if not self._overflow:
                self._text.append(byte)
        return None

    def _seek_attention(self, byte: int) -> str | None:
        """AT begins a line, A/ repeats the last one at once (V.250 §5.2.4)."""
        character = chr(byte).upper()
        begun = self._text == b"A"
        self._text[:] = b"A" if character == "A" else b""
        if begun and character == "T":
            self._collecting = True
        return self._last if begun and character == "/" else None

    def _whole(self) -> str:
        text, overflow = self._text.decode("ascii"), self._overflow
        self.clear()
        if overflow:
            raise CommandLineError(f"longer than {self._longest} characters")
        self._last = text
        return text
