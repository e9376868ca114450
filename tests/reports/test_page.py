"""The page of a report in a real browser: it opens, says what went wrong, and needs neither network nor scripts."""

from __future__ import annotations

import html
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

SECONDS = 100
SHOWN = ("good", "leaking", "soak", "vpn", "sent")
"""Runs that have between them every section of a page."""
RunOf = Callable[[str], Path]


def chromium(page: Path, *options: str) -> subprocess.CompletedProcess[str]:
    words = [
        "chromium", "--headless=new", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr", "--hide-scrollbars",
        f"--user-data-dir={page.parent / 'browser'}", *options, f"file://{page}",
    ]  # fmt: skip
    return subprocess.run(words, capture_output=True, text=True, timeout=SECONDS, check=True)


def text_of(page: str) -> str:
    """A page without its style and its tags."""
    text = re.sub(r"<!--.*?-->|<style>.*?</style>|<[^>]*>", " ", page, flags=re.DOTALL)
    return re.sub(r"\s+", " ", html.unescape(text)).strip()


@pytest.mark.timeout(400)
def test_what_is_in_the_file_is_what_a_browser_makes_of_it(run_of: RunOf) -> None:
    """So that the other tests may read the file."""
    page = run_of("good") / "report.html"
    assert text_of(chromium(page, "--dump-dom").stdout) == text_of(page.read_text())


@pytest.mark.parametrize("name", SHOWN)
@pytest.mark.timeout(400)
def test_the_browser_has_nothing_to_complain_of(run_of: RunOf, name: str) -> None:
    """Catches what the page's own policy forbids: scripts, and anything from the network."""
    page = run_of(name) / "report.html"
    picture = page.with_name("picture.png")
    said = chromium(page, f"--screenshot={picture}", "--window-size=1000,1600").stderr
    assert "CONSOLE" not in said
    assert picture.stat().st_size > 20_000, "next to nothing is on the page"
    assert not re.search(r"(src|href)=\"(?!data:)", page.read_text())
    assert "<script" not in page.read_text()


@pytest.mark.timeout(400)
def test_scripts_are_off_by_the_pages_own_policy(run_of: RunOf, tmp_path: Path) -> None:
    """So all that is seen of it here is seen without them. Catches a policy that lets one run."""
    page = tmp_path / "report.html"
    whole = (run_of("good") / "report.html").read_text()
    page.write_text(whole.replace("</main>", "</main><script>document.title = 'it ran'</script>"))
    done = chromium(page, "--dump-dom")
    assert "it ran</title>" not in done.stdout
    assert "Content Security Policy" in done.stderr


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("good", ("OK", "15 checks held", "CONNECT", "ATDT18005550100", "198.51.100.1, PAP", "IPCP")),
        ("refused", ("AUTHENTICATION REFUSED", "Login incorrect", "1-800-555-0101 BUSY", "AuthNak")),
        ("borrowed", ("OK", "i5/OS partition", "OCRQ", "called number 18005550100", "OCCN", "tx connect speed 33600")),
        ("leaking", ("FENCE LEAKS", "other port of a server", "leaked", "sent: TCP 198.51.100.", "arrived: TCP")),
        ("vpn", ("OK", "VPN gateway", "IKE Main Mode SA", "Quick Mode, encrypted", "ESP first of SPI", "esp_sa")),
        ("multi-hop", ("OK", "i5/OS partition", "OCRQ", "called number 129*42*160*16", "IKE Main Mode SA")),
        ("sent", ("OK", "Why it called home: inventory", "8203-E4A_10B2345.VPD.xml", "1 call", "all of it is there")),
        ("inbound", ("OK", "service representative", "partition board, 10.253.1.3, not allowed", "ATA", "RING")),
        ("check", ("rig check", "unauthorized source is dropped", "session is authenticated by pap", "LCP ConfReq")),
        ("soak", ("3 of 3 calls", "p95", "dial to CONNECT")),
    ],
)
@pytest.mark.timeout(400)
def test_the_page_says_what_happened(run_of: RunOf, name: str, says: tuple[str, ...]) -> None:
    text = text_of((run_of(name) / "report.html").read_text())
    assert not [wanted for wanted in says if wanted not in text], text[:3000]


@pytest.mark.parametrize("width", [360, 1000])
@pytest.mark.timeout(400)
def test_the_page_fits_a_telephone(run_of: RunOf, width: int, tmp_path: Path) -> None:
    """Catches a page that has to be pushed sideways: its root is no wider than the window."""
    page = tmp_path / "framed.html"
    frame = f'<iframe id="f" width="{width}" height="600" src="file://{run_of("leaking") / "report.html"}"></iframe>'
    measure = "document.title = f.contentDocument.documentElement.scrollWidth"
    page.write_text(f"{frame}<script>f.onload = () => {{ {measure} }}</script>")
    dom = chromium(page, "--dump-dom", "--allow-file-access-from-files", "--virtual-time-budget=5000").stdout
    found = re.search(r"<title>(\d+)</title>", dom)
    assert found is not None, dom[:500]
    assert int(found[1]) <= width
