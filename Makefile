# `make help` lists the targets. Everything installs into .venv; everything made at run time lies under var/.
PYTHON ?= $(shell command -v python3.11 || command -v python3.12 || command -v python3)
RUN := .venv/bin/python
.DEFAULT_GOAL := help
.PHONY: help setup demo down test drills slo-drill lint bench bench-peers

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: ## make .venv and install everything into it (instant when nothing changed)
	@test -n "$(PYTHON)" || { echo "make setup: no python3 on PATH: apt-get install python3 python3-venv"; exit 1; }
	@$(PYTHON) ops/embedded/install.py

demo: setup ## the whole platform on this machine; ONCE=1 stops after the first answer, NIGHT=1 forces a new night
	@exec $(RUN) -m ops.embedded.demo $(if $(ONCE),--once) $(if $(NIGHT),--night)

down: ## end a running demo and remove what it made (var/)
	@if [ -x $(RUN) ]; then exec $(RUN) -m ops.embedded.down; fi

lint: setup ## ruff, mypy --strict and the import rules
	$(RUN) -m ruff check .
	$(RUN) -m ruff format --check .
	$(RUN) -m mypy -p contract -p reranker -p online
	.venv/bin/lint-imports

test: setup ## lint, then every test
	@$(RUN) -m ops.embedded.servers --install
	@$(MAKE) --no-print-directory lint
	$(RUN) -m pytest -n 2 --dist loadfile

drills: setup ## the slow tests: whole nights on lakes of other domains, the SLO drill
	$(RUN) -m pytest -m slow

slo-drill: setup ## 150 ms more in scoring: the alert has to fire, a mail to name the stage; KEEP=1 keeps logs and mails
	@exec $(RUN) -m ops.drill $(if $(KEEP),--keep)

bench: setup bench-peers ## measure the night's jobs, the recommend call, its monitoring, and other servers beside it; each ends with a line of JSON
	$(RUN) -m benchmarks.night
	$(RUN) -m benchmarks.recommend
	$(RUN) -m benchmarks.monitoring_cost
	$(RUN) -m benchmarks.rerank --quick

bench-peers: setup ## the servers that `make bench` asks beside ours, each in an environment of its own
	$(RUN) -m benchmarks.rerank.environments
