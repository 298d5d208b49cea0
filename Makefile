# Two commands on a fresh machine with Python 3.11+ and Node 20+: `make run` and `make test`.

PYTHON := $(shell for p in "$$LEOCDP_PYTHON" python3 python3.13 python3.12 python3.11 python3.14 python; do \
	if [ -n "$$p" ] && "$$p" -c "import sys; sys.exit(sys.version_info < (3, 7))" 2>/dev/null; then echo "$$p"; break; fi; done)
PREPARE = @if [ -z "$(PYTHON)" ]; then echo "No usable Python was found; install Python 3.11 or newer." >&2; exit 1; fi; \
	"$(PYTHON)" scripts/bootstrap.py
VENV = .venv/bin/python
SOURCES = shared services cli scripts tests deploy
# make test ARGS="tests/unit -k identity"; in several processes with ARGS="-n 2 --dist loadfile"
ARGS =

.DEFAULT_GOAL := help
.PHONY: help run demo test verify kafka compose infrastructure bench fmt clean lock docs fuzz-segments torture

help: ## show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: ## install what is needed and start everything; data in ./var; Ctrl-C stops it
	$(PREPARE) run
	@exec $(VENV) -m leocdp_cli run

demo: ## play a small web shop against a running system (second terminal)
	$(PREPARE) run
	@exec $(VENV) -m leocdp_cli demo

test: ## install what is needed and run the tests; ARGS="tests/unit -k name" for some of them
	$(PREPARE) dev
	@exec $(VENV) -m pytest $(ARGS)

verify: ## all that a change must pass: style, types, import contracts, generated pages, tests
	$(PREPARE) dev
	@$(VENV) -m ruff check $(SOURCES)
	@$(VENV) -m ruff format --check $(SOURCES)
	@$(VENV) -m mypy
	@MYPYPATH=scripts:deploy/k8s/components/backup $(VENV) -m mypy scripts/*.py deploy/k8s/components/backup/*.py
	@$(VENV) -c "from importlinter.cli import lint_imports_command; lint_imports_command()"
	@$(VENV) scripts/generate_docs.py --check
	@exec $(VENV) -m pytest $(ARGS)

kafka: ## start a local Apache Kafka (Java 17, Maven) with data in ./var/kafka; ARGS="--port 9192"
	$(PREPARE) run
	@exec $(VENV) scripts/kafka.py $(ARGS)

compose: ## everything in containers on this machine (Docker); see deploy/compose
	@deploy/compose/make-secrets
	@docker compose -f deploy/compose/compose.yaml up --build --detach
	@echo "User interface: http://localhost:8000 (OWNER_EMAIL and OWNER_PASSWORD of deploy/compose/.env)"
	@echo "Events go to:   http://localhost:8080 (WRITE_KEY of the same file)"

infrastructure: ## Kafka and ArangoDB alone in containers (Docker), for make run
	$(PREPARE) run
	@deploy/compose/make-secrets
	@docker compose -f deploy/compose/infrastructure.yaml up --detach --wait
	@set -a; . deploy/compose/.env; . deploy/compose/development.env; \
		LEOCDP_STORE_ROOT_PASSWORD=$$ARANGODB_ROOT_PASSWORD $(VENV) -m leocdp_cli create-database --wait 60
	@echo "Use it, in a shell:  set -a; . deploy/compose/development.env; set +a; make run"

bench: ## measure speed on this machine; prints a table and writes docs/benchmarks.md; ARGS=--full for large sizes
	$(PREPARE) dev
	@exec $(VENV) scripts/bench.py $(ARGS)

fmt: ## put the code into the house style
	$(PREPARE) dev
	@$(VENV) -m ruff check --fix $(SOURCES)
	@$(VENV) -m ruff format $(SOURCES)

clean: ## remove what can be made again; never ./var
	@rm -rf .venv build .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	@rm -rf services/admin/leocdp_admin/static/vendor services/observer/leocdp_observer/assets
	@find . -name node_modules -type d -prune -exec rm -rf {} +
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

# For maintainers.

lock:
	$(PREPARE) dev
	@$(VENV) scripts/lock.py $(ARGS)

# Compare what stores say of random conditions with what conditions mean, for so many seconds an engine.
SECONDS = 300
fuzz-segments:
	$(PREPARE) dev
	@LEOCDP_FUZZ_SECONDS=$(SECONDS) exec $(VENV) -m pytest -q --timeout 0 -k random_conditions tests/contract $(ARGS)

# Hurt the product for longer than `make test` does: 40 kills, a minute of workers that come and go.
torture:
	$(PREPARE) dev
	@LEOCDP_TORTURE_KILLS=40 LEOCDP_TORTURE_SECONDS=60 exec $(VENV) -m pytest -q -s tests/faults $(ARGS)

docs:
	$(PREPARE) dev
	@$(VENV) scripts/generate_docs.py
