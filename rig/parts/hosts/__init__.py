"""The service hosts behind the gateway, and services that say whose they are."""
