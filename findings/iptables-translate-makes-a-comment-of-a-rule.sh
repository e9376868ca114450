#!/bin/sh
# iptables-restore-translate 1.8.9 (Debian 12) writes a rule that it has no words for in nftables as a comment, says
# nothing on standard error and ends with 0; nft then loads what is left, and the fence lacks that rule.
#
# It need not be an exotic one: ICMP with a code (--icmp-type 3/13, what a gateway with a fence sends), recent, u32 and
# physdev are among them; an ICMP type without a code is translated. grep the outcome for lines that begin with "# -t".
#
# Seen with Debian's iptables 1.8.9-2. Exit status 0 while it is so.
set -eu

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
chmod 755 "$folder"   # apt's own user writes there
(cd "$folder" && apt-get -qq download iptables=1.8.9-2 libxtables12=1.8.9-2 libip4tc2 libip6tc2 libnftnl11 libmnl0 \
    libnetfilter-conntrack3 libnfnetlink0 2>/dev/null && for file in *.deb; do dpkg -x "$file" .; done)
LD_LIBRARY_PATH=$(echo "$folder"/usr/lib/*-linux-gnu):$(echo "$folder"/lib/*-linux-gnu)
XTABLES_LIBDIR=$(echo "$folder"/usr/lib/*-linux-gnu/xtables)
export LD_LIBRARY_PATH XTABLES_LIBDIR

cat >"$folder/rules" <<'RULES'
*filter
:FORWARD ACCEPT [0:0]
-A FORWARD -p icmp --icmp-type 8 -j DROP
-A FORWARD -p icmp --icmp-type 3/13 -j DROP
-A FORWARD -p tcp --dport 443 -m recent --name callers --update --seconds 60 -j DROP
-A FORWARD -m u32 --u32 "0>>28=4" -j DROP
-A FORWARD -m physdev --physdev-in eth1 -j DROP
-A FORWARD -p tcp --dport 22 -j DROP
COMMIT
RULES
status=0
"$folder/usr/sbin/xtables-nft-multi" iptables-restore-translate -f "$folder/rules" \
    >"$folder/translated" 2>"$folder/said" || status=$?
cat "$folder/translated"
given=$(grep -c '^-A' "$folder/rules")
rules=$(grep -c '^add rule' "$folder/translated" || true)
comments=$(grep -c '^# -t' "$folder/translated" || true)
echo "$given rules in, $rules out, $comments comments, exit status $status, $(wc -c <"$folder/said") bytes of errors"
if [ "$given $rules $comments $status" != "6 2 4 0" ] || [ -s "$folder/said" ]; then
    echo "no longer as found" >&2
    exit 1
fi
echo "as found"
