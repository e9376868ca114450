"""The ways in which a far end of the rig's own can be broken on purpose, by name. What each is stands with the part:
rig.parts.fence_mutants, rig.parts.router.mutants, rig.parts.service_centre.faults, drivers/ppp/misbehaving; a
test holds these to be those."""

LIG = (
        "no-source-check", "source-24", "source-1", "checks-swapped", "servers-24", "servers-31", "servers-16",
    "everything-out", "private-out", "private-172-out", "every-port", "port-80", "port-range", "udp-443",
    "every-protocol", "esp-out", "gre-out", "tunnel-out", "icmp-out", "icmp-errors-out", "options-out",
    "foreign-dns", "gateway-open", "utility-open", "wrong-interface", "server-missing", "no-name-service",
    "everything-in", "servers-in", "port-443-in", "icmp-in", "related-in", "rules-late", "rules-left", "ipv6-open",
    "ipv6-icmp-out", "ipv6-dns-out", "ipv6-ack-out", "ipv6-in-ipv6-out", "ipv6-port-53-in",
    "callers-joined", "vpn-open", "remote-service-in", "pool-in", "no-syn-out", "fin-out", "null-out", "fin-in",
    "xmas-in", "port-53-out", "port-88-out", "port-20-in", "port-53-in", "protocol-99-out", "ospf-out",
    "l2tpv3-out", "vrrp-in", "protocol-253-in", "wrong-sums-out", "wrong-sums-in", "options-in", "any-window",
    "ends-late", "ftp-helper", "irc-helper", "sip-helper", "pieces-out", "any-name", "flows-kept",
)  # fmt: skip
ROUTER = (
        "anybody-443", "snat-missing", "snat-other", "other-region", "stranger-replies", "everything-sent-on",
    "udp-sent-on", "remote-service-open", "no-state", "cards-joined", "ipv6-open", "udp-443", "port-80",
    "every-port", "icmp-out", "esp-out", "vpn-open", "dns-out", "private-out", "no-source-check", "options-out",
    "any-window", "ends-late", "router-open", "errors-in", "server-missing",
)  # fmt: skip
ROUTER_OF_A_VPN = (
    "ike-alone", "data-alone", "vpn-server-missing", "esp-anybody", "ike-anybody", "nat-t-anybody", "vpn-servers-24",
    "tcp-500", "every-udp-port", "l2tp-in-clear", "ah-out", "vpn-443", "ike-sent-on", "udp-in-by-port", "echo-to-vpn",
    "snat-missing", "ipv6-open", "private-out", "no-source-check", "options-out", "router-open", "errors-in",
)  # fmt: skip
CENTRE = ("refuses", "full", "cuts", "slow", "lies", "forgets")
MANNERS = (
    "sound", "pap-never", "pap-late", "pap-refused", "pap-of-another", "pap-without-message", "hang-up-at-pap",
    "hang-up-behind-pap", "ends-at-once", "ipcp-silent", "no-address", "address-zero", "address-for-ever",
    "its-own-address", "no-name-servers", "ipcp-again", "address-changes", "ends-in-session", "hang-up-in-session",
    "silent", "nak-for-ever", "reject-for-ever", "acks-of-another", "option-flood", "request-flood",
    "terminate-flood", "echo-flood", "unknown-protocols", "lcp-again", "echoes-lost", "echoes-of-another",
    "damaged-frames", "enormous-frames", "garbage", "looped-back", "accm-all-ones", "mru-64", "code-rejects", "no-ip",
    "hang-up-at-lcp", "hang-up-behind-lcp", "hang-up-at-ipcp",
)  # fmt: skip
"""Of a gateway that is no LIG but a PPP peer of the rig's own which misbehaves."""
