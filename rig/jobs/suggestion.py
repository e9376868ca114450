"""What detection found, as the beginning of a bench file, and of a profile."""

from __future__ import annotations

import json
import re

from rig.jobs.detect import Detection


def _text(value: str) -> str:
    """A TOML basic string: JSON's escapes are among TOML's."""
    return json.dumps(value)


def suggest(one: Detection) -> str:
    """A bench for a modem that was found, and a profile where none knows it."""
    assert one.profile is not None
    lines = ["", "# a bench: save as my-bench.toml, then  rig dial --bench ./my-bench.toml --number N", ""]
    lines += ["[near-end]", 'account = "…"', 'user-id = "…"', 'secret = { file = "…" }', "", "[near-end.modem]"]
    lines += _where(one)
    if not one.known:
        lines += ["", *_profile(one)]
    return "\n".join(lines)


def _where(one: Detection) -> list[str]:
    port = one.port
    if not port.usb:
        return [f"port = {_text(port.device)}", f"speed = {one.findings.speed}"]
    keys = [("vendor", port.vendor), ("model", port.model), ("interface", port.interface)]
    # Many USB modems have the same serial number; the path tells two of them apart, but not when they move.
    keys.append(("serial", port.serial) if port.serial else ("path", port.path))
    return [f"{name} = {_text(value)}" for name, value in keys if value]


def _profile(one: Detection) -> list[str]:
    identity = one.findings.identity
    name = re.sub(r"[^a-z0-9]+", "-", f"{identity.manufacturer} {identity.model}".lower()).strip("-") or "my-modem"
    sure = identity.model or identity.text.strip().split("\n")[-1]
    match = f"text = [{_text(re.escape(sure))}]" if sure else "# it tells nothing: name this profile in the bench"
    lines = [
        f"# a profile: save as hw-config/modems/{name}.toml, and fill in what its manual says",
        "",
        f"title = {_text(f'{identity.manufacturer} {identity.model}'.strip() or name)}",
        'source = ["one on my bench"]',
        'rests-on = "hardware"',
        f"kind = {_text(one.kind if one.kind != 'unknown' else 'pstn')}",
        "cannot = []",
        "",
        "[match]",
        *([f'usb = ["{one.port.vendor}:{one.port.model}"]'] if one.port.usb else []),
        match,
        "",
        "[port]",
        *([f"interface = {one.port.interface_number}"] if one.port.usb else [f"speed = {one.findings.speed}"]),
        "",
        "[persona]",
        f"manufacturer = {_text(identity.manufacturer)}",
        f"model = {_text(identity.model)}",
        f"revision = {_text(identity.revision)}",
        f"capabilities = {_text(','.join(identity.capabilities))}",
        f"fax-classes = {_text(','.join(identity.fax_classes) or '0')}",
        f"modulations = [{', '.join(map(_text, identity.modulations))}]",
    ]
    numbers = [(command.removeprefix("ATI") or "0", text) for command, text in identity.information]
    return [*lines, f"information = {{ {', '.join(f'{number} = {_text(text)}' for number, text in numbers)} }}"]
