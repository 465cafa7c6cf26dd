# Set-up and checks. Everything works on a fresh machine that has python3, git and make.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: help setup demo test check lint types tests coverage bench soak clean

help:
	@echo "make demo    set up and run an example flow on real input"
	@echo "make test    set up and run every check: lint, types, tests"
	@echo "make coverage  the tests again, with the branch coverage of the whole package"
	@echo "make bench   print what a step costs"
	@echo "make soak    20,000 random scripts, 150 processes that are killed, 1,000 races for a run"

$(STAMP): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "taskrun needs Python 3.11 or newer; set PYTHON=…"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade 'pip>=25.1'
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --group dev --editable '.[all]'
	@touch $@

setup: $(STAMP)

demo: $(STAMP)
	@$(BIN)/python examples/demo.py

test: check

check: lint types tests

lint: $(STAMP)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: $(STAMP)
	$(BIN)/mypy

tests: $(STAMP)
	$(BIN)/python -m pytest -n 2 --cov=taskrun.core --cov-report=term --cov-report=json:.coverage.json
	$(BIN)/python tests/core_coverage.py .coverage.json

coverage: $(STAMP)
	$(BIN)/python -m pytest -n 2 --cov --cov-report=term

bench: $(STAMP)
	$(BIN)/python bench/run.py
	$(BIN)/python bench/durable.py

soak: $(STAMP)
	PYTHONPATH=tests $(BIN)/python tests/soak.py

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage* dist build
