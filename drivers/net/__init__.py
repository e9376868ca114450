"""Network namespaces, their firewall and connections, and interfaces lent to them."""
