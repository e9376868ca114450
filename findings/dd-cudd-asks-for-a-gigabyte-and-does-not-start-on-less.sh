#!/bin/sh
# dd 0.6.0, decision diagrams by CUDD: dd.cudd.BDD() asks for 1 GiB as its estimate of memory, and refuses to start where
# the machine has less: a container, a small board, a guest. The limit that it compares with is the machine's whole memory
# (os.sysconf), not what is free. Whoever names an amount, memory_estimate, starts. Seen in a virtual machine of 1,030 MB:
#
#   Error in `dd.cudd`: total physical memory is 1030017024 bytes, but requested 1073741824 bytes. Please pass an amount
#   of memory to the `BDD` constructor to avoid this error.
#
# Shown here on any machine, by asking for more than it has in the same way.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check dd==0.6.0 astutils==0.0.6 ply==3.10 networkx==3.6.1
"$folder/venv/bin/python" - <<'PYTHON'
import inspect
import os

import dd
from dd import cudd

print("dd", dd.__version__)
total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
print("asks by default for", cudd.DEFAULT_MEMORY, "bytes; this machine has", total)
assert cudd.DEFAULT_MEMORY == 1 << 30
try:
    cudd.BDD(memory_estimate=total + 1)
except ValueError as error:
    print("with more than the machine has:", str(error).strip()[:60], "…")
else:
    raise SystemExit("it starts now")
small = cudd.BDD(memory_estimate=50 << 20)
small.declare("x")
print("with 50 MB it starts:", small.count(small.var("x"), 1))
PYTHON
