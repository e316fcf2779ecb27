# What a person at a terminal can ask for. Everything is installed into one folder, .venv, with the locked versions and
# their digests; nothing here needs root, and nothing but the package indexes (Python's, and Maven's for the live suite)
# is asked.

PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin
UV ?= uv
PIP = $(BIN)/python -m pip --disable-pip-version-check --quiet
PACKAGES = schemas adapters hub demo bench infra

# Tests and the demo start hundreds of processes: they keep what they compiled, whatever is set here.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help demo serve test test-live soak lint types bench lock clean
.DEFAULT_GOAL := help

help: ## this list
	@sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)/  make \1	\2/p' Makefile
	@echo "  Another Python: make demo PYTHON=python3.12 (3.11 is the oldest that will do)"

# KAFKA=1 plays over real servers, which end with it; AREA=10000 a whole area of so many children.
STAGE = $(VENV)/$(if $(filter-out 0,$(KAFKA)),.dev,.demo)
FETCH = $(if $(filter-out 0,$(KAFKA)),$(BIN)/python -m infra.kafka fetch)
PLAY = $(BIN)/python -m $(if $(AREA),bench.area.play --children $(AREA) --seed $(or $(SEED),1),demo) \
	$(if $(filter-out 0,$(KAFKA)),--kafka)

demo: $(STAGE) ## play one invented family's story; AREA=10000: a whole area; KAFKA=1: over Kafka and PostgreSQL
	@$(FETCH)
	@$(PLAY)

serve: $(STAGE) ## the same, and the hub stays up until Ctrl-C, with commands to try
	@$(FETCH)
	@$(PLAY) --keep

test: $(VENV)/.dev ## every test; LONG=1 for the long counts
	@$(BIN)/python -m pytest -q -n auto --dist loadfile

test-live: $(VENV)/.dev ## what only real servers can show: Apache Kafka on loopback (needs Java 17 and Maven)
	@$(BIN)/python -m infra.kafka fetch
	@$(BIN)/python -m pytest -q -m live

soak: $(VENV)/.dev ## three hundred faults in one run over real servers, judged from outside; about 20 minutes
	@$(BIN)/python -m infra.kafka fetch
	@$(BIN)/python -m tests.live.soak $(if $(SEED),--seed $(SEED))

lint: $(VENV)/.dev ## style and form
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

types: $(VENV)/.dev ## mypy --strict
	@$(BIN)/mypy --strict $(addprefix -p ,$(PACKAGES))

bench: $(VENV)/.dev ## how long verifying, admitting and answering take on this machine
	@$(BIN)/python -m bench

lock: ## make the lock files again, keeping versions that still fit (needs uv; all newest: make lock UPGRADE=--upgrade)
	@UV=$(UV) UPGRADE=$(UPGRADE) sh requirements/make-locks

clean: ## remove what was installed and cached
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis build dist

# The interpreter is judged before anything is made, in words.
$(VENV)/.made:
	@command -v $(PYTHON) >/dev/null || { \
	  echo "There is no $(PYTHON) here. Install Python 3.11 or newer, or name yours: make demo PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else 1)' || { \
	  echo "This needs Python 3.11 or newer, and $(PYTHON) is older. Name a newer one: make demo PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { \
	  echo "Python could not make a virtual environment. On Debian and Ubuntu: apt install python3-venv"; exit 1; }
	@touch $@

# A stamp is as new as the locks that it was made from, so that a second run installs nothing.
$(VENV)/.demo: $(VENV)/.made requirements/build.txt requirements/demo.txt pyproject.toml
	@echo "Installing the locked versions into $(VENV) ..."
	@$(PIP) install --require-hashes -r requirements/build.txt
	@$(PIP) install --require-hashes -r requirements/demo.txt
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.dev: $(VENV)/.demo requirements/dev.txt
	@echo "Installing the locked tools for tests into $(VENV) ..."
	@$(PIP) install --require-hashes -r requirements/dev.txt
	@touch $@
