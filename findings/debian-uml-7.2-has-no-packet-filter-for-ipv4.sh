#!/bin/sh
# Debian's user-mode-linux 7.2um1 (sid, forky; linux 7.2.7): a guest has no packet filter for IPv4, by any back end. The
# tables of ip_tables (filter, nat, mangle, raw) are behind NETFILTER_XTABLES_LEGACY since Linux 6.17, which its
# configuration leaves out, and nf_tables is built with the bridge family alone: NF_TABLES_IPV4 and _INET are not set. Each
# of iptables-legacy-restore, iptables-nft-restore and nft fails in it; 6.1 and 6.12 (Debian 12 and 13) have ip_tables.
# Its SECCOMP mode (seccomp=on, Linux 6.16) makes a guest twice as fast, so one is tempted.
#
# Output seen: 32 targets and matches of xtables are there as modules, no table that could hold them is:
#   IP_NF_FILTER: not there; NETFILTER_XTABLES_LEGACY is not set; NF_TABLES_IPV4 is not set; NF_TABLES_INET is not set
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
mkdir -p "$folder/lists/partial" "$folder/cache/archives/partial"
echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://deb.debian.org/debian sid main" >"$folder/list"
aptly() {
    apt-get -qq -o Dir::Etc::sourcelist="$folder/list" -o Dir::Etc::sourceparts=- -o Dir::State::Lists="$folder/lists" \
        -o Dir::Cache="$folder/cache" -o Acquire::Languages=none -o APT::Sandbox::User=root "$@"
}
aptly update
(cd "$folder" && aptly download user-mode-linux=7.2um1 && dpkg -x user-mode-linux_7.2um1_*.deb files)
modules=$folder/files/usr/lib/uml/modules
config=$folder/config
gzip -dc "$folder/files/usr/share/doc/user-mode-linux/config.gz" >"$config"
echo "modules of matches and targets: $(find "$modules" -name 'xt_*.ko' | wc -l)"
echo "modules of tables: $(find "$modules" -name 'iptable_*.ko' -o -name 'ip6table_*.ko' -o -name 'ip_tables.ko' | wc -l)"
grep -E '^# CONFIG_(NETFILTER_XTABLES_LEGACY|NF_TABLES_IPV4|NF_TABLES_INET) is not set' "$config"
[ "$(find "$modules" -name 'xt_*.ko' | wc -l)" -gt 20 ]
[ "$(find "$modules" -name 'iptable_*.ko' | wc -l)" = 0 ]
[ "$(grep -cE '^# CONFIG_(NETFILTER_XTABLES_LEGACY|NF_TABLES_IPV4|NF_TABLES_INET) is not set' "$config")" = 3 ]
! grep -q '^CONFIG_IP_NF_FILTER' "$config"
