"""Secrets, which a bench names and never holds: a file that its owner alone may read, or an environment variable."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from rig.config.bench import Bench, SecretTable
from rig.drivers.base.errors import UsageError
from rig.drivers.base.secret import Secret


def read_secret(bench: Bench, generated: str) -> Secret:
    """The near end's account and secret; ``generated``: what it is on an emulated bench.

    Raises UsageError where there is none, or where others may read the file.
    """
    secret = Secret(bench.near_end.user, secret_value(bench, "near-end.secret", bench.near_end.secret, generated))
    if not (secret.user + secret.password).isprintable():
        raise UsageError(
            f"bench {bench.name}: account and secret may hold no control characters: PAP files take one line"
        )
    return secret


def is_made(source: SecretTable | str) -> bool:
    """Whether what a bench says of a secret is that it is made for each run."""
    return source == "generated"


def secret_value(bench: Bench, key: str, source: SecretTable | str, generated: str) -> str:
    """What a bench's key names, which is never empty. Raises UsageError as :func:`read_secret`."""
    if not isinstance(source, SecretTable):
        return generated
    if source.environment:
        value = os.environ.get(source.environment, "").strip()
        if not value:
            set_to = "is empty" if source.environment in os.environ else "is not set"
            raise UsageError(f"the environment variable {source.environment}, which holds the secret, {set_to}")
        return value
    if not source.file:
        raise UsageError(f"bench {bench.name}: key {key!r} is missing", 'it takes {file = "…"} or {environment = "…"}')
    return _read_private(Path(bench.folder) / Path(source.file).expanduser())


def _read_private(path: Path) -> str:
    try:
        mode = path.stat().st_mode
        if mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise UsageError(f"{path}: others may read this secret (mode {stat.filemode(mode)})", f"chmod 600 {path}")
        secret = path.read_text().strip()
    except OSError as error:
        raise UsageError(f"{path}: the secret cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{path}: the secret is no text: {error.reason}", "it takes one line of UTF-8") from error
    if not secret:
        raise UsageError(
            f"{path}: the file of the secret is empty", "write the secret into it; nothing stands for none"
        )
    return secret
