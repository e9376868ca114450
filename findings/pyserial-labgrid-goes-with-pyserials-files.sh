#!/bin/sh
# pyserial-labgrid 3.5.0.2, which labgrid depends on, has its modules in the same package `serial` as pyserial 3.5: in an
# environment where both are wanted, the one that pip installs last has overwritten the other (of one command it may be
# either), and `pip check` finds nothing. Removing pyserial-labgrid removes pyserial's files with its own: pyserial is
# listed as installed, `pip check` still finds nothing, and `import serial` fails.
#
# Output seen:
#   both: serial 3.5.0.2; files that both claim: 28; overwritten: yes; pip check: No broken requirements found.
#   without pyserial-labgrid: pyserial is listed: yes; pip check: No broken requirements found.; import serial: no module
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
bin=$folder/venv/bin
pip() { "$bin/pip" --disable-pip-version-check "$@" 2>"$folder/errors"; }
pip install --quiet pyserial==3.5
cp "$("$bin/python" -c 'import serial.rfc2217; print(serial.rfc2217.__file__)')" "$folder/rfc2217.py"
pip install --quiet pyserial-labgrid==3.5.0.2
claimed=$("$bin/python" - <<'P'
from importlib.metadata import files
one, other = ({str(file) for file in files(name) if str(file).startswith("serial/") and str(file).endswith(".py")}
              for name in ("pyserial", "pyserial-labgrid"))
print(len(one & other))
P
)
now=$("$bin/python" -c 'import serial.rfc2217; print(serial.rfc2217.__file__)')
overwritten=yes
if cmp -s "$now" "$folder/rfc2217.py"; then overwritten=no; fi
version=$("$bin/python" -c 'import serial; print(serial.__version__)')
echo "both: serial $version; files that both claim: $claimed; overwritten: $overwritten; pip check: $(pip check)"
[ "$claimed" -gt 20 ]
[ "$overwritten" = yes ]
[ "$version" = 3.5.0.2 ]
pip check >/dev/null
pip uninstall --quiet --yes pyserial-labgrid
listed=no
if pip list | grep -q '^pyserial  *3.5'; then listed=yes; fi
imported=module
if ! "$bin/python" -c 'import serial' 2>/dev/null; then imported="no module"; fi
echo "without pyserial-labgrid: pyserial is listed: $listed; pip check: $(pip check); import serial: $imported"
[ "$listed" = yes ]
pip check >/dev/null
[ "$imported" = "no module" ]
