# Every target that CI or a newcomer needs. `make help` lists them.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.DEFAULT_GOAL := help
.PHONY: help setup servers demo test check format campaign-main campaign-rough bench model clean

help:  ## This list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 18

setup: $(STAMP) servers  ## Make .venv with the locked dependencies, and build the embedded servers

$(STAMP): requirements.lock pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $@

servers: $(STAMP)  ## Build Kafka and Elasticsearch from Maven Central (needs a JDK ≥ 17 and Maven)
	$(BIN)/python -c "from pipeline.servers.build import ensure_built; ensure_built()"

demo: setup  ## See it work: four surges, one page
	$(BIN)/nabiz demo $(if $(LANG_),--lang $(LANG_),)

test: setup  ## All tests on the real servers (≤ 12 minutes on 2 cores)
	$(BIN)/python -m pytest

check: $(STAMP)  ## Formatter, linter, types, directions of imports
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(STAMP)  ## Format and fix what can be fixed
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

campaign-main: setup  ## The whole telecom replay with the model, then the fault runs (≤ 60 minutes)
	$(BIN)/python -m tests.campaigns.main_job

campaign-rough: setup  ## Kills, Ctrl-C at any moment, a full disk (about 15 minutes; the disk needs root)
	$(BIN)/python -m pytest -m campaign tests/e2e/test_rough_machine.py

bench: setup  ## Throughput as ratios in one run
	$(BIN)/python -m tests.benchmarks.throughput

lock: pyproject.toml  ## Resolve dependencies again: requirements.lock, and requirements-run.lock for the image
	uv pip compile --universal --python-version 3.11 --generate-hashes --extra dev --no-header -o requirements.lock pyproject.toml
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-header -c requirements.lock -o requirements-run.lock pyproject.toml

clean:  ## Remove what was made; keeps data/
	rm -rf $(VENV) deploy/embedded/target build *.egg-info .mypy_cache .ruff_cache .pytest_cache
