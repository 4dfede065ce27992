# The index of commands. `make` alone lists them.

SHELL := /bin/sh
.DEFAULT_GOAL := help
.PHONY: help run test check fix bench docs dashboards grafana lock

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
PACKAGES := nginx-light dnsmasq-base kcat chromium prometheus prometheus-alertmanager \
	procps poppler-utils
COMPILE := uv pip compile --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-header --quiet

help: ## list the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: $(VENV)/.embedded ## start PostgreSQL, Kafka, the sample fleet and the monitor; print the address (ARGS="…")
	@exec $(BIN)/python -m monitor demo $(ARGS)

test: $(VENV)/.dev $(VENV)/.grafana ## lint, types, import contracts and every test, with what can be installed for them
	@$(MAKE) --no-print-directory debian-packages
	@$(MAKE) --no-print-directory check
	$(BIN)/python -m pytest --numprocesses 2 --dist loadfile $(ARGS)

check: $(VENV)/.dev ## lint, types and import contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

fix: $(VENV)/.dev ## mend what a program can mend
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(VENV)/.dev ## measure the budgets, each beside its baseline (ARGS="…")
	@exec $(BIN)/python -m benchmarks $(ARGS)

docs: $(VENV)/.embedded ## write config/schema.json and docs/configuration.md anew
	@$(BIN)/python -m monitor.config.reference

dashboards: $(VENV)/.dev ## write dashboards/generated/ anew
	@$(BIN)/python -m dashboards.build

grafana: $(VENV)/.grafana ## install what `continuity dashboards push` needs, apart from the rest
	@echo "$(VENV)/grafana/bin/continuity dashboards push --help"

lock: ## write the requirements files anew (needs uv)
	@command -v uv >/dev/null || { echo "make lock needs uv: https://docs.astral.sh/uv/" >&2; exit 1; }
	$(COMPILE) $(ARGS) pyproject.toml --output-file requirements.lock
	$(COMPILE) $(ARGS) pyproject.toml --extra embedded -c requirements.lock --output-file requirements-embedded.lock
	$(COMPILE) $(ARGS) pyproject.toml --extra embedded --extra dev -c requirements-embedded.lock \
	  --output-file requirements-dev.lock
	$(COMPILE) $(ARGS) --group pyproject.toml:grafana -c requirements-dev.lock --output-file requirements-grafana.lock

# A Python that is new enough, a virtual environment with pip, and our tree on its path.
$(VENV)/.made:
	@python=""; \
	for name in $(PYTHON) python3 python3.14 python3.13 python3.12 python3.11; do \
	  if command -v $$name >/dev/null 2>&1 && $$name -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; \
	  then python=$$name; break; fi; \
	done; \
	if [ -z "$$python" ]; then \
	  echo "No Python 3.11 or newer was found; install one, or say where it is: make PYTHON=/path/to/python3" >&2; exit 1; \
	fi; \
	if ! $(BIN)/python -c '' 2>/dev/null; then \
	  echo "Making $(VENV) with $$($$python --version)"; \
	  rm -rf $(VENV); \
	  if ! $$python -m venv $(VENV) >$(VENV).log 2>&1; then \
	    cat $(VENV).log >&2; rm -rf $(VENV) $(VENV).log; \
	    echo "This Python cannot make virtual environments; on Debian and Ubuntu: apt-get install python3-venv" >&2; exit 1; \
	  fi; \
	  rm -f $(VENV).log; \
	fi; \
	$(PIP) --version >/dev/null 2>&1 || $(BIN)/python -m ensurepip >/dev/null || \
	{ echo "$(VENV) has no pip and cannot get one; remove $(VENV) and run make again" >&2; exit 1; }
	@$(BIN)/python -c 'import pathlib, sysconfig; \
	(pathlib.Path(sysconfig.get_path("purelib")) / "continuity-tree.pth").write_text(f"{pathlib.Path.cwd()}\n")'
	@printf '#!/bin/sh\nexec "%s/$(BIN)/python" -m monitor "$$@"\n' "$$PWD" >$(BIN)/continuity
	@chmod +x $(BIN)/continuity
	@touch $@

# Installing happens only when a lock has changed; the developers' lock contains the embedded one.
$(VENV)/.embedded: requirements-embedded.lock $(VENV)/.made
	@echo "Installing the locked dependencies (90 MB to fetch the first time; Kafka is 44 MB more)"
	@$(PIP) install --require-hashes -r requirements-embedded.lock
	@touch $@

$(VENV)/.dev: requirements-dev.lock $(VENV)/.made
	@echo "Installing the developers' locked dependencies"
	@$(PIP) install --require-hashes -r requirements-dev.lock
	@touch $@ $(VENV)/.embedded

# grafana-client brings urllib3-future, which puts itself in the place of urllib3: an environment of its own.
$(VENV)/.grafana: requirements-grafana.lock $(VENV)/.made
	@echo "Installing grafana-client beside the rest, into $(VENV)/grafana"
	@$(BIN)/python -m venv --without-pip $(VENV)/grafana
	@$(PIP) --python $(VENV)/grafana/bin/python install --quiet --require-hashes -r requirements-grafana.lock
	@$(VENV)/grafana/bin/python -c 'import pathlib, sysconfig; \
	(pathlib.Path(sysconfig.get_path("purelib")) / "continuity-tree.pth").write_text(f"{pathlib.Path.cwd()}\n")'
	@printf '#!/bin/sh\nexec "%s/$(VENV)/grafana/bin/python" -m monitor "$$@"\n' "$$PWD" >$(VENV)/grafana/bin/continuity
	@chmod +x $(VENV)/grafana/bin/continuity
	@touch $@

# The real parts that tests run against. Without root or Debian, tests skip what is missing and say so.
.PHONY: debian-packages
debian-packages:
	@[ "$$(id -u)" = 0 ] && [ -f /etc/debian_version ] || exit 0; \
	missing=""; \
	for name in $(PACKAGES); do dpkg -s $$name >/dev/null 2>&1 || missing="$$missing $$name"; done; \
	[ -n "$$missing" ] || exit 0; \
	echo "Installing the Debian packages that the tests use:$$missing"; \
	{ apt-get update -qq && RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive \
	  apt-get install -y -qq --no-install-recommends $$missing >/dev/null; } \
	|| echo "Could not install$$missing; the tests that need them are skipped" >&2
