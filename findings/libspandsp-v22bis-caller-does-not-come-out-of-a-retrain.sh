#!/bin/sh
# After libspandsp 0.0.6's v22bis_request_retrain() the modem that had called does not come out of the retrain, whichever
# of the two has asked: it says that one has begun, and nothing after that, and takes no more bits from its user. The one
# that had answered says that it has trained, and hears nothing any more. And of another bit rate that is asked for, as
# the header has it ("A rate change may also be requested"), nothing comes: both are at 2,400 bit/s.
#
# A modem that is made anew, and silent for a tenth of a second before it begins, is trained with as a lost carrier is.
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
library.v22bis_init.restype = ctypes.c_void_p
Get = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p)
Put = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_int)
Sound = ctypes.c_int16 * 160
TRAINED, RETRAIN = -4, -13


class Modem:
    def __init__(self, calling):
        self.taken, self.said = 0, []
        self.kept = Get(self.bit), Put(lambda user, bit: None), Put(lambda user, status: self.said.append(status))
        self.state = ctypes.c_void_p(library.v22bis_init(None, 2400, 0, calling, self.kept[0], None, self.kept[1], None))
        library.v22bis_set_modem_status_handler(self.state, self.kept[2], None)
        self.sound = Sound()

    def bit(self, user):
        self.taken += 1
        return 1


def run(modems, blocks):
    for _ in range(blocks):
        for modem in modems:
            library.v22bis_tx(modem.state, modem.sound, 160)
        for modem, other in (modems, modems[::-1]):
            library.v22bis_rx(modem.state, other.sound, 160)


def asked(which, rate):
    """What caller and called say of a retrain, and how many bits either takes in a second, ten seconds later."""
    modems = [Modem(1), Modem(0)]
    run(modems, 250)
    assert all(TRAINED in modem.said for modem in modems)
    for modem in modems:
        modem.said.clear()
    assert library.v22bis_request_retrain(modems[which].state, rate) == 0
    run(modems, 500)
    before = [modem.taken for modem in modems]
    run(modems, 50)
    took = [modem.taken - old for modem, old in zip(modems, before)]
    return [modem.said for modem in modems], took, {library.v22bis_get_current_bit_rate(modem.state) for modem in modems}


same = True
for which, rate in ((0, 2400), (1, 2400), (0, 1200)):
    said, took, rates = asked(which, rate)
    print("the caller" if which == 0 else "who answered", f"asks, for {rate} bit/s: the caller says {said[0]} and takes",
          f"{took[0]} bits a second, the other says {said[1]} and takes {took[1]}; at", *rates)
    same = same and said == [[RETRAIN], [RETRAIN, TRAINED]] and took[0] == 0 and took[1] == 2400 and rates == {2400}
print("as it was seen" if same else "CHANGED")
sys.exit(not same)
PYTHON
