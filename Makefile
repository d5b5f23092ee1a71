# `make` lists the targets. Each one sets up what it needs, in .venv.
.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help setup demo test web page kernels bench soak lint clean
SHELL := /bin/sh
BIN := .venv/bin
export PYTHON
# pytest workers; more than the cores there are gains nothing.
WORKERS ?= 2

# Stamps: an environment is renewed when what it is made from changes.
RUN_READY := .venv/.ready-run
DEV_READY := .venv/.ready-dev
BENCH_READY := .venv/.ready-bench

$(RUN_READY): requirements.lock pyproject.toml scripts/setup
	@scripts/setup requirements.lock
	@touch $@

$(DEV_READY): requirements-dev.lock pyproject.toml scripts/setup
	@scripts/setup requirements-dev.lock
	@touch $@

# The page's figures need the browser's driver, which comes with what developing needs.
$(BENCH_READY): $(DEV_READY) requirements-bench.lock pyproject.toml scripts/setup
	@scripts/setup requirements-bench.lock
	@touch $@

help: ## list the targets
	@echo "make TARGET, where TARGET is one of"
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  \1\t\2/p' $(MAKEFILE_LIST) | expand -t 10

setup: $(DEV_READY) ## make .venv with everything that developing needs

# Goes by a digest of web/, not by times: a branch that is switched back rebuilds nothing.
page:
	@$(BIN)/python hatch_build.py

web: $(DEV_READY) page ## build the watch page anew if web/ changed

demo: $(RUN_READY) page ## play one simulated night and print what was found
	@$(BIN)/skykeep demo

lint: $(DEV_READY) ## style, types and the import rules
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy
	@$(BIN)/lint-imports

# Once, before tests and the services that they start compile the same side by side: on a fresh
# machine it takes most of a minute, later 2 seconds.
kernels: $(DEV_READY)
	@$(BIN)/python -c "from skykeep.core.zone_index import rehearse; rehearse()" & \
		$(BIN)/python -c "from skykeep.runtime import rehearse; rehearse()" && wait $$!

test: lint page kernels ## lint, then all tests but the long ones; ends with what was skipped and why
	@$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal -m "not soak"

soak: $(DEV_READY) ## the long runs
	@SKYKEEP_EXAMPLES=thorough $(BIN)/python -m pytest -m soak

bench: $(BENCH_READY) page kernels ## measure against peers and aims; writes docs/bench.md
	@$(BIN)/python -m bench --date "$$(date -u +%Y-%m-%d)"

clean: ## remove .venv, the built page and every cache
	@rm -rf .venv .venv-taky .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache out
	@rm -rf web/node_modules src/skykeep/data/web
	@find src tests bench -name __pycache__ -type d -prune -exec rm -rf {} +
