#!/bin/sh
# mobile-broadband-provider-info (Debian's 20230416-1): two access point names in serviceproviders.xml are no names:
# "internet " of +7Telecom in Uganda has a space at its end, and Zain's in Bahrain is a URL, http://172.18.83.129.
#
# They are attributes, which a parser does not trim, and the DTD has CDATA there; what reads the list and writes
# AT+CGDCONT=1,"IP","..." dials with them. An APN is made of DNS labels (3GPP TS 23.003): hold each against that, as
# below, and trim.
#
# Seen with Python 3.11. Exit status 0 while it is so.
set -eu

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
chmod 755 "$folder"   # apt's own user writes there
(cd "$folder" && apt-get -qq download mobile-broadband-provider-info=20230416-1 2>/dev/null && dpkg -x ./*.deb .)

python3 - "$folder/usr/share/mobile-broadband-provider-info/serviceproviders.xml" <<'PYTHON'
import re
import sys
import xml.etree.ElementTree as ElementTree

label = "[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?"
count, odd = 0, set()
for country in ElementTree.parse(sys.argv[1]).getroot().iter("country"):
    for provider in country.iter("provider"):
        for apn in provider.iter("apn"):
            count += 1
            if not re.fullmatch(rf"{label}(\.{label})*", apn.get("value")):
                odd.add((country.get("code"), provider.findtext("name"), apn.get("value")))
print(f"{count} access point names, of which these are none:", *sorted(odd), sep="\n  ")
if odd != {("bh", "Zain BH", "http://172.18.83.129"), ("ug", "+7Telecom", "internet ")}:
    sys.exit("no longer as found")
print("as found")
PYTHON
