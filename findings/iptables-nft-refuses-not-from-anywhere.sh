#!/bin/sh
# iptables 1.8.9 (Debian 12): "! -s 0.0.0.0/0", a rule that matches nothing, is taken and kept by iptables-legacy, and is
# refused by iptables-nft, with no word of what is wrong with it. It is what is left where a script has a prefix of 0 in
# "all but these": one gateway of two runs such a script, and all rules of the commit are missing on the other.
#
# Output seen, of each back end with the same text:
#   legacy: 0, and iptables-legacy-save prints -A t ! -s 0.0.0.0/0 -j DROP
#   nft:    4, "RULE_APPEND failed (Invalid argument): rule in chain t"
#
# Root, or unprivileged user namespaces, and a kernel with ip_tables and with nf_tables: a network namespace takes the rules.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
(cd "$folder" && apt-get -qq download iptables=1.8.9-2 libip4tc2=1.8.9-2 libip6tc2=1.8.9-2 libxtables12=1.8.9-2 \
    libnftnl11=1.2.4-2 && for package in *.deb; do dpkg -x "$package" files; done)
export LD_LIBRARY_PATH="$folder/files/usr/lib/$(uname -m)-linux-gnu" PATH="$folder/files/usr/sbin:$PATH"
export XTABLES_LIBDIR="$LD_LIBRARY_PATH/xtables"
printf '*filter\n:t -\n-A t ! -s 0.0.0.0/0 -j DROP\nCOMMIT\n' >"$folder/rules"
in_namespace() {
    unshare --map-root-user --net "$@" 2>&1
}
legacy=$(in_namespace sh -c "xtables-legacy-multi iptables-restore <$folder/rules && xtables-legacy-multi iptables-save")
status=0
nft=$(in_namespace sh -c "xtables-nft-multi iptables-restore <$folder/rules") || status=$?
echo "legacy: $(echo "$legacy" | grep -- '-A t')"
echo "nft: $status, $nft"
echo "$legacy" | grep -qx -- '-A t ! -s 0.0.0.0/0 -j DROP'
[ "$status" = 4 ]
echo "$nft" | grep -q 'RULE_APPEND failed (Invalid argument): rule in chain t'
