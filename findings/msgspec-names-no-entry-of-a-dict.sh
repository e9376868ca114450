#!/bin/sh
# msgspec 0.22.0: an error within a dict does not say at which key: "Expected `IPv4Address`, got `str` - at `$.names[...]`",
# where an error within a list has its index, $.addresses[1].
#
# A table of names in a file of settings is such a dict; whoever has two hundred of them is told that one is wrong. Nor is
# the value in the message. Convert such a table entry by entry, or as a list of structs.
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


seen = []
for value in ({"names": {"one.example": "192.0.2.1", "two.example": "192.0.2.300"}},
              {"addresses": ["192.0.2.1", "192.0.2.300"]}):
    for how, read in (("convert", lambda v: msgspec.convert(v, Settings)),
                      ("json", lambda v: msgspec.json.decode(msgspec.json.encode(v), type=Settings))):
        try:
            read(value)
        except msgspec.ValidationError as error:
            seen.append(str(error))
            print(f"{how}: {error}")
if (len(seen) != 4 or any("two.example" in text or "192.0.2.300" in text for text in seen)
        or not all("`$.names[...]`" in text for text in seen[:2])
        or not all("`$.addresses[1]`" in text for text in seen[2:])):
    sys.exit("no longer as found")
print("as found")
PYTHON
