#!/bin/sh
# pyroute2 0.9.7: IPRoute(), the class for programs without asyncio, raises RuntimeError ("This event loop is already
# running") where it is made in a coroutine, or in anything that one calls; 0.7.12 worked there.
#
# It is built on asyncio since, and takes the loop of its thread and runs it. A helper that looks up an interface
# synchronously, in code that some test framework or server calls from its loop, breaks with the upgrade. AsyncIPRoute
# is for a coroutine; in a thread of its own (asyncio.to_thread) IPRoute works as before.
#
# Seen with Python 3.11, Linux 6.18. Exit status 0 while it is so.
set -eu

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cat >"$folder/look.py" <<'PYTHON'
import asyncio
import sys
import warnings

from pyroute2 import IPRoute

warnings.simplefilter("ignore")


def loopback():
    try:
        with IPRoute() as routes:
            return routes.link_lookup(ifname="lo")
    except RuntimeError as error:
        return f"{type(error).__name__}: {error}"


async def within():
    return loopback()


async def beside():
    return await asyncio.to_thread(loopback)


seen = [loopback(), asyncio.run(within()), asyncio.run(beside())]
print(f"pyroute2 {sys.argv[1]}: without a loop {seen[0]}; within one: {seen[1]}; in a thread beside it: {seen[2]}")
expected = [1] if sys.argv[1] == "0.7.12" else "RuntimeError: This event loop is already running"
sys.exit(seen != [[1], expected, [1]])
PYTHON
for version in 0.7.12 0.9.7; do
    python3 -m venv "$folder/$version"
    "$folder/$version/bin/pip" install --quiet --disable-pip-version-check "pyroute2==$version" 2>/dev/null
    "$folder/$version/bin/python" -W ignore "$folder/look.py" "$version" || { echo "no longer as found" >&2; exit 1; }
done
echo "as found"
