# Everything a person or a machine does with this project. Needs Python 3.11 or newer, pip and make.

PORT   ?= 8000
ORDERS ?= 3000

VENV   := .venv
BIN    := $(VENV)/bin
UV     := $(shell command -v uv 2>/dev/null)
PYTHON ?= $(shell for each in python3.13 python3.12 python3.11 python3; do \
	$$each -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && command -v $$each && break; done)
ifdef UV
INSTALL := $(UV) pip install --quiet --python $(BIN)/python
else
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check
endif

.DEFAULT_GOAL := help
.PHONY: help demo test check check-deep bench wheel clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(VENV)/.runs ## emulated malls, database and desk on this machine (PORT=8000 ORDERS=3000)
	$(BIN)/hub demo --port $(PORT) --orders $(ORDERS)

test: $(VENV)/.tests ## every test; with CI=true a skipped test is a failed one
	$(BIN)/pytest -n 4 --dist worksteal --reruns 2 $(ARGS)

check: $(VENV)/.tests ## format, lint, types, layers, spelling, schema
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/codespell
	$(BIN)/python -m hub.cli.quality
	@home=$$(mktemp -d) && trap 'rm -rf "$$home"' EXIT && HUB_HOME="$$home" $(BIN)/hub db check

check-deep: $(VENV)/.tests ## a thousand simulated shop-nights, thirty killed runs, a thousand actions; five to twenty minutes
	$(BIN)/python -m tests.simulation --nights 1000 --kills 30 --actions 1000 $(ARGS)

bench: $(VENV)/.tests ## how fast, and in how much memory
	$(BIN)/python -m bench $(ARGS)

wheel: $(VENV)/.runs ## build the wheel into dist/
	$(BIN)/python -m pip wheel --quiet --no-deps --wheel-dir dist .

clean: ## remove what the targets above made; keeps .hub
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache

# Installed again only when what is installed changed. What the tests need includes what runs.
$(VENV)/.runs: pyproject.toml constraints.txt | $(BIN)/python
	$(INSTALL) -c constraints.txt -e .
	@touch $@

$(VENV)/.tests: pyproject.toml constraints.txt | $(BIN)/python
	$(INSTALL) -c constraints.txt -e '.[dev,test-pg,e2e,bench]'
	@touch $(VENV)/.runs $@

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo 'Python 3.11 or newer is needed; none is on the PATH. Set PYTHON=/path/to/python3.' >&2; exit 2; }
ifdef UV
	$(UV) venv --quiet --python "$(PYTHON)" $(VENV)
else
	$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); exit 2; }
endif
