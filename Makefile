# Every target does its own set-up: a fresh clone needs python3, make and a package index, nothing else.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
BROWSER := $(VENV)/.browser

.PHONY: run test lint unit bench soak clean

run: $(READY)  ## the main job: one consensus scenario, end to end
	@$(BIN)/sim run scenarios/consensus/round.yaml

test: lint unit  ## every house rule and every test; the only gate

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

unit: $(READY) $(BROWSER)
	$(BIN)/python -m pytest -n 2 --benchmark-disable

bench: $(READY)  ## timings, as ratios of things measured in one run
	$(BIN)/python -m pytest bench --benchmark-only --benchmark-group-by=group

soak: $(READY)  ## what takes too long for `make test`
	HYPOTHESIS_PROFILE=wide $(BIN)/python -m pytest -m soak

$(READY): pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -c 'import sys; sys.exit(None if sys.version_info >= (3, 11) else "roundsim needs Python 3.11 or later, this is " + sys.version.split()[0] + "; say which: make PYTHON=python3.12")'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); exit 1; }
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade pip
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	touch $@

# The tests of the page want a real browser. Where it cannot be installed they say so when they run.
$(BROWSER): $(READY)
	@command -v chromedriver >/dev/null && command -v chromium >/dev/null || \
	{ command -v apt-get >/dev/null && test "$$(id -u)" = 0 && apt-get update -qq && \
	apt-get install -qq -y --no-install-recommends chromium chromium-driver >/dev/null; } || \
	echo "no Chromium here, and no way to install it: install chromium and its chromedriver for the tests of the page"
	@touch $@

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis build dist
