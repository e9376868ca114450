#!/bin/sh
# msgspec 0.22.0: an error within a dict does not say at which key: "Expected `int`, got `str` - at `$.ports[...]`",
# where an error within a list has its index, $.addresses[1].
#
# A table of names in a file of settings is such a dict; whoever has two hundred of them is told that one is wrong.
# Where a dec_hook turns the value into something (an ipaddress), the message is the hook's: put the value in it, or
# convert such a table entry by entry.
#
# Seen with Python 3.11. Exit status 0 while it is so.
set -eu

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check msgspec==0.22.0 2>/dev/null

"$folder/venv/bin/python" - <<'PYTHON'
import ipaddress
import sys

import msgspec


class Settings(msgspec.Struct):
    names: dict[str, ipaddress.IPv4Address] = {}
    addresses: list[ipaddress.IPv4Address] = []
    ports: dict[str, int] = {}


def read(settings):
    return msgspec.convert(settings, Settings, dec_hook=lambda kind, value: kind(value))


print("without a mistake:", read({"names": {"one.example": "192.0.2.1"}, "ports": {"one": 1}}))
seen = []
for settings in ({"names": {"one.example": "192.0.2.1", "two.example": "192.0.2.300"}},
                 {"ports": {"one": 1, "two": "three"}},
                 {"addresses": ["192.0.2.1", "192.0.2.300"]}):
    try:
        read(settings)
    except msgspec.ValidationError as error:
        seen.append(str(error))
        print(error)
if (len(seen) != 3 or "two" in seen[0] + seen[1] or "`$.names[...]`" not in seen[0] or "`$.ports[...]`" not in seen[1]
        or "`$.addresses[1]`" not in seen[2]):
    sys.exit("no longer as found")
print("as found")
PYTHON
