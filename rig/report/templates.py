"""The templates of pages, beside this file: whatever a modem or a gateway says is escaped wherever it stands."""

from __future__ import annotations

from pathlib import Path

import jinja2

FOLDER = Path(__file__).parent


def environment() -> jinja2.Environment:
    """Whatever a template asks for and is not given is an error."""
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(FOLDER), autoescape=True, trim_blocks=True, lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )  # fmt: skip


def style() -> str:
    return (FOLDER / "page.css").read_text()
