# `make` prints this list. Everything is installed into .venv and dashboard/node_modules and nowhere else.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
MEMBERS := libs/reportcast libs/client services/watcher services/gateway services/standalone libs/cli
EXPORT := $(BIN)/uv --quiet export --frozen --no-header --no-annotate --no-emit-workspace --format requirements-txt
NPM := dashboard/with-node npm
# What the gateway serves at /. Folders are among the sources, for they change when a file in them goes.
PAGE := services/gateway/src/gateway/page/index.html
PAGE_SOURCES := dashboard/index.html dashboard/package-lock.json dashboard/vite.config.ts $(shell find dashboard/public dashboard/src -path dashboard/src/client/dist -prune -o -type f -print)
# How many tests run at a time: they wait for timeouts, processes and containers more than they compute. 0: no workers.
WORKERS := 2
# Shows where a test stands shortly before its timeout, whose own words are lost with the worker that it ends.
WITH_WORKERS := --numprocesses $(WORKERS) --override-ini faulthandler_timeout=115
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

# Read by the demo from its environment.
export REPORT_FILE GIT_ROOT

.DEFAULT_GOAL := help
.PHONY: help setup demo test lint golden torture faults bench-latency bench-drain bench-watch bench-fanout bench-large bench-redis bench-sockets bench-transports bench-canary bench-storm bench-browser plan lock up down clean

help: ## Print this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(VENV)/.installed dashboard/node_modules/.installed $(PAGE) ## Set up all tools (the other targets do it by themselves)

demo: setup ## Show a real report live: make demo [REPORT_FILE=/path/to/GitRepoReport.json] [GIT_ROOT=/path]
	@$(BIN)/python demo/demo.py

test: lint ## Lint, types, import contracts and all tests with coverage
	@$(NPM) test
	@rm -f .coverage .coverage.*
	$(BIN)/python -m pytest $(WITH_WORKERS) -m 'not alone' --cov --cov-report=
	$(BIN)/python -m pytest -m alone --cov --cov-append --cov-report=
	$(BIN)/python -m coverage report
	$(BIN)/python -m coverage report --include='libs/reportcast/src/reportcast/contracts/*' --fail-under=100

lint: setup ## Lint, format check, types and import contracts, of the Python and the TypeScript
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	@$(NPM) run --silent lint

golden: setup ## Write tests/golden again: what the tests of both languages read (then look at what changed)
	$(BIN)/python -m tests.golden.make

torture: setup ## The watcher's acceptance list on three file systems; writes docs/torture.md (needs root to mount)
	$(BIN)/python -m pytest tests/torture --torture-table docs/torture.md

faults: setup ## What clients notice of every fault that we know of, in full; writes docs/faults.md (10 minutes; needs root)
	$(BIN)/python -m pytest tests/faults --faults-table docs/faults.md

bench-latency: setup ## File change -> client received, with real Redis, at 1, 100 and 1000 clients (3 minutes)
	$(BIN)/python -m bench.latency

bench-drain: setup ## How evenly 10 000 connections are sent away when a gateway ends, and how it ends
	$(BIN)/python -m bench.drain

bench-watch: setup ## The watcher: latency by way of writing beside chokidar and watchfiles, CPU, memory (15 minutes)
	$(BIN)/python -m bench.watch --peers

bench-fanout: setup ## Broadcasting beside peers and a C loop of send(): CPU, latency, memory (15 minutes; needs gcc, node)
	$(BIN)/python -m bench.fanout

bench-large: setup ## How long a gateway stands still for a report of 1, 5 and 15 MB, beside the usual pattern (2 minutes)
	$(BIN)/python -m bench.large

bench-redis: setup ## What publishing costs Redis, by size and subscribers (1 minute)
	$(BIN)/python -m bench.redis_fanout

bench-sockets: setup ## The kernel's memory for 5000 idle connections, and a gateway's without any (1 minute)
	$(BIN)/python -m bench.idle_sockets

bench-transports: setup ## Memory, CPU and latency of a client by WebSocket, events and polls; conditional polls (4 minutes)
	$(BIN)/python -m bench.transports

bench-canary: setup ## What the self-probe costs watcher, gateway and Redis while nothing else happens (4 minutes)
	$(BIN)/python -m bench.canary

bench-storm: setup ## 5000 clients on two gateways, one of which is killed: how they come back (1 minute)
	$(BIN)/python -m bench.storm

bench-browser: setup ## The dashboard in Chromium: file to pixels, first load, 10 000 repositories that change (2 minutes)
	$(BIN)/python -m bench.browser

PLAN := --connections 1000000 --report-bytes 65536 --deflated-bytes 10240
plan: setup ## Gateways, memory and bandwidth for a target, by the newest results: make plan [PLAN='--connections ...']
	$(BIN)/python -m bench.plan $(PLAN)

up: ## Redis, watcher and two gateways behind one port, by docker compose
	docker compose up --detach --build --wait

down: ## Stop what `make up` started; the data stays
	docker compose down

lock: setup ## Resolve the newest versions again into the lock files (names, versions, hashes)
	$(BIN)/uv --quiet lock --upgrade
	$(EXPORT) --no-dev --output-file requirements.lock
	$(EXPORT) --only-group node --output-file requirements-node.lock
	$(EXPORT) --only-group build --output-file requirements-build.lock
	$(EXPORT) --group dev --output-file requirements-dev.lock

clean: ## Remove what set-up and the tests made
	rm -rf $(VENV) dashboard/node_modules dashboard/src/client/dist $(dir $(PAGE)) .coverage .coverage.* .mypy_cache .ruff_cache .pytest_cache .hypothesis

$(VENV)/.installed: requirements-dev.lock $(MEMBERS:%=%/pyproject.toml)
	@echo "setting up $(VENV) (about a minute the first time)"
	@[ -x $(BIN)/python ] || $(PYTHON) -m venv $(VENV)
	@$(PIP) install --require-hashes --no-deps -r requirements-dev.lock
	@PATH="$(CURDIR)/$(BIN):$$PATH" $(PIP) install --no-deps --no-build-isolation $(MEMBERS:%=--editable %)
	@touch $@

dashboard/node_modules/.installed: $(VENV)/.installed dashboard/package-lock.json
	@echo "setting up dashboard/node_modules"
	@$(NPM) ci --loglevel=error
	@touch $@

$(PAGE): $(PAGE_SOURCES) | dashboard/node_modules/.installed
	@echo "building the page"
	@$(NPM) run --silent build -- --logLevel warn
