#!/bin/sh
# pyudev 0.24.5 starts ldconfig each time that a Context is made: ten contexts are ten processes.
#
# Context.__init__ loads libudev by ctypes.util.find_library, which on Linux runs `ldconfig -p` (and gcc and ld where that
# finds nothing), and keeps nothing of the answer. Where a process is dear (an emulated machine, User-Mode Linux: 0.1 s
# each), or none may be started, one context for the whole program is the way; it is for one thread at a time.
#
# Seen with Python 3.11, glibc 2.36, libudev1 252. Exit status 0 while it is so.
set -eu

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check pyudev==0.24.5 2>/dev/null

"$folder/venv/bin/python" - <<'PYTHON'
import sys

started = []
sys.addaudithook(lambda event, args: started.append(args[1]) if event == "subprocess.Popen" else None)

import pyudev

for _ in range(10):
    pyudev.Context()
print(f"10 contexts started {len(started)} processes, the first of them {started[0] if started else None}")
ldconfig = [words for words in started if "ldconfig" in str(words)]
if len(ldconfig) != 10:
    sys.exit("no longer as found")
print("as found")
PYTHON
