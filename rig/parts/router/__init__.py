"""The customer's network (§2.1.2.1): a router with a firewall between the console and the Internet."""
