"""The VPN gateway (§2.1.3, §5.2): charon takes the console's ESP, an LNS behind it its L2TP and PPP, by CHAP."""
