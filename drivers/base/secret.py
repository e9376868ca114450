"""An account's secret, as it is handed from a bench to pppd."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Secret:
    """An account and its secret, for pppd's pap-secrets. The secret is never printed."""

    user: str
    password: str = field(repr=False)
