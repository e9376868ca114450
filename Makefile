# make dial    sets up what is missing and dials on the emulated bench
# make test    sets up what is missing and runs every check
# make bench   the figures, beside their peers
# make kernel  builds a kernel with which the lab is twice as fast; ten minutes
#
# A second run installs nothing. No root is needed where the system packages are there already.

SHELL := /bin/sh
PYTHON ?= $(firstword $(wildcard /usr/bin/python3) python3)
VENV := .venv
BIN := $(VENV)/bin
LABGRID := .venv-labgrid
JUMPSTARTER := .venv-jumpstarter
GUEST := .guest
NUMBER ?= 1-800-555-0100
BENCH ?= loopback
JOBS ?= 4
AMX_LIBRARY := build/amx_host.so
# make test AMX_HOST=1: every program's ptrace is that of a host with AMX, on which no Debian release's User-Mode Linux
# runs by itself (rig/lab/whole_xstate.c).
ifdef AMX_HOST
AS_HOST := LD_PRELOAD=$(CURDIR)/$(AMX_LIBRARY)
endif
CHECKS := lab-network lab-fence lab-misbehaving lab-tests lab-vpns lab-inbound lab-vpn lab-partition lab-consoles reports unit lab-peers guest usb-tests lab-command lab-analogue farm conformance cli installed types lint imports

.PHONY: dial test lint types imports unit cli installed guest mend reports usb-tests conformance bench
.PHONY: lab-analogue lab-tests lab-misbehaving lab-fence lab-inbound lab-partition lab-network lab-vpn lab-vpns lab-consoles lab-command lab-peers programs soak
.PHONY: machines sound-card farm farm-soak setup packages kernel usb-guest hardware docs clean

dial: setup
	$(AS_HOST) $(BIN)/rig dial --number $(NUMBER) --bench $(BENCH)

# A lab is one kernel on one core, and waits for half of its time, so four checks run side by side on two cores, and no
# emulated modem waits long for its turn (make test JOBS=2 on a slow machine); each one's output comes whole, at its end.
# The long ones begin, and all are run, whatever fails. What starts a command a test does it in a guest that stays.
test: setup
	@sh scripts/system-packages apt-packages.txt test proxy vpn farm analogue
	@$(AS_HOST) $(BIN)/rig lab up || echo "make test: each command has a guest of its own, or this kernel"
	@status=0; $(AS_HOST) $(MAKE) --no-print-directory --output-sync=target --keep-going --jobs=$(JOBS) $(CHECKS) || status=1; \
	$(BIN)/rig lab down; exit $$status
	@echo "make test: every check held"

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: setup
	$(BIN)/mypy

# What is linked into rig is looked into only where it truly stands.
imports: setup
	rm -rf build/layout && mkdir -p build/layout && cp -rL rig tests build/layout
	cd build/layout && PYTHONPATH=. $(CURDIR)/$(BIN)/lint-imports --config $(CURDIR)/pyproject.toml --no-logo --no-cache

unit: setup
	$(BIN)/pytest tests/unit tests/hardware -rs

# What a person sees: reports of real runs, in a browser and in Wireshark's tshark.
reports: setup
	$(BIN)/pytest tests/reports

# The guests themselves: that they start, or say why not, and stay.
guest: setup usb-guest
	$(BIN)/pytest tests/guest

cli: setup
	$(BIN)/pytest tests/cli

# Built, installed elsewhere by pip, and used by an ordinary user.
installed: setup
	$(BIN)/pytest tests/installed

# Benches shared by labgrid and by jumpstarter, each in an environment of its own; their types too.
farm: setup $(LABGRID)/installed $(JUMPSTARTER)/installed
	cd rig-farm && ../$(BIN)/mypy --python-executable ../$(LABGRID)/bin/python -p rig_farm
	cd rig-labgrid && ../$(BIN)/mypy --python-executable ../$(LABGRID)/bin/python -p rig_labgrid
	cd rig-jumpstarter && ../$(BIN)/mypy --python-executable ../$(JUMPSTARTER)/bin/python -p rig_jumpstarter
	$(LABGRID)/bin/python -m pytest rig-farm
	PATH="$(CURDIR)/$(BIN):$$PATH" $(LABGRID)/bin/python -m pytest rig-labgrid
	PATH="$(CURDIR)/$(BIN):$$PATH" $(JUMPSTARTER)/bin/python -m pytest rig-jumpstarter

# A thousand calls on four benches; twenty minutes.
farm-soak: setup $(LABGRID)/installed
	PATH="$(CURDIR)/$(BIN):$$PATH" RIG_LONG=1 $(LABGRID)/bin/python -m pytest rig-labgrid/tests/test_thousand_calls.py -rP

LAB_COMMAND := tests/lab/test_dial_command.py
LAB_FENCE := $(addprefix tests/lab/test_,mutants.py broken_gateways.py proof.py while_changing.py)
LAB_INBOUND := tests/lab/test_inbound.py tests/lab/test_broken_answering.py tests/lab/test_broken_rules.py
LAB_PARTITION := $(wildcard tests/lab/test_*partition*.py) tests/lab/test_remote_modem.py tests/lab/test_xl2tpd.py
LAB_NETWORK := tests/lab/test_router.py tests/lab/test_proxy.py tests/lab/test_call_home.py tests/lab/test_vpn_server_device.py \
  tests/lab/test_multi_hop.py
LAB_VPN := tests/lab/test_vpn.py tests/lab/test_vpn_keys.py
LAB_VPNS := $(filter-out $(LAB_VPN) $(LAB_NETWORK),$(wildcard tests/lab/test_vpn*.py))
LAB_CONSOLES := $(wildcard tests/lab/test_console*.py) tests/lab/test_call_home_servers.py
LAB_MISBEHAVING := tests/lab/test_misbehaving.py
LAB_ANALOGUE := tests/lab/test_analogue.py
LAB_PEERS := $(addprefix tests/lab/test_,conform_ppp.py message_faults.py partner.py ppp_peers.py)
LAB_APART := $(LAB_ANALOGUE) $(LAB_PEERS) $(LAB_MISBEHAVING) $(LAB_CONSOLES) $(LAB_COMMAND) $(LAB_FENCE) $(LAB_INBOUND) $(LAB_PARTITION) $(LAB_NETWORK) $(LAB_VPN) $(LAB_VPNS)

lab-tests: setup
	$(BIN)/rig lab run --own -- $(BIN)/pytest tests/lab $(patsubst %,--ignore=%,$(LAB_APART))

lab-inbound: setup
	$(BIN)/rig lab run --own -- $(BIN)/pytest $(LAB_INBOUND)

lab-partition: setup
	$(BIN)/rig lab run --own -- $(BIN)/pytest $(LAB_PARTITION)

lab-network: setup
	$(BIN)/rig lab run --own -- $(BIN)/pytest $(LAB_NETWORK)

lab-vpn: setup
	$(BIN)/rig lab run --own -- $(BIN)/pytest $(LAB_VPN)

lab-vpns: setup
	$(BIN)/rig lab run --own -- $(BIN)/pytest $(LAB_VPNS)

lab-consoles: setup
	$(BIN)/rig lab run --own -- $(BIN)/pytest $(LAB_CONSOLES)

lab-fence: setup
	$(BIN)/rig lab run --own -- $(BIN)/pytest $(LAB_FENCE)

lab-peers: setup
	$(BIN)/rig lab run --own -- $(BIN)/pytest $(LAB_PEERS)

lab-misbehaving: setup
	$(BIN)/rig lab run --own -- $(BIN)/pytest $(LAB_MISBEHAVING) --bench misbehaving

lab-analogue: setup
	$(BIN)/rig lab run --own -- $(BIN)/pytest $(LAB_ANALOGUE) --bench analogue
	$(BIN)/rig lab run --own -- $(BIN)/pytest tests/lab/test_inbound.py --bench tests/lab/analogue-inbound.toml -k "promised or works_once"

lab-command: setup
	$(BIN)/rig lab run --own -- $(BIN)/pytest $(LAB_COMMAND)

# What takes long: half an hour of a VPN's keys, five hundred openings, runs that are killed.
soak: setup
	@sh scripts/system-packages apt-packages.txt test vpn
	$(BIN)/rig lab run --own -- $(BIN)/pytest tests/soak -rP

# Programs of other people's, as they are, against the emulated exchange; not part of make test.
programs: setup
	@sh scripts/system-packages apt-packages.txt programs
	$(BIN)/rig lab run --own -- $(BIN)/pytest tests/programs -rs

# A line that leads to a sound card, and one that is heard there: real sound, in real time, so not part of make test.
sound-card: setup
	@sh scripts/system-packages apt-packages.txt sound-card
	$(BIN)/pytest tests/sound/test_sound_card.py -rP
	$(BIN)/rig lab run --own -- $(BIN)/pytest tests/sound/test_dial.py -rP

# Debian's machines as people have them, made of packages and started in QEMU; an hour, as root, outside CI.
machines: setup
	@sh scripts/system-packages apt-packages.txt machines
	$(BIN)/pytest tests/machines

usb-tests: setup usb-guest
	$(BIN)/rig lab run --usb -- $(BIN)/pytest tests/usb --bench usb

# On real modems: make hardware BENCH=my-bench.toml NUMBER=…
hardware: setup
	$(BIN)/pytest tests/hardware tests/conformance --bench $(BENCH) --number $(NUMBER) -rs

conformance: setup
	$(BIN)/rig check --bench loopback

BENCHMARKS := dialogue dial goodput stream callers fence inbound l2tp partition network vpn send

# An hour and a half, on a machine that does nothing else; benchmarks/figures.md and peers.svg are made anew.
bench: setup usb-guest
	@sh scripts/system-packages apt-packages.txt bench test proxy vpn analogue
	rm -f results/bench.json
	status=0; \
	$(BIN)/python -m benchmarks frames proof sound detect installing before tests || status=1; \
	$(BIN)/rig lab run -- $(BIN)/python -m benchmarks $(BENCHMARKS) || status=1; \
	$(BIN)/rig lab run --usb -- $(BIN)/python -m benchmarks usb || status=1; \
	$(BIN)/python -m benchmarks --write && exit $$status

# Documents that are made from the source.
docs: setup
	$(BIN)/python -m tests.paper

setup: packages $(VENV)/installed mend

# Where it is needed and cannot be built, the next engine is made ready.
mend: $(VENV)/installed $(if $(AMX_HOST),$(AMX_LIBRARY))
	@$(AS_HOST) sh rig/lab/uml-mend $(BIN)/python rig/lab/whole_xstate.c "$$($(BIN)/python -m rig.lab.floating_point)" \
	|| $(MAKE) --no-print-directory usb-guest

$(AMX_LIBRARY): tests/guest/amx_host.c
	@sh scripts/system-packages apt-packages.txt test
	mkdir -p $(@D)
	cc -O2 -Wall -Wextra -Werror -shared -fPIC -o $@ $<

# The lab's kernel, which is twice as fast as the one that Debian has: ten minutes, once for this user.
kernel: setup
	@sh scripts/system-packages apt-packages.txt kernel
	@sh scripts/uml-kernel rig/lab/kernel.config "$$($(BIN)/python -m rig.lab.uml_kernel)"

packages:
	@sh scripts/system-packages apt-packages.txt run

# The virtual environment is made anew when what goes into it changes.
$(VENV)/installed: pyproject.toml requirements.txt
	@echo "setup: making the virtual environment $(VENV) with $(PYTHON)"
	rm -rf $(VENV)
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check -r requirements.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	$(BIN)/python -m compileall -q rig drivers fixtures
	@touch $@

.venv-%/installed: rig-%/pyproject.toml rig-%/requirements.txt rig-farm/pyproject.toml
	@sh scripts/system-packages apt-packages.txt farm
	@echo "setup: making the farm's virtual environment $(@D)"
	rm -rf $(@D)
	$(PYTHON) -m venv $(@D)
	$(@D)/bin/pip install --quiet --disable-pip-version-check -r rig-$*/requirements.txt
	$(@D)/bin/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e rig-farm -e rig-$*
	@touch $@

# The kernel and udev of the QEMU lab, which has USB; fetched, not installed.
usb-guest: packages $(GUEST)/installed

$(GUEST)/installed: rig/lab/guest-files
	@sh rig/lab/guest-files $(GUEST)
	@touch $@

clean:
	rm -rf $(VENV) $(LABGRID) $(JUMPSTARTER) $(GUEST) build results *.egg-info .pytest_cache .mypy_cache .ruff_cache
