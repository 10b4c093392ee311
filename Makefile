# make run    the demo migration in the terminal      make test   everything that proves this works
# make check  format, lint, types, layers, names      make bench  tables of measurements
# make docs   the pages of docs/ that come from the code
# make soak   many more seeded trials of crashes and losses        make mutants  faults put in: do the tests see them?

VENV := .venv
BIN := $(VENV)/bin
## Much of a test is waiting: more workers than two processors have room.
WORKERS ?= $(shell n=$$(nproc 2>/dev/null || echo 2); echo $$((n < 4 ? 4 : n)))

.DEFAULT_GOAL := help
.PHONY: help run test soak mutants check format docs packages bench screenshots clean

help:
	@sed -n 's/^# //p' Makefile

run: $(VENV)/.installed
	@exec $(BIN)/switchover demo $(DEMO)

test: check packages
	$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal $(if $(CI),--reruns 2)

soak: $(VENV)/.installed-dev packages
	$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal -m soak

# COUNT mutants of the SEED's choice; tests/mutants/equivalents.txt names those that no test can tell from the program.
mutants: $(VENV)/.installed-dev
	$(BIN)/python -m tests.mutants --count $(or $(COUNT),100) --seed $(or $(SEED),1)

check: $(VENV)/.installed-dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m tests.house

format: $(VENV)/.installed-dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

docs: $(VENV)/.installed-dev
	$(BIN)/python -m tests.docs

# Real servers for the tests, from Debian's packages; elsewhere the tests that need them say what they miss.
packages:
	@tests/real/install-packages

bench: $(VENV)/.installed-dev
	$(BIN)/python -m tests.bench

screenshots: $(VENV)/.installed-dev packages
	$(BIN)/python -m tests.snapshots.screenshots

clean:
	rm -rf $(VENV) dist build .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis .real

$(BIN)/python:
	@for python in $(PYTHON) python3.11 python3.12 python3.13 python3.14 python3; do \
	  "$$python" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 || continue; \
	  echo "Making $(VENV) with $$python"; \
	  "$$python" -m venv --clear $(VENV) && exit 0; \
	done; \
	echo "switchover needs Python 3.11 or newer with its venv module, and none was found." >&2; \
	echo "On Debian or Ubuntu: apt-get install python3 python3-venv. Or name one: make run PYTHON=/path/to/python3.11" >&2; \
	exit 1

$(VENV)/.installed: pyproject.toml | $(BIN)/python
	@echo "Installing switchover into $(VENV); the first time takes a minute"
	@$(BIN)/python -m pip install -qq --editable .
	@touch $@

# The development group is read from pyproject.toml here, because older pips do not know --group.
$(VENV)/.installed-dev: pyproject.toml | $(BIN)/python
	@$(BIN)/python -c 'import tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["dependency-groups"]["dev"], sep="\n")' \
	  > $(VENV)/dev-requirements.txt
	@echo "Installing what the tests need into $(VENV); the first time takes a minute"
	@$(BIN)/python -m pip install -qq --editable . --requirement $(VENV)/dev-requirements.txt
	@touch $(VENV)/.installed $@
