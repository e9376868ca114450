"""The customer's proxy (§2.1.2.2): squid or tinyproxy, as they are, on a machine between the console and the router."""
