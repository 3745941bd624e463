# Every target that CI or a newcomer needs. `make help` lists them.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
# torch and what comes with it, about 6 GB: only for what makes or converts a model
TRAINING := .venv-training
TRAINING_STAMP := $(TRAINING)/.installed
DATA ?= ../shared/data

.DEFAULT_GOAL := help
.PHONY: help setup servers demo test check format campaign-main campaign-rough bench bench-model bench-spikes bench-power setup-training model model-card model-without test-model lock clean

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

# The unit tests of one file stay in one process: they share a loaded model. The others share two servers, and run alone.
test: setup  ## All tests on the real servers (≤ 12 minutes on 2 cores)
	$(BIN)/python -m pytest --numprocesses auto --maxprocesses 4 --dist loadfile tests/unit
	$(BIN)/python -m pytest --ignore tests/unit

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

bench: setup $(TRAINING_STAMP)  ## Throughput as ratios in one run (with torch, for the naive agent)
	$(TRAINING)/bin/python -m tests.benchmarks.throughput

$(TRAINING_STAMP): requirements-training.lock pyproject.toml
	$(PYTHON) -m venv $(TRAINING)
	$(TRAINING)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-training.lock
	$(TRAINING)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $@

setup-training: $(TRAINING_STAMP)  ## Make .venv-training with torch, for 'nabiz model import' and the training

model: $(TRAINING_STAMP)  ## Train the bundled model anew into build/model (hours on 2 cores; labelled texts in DATA)
	$(TRAINING)/bin/python -m processors.sentiment.training --data $(DATA) --out build/model --only texts
	$(TRAINING)/bin/python -m processors.sentiment.training --data $(DATA) --out build/model
	$(MAKE) model-card

# A bar that the forms miss ends nothing: the card tells it.
model-card: $(TRAINING_STAMP)  ## Measure build/model against the baseline and other forms, and write its card
	$(TRAINING)/bin/python -m processors.sentiment.training.leak_check $(DATA) build
	$(TRAINING)/bin/nabiz model evaluate $(DATA)/sentiment/dev.jsonl --suite --variations --model build/model --train build/trained-on.jsonl --pictures build/pictures --json > build/evaluation.json
	$(TRAINING)/bin/nabiz model evaluate build/unseen.jsonl --model build/model --train build/trained-on.jsonl --json > build/unseen.json
	rm -f build/forms.json
	-$(TRAINING)/bin/python -m tests.benchmarks.model_forms --model build/model --json build/forms.json
	$(TRAINING)/bin/python -m processors.sentiment.training.card build build/model

WITHOUT ?= telecom-mentions
LEFT_OUT = build/without-$(WITHOUT)

model-without: $(TRAINING_STAMP)  ## Train without a source (WITHOUT=telecom-mentions) and measure on it (an hour on 2 cores)
	$(TRAINING)/bin/python -m processors.sentiment.training --data $(DATA) --without $(WITHOUT) --out $(LEFT_OUT)/model --only texts
	$(TRAINING)/bin/python -m processors.sentiment.training --data $(DATA) --without $(WITHOUT) --out $(LEFT_OUT)/model
	$(TRAINING)/bin/python -m processors.sentiment.training.leak_check $(DATA) $(LEFT_OUT)
	$(TRAINING)/bin/nabiz model evaluate $(LEFT_OUT)/unseen.jsonl --model $(LEFT_OUT)/model --train $(LEFT_OUT)/trained-on.jsonl

test-model: $(TRAINING_STAMP)  ## The tests that need torch: training and import of models
	$(TRAINING)/bin/python -m pytest tests/unit/test_model_*.py

bench-model: $(TRAINING_STAMP)  ## Speed and agreement of the model's possible forms, as ratios in one run
	$(TRAINING)/bin/python -m tests.benchmarks.model_forms

bench-spikes: $(STAMP)  ## Delays and false alarms of the crisis detector against its bars (≤ 45 minutes; ../shared if there)
	$(BIN)/python -m tests.benchmarks.spikes $(if $(ONLY),--only $(ONLY),)

bench-power: $(STAMP)  ## Measure anew how soon a rise is found, into processors/spikes/power_table.py (1 to 2 minutes)
	$(BIN)/python -m tests.benchmarks.spikes.power

lock: pyproject.toml  ## Resolve dependencies again: all, those of the image, those of the training
	uv pip compile --universal --python-version 3.11 --generate-hashes --extra dev --no-header -o requirements.lock pyproject.toml
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-header -c requirements.lock -o requirements-run.lock pyproject.toml
	uv pip compile --universal --python-version 3.11 --generate-hashes --extra training --extra dev --no-header -c requirements.lock -o requirements-training.lock pyproject.toml

clean:  ## Remove what was made; keeps data/
	rm -rf $(VENV) $(TRAINING) deploy/embedded/target build *.egg-info .mypy_cache .ruff_cache .pytest_cache
