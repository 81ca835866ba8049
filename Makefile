# Every command of the suite. `make` alone lists them.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

VENV ?= .venv
BIN := $(VENV)/bin
PYTHON ?= $(shell for python in python3.11 python3.12 python3.13 python3.14 python3; do \
	"$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	&& { echo "$$python"; break; }; done)
ROOMS := chassis gateway services/auth services/core services/ssx local deploy conformance
RECIPES := $(ROOMS:%=%/pyproject.toml)
SERVICES := auth core ssx
CODE := $(ROOMS:%=%/src)
# What a person may give: make run PORT=18000 VAR=/tmp/ispyb, make test T=tests/core, make logs ID=…
ifdef VAR
export ISPYB_STATE := $(VAR)
endif

.PHONY: help
help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: run
run: $(VENV)/.installed ## Start the whole suite with demo data; Ctrl-C ends it (PORT=, VAR=)
	@$(BIN)/pyispyb-local run $(if $(PORT),--port $(PORT))

.PHONY: stop
stop: ## End the suite, after a crash too (VAR=)
	@test ! -x $(BIN)/pyispyb-local || $(BIN)/pyispyb-local stop

.PHONY: status
status: $(VENV)/.installed ## Say which programs run and are ready (VAR=)
	@$(BIN)/pyispyb-local status

.PHONY: try
try: $(VENV)/.installed ## Print the commands to paste (VAR=)
	@$(BIN)/pyispyb-local try

.PHONY: logs
logs: $(VENV)/.installed ## Show one request everywhere (ID=), or follow the log (VAR=)
	@$(BIN)/pyispyb-local logs $(if $(ID),--id '$(ID)')

.PHONY: config
config: $(VENV)/.installed ## Print the configuration in force, secrets masked
	@$(BIN)/pyispyb-config

# The suite test starts everything and measures seconds: it has the machine to itself.
.PHONY: test
test: $(VENV)/.installed-dev peers ## Run the tests (T=tests/core for a part)
ifdef T
	$(BIN)/pytest $(T)
else
	$(BIN)/pytest tests/suite
	$(BIN)/pytest --ignore tests/suite --ignore tests/compose -n 2 --dist loadfile
endif

.PHONY: check
check: lint test ## All that CI asks: lint, types, import contracts, compose file, tests

.PHONY: lint
lint: $(VENV)/.installed-dev ## Lint, types, import contracts, compose file: check without the tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/docker-compose config -q

.PHONY: format
format: $(VENV)/.installed-dev ## Format the code and cure what ruff can cure
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

.PHONY: contracts
contracts: $(VENV)/.installed ## Rewrite services/*/openapi.json from the code
	@for service in $(SERVICES); do \
		ISPYB_STATE=$(VENV)/contracts ISPYB_AUTH__PROVIDERS={} $(BIN)/python -m pyispyb_chassis.contracts \
			pyispyb_$$service.app:create_app services/$$service/openapi.json; \
	done

.PHONY: pins
pins: ## Rewrite constraints.txt from a fresh environment with the newest versions
	@rm -rf .venv-pins
	@$(PYTHON) -m venv .venv-pins
	@.venv-pins/bin/pip install --upgrade pip setuptools
	@.venv-pins/bin/pip install --no-build-isolation $(ROOMS:%=-e ./%) -r requirements-dev.in
	@.venv-pins/bin/pip freeze --all --exclude-editable | grep -v '^pip==' > constraints.txt
	@rm -rf .venv-pins
	@wc -l constraints.txt

.PHONY: bench
bench: $(VENV)/.installed-dev ## Measure the suite beside a hello-world, in one run
	$(BIN)/python -m bench.compare

.PHONY: bench-auth
bench-auth: $(VENV)/.installed-dev peers ## Measure logins a second, and the memory of one auth
	$(BIN)/python -m bench.auth

.PHONY: bench-core
bench-core: $(VENV)/.installed-dev programs ## Measure core's reads on MariaDB with a facility's rows
	$(BIN)/python -m bench.core

.PHONY: bench-export
bench-export: $(VENV)/.installed-dev programs ## Measure an export of a million rows, and what it takes of memory
	$(BIN)/python -m bench.export

# As root with an engine of its own and stand-ins for what only a registry has; with KONG_IMAGE= on
# the engine that is there. A step stands on those before it.
.PHONY: test-compose
test-compose: $(VENV)/.installed-dev $(if $(KONG_IMAGE),,engine) ## Drill the containers: start, kill, scale, upgrade, restore (KONG_IMAGE=)
	KONG_IMAGE='$(KONG_IMAGE)' $(BIN)/pytest -x tests/compose

engine:
	@test "$$(id -u)" = 0 || { echo 'an engine of its own needs root: sudo make test-compose, or KONG_IMAGE=kong:3.9 with Docker running' >&2; exit 1; }
	$(call server,dockerd,docker.io)
	$(call server,iptables,iptables)
	$(call server,mmdebstrap,mmdebstrap)

.PHONY: bench-gateway
bench-gateway: $(VENV)/.installed-dev ## Measure what the gateway costs, and restart replicas under load
	$(BIN)/python -m bench.gateway

# BuildKit needs buildx; the old builder makes the same images where it is not there.
COMPOSE = $(shell docker compose version > /dev/null 2>&1 && echo docker compose || echo $(BIN)/docker-compose)
.PHONY: up
up: ## Build and start the containers, wait for them, print the first steps
	$(COMPOSE) up --build --detach
	@$(COMPOSE) logs --no-log-prefix --follow welcome

WHEELHOUSE ?= wheelhouse
.PHONY: wheelhouse
wheelhouse: $(VENV)/.installed ## Gather what the images install, for a machine without a package index
	@rm -rf '$(WHEELHOUSE)'
	$(BIN)/pip download --quiet --dest '$(WHEELHOUSE)' --only-binary :all: -c constraints.txt setuptools \
		$$($(BIN)/python -c "$$NAMES" $(RECIPES))
define NAMES
import pathlib, sys, tomllib
named = [tomllib.loads(pathlib.Path(file).read_text())["project"]["dependencies"] for file in sys.argv[1:]]
print(*sorted({name for names in named for name in names if not name.startswith("pyispyb-")}))
endef
export NAMES

.PHONY: down
down: ## Stop the containers; the data stay in their volumes
	$(COMPOSE) down

.PHONY: clean
clean: stop ## End the suite; remove var/, the virtual environment and caches
	rm -rf var $(VENV) .venv-pins .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# What the tests run against: $(call server,program,package), from Debian's packages where we may.
define server
	@PATH="$$PATH:/usr/sbin" command -v $(1) > /dev/null || { \
		test "$$(id -u)" = 0 && command -v apt-get > /dev/null \
			|| { echo 'the tests need $(1): sudo apt-get install $(2)' >&2; exit 1; }; \
		apt-get update; \
		DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $(2); }
endef
OIDC := $(VENV)/peers/oidc
.PHONY: peers programs engine
peers: programs $(OIDC)/.installed
programs:
	$(call server,mariadbd,mariadb-server)
	$(call server,slapd,slapd)
	$(call server,chromium,chromium)

$(OIDC)/.installed: tests/peers/oidc/package.json tests/peers/oidc/package-lock.json | $(VENV)/.installed-dev
	@command -v npm > /dev/null && node -e 'process.exit(Number(parseInt(process.versions.node) < 20))' \
		|| { echo 'the tests need Node.js 20 or newer with npm, from https://nodejs.org or your distribution' >&2; exit 1; }
	@mkdir -p $(OIDC)
	@cp tests/peers/oidc/package.json tests/peers/oidc/package-lock.json $(OIDC)/
	@cd $(OIDC) && npm ci --no-audit --no-fund --ignore-scripts --loglevel=error
	@touch $@

# One line a package instead of pip's hundreds; what pip says of a fault is on stderr.
define progress
while read -r word rest; do \
	case "$$word" in Collecting|Obtaining|Building|Installing) \
		if test -t 1; then printf '\r\033[K  %.76s' "$$word $$rest"; else echo "  $$word $$rest"; fi;; \
	esac; \
done; if test -t 1; then printf '\r\033[K'; fi
endef
# Ready-made packages only: nothing is compiled, so no compiler is asked for.
INSTALL = $(BIN)/pip install --disable-pip-version-check --only-binary :all: -c constraints.txt
REFUSED = { echo 'Not installed: no index in reach, or no ready-made package for this machine (see above)' >&2; exit 1; }

$(BIN)/python:
	@test -n '$(PYTHON)' || { echo 'Python 3.11 or newer is needed: sudo apt-get install python3 python3-venv' >&2; exit 1; }
	@test -w . || { echo '$(CURDIR) cannot be written: clone into a folder of yours' >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2> /dev/null \
		|| { echo "$$($(PYTHON) -V) lacks venv: sudo apt-get install python3-venv" >&2; exit 1; }
	@echo 'Making $(VENV) with $(PYTHON) …'
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: $(RECIPES) constraints.txt | $(BIN)/python
	@echo 'Installing the suite …'
	@$(INSTALL) setuptools | { $(progress); } || $(REFUSED)
	@$(INSTALL) --no-build-isolation $(ROOMS:%=-e ./%) | { $(progress); } || $(REFUSED)
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.installed requirements-dev.in
	@echo 'Installing the tools …'
	@$(INSTALL) -r requirements-dev.in | { $(progress); } || $(REFUSED)
	@touch $@
