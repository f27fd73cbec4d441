# The two commands to know: `make demo` and `make test`.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
LOCKED := --require-hashes -r requirements.lock
NEWEST_OF_ALL := -e '.[mocks,dev]'

# Of `make up` and `make down`: where it keeps what it writes, and the first of its ports, if not
# the usual one. Not from the environment, where FOLDER may be anybody's.
FOLDER = data/up
PORTS_FROM =

.PHONY: setup demo up down test lint format lock bench docs screenshots clean

setup: $(VENV)/.done data/keys/ca.pem  ## Create .venv, install, make test keys; NEWEST=1 leaves the lock aside

$(VENV)/.done: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "intygsadapter needs Python 3.11 to 3.14, this is " + sys.version.split()[0])'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --use-pep517 $(if $(NEWEST),$(NEWEST_OF_ALL),$(LOCKED))
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation -e .
	@touch $@

data/keys/ca.pem: | $(VENV)/.done
	$(BIN)/intyg test-keys --keep

demo: setup  ## A whole round trip on loopback, checked step by step
	$(BIN)/intyg demo

up: setup  ## The same adapter and mocks, left running; PORTS_FROM=9000 FOLDER=data/two for others beside them
	@$(BIN)/intyg demo --stay --folder '$(FOLDER)' $(if $(PORTS_FROM),--ports-from '$(PORTS_FROM)')

down:  ## Stop what `make up` runs, from any terminal; FOLDER=data/two
	@if [ -x $(BIN)/intyg ]; then $(BIN)/intyg demo --stop --folder '$(FOLDER)'; else echo 'nothing is up in $(FOLDER)'; fi

test: setup lint  ## Format check, lint, types and tests
	env -u PYTHONDONTWRITEBYTECODE $(BIN)/python -m pytest -n 2  # else hundreds of processes compile it all

lint: setup
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

format: setup
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

lock:  ## Compile requirements.lock anew from pyproject.toml
	$(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
	  --all-extras --output-file requirements.lock pyproject.toml

bench: setup  ## What taking in a certificate costs beside what it must, step by step; and checking each type
	$(BIN)/python -m bench.goals
	$(BIN)/python bench/intake.py
	$(BIN)/python bench/validate.py
	$(BIN)/python bench/mock.py

docs: setup  ## The pages about certificate types, from their files
	$(BIN)/python -m intyg.schemas.export.pages docs/certificates

screenshots: setup  ## Every page in both languages and themes, wide and narrow, in data/screenshots
	$(BIN)/python -m tools.screenshots data/screenshots

clean:
	-@$(MAKE) --silent --no-print-directory down  # what cannot be asked any more shall not hinder
	rm -rf $(VENV) data build *.egg-info
