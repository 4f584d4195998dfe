# `make` prints this index: every target with a "##" line.
.DEFAULT_GOAL := help
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
ARGS ?=
# Each is a distribution, with a pyproject.toml of its own.
DISTRIBUTIONS := crds libs client control-api gateway model-runtime operator standalone

.PHONY: help run check lint test nightly watch ui-test ui-vendor shape format docs help-site bench bench-peers bench-batch bench-operator bench-apply bench-analytics bench-contributions bench-drift bench-experiments bench-hot-path bench-rollouts bench-rollouts-callers bench-environments lock-environments usage-exact e2e disturbances cluster-up cluster-down lock version wheels images kind-up clean

help: ## Print this index
	@echo "Modelport: from a model file to a secured endpoint."
	@grep -hE '^[a-z0-9%-]+:.*##' $(MAKEFILE_LIST) | sort | awk -F':.*## ' '{sub("%", "<part>", $$1); printf "  make %-15s %s\n", $$1, $$2}'

run: $(VENV)/.standalone ## Start the platform with a demo model on http://127.0.0.1:8000 (ARGS="--port 9000")
	@# What models of other libraries import, too: beside the platform, which needs none of it to start.
	@[ $(VENV)/.compiled -nt $(VENV)/.standalone ] || $(BIN)/python requirements/compile.py --later $(VENV)/.compiled requirements/image-runtime-*.txt
	@exec $(BIN)/modelport up --demo $(ARGS)

check: $(VENV)/.dev ## Format, style, types and import contracts: no test (1 minute, then seconds)
	@bash tests/check.sh

lint: check ## Another name for make check

test: $(VENV)/.dev ## Lint, check types and layers, run all tests (ARGS="-k name" for some)
	@bash tests/run.sh $(ARGS)

nightly: $(VENV)/.dev ## The same with what takes minutes, more cases of the rest, and coverage (an hour or two)
	@MODELPORT_NIGHTLY=1 bash tests/run.sh $(ARGS)

test-%: $(VENV)/.dev ## One part's tests: gateway, control-api, operator, runtime, client, standalone, libs, chart, docs, tools
	@env -u PYTHONDONTWRITEBYTECODE $(BIN)/python -m tests.parts $* $(ARGS)

watch: $(VENV)/.dev ## On each change of a file, run the tests that concern it (ARGS="-x")
	@env -u PYTHONDONTWRITEBYTECODE $(BIN)/python -m tests.watch $(ARGS)

ui-test: $(VENV)/.dev ## Watch the web UI in headless Chromium; screenshots in build/ui-screenshots (90 s)
	@MODELPORT_PICTURES=1 $(BIN)/python -m pytest -m ui tests/ui $(ARGS)

ui-vendor: ## Fetch the web UI's libraries again (needs npm; the files are committed)
	@$(PYTHON) control-api/ui-vendor/vendor.py

shape: $(VENV)/.dev ## Print the code's structure: circles, layers of each package, sizes
	@$(BIN)/python -m tests.architecture

format: $(VENV)/.dev ## Format the code and fix what can be fixed
	@$(BIN)/ruff format -q . && $(BIN)/ruff check -q --fix .

docs: $(VENV)/.dev ## Rewrite what is generated: the awaiting half of the SDK, docs/{settings,reasons,metrics,cli}.md; one sentence a line in all
	@$(BIN)/python client/generate_async.py && $(BIN)/python docs/generate.py && $(BIN)/python docs/generate_reference.py && $(BIN)/python docs/sentences.py

help-site: $(VENV)/.dev ## Build the documentation's site, which the platform then shows at /help (5 s)
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet $(ARGS)
	@echo "control-api/modelport_control_api/help_site"

bench: $(VENV)/.dev ## Measure runtime, gateway and standalone; rewrite bench/README.md (12 minutes; ARGS="--quick")
	@$(BIN)/python -m bench.run $(ARGS)

bench-peers: $(VENV)/.dev ## Measure KServe's and MLServer's servers from PyPI beside ours (12 minutes)
	@$(BIN)/python -m bench.run --only peers $(ARGS)

e2e: $(VENV)/.dev ## The end-to-end tests only, on a Kubernetes cluster that they find or start (ARGS="-k story")
	@$(BIN)/python -m pytest -m e2e tests/e2e $(ARGS)

disturbances: $(VENV)/.dev ## Break one part after the other under load and rewrite the table of docs/operations.md (8 minutes)
	@MODELPORT_WRITE_DISTURBANCES=1 $(BIN)/python -m pytest -m e2e tests/e2e/disturbances $(ARGS)

cluster-up: $(VENV)/.dev ## Start a Kubernetes for the end-to-end tests: with kind, or as processes of this machine (20 s)
	@$(BIN)/python -m tests.cluster up

cluster-down: $(VENV)/.dev ## Stop it and remove all that was in it
	@$(BIN)/python -m tests.cluster down

bench-operator: $(VENV)/.dev ## How the operator bears 50, 100 and 200 models, on a cluster (4 minutes)
	@$(BIN)/python -m bench.cluster.operator_scale

bench-analytics: $(VENV)/.dev ## Speed of the analytics calls over 10 million minute rows (5 minutes, 9 GB of disk)
	@$(BIN)/python -m bench.analytics.speed $(ARGS)

bench-contributions: $(VENV)/.dev ## Contributions of 35 models beside shap and the boosters' own functions; rewrites bench/contributions.md (3 minutes)
	@VIRTUAL_ENV=$(VENV) $(BIN)/uv run --quiet --active --no-project --with shap --with catboost python -m bench.contributions.compare $(ARGS)

bench-drift: $(VENV)/.dev ## False alarms and power of data drift, case by case; rewrites bench/drift.md (4 minutes)
	@$(BIN)/python -m bench.drift.alarms $(ARGS)

bench-rollouts: $(VENV)/.dev ## False alarms and power of rollouts, at 500 looks each; rewrites bench/rollouts.md (4 minutes)
	@$(BIN)/python -m bench.rollouts.alarms $(ARGS)

bench-hot-path: $(VENV)/.dev ## CPU of the gateway for each request, this tree and another in turn (BEFORE=<checkout>); rewrites bench/hot-path.md
	@$(BIN)/python -m bench.hot_path.compare $(BEFORE) $(ARGS)

bench-experiments: $(VENV)/.dev ## False verdicts and coverage of experiments, at 200 looks each; rewrites bench/experiments.md (8 minutes)
	@$(BIN)/python -m bench.experiments.verdicts $(ARGS)

bench-rollouts-callers: $(VENV)/.dev ## What callers notice of a rollout that copies every request; rewrites bench/rollouts-callers.md (7 minutes, a quiet machine, wrk)
	@$(BIN)/python -m bench.rollouts.callers $(ARGS)

bench-environments: $(VENV)/.dev ## Files of every scikit-learn and booster, served as they were saved or refused (ARGS="sklearn-1.2 xgboost-2.1.4" for some)
	@$(BIN)/python -m bench.environments.matrix $(ARGS)

bench-apply: $(VENV)/.dev ## From kubectl apply to the first response, twenty times, on a cluster (4 minutes)
	@$(BIN)/python -m bench.cluster.apply_to_answer

bench-batch: $(VENV)/.dev ## Jobs over files: speed, what callers notice, the worker killed 20 times (10 minutes, a quiet machine)
	@$(BIN)/python -m bench.batch.jobs $(ARGS)

usage-exact: $(VENV)/.dev ## A million requests while every part is restarted in turn: is each counted once? (5 to 10 minutes)
	@$(BIN)/python -m bench.usage.restarts $(ARGS)

lock: $(VENV)/.dev ## Lock the newest versions that the pyproject.toml files allow (ARGS="--upgrade")
	@bash requirements/lock.sh $(BIN)/uv $(ARGS)

lock-environments: $(VENV)/.dev ## Lock the environments of models again (ARGS="sklearn-1.2" for some)
	@$(BIN)/python requirements/environments.py $(BIN)/uv $(ARGS)

version: ## Set the version of all distributions and of the chart (VERSION=1.2.3)
	@$(PYTHON) requirements/version.py $(VERSION)

wheels: $(VENV)/.uv ## Build the wheel of each distribution into dist/ (ARGS="--offline --no-build-isolation")
	@for each in $(DISTRIBUTIONS); do $(BIN)/uv build --quiet --wheel --out-dir dist $(ARGS) $$each || exit 1; done; ls dist

images: ## Build the images with docker or buildah (ARGS="gateway operator" for some, ARGS=environments for models' other libraries; TAG, REGISTRY, BASE_IMAGE)
	@bash images/build.sh $(ARGS)

kind-up: ## A cluster in Docker with the platform in it, at http://localhost:8080 (needs docker, kind, kubectl, helm)
	@bash helm/kind/up.sh

clean: ## Remove the environment and caches (not your models: those are in the data folder)
	@rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage* .import_linter_cache

$(VENV)/.uv:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Modelport needs Python 3.11 or newer; this is " + sys.version.split()[0] + ". Say which: make run PYTHON=python3.11")'
	@echo "==> [1/3] Making a Python environment in $(VENV)"
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/uv.txt
	@touch $@

$(VENV)/.standalone $(VENV)/.dev: $(VENV)/.%: requirements/%.txt $(DISTRIBUTIONS:%=%/pyproject.toml) $(VENV)/.uv
	@echo "==> [2/3] Installing the locked packages of requirements/$*.txt (once; about 500 MB unpacked)"
	@VIRTUAL_ENV=$(VENV) $(BIN)/uv pip install --require-hashes -r requirements/$*.txt
	@echo "==> [3/3] Installing Modelport itself"
	@VIRTUAL_ENV=$(VENV) $(BIN)/uv pip install --quiet --no-deps --no-build-isolation $(DISTRIBUTIONS:%=--editable %)
	@# Now: each model's process would do it again, where the environment or a sandbox forbids to keep it.
	@$(BIN)/python requirements/compile.py $(if $(filter standalone,$*),--first,requirements/image-runtime-*.txt)
	@touch $@
