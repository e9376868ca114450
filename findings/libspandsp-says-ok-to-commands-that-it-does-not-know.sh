#!/bin/sh
# libspandsp 0.0.6's AT interpreter (at_interpreter.c, used by its T.31 modems) answers a command that it does not know
# with OK: AT), AT+ZZQ=1 and ATS999? all do. V.250 §5.6 wants ERROR. A program that asks what a modem can do, as any does
# before it dials, finds that this one can do everything. Nor is there A/, which V.250 §5.2.4 has.
#
# And a line that is longer than it has room for is cut down, and what is left of it is done: 2,500 times V1, which asks
# for words, end in a line that is cut behind a V, which asks for digits, and the answer is 0 and CR, and no ERROR.
#
# Seen with Debian 12's libspandsp2 0.0.6+dfsg-2+b1. Exit status 0 while it is so.
set -eu

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
chmod 755 "$folder"   # apt's own user writes there
(cd "$folder" && apt-get -qq download libspandsp2=0.0.6+dfsg-2+b1 libtiff6 libwebp7 libzstd1 liblerc4 libjbig0 \
    libjpeg62-turbo libdeflate0 liblzma5 2>/dev/null && for file in *.deb; do dpkg -x "$file" .; done)

LD_LIBRARY_PATH=$(echo "$folder"/usr/lib/*-linux-gnu):$(echo "$folder"/lib/*-linux-gnu) python3 <<'PYTHON'
import ctypes
import sys

library = ctypes.CDLL("libspandsp.so.2")
library.at_init.restype = ctypes.c_void_p
library.at_interpreter.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int]
Sent = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p, ctypes.POINTER(ctypes.c_char), ctypes.c_size_t)
Control = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int, ctypes.c_char_p)


def answers(*lines):
    """What a new modem says to each."""
    heard = bytearray()

    def sent(state, user, data, size):
        heard.extend(bytes(data[:size]))
        return 0

    told, asked = Sent(sent), Control(lambda state, user, operation, number: 0)
    state, found = library.at_init(None, told, None, asked, None), []
    for line in (b"ATE0\r", *lines):
        heard.clear()
        library.at_interpreter(state, line, len(line))
        found.append(bytes(heard))
    return found[1:]


OK = b"\r\nOK\r\n"
unknown = answers(b"AT)\r", b"AT+ZZQ=1\r", b"ATS999?\r")
known = answers(b"ATV9\r", b"ATS8?\r")
again = answers(b"ATS8?\r", b"A/")
long = answers(b"AT" + 2500 * b"V1" + b"\r")
print("AT), AT+ZZQ=1, ATS999?:", unknown)
print("ATV9, ATS8?:           ", known)
print("ATS8?, A/:             ", again)
print("AT and 2,500 times V1: ", long)
same = (
    unknown == [OK, OK, OK]
    and known == [b"\r\nERROR\r\n", b"\r\n005\r\n\r\nOK\r\n"]
    and again[1] == b""
    and long == [b"0\r"]
)
sys.exit(0 if same else "it is otherwise now")
PYTHON
