# Set-up and checks. Everything works on a fresh machine that has python3, git and make.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/$(if $(filter Windows_NT,$(OS)),Scripts,bin)
STAMP := $(VENV)/.installed
CORE := core compile calls codec durable optimize  # packages in which every line and branch is tested

.PHONY: help setup demo test check lint types docs unit tests coverage bench soak clean

help:
	@echo "make demo    set up and run an example flow on real input"
	@echo "make test    set up and run every check: lint, types, docs, tests"
	@echo "make docs    build the documentation site into site/"
	@echo "make unit    the tests alone, without measuring coverage"
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

check: lint types docs tests

lint: $(STAMP)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/codespell

types: $(STAMP)
	$(BIN)/mypy
	$(BIN)/python tests/type_completeness.py

docs: $(STAMP)
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet --strict

unit: $(STAMP)
	$(BIN)/python -m pytest -n 2

tests: $(STAMP)
	$(BIN)/python -m pytest -n 2 $(CORE:%=--cov=taskrun.%) --cov-report= --cov-report=json:.coverage.json
	$(BIN)/python tests/core_coverage.py .coverage.json $(CORE)

coverage: $(STAMP)
	$(BIN)/python -m pytest -n 2 --cov --cov-report=term

bench: $(STAMP)
	$(BIN)/python bench/run.py
	$(BIN)/python bench/durable.py

soak: $(STAMP)
	PYTHONPATH=tests $(BIN)/python tests/soak.py

clean:
	rm -rf $(VENV) site .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage* dist build
