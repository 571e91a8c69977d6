# Every target works from a fresh clone: what it needs is set up first. `make` alone lists them.
PYTHON ?= python3
BIN := .venv/bin
SERVE ?= 1
PORT ?= 8001
ARCHIVE ?= var
# Tests wait more than they work: two more processes than there are cores.
WORKERS ?= $(shell $(PYTHON) -c "import os; print((os.cpu_count() or 1) + 2)")
SHARED = -n $(WORKERS) --dist loadfile --no-loadscope-reorder

.DEFAULT_GOAL := help
.PHONY: help setup demo crawl cron serve export test soak servers lint bench bench-large simulate screenshots docs page lock

help:  ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: .venv/ready  ## make .venv/ with everything pinned by hash, development tools too; Chromium where apt can
	@sh scraper/browser/install.sh

.venv/ready: requirements-dev.txt requirements.txt pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	PYTHONWARNINGS=ignore $(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $@

demo: setup  ## crawl a sample clinic on this machine into var/demo/ and serve it (SERVE=0: do not serve)
	$(BIN)/python -m tests.demo --serve $(SERVE)

crawl: setup  ## visit the clinics of clinics.toml (ARCHIVE=var)
	$(BIN)/clinic-archive crawl --archive $(ARCHIVE)

cron: setup  ## the crontab lines of a daily crawl (ARCHIVE=a folder outside the checkout)
	@$(BIN)/clinic-archive schedule $(if $(filter-out file default,$(origin ARCHIVE)),--archive $(ARCHIVE))

serve: setup  ## browse the archive with Datasette (ARCHIVE=var PORT=8001)
	$(BIN)/clinic-archive serve --archive $(ARCHIVE) --port $(PORT)

export: setup  ## every table and view as CSV into ARCHIVE/exports (ARCHIVE=var)
	$(BIN)/clinic-archive export --all $(ARCHIVE)/exports --archive $(ARCHIVE)

# Compiled modules are kept, whatever the shell says: hundreds of processes import the same ones.
test soak: export PYTHONDONTWRITEBYTECODE :=

test: setup  ## the whole test suite
	$(BIN)/pytest $(SHARED) --durations 25

soak: setup  ## the tests that take samples, with their full counts
	SOAK=1 $(BIN)/pytest $(SHARED) -o faulthandler_timeout=0
	@cat $${ARTEFACTS:-var/kills}/kills.txt

servers: setup  ## crawl real WordPress, Ghost and Isso servers, where ../shared/servers is there (CASES=names)
	$(BIN)/python -m tests.servers $(CASES)

lint: setup  ## ruff, mypy, import-linter
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: setup  ## speed, as ratios within one run; exit 1 when a goal is missed
	$(BIN)/python -m tests.bench

bench-large: setup  ## the search among a million posts (half an hour, 8 GB)
	$(BIN)/python -m tests.bench --large

simulate: setup  ## what a frame of 100 to 1,000,000 clinics costs, by the revisit policy (no network)
	$(BIN)/python -m tests.simulation

screenshots: setup  ## the README's pictures, of half a year of the sample clinic
	$(BIN)/python -m tests.screenshots

page: setup  ## a saved page or API answer as a test page (FILE=page.html URL=https://...; also AT, NAME, PLATFORM, NOPOST=1)
	@$(BIN)/python -m tests.page "$(FILE)" --url "$(URL)" $(if $(AT),--at "$(AT)") $(if $(NAME),--name "$(NAME)") \
	  $(if $(PLATFORM),--platform "$(PLATFORM)") $(if $(filter 1,$(NOPOST)),--no-post)

docs: setup  ## the generated pages of docs/: commands, tables
	$(BIN)/python -m tests.docs

lock: setup  ## pin the newest versions that fit (needs uv)
	printf 'setuptools\nwheel\n' | uv pip compile --generate-hashes --no-emit-index-url --no-emit-find-links \
	  --universal --python-version 3.11 --no-annotate --no-header --upgrade pyproject.toml - -o requirements.txt
	printf 'setuptools\nwheel\n' | uv pip compile --generate-hashes --no-emit-index-url --no-emit-find-links \
	  --universal --python-version 3.11 --no-annotate --no-header --upgrade --extra dev -c requirements.txt \
	  pyproject.toml - -o requirements-dev.txt
