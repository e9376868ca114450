"""A report's parts: what was said is told as it was said, whatever was said, and nothing runs in the browser."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rig.config.bench_files import load
from rig.drivers.l2tp.avp import Attribute
from rig.drivers.l2tp.header import Header, pack
from rig.drivers.l2tp.messages import Kind, Message, encode_message
from rig.report import Far, Subject, chart, drawing, files, junit, page
from rig.report.ladder import at_rungs, l2tp_rungs, ppp_rungs
from rig.report.timeline import spans
from rig.run.trace import Datagram, Note, Step, Trace
from rig.run.transcript import Moment
from rig.verdict.verdict import CheckResult

VERDICT = {"outcome": "OK", "exit": 0, "message": "", "advice": "", "lab": "native", "port": "/dev/ttyS0"}


def subject(trace: Trace, checks: tuple[CheckResult, ...] = (), **verdict: object) -> Subject:
    return Subject("rig dial", load("loopback"), VERDICT | verdict, checks, trace)


def test_a_command_and_its_answer_are_two_rungs_and_echo_is_none() -> None:
    moments = [
        Moment(1.0, "to", b"ATI3\r"),
        Moment(1.1, "from", b"ATI3\r\r\nSoft "),
        Moment(1.2, "from", b"Modem\r\n\r\nOK\r\n"),
        Moment(2.0, "to", b"ATDT5\r"),
        Moment(3.0, "from", b"RINGING\r\nBUSY\r\n"),
    ]
    told = [(rung.sender, rung.text, rung.options, rung.after and round(rung.after, 3)) for rung in at_rungs(moments)]
    assert told == [
        ("near end", "ATI3", (), None),
        ("modem", "OK", ("Soft Modem",), 0.2),
        ("near end", "ATDT5", (), None),
        ("modem", "RINGING", (), None),
        ("modem", "BUSY", (), 1.0),
    ]


def test_an_answer_is_timed_from_what_it_answers_by_its_id() -> None:
    lines = [
        Note(1.0, "sent [LCP ConfReq id=0x1 <mru 1410> <magic 0x1>]"),
        Note(1.5, "rcvd [LCP ConfReq id=0x1 <auth pap>]"),
        Note(1.6, "sent [LCP ConfAck id=0x1 <auth pap>]"),
        Note(2.0, "rcvd [LCP ConfAck id=0x1 <mru 1410> <magic 0x1>]"),
        Note(2.1, "Using interface ppp0"),
        Note(3.0, 'rcvd [PAP AuthNak id=0x1 "Login incorrect"]'),
    ]
    rungs = list(ppp_rungs(lines, "gateway"))
    assert [(rung.protocol, rung.text, rung.after and round(rung.after, 3)) for rung in rungs] == [
        ("LCP", "ConfReq", None),
        ("LCP", "ConfReq", None),
        ("LCP", "ConfAck", 0.1),
        ("LCP", "ConfAck", 1.0),
        ("PAP", "AuthNak", None),
    ]
    assert rungs[0].options == ("<mru 1410>", "<magic 0x1>")
    assert rungs[-1].options == ('"Login incorrect"',)


def test_l2tp_messages_are_named_and_one_sent_again_is_said_to_be() -> None:
    values: dict[Attribute, int | bytes] = {Attribute.RESULT_CODE: b"\0\x08\0\0BUSY", Attribute.ASSIGNED_SESSION_ID: 7}
    datagram = pack(Header(1, 2, 3, 4), encode_message(Message(Kind.CDN, values)))
    came = [Datagram(1.0, False, datagram), Datagram(2.0, False, datagram), Datagram(3.0, True, b"x")]
    rungs = list(l2tp_rungs(came))
    assert [rung.text for rung in rungs[:2]] == ["CDN", "CDN, sent again"]
    assert rungs[0].options[0] == "result 8, busy: BUSY"
    assert rungs[2].text.startswith("not understood")


@settings(deadline=None)  # a machine that does much else is slow at times, and this is about text
@given(st.binary(max_size=60), st.text(max_size=60))
def test_whatever_a_modem_or_a_gateway_says_is_text_on_the_page(said: bytes, refusal: str) -> None:
    """Catches markup of somebody else's that reaches the page, and XML that cannot be read."""
    trace = Trace()
    trace.said("to", b"ATI\r")
    trace.said("from", b"<script>alert(1)</script>\r\n" + said + b"\r\nOK\r\n")
    trace.ppp_line(f'rcvd [PAP AuthNak id=0x1 "<img src=x onerror=y>{refusal}"]')
    check = CheckResult("name", "<b>target", "expected", refusal, False)
    made = subject(trace, (check,), outcome="CHECK FAILED", exit=1, message=refusal)
    html = page.render(made)
    assert "<script" not in html
    assert "<img" not in html
    assert "<b>target" not in html
    assert len(ElementTree.fromstring(junit.document(made))) == 2


def test_a_failed_call_without_checks_fails_in_junit() -> None:
    """Catches a CI server that shows green for a call that never came up."""
    document = ElementTree.fromstring(junit.document(subject(Trace(), outcome="BUSY", exit=10, message="x")))
    assert document.get("failures") == "1"
    assert document.find("testcase/failure") is not None


def test_a_report_in_a_used_folder_has_nothing_of_the_older_run(tmp_path: Path) -> None:
    """Catches an older capture beside the page of a run that took none, as if it were its own."""
    (tmp_path / files.CAPTURE).write_bytes(b"of the run before")
    files.write(tmp_path, subject(Trace()))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["at.jsonl", "junit.xml", "report.html", "verdict.json"]


def test_of_a_long_call_both_ends_are_shown() -> None:
    """Catches a page that leaves out how a session ended, because it was long."""
    trace = Trace()
    for number in range(900):
        trace.ppp_line(f"sent [LCP EchoReq id={hex(number)} magic=0x1]")
    html = page.render(subject(trace))
    assert "id=0x0 " not in html
    assert "400 messages more" in html
    assert html.count("EchoReq") == 500


def test_ringing_parts_the_call() -> None:
    trace = Trace()
    trace.steps.append(Step(1.0, 9.0, "dialling 5", "CONNECT"))
    trace.spoken.append(Moment(4.0, "from", b"RINGING\r\n"))
    assert [(span.name, span.seconds) for span in spans(trace)] == [
        ("off hook, dialling 5", 3.0),
        ("ringing, training", 6.0),
    ]


@pytest.mark.parametrize(
    ("bench", "far", "parties"),
    [
        ("loopback", "gateway", "near end, modem, telephone exchange, gateway (LIG), authorized servers"),
        ("i5os", "gateway", "near end, i5/OS partition, telephone exchange, gateway (LIG), authorized servers"),
        ("null-modem", "gateway", "near end, gateway (LIG), authorized servers"),
        ("bench-modem", "device under test", "near end, modem, device under test"),
        ("loopback-inbound", "caller", "near end, modem, telephone exchange, service representative"),
        ("internet", "gateway", "console, customer's router, authorized servers"),
        ("vpn", "gateway", "console, customer's router, VPN gateway, authorized servers"),
        ("vpn-inbound", "caller", "console, customer's router, VPN gateway, service representative"),
        ("multi-hop", "gateway", "console, i5/OS partition, customer's router, VPN gateway, authorized servers"),
        (
            "vpn-modem",
            "gateway",
            "near end, modem, telephone exchange, gateway (LIG), VPN gateway, authorized servers",
        ),
    ],
)
def test_the_drawing_has_who_is_joined_to_whom(bench: str, far: Far, parties: str) -> None:
    made = Subject("rig dial", load(bench), VERDICT, (), Trace(), far=far)
    boxes = drawing.boxes(made)
    assert ", ".join(box.name for box in boxes) == parties
    assert all(box.joint for box in boxes[:-1])


@pytest.mark.parametrize("count", [1, 1000])
def test_what_a_line_carried_adds_up(count: int) -> None:
    carried = [chart.Carried(100 + number / 10, bool(number % 2), 50) for number in range(count)]
    found = chart.throughput(carried, 33600)
    assert found is not None
    assert sum(found.out + found.into) * found.step == pytest.approx(50 * count)
    assert found.limit == 3360
    assert re.fullmatch(r"M[\d., L-]+", found.path(found.out))


def test_new_keys_are_where_they_came() -> None:
    """In the middle of a picture of a hundred seconds; one that came before it began is not in it."""
    carried = [chart.Carried(1000.0 + second, True, 1) for second in range(100)]
    found = chart.throughput(carried, 0, [990.0, 1050.0])
    assert found is not None
    assert found.marks == (50.0,)
    assert found.x(50.0) == pytest.approx((chart.LEFT + chart.WIDTH) / 2, abs=4)


def test_a_line_that_carried_nothing_has_no_picture() -> None:
    assert chart.throughput([], 33600) is None
