"""An ssh server of this user's on loopback, and an `ssh` that finds it under any name: what is around it is OpenSSH's
own client, as labgrid calls it. In a thread."""

from __future__ import annotations

import asyncio
import getpass
import threading
from collections.abc import Awaitable
from pathlib import Path
from typing import TypeVar

import asyncssh

T = TypeVar("T")

CONFIGURATION = """\
Host *
  HostName 127.0.0.1
  Port {port}
  User {user}
  IdentityFile {folder}/key
  IdentitiesOnly yes
  UserKnownHostsFile {folder}/known_hosts
  HostKeyAlias bench
  StrictHostKeyChecking yes
"""


class SshServer:
    """Runs each command by the user's shell, as sshd does: its standard input ends with the connection."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True, name="ssh server")

    def __enter__(self) -> SshServer:
        host, user = (asyncssh.generate_private_key("ssh-ed25519") for _ in range(2))
        user.write_private_key(self.folder / "key")
        (self.folder / "key").chmod(0o600)
        user.write_public_key(self.folder / "authorized")
        self._thread.start()
        self._server = self._wait_for(
            asyncssh.listen(
                "127.0.0.1",
                0,
                server_host_keys=[host],
                authorized_client_keys=str(self.folder / "authorized"),
                process_factory=_serve,
                encoding=None,
            )
        )
        words = CONFIGURATION.format(port=self._server.get_port(), user=getpass.getuser(), folder=self.folder)
        (self.folder / "config").write_text(words)
        (self.folder / "known_hosts").write_text(f"bench {host.export_public_key().decode()}")
        shim = self.folder / "ssh"
        shim.write_text(f'#!/bin/sh\nexec /usr/bin/ssh -F {self.folder}/config "$@"\n')
        shim.chmod(0o755)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._server.close)
        self._wait_for(self._server.wait_closed())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    def _wait_for(self, what: Awaitable[T]) -> T:
        async def whole() -> T:
            return await what

        return asyncio.run_coroutine_threadsafe(whole(), self._loop).result(30)


async def _serve(process: asyncssh.SSHServerProcess) -> None:
    run = await asyncio.create_subprocess_shell(
        process.command or "exit 1",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    await process.redirect(stdin=run.stdin, stdout=run.stdout, stderr=run.stderr, send_eof=False)
    gone = asyncio.ensure_future(process.wait_closed())
    over = asyncio.ensure_future(run.wait())
    await asyncio.wait((gone, over), return_when=asyncio.FIRST_COMPLETED)
    if gone.done():
        run.stdin.close()
        await over
    else:
        await process.stdout.drain()
        await process.stderr.drain()
        process.exit(run.returncode)
        await gone
