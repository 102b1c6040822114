# Every target makes the virtual environment by itself: uv does it where there is one, else python -m venv.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

VENV := .venv
STAMP := $(VENV)/.installed
BIN := $(VENV)/bin
# More than cores: many tests wait, for a deadline or for a process to end.
JOBS ?= 4
ARGS ?=
# The first interpreter that is new enough; PYTHON=/path/to/python overrules.
PYTHON ?= $(shell for name in python3 python3.13 python3.12 python3.11 python; do \
	"$$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 && { echo "$$name"; break; }; done)

.PHONY: help setup demo page run test lint format bench soak red messages commands constraints clean

help: ## Show the targets.
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /\1\t/' | expand -t 14

setup: $(STAMP) ## Make .venv and install everything into it.

$(STAMP): pyproject.toml constraints.txt
	@if [ -z "$(PYTHON)" ] || ! "$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
		echo "Red Legion needs Python 3.11 or newer: install it, or say where it is with make PYTHON=/path/to/python3.11." >&2; \
		exit 1; fi
	@if [ ! -x $(BIN)/python ]; then \
		echo "Making $(VENV) ..."; \
		if command -v uv >/dev/null 2>&1; then uv venv --quiet --python "$(PYTHON)" $(VENV); \
		elif ! "$(PYTHON)" -m venv $(VENV); then \
			echo "Python could not make $(VENV): install its venv module (on Debian and Ubuntu: apt install python3-venv)." >&2; \
			rm -rf $(VENV); exit 1; fi; fi
	@echo "Installing Red Legion and its tools ..."
	@if [ -x $(BIN)/pip ]; then \
		$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-input -c constraints.txt -e '.[dev]'; \
	else uv pip install --quiet --python $(BIN)/python -c constraints.txt -e '.[dev]'; fi
	@touch $@

demo: $(STAMP) ## Play a Sunday mining session on a Discord on loopback. No token needed.
	@$(BIN)/redlegion demo $(ARGS)

page: $(STAMP) ## Play by hand in a browser: the sandbox with its page and our bot on it. No token needed.
	@$(BIN)/redlegion sandbox --page --with-bot --story sunday $(ARGS)

run: $(STAMP) ## Run the bot on Discord; needs DISCORD_TOKEN in .env.
	@$(BIN)/redlegion run $(ARGS)

# The page is tested in a real browser where there is one: apt-get update && apt-get install -y chromium chromium-driver
test: $(STAMP) ## Run the test suite, on SQLite and on PostgreSQL.
	@$(BIN)/python -m pytest -n $(JOBS) -m 'not soak and not red' $(ARGS)

lint: $(STAMP) ## Check style, types and the walls between packages.
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

format: $(STAMP) ## Put the sources into the house style.
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

bench: $(STAMP) ## Measure against bare discord.py; writes benchmarks/results.
	@$(BIN)/python -m benchmarks $(ARGS)

soak: $(STAMP) ## Run the long tests and property tests with many more examples.
	@$(BIN)/python -m pytest -n $(JOBS) -m 'not red' --hypothesis-profile soak --timeout 1800 $(ARGS)

red: $(STAMP) ## Run Red-DiscordBot and other libraries' bots on the sandbox; installs them on the first run.
	@$(BIN)/python -m pytest -m red $(ARGS)

messages: $(STAMP) ## Bring the English text catalogs up to date with the sources.
	@$(BIN)/python -m tools.messages

commands: $(STAMP) ## Bring the table in docs/commands.md up to date with the commands.
	@$(BIN)/python -m tools.commands

constraints: $(STAMP) ## Write the installed versions to constraints.txt.
	@{ head -n 1 constraints.txt; \
		if [ -x $(BIN)/pip ]; then $(BIN)/python -m pip freeze --exclude-editable; \
		else uv pip freeze --python $(BIN)/python --exclude-editable; fi; } > constraints.new
	@mv constraints.new constraints.txt && touch $(STAMP)

clean: ## Remove .venv and what the tools left behind. Data stays.
	@rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
