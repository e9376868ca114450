#!/bin/sh
# libspandsp 0.0.6's V.22bis says that it has trained where nobody is: an answering modem that hears white noise of
# -30 dBm0 and nothing else says "carrier up" at once and "training succeeded" some seconds later, and gives its user bits
# from then on. The scrambled ones for which V.22bis §6.3 has it wait were never there. So CONNECT has to be taken
# for one that was heard, until somebody has said something that makes sense.
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
import random
import sys

library = ctypes.CDLL("libspandsp.so.2")
library.v22bis_init.restype = ctypes.c_void_p
Get = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p)
Put = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_int)
Sound = ctypes.c_int16 * 160
UP, TRAINED = -2, -4


def hears(deviation, seconds):
    """When an answering modem says what, in seconds, and how many bits it gives, with noise of this deviation."""
    chance, said, bits, now = random.Random(2007), {}, [], 0.0
    get, put = Get(lambda user: 1), Put(lambda user, bit: bits.append(bit))
    status = Put(lambda user, what: said.setdefault(what, round(now, 2)))
    modem = ctypes.c_void_p(library.v22bis_init(None, 2400, 0, 0, get, None, put, None))
    library.v22bis_set_modem_status_handler(modem, status, None)
    sent = Sound()
    for block in range(50 * seconds):
        now = block / 50
        library.v22bis_tx(modem, sent, 160)
        library.v22bis_rx(modem, Sound(*(round(chance.gauss(0, deviation)) for _ in range(160))), 160)
    return said, len(bits)


# -30 dBm0: a sine of 32,767 has 3.14 dBm0.
deviation = 32767 / 2**0.5 * 10 ** ((-30 - 3.14) / 20)
said, bits = hears(deviation, 20)
quiet, none = hears(deviation / 20, 20)
print(f"noise of -30 dBm0: carrier up after {said.get(UP)} s, trained after {said.get(TRAINED)} s, {bits} bits in 20 s")
print(f"noise of -56 dBm0: {quiet or 'nothing'}, {none} bits")
same = UP in said and TRAINED in said and bits > 1000 and TRAINED not in quiet and none == 0
print("as it was seen" if same else "CHANGED")
sys.exit(not same)
PYTHON
