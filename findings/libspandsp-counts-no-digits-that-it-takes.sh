#!/bin/sh
# libspandsp 0.0.6's dtmf_tx_put() does not return what its header says (dtmf.h: "The number of digits actually added.
# This may be less than the length of the digit string, if the buffer fills up."). It returns 0 where all of them were
# added, and where there is no room for all of them it adds none and returns how many are too many. Who goes on behind
# the number of digits that it was told were added dials them again and again.
#
# Seen with Debian 12's libspandsp2 and libspandsp-dev 0.0.6+dfsg-2+b1. Exit status 0 while it is so.
set -eu

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
chmod 755 "$folder"   # apt's own user writes there
(cd "$folder" && apt-get -qq download libspandsp2=0.0.6+dfsg-2+b1 libspandsp-dev=0.0.6+dfsg-2+b1 libtiff6 libwebp7 \
    libzstd1 liblerc4 libjbig0 libjpeg62-turbo libdeflate0 liblzma5 2>/dev/null &&
    for file in *.deb; do dpkg -x "$file" .; done)

grep -A3 'return The number of digits actually added' "$folder/usr/include/spandsp/dtmf.h" | head -2

LD_LIBRARY_PATH=$(echo "$folder"/usr/lib/*-linux-gnu):$(echo "$folder"/lib/*-linux-gnu) python3 <<'PYTHON'
import ctypes
import sys

library = ctypes.CDLL("libspandsp.so.2")
for name in ("dtmf_tx_init", "dtmf_rx_init"):
    getattr(library, name).restype = ctypes.c_void_p
SAMPLES = 160


def sent(*strings):
    """What is returned for each, put one behind the other; and the digits that a receiver makes of the sound."""
    made = (getattr(library, name)(None, None, None) for name in ("dtmf_tx_init", "dtmf_rx_init"))
    sender, receiver = map(ctypes.c_void_p, made)
    returned = [library.dtmf_tx_put(sender, string, len(string)) for string in strings]
    sound, heard = (ctypes.c_int16 * SAMPLES)(), b""
    for _ in range(1500):
        made = library.dtmf_tx(sender, sound, SAMPLES)
        for at in range(made, SAMPLES):
            sound[at] = 0
        library.dtmf_rx(receiver, sound, SAMPLES)
        digits = ctypes.create_string_buffer(129)
        count = library.dtmf_rx_get(receiver, digits, 128)
        heard += digits.raw[:count]
    return returned, heard


few = sent(b"5550100")
full = sent(b"1" * 100, b"2" * 100)
print("seven digits: returned", few[0], "heard", few[1])
print("a hundred, and a hundred more: returned", full[0], "heard", len(full[1]), "digits, of the second hundred",
      full[1].count(b"2"))
same = few == ([0], b"5550100") and full[0] == [0, 72] and full[1] == b"1" * 100
print("as it was seen" if same else "CHANGED")
sys.exit(not same)
PYTHON
