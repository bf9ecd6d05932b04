# Everything a newcomer types. `make help` lists it.
PYTHON ?= $(firstword $(foreach name,python3.11 python3.12 python3.13 python3.14 python3,$(if $(shell command -v $(name)),$(name))))
VENV := .venv
BIN := $(VENV)/bin
# Byte code on every core, and none for the thousands of modules that we never import.
COMPILE := $(BIN)/python -m compileall -q -j 0 -x 'phonenumbers/(geodata|carrierdata)|twilio/rest/[b-z]|mypy|alembic/testing|sqlalchemy/testing|pip/_vendor'
.DEFAULT_GOAL := help
.PHONY: help demo serve test check sbom reading bench faults fuzz hosts year migrate lock browser clean

help: ## this list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):[^#]*## */  make \1\t/' | expand -t 18

# Where there is none, or one that is too old, says so and what to do.
FIND_PYTHON := test -n "$(PYTHON)" && $(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	|| { echo "Python 3.11 or newer was not found. Install it, or say where it is: make PYTHON=/path/to/python3 ..." >&2; exit 1; }

$(VENV)/.base: requirements/base.txt pyproject.toml
	@test -x $(BIN)/python || { $(FIND_PYTHON); }
	@test -x $(BIN)/python || { echo "Making $(VENV) with $(PYTHON)"; $(PYTHON) -m venv $(VENV); }
	@echo "Installing about 70 locked packages into $(VENV): about 330 MB, a minute or two"
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-compile --require-hashes -r requirements/base.txt
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@echo "Compiling"
	@$(COMPILE) $(VENV)/lib config messaging reminders intake_links caseload interchange records webhooks portal web api service simulator
	@touch $@

$(VENV)/.test: requirements/test.txt $(VENV)/.base
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-compile --require-hashes -r requirements/test.txt
	@$(COMPILE) $(VENV)/lib
	@touch $@

demo: $(VENV)/.base ## a clinic's day, end to end, then a service to play with (EXIT=1 ends after the walk)
	@$(BIN)/warmthread demo $(if $(EXIT),--exit,|| test $$? -eq 130)

serve: $(VENV)/.base ## the embedded service with your own settings, from the environment or .env
	@$(BIN)/warmthread serve

test: $(VENV)/.test browser ## every test: both databases, real Valkey, simulator, Chromium
	@$(BIN)/pytest $(ARGS)

check: $(VENV)/.test ## lint, types, floors, and whether a hole is known in what is locked
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache
	@$(BIN)/python -m tools.supply audit

sbom: $(VENV)/.base ## the bill of materials of what is locked, as CycloneDX JSON (SBOM=file)
	@$(BIN)/python -m tools.supply sbom $(or $(SBOM),warmthread.cdx.json)

reading: $(VENV)/.base ## make the second reader's weights anew from its invented texts (minutes)
	@$(BIN)/python -m tools.reading build

bench: $(VENV)/.test ## the measurements, as ratios against a floor of the same run
	@$(BIN)/python -m bench

faults: $(VENV)/.test ## a service killed, frozen and lied to by seeded plans (SEEDS=10 FIRST=1 MODE=embedded|postgresql; ALONE=1: each fault of the machine by itself)
	@$(BIN)/python -m tools.faults --seeds $(or $(SEEDS),10) --first $(or $(FIRST),1) --mode $(or $(MODE),embedded) $(if $(SHORT),--short) $(if $(ALONE),--alone)

hosts: $(VENV)/.test ## three hosts on this machine under load, one cut off and one killed, judged by the same oracles (root; SEED=1)
	@$(BIN)/python -m tools.hosts --seed $(or $(SEED),1)

year: $(VENV)/.test ## days of made-up clinics under a clock that is set, judged hour by hour (DAYS=30 CLINICS=10 SEED=1 FIRST=2027-02-20)
	@$(BIN)/python -m tools.year --days $(or $(DAYS),30) --clinics $(or $(CLINICS),10) --seed $(or $(SEED),1) --first $(or $(FIRST),2027-02-20)

fuzz: $(VENV)/.test ## mutated HL7 messages and FHIR bundles at the doors for EHRs (COUNT=2000 SEED=1 MINUTES=60)
	@$(BIN)/python -m bench.fuzz_feeds $(or $(COUNT),2000) $(or $(SEED),1) $(or $(MINUTES),60)

migrate: $(VENV)/.base ## bring the database named by DATABASE_URL (or the embedded one) to head
	@$(BIN)/warmthread db upgrade

browser: ## find Chromium for the browser tests, or install the distribution's
	@sh tests/browser/find_chromium.sh

lock: $(VENV)/.base ## write requirements/*.txt anew from pyproject.toml (needs uv)
	@uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --no-header --quiet -o requirements/base.txt
	@uv pip compile pyproject.toml --extra test --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --no-header --quiet -o requirements/test.txt

clean: ## remove the environment and caches (never the data directory)
	@rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache
