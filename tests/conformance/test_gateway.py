"""What any gateway and any modem must do, by the paper; needs a bench and nothing of the rig's own insides.

``rig check --bench FILE`` runs these, on the emulated bench and on real hardware alike.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from rig.checks import every as checks

from .results import require

if TYPE_CHECKING:
    from rig.fixtures.line import Call, Line, Session


def ours(modem: Line) -> None:
    """Skips where there is no modem to be commanded."""
    if modem.bench.near_end.remote_modem is not None:
        pytest.skip("the modem is the partition's, which alone commands it")


def test_modem_answers_commands(modem: Line) -> None:
    """Catches a port with no modem, a wrong speed, a modem that is stuck."""
    ours(modem)
    assert modem.command("AT") == []


def test_modem_says_who_it_is(modem: Line) -> None:
    """Catches echo left on and answers that belong to the command before."""
    ours(modem)
    assert "OK" not in modem.identity.model
    assert "AT" not in modem.identity.model


@pytest.mark.paper("2.1.1")
def test_call_connects_at_a_rate(call: Call) -> None:
    """Catches a modem that connects without saying how (X0), and a gateway that does not answer (§2.1.1)."""
    assert call.connection.rate >= 300


@pytest.mark.paper("3.1")
def test_session_is_authenticated_by_pap(session: Session) -> None:
    """Catches a gateway that lets anybody in (§3.1)."""
    assert session.up.auth == "PAP"


@pytest.mark.paper("3.1")
def test_assigned_address_is_held_and_from_the_pool(session: Session) -> None:
    """Catches an address that is not the gateway's to give (§3.1)."""
    require(session.run_check(checks.own_address))


@pytest.mark.paper("3.1")
def test_utility_name_service_answers(session: Session) -> None:
    """Catches a fence that shuts out the utility services (§3.1)."""
    require(session.run_check(checks.name_service))


@pytest.mark.paper("2.1.1", "3.2", "5.1")
def test_authorized_servers_take_a_post_over_tls(session: Session) -> None:
    """Catches a fence that shuts out an authorized server, and a server that is not who it says (§2.1.1, §5.1)."""
    require(session.run_check(checks.authorized_servers))


@pytest.mark.paper("3.1")
def test_unauthorized_host_is_not_reached(session: Session) -> None:
    """Catches a fence that is open (§2.1.1)."""
    require(session.run_check(checks.unauthorized_host))


@pytest.mark.paper("3.1")
def test_unauthorized_source_is_dropped(session: Session) -> None:
    """Catches a fence that does not look at the source (§3.1)."""
    require(session.run_check(checks.unauthorized_source))


def test_second_call_follows_the_first(modem: Line) -> None:
    """Catches a modem or a gateway that keeps the line after a hang-up."""
    modem.call().start_ppp()
    modem.near.hang_up()
    modem.near.open()
    assert modem.call().start_ppp().running


@pytest.mark.paper("2.1.1")
def test_connections_originate_from_the_near_end(session: Session) -> None:
    """The paper's §2.1.1."""
    require(session.run_check(checks.origin))
