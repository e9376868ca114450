#!/bin/sh
# ser2net 4.3.11 does not listen on 127.0.0.1 on a machine that has no IPv4 address but loopback's (a bench machine
# whose cable is out, a container without network): "Invalid accepter port name/number …: Unable to find a valid name on
# the name server", for a numeric address and a numeric port. So getaddrinfo(3) answers who asks for one family with
# AI_ADDRCONFIG, for which loopback's addresses do not count; one of IPv6 does not help. It goes on running all the
# same, with nothing to listen on, so that whoever looks whether it runs is told that it does.
#
# What is left to do is to give the machine an address, on whatever interface: 192.0.2.1 on a veth or a dummy.
#
# Seen with Debian's ser2net 4.3.11-1 and libgensio4 2.6.2-4, in a network namespace. Needs root. Exit status 0 while it
# is so.
set -eu

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
chmod 755 "$folder"   # apt's own user writes there
(cd "$folder" && apt-get -qq download ser2net=4.3.11-1 libgensio4=2.6.2-4 libyaml-0-2 libavahi-client3 \
    libavahi-common3 libsctp1 libwrap0 libnsl2 libtirpc3 2>/dev/null && for file in *.deb; do dpkg -x "$file" .; done)
cat >"$folder/ser2net.yaml" <<'YAML'
connection: &one
  accepter: telnet(rfc2217),tcp,127.0.0.1,2217
  connector: serialdev,/dev/ptmx,9600n81,local
YAML
LD_LIBRARY_PATH=$(echo "$folder"/usr/lib/*-linux-gnu:"$folder"/lib/*-linux-gnu)
GENSIO_LIBRARY_PATH=$(echo "$folder"/usr/libexec/*/gensio/2.6.2)
export folder LD_LIBRARY_PATH GENSIO_LIBRARY_PATH

unshare --net sh -eu <<'NAMESPACE'
listens() {  # three seconds at most; whether it runs still
    "$folder/usr/sbin/ser2net" -d -u -c "$folder/ser2net.yaml" >"$folder/log" 2>&1 &
    found=no tries=0
    while [ "$found" = no ] && [ $tries -lt 30 ]; do
        sleep 0.1
        tries=$((tries + 1))
        grep -q '0100007F:08A9 00000000:0000 0A' /proc/net/tcp && found=yes
    done
    kill -0 $! && running=yes || running=no
    kill -9 $!
    said=$(grep -o 'Unable to find.*' "$folder/log" | head -1)
    printf '%-28s listens: %-3s  runs: %-3s  %s\n' "$1" $found $running "$said"
    echo "$found $running" >>"$folder/found"
}
ip link set lo up
listens 'loopback only'
ip link add one type veth peer name other
ip link set one up
ip link set other up
ip address add fd00::1/64 dev one nodad
listens 'and an address of IPv6'
ip address add 192.0.2.1/24 dev one
listens 'and one of IPv4'
NAMESPACE
[ "$(cat "$folder/found")" = "no yes
no yes
yes yes" ] || { echo "no longer as found"; exit 1; }
echo "as found"
