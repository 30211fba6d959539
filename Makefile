# Everything a fresh machine with Python 3.11+, git and make needs: `make demo` and `make test`.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
RANGE ?= HEAD~1
REPO ?= .
BENCHES := engine prefixes plugin reviewer server growth

.PHONY: help demo review test lint docs pictures format clean bench dist test-wheel sbom notices weights
help: ## List the targets
	@grep -E '^[a-z%-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/'

demo: $(VENV)/installed ## Review the change in examples/, without any model
	@$(BIN)/python examples/make_repository.py build/parcels
	$(BIN)/review-bot review HEAD~1 --repo build/parcels

review: $(VENV)/installed ## Review any repository: make review RANGE=main... REPO=../project
	$(BIN)/review-bot review $(RANGE) --repo $(REPO)

test: $(VENV)/installed-dev ## Run the test suite
	$(BIN)/python -m pytest -n auto -q

lint: $(VENV)/installed-dev docs ## Linter, formatter, type checker and documentation
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

docs: $(VENV)/installed-dev ## Build the documentation into build/docs; warnings are errors
	$(BIN)/python docs/generate_reference.py
	$(BIN)/python -m moa_engine.config_reference docs/configuration.md
	$(BIN)/python -m sphinx --quiet --fail-on-warning --keep-going --builder html docs build/docs

pictures: $(VENV)/installed-dev ## Make the pictures of the documentation, by real runs; needs Chromium
	$(BIN)/python -m scripts.pictures

format: $(VENV)/installed-dev ## Format the code
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

dist: $(VENV)/installed-dev ## Build sdist and wheel into dist/: the same bytes for the same commit
	rm -rf dist
	SOURCE_DATE_EPOCH=$$(git log -1 --format=%ct) $(BIN)/python -m build --no-isolation --outdir dist .

bench: $(BENCHES:%=bench-%) ## Everything side by side with its peers, into docs/benchmarks.md

bench-%: $(VENV)/installed-dev ## One of them: make bench-engine; make bench-reviewer CASES=FOLDER
	$(BIN)/python -m benchmarks.side_by_side $* $(if $(CASES),--cases $(CASES))

test-wheel: dist ## Run the tests against the built wheel, the sources out of reach: make test-wheel TESTS=tests/moa_engine
	sh scripts/test_wheel.sh $(PYTHON) $(TESTS)

sbom: dist ## List what a fresh installation has, as CycloneDX, in build/sbom.cdx.json
	rm -rf build/sbom && $(PYTHON) -m venv build/sbom && build/sbom/bin/python -m pip install --quiet "$$(ls dist/*.whl)[all]"
	$(BIN)/python -m pip install --quiet --group release
	$(BIN)/cyclonedx-py environment build/sbom/bin/python --output-reproducible --output-file build/sbom.cdx.json

notices: $(VENV)/installed-dev ## Write THIRD_PARTY.md from what is installed
	$(BIN)/python scripts/dependencies.py notices > THIRD_PARTY.md

weights: $(VENV)/installed-dev ## Packages and megabytes of the core and of each extra
	$(BIN)/python scripts/dependencies.py weights

clean: ## Remove what the other targets made
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "pytest-moa needs Python 3.11 or newer: make $(MAKECMDGOALS) PYTHON=/path/to/python3.11"; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/installed: $(BIN)/python pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[types]'
	@touch $@

$(VENV)/installed-dev: $(BIN)/python pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade 'pip>=25.1'
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[all]' --group dev --group docs
	@touch $@ $(VENV)/installed
