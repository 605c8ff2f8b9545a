# Every target sets up what it needs: a virtual environment in .venv with the versions of constraints.txt.
PYTHON ?= python3
JOBS ?= 2
BIN := .venv/bin
export OMP_NUM_THREADS ?= 1
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.DEFAULT_GOAL := help
.PHONY: help install demo test test-system check bench peers speed returns docs samples

help:  ## print this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/make \1\t\2/p' Makefile | expand -t 20

install:  ## create .venv with the pinned versions, once
	@cat pyproject.toml constraints.txt | cmp -s - .venv/.installed || { \
	  $(PYTHON) -c 'import sys; v = sys.version_info; sys.exit(v < (3, 11) and "trpo-tui needs Python 3.11 or newer, $(PYTHON) is %d.%d: make PYTHON=python3.12 ..." % v[:2])' && \
	  { test -x $(BIN)/python || $(PYTHON) -m venv .venv; } && \
	  echo 'Installing into .venv, once; torch is the large part of it.' && \
	  PIP_CONSTRAINT=constraints.txt $(BIN)/python -m pip install --quiet -e '.[train,mocap,ssh,sb3,bench,dev]' && \
	  cat pyproject.toml constraints.txt > .venv/.installed; }

demo: install  ## train a broken run, watch it, name the cause, train it without the fault
	@$(BIN)/trpo-tui demo

test: install  ## every test that needs no other program
	$(BIN)/pytest -n $(JOBS)

test-system: install  ## the tests that need tmux, sshd, EGL and Chromium, and the long ones
	$(BIN)/pytest -m 'system or slow'

check: install  ## lint, format, types, imports between the packages, generated docs
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/python -m trpo_tui.generate --check

bench: install  ## every fault against its code, every healthy run at every prefix
	$(BIN)/python benchmarks/fault_bench.py

peers:  ## the environments of the TRPOs this one is compared with, below benchmarks/out
	@for peer in sb3 tianshou; do \
	  test -x benchmarks/out/$$peer/bin/python || { \
	    $(PYTHON) -m venv benchmarks/out/$$peer && \
	    benchmarks/out/$$peer/bin/pip install --quiet torch==2.13.0 && \
	    benchmarks/out/$$peer/bin/pip install --quiet -r benchmarks/peers/$$peer.txt; }; \
	done

speed: install peers  ## this agent against them, in alternating pairs
	$(BIN)/python benchmarks/speed.py

returns: install peers  ## six tasks, five seeds, 1M steps each, this agent and sb3-contrib; resumable, takes hours
	PIP_CONSTRAINT=constraints.txt $(BIN)/python -m pip install --quiet -e '.[bench]'
	$(BIN)/python benchmarks/returns.py

docs: install  ## write docs/columns.md, docs/rules.md, docs/monitor.svg, sample_logs/README.md
	$(BIN)/python -m trpo_tui.picture sample_logs/TRPO101-constant-reward docs/monitor.svg 100x30
	$(BIN)/python -m trpo_tui.generate

samples: install  ## train the runs of sample_logs again
	$(BIN)/python benchmarks/samples.py --again
