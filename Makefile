.DEFAULT_GOAL := help
BIN := .venv/bin
PROJECT ?= examples/shop
export PROFILES_PROJECT = $(PROJECT)
export DAGSTER_HOME = $(CURDIR)/$(PROJECT)/.dagster
PORT ?= 3000

help:  ## list the targets
	@grep -E '^[a-z0-9-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | sort | awk -F'\t' '{printf "  make %-12s %s\n", $$1, $$2}'

$(BIN)/profiles: pyproject.toml constraints.txt
	python3 -m venv .venv
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[dev]'
	@touch $@

$(BIN)/bench-ready: $(BIN)/profiles
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[dev,bench]'
	@touch $@

$(DAGSTER_HOME)/dagster.yaml:
	mkdir -p $(DAGSTER_HOME) && cp resources/dagster.yaml $@

demo: $(BIN)/profiles  ## simulate a shop and build its profiles
	$(BIN)/profiles demo

demo-day2: $(BIN)/profiles  ## land one more day and show how little is recomputed
	$(BIN)/profiles demo --one-more-day

demo-cdnow: PROJECT = examples/cdnow
demo-cdnow: $(BIN)/profiles  ## build profiles of the CDNOW purchase log
	$(BIN)/python -m examples.cdnow.prepare
	$(BIN)/profiles run --all-days
	$(BIN)/python -m examples.cdnow.report

ui: $(BIN)/profiles $(DAGSTER_HOME)/dagster.yaml  ## open Dagster on the project (PROJECT=…, PORT=…)
	$(BIN)/dagster dev --workspace workspace.yaml --port $(PORT)

test: $(BIN)/profiles  ## run the tests
	$(BIN)/pytest -n 2 --dist loadfile

test-long: $(BIN)/profiles  ## run the soak, fault and fuzz tests
	$(BIN)/pytest -n 2 -m long

check: $(BIN)/profiles  ## lint and type check
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(BIN)/bench-ready  ## run the benchmarks (QUICK=1 for a minute's worth)
	$(BIN)/python -m benchmarks $(if $(QUICK),--quick)

bench-%: $(BIN)/bench-ready
	$(BIN)/python -m benchmarks $* $(if $(QUICK),--quick)

clean:  ## remove what demos and tools made
	rm -rf examples/*/.lake examples/*/.dagster examples/*/landing examples/*/truth .mypy_cache .ruff_cache .pytest_cache

.PHONY: help demo demo-day2 demo-cdnow ui test test-long check bench clean
