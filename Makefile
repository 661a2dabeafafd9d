# make run    start the app (PORT=8501 ADDRESS=localhost)
# make test   lint, types and every test
# make audit  known vulnerabilities in the installed packages
# make setup  install what the app needs, nothing else; make setup-training adds TensorFlow
# All of them set themselves up and are cheap to repeat.

PYTHON ?= python3
PORT ?= 8501
ADDRESS ?= localhost
BIN := .venv/bin

.PHONY: run setup setup-training test train lint audit browser screenshots clean
.DEFAULT_GOAL := run

run: setup
	exec $(BIN)/streamlit run app/main.py --server.port $(PORT) --server.address $(ADDRESS)

setup: .venv/app.stamp

setup-training: .venv/training.stamp

test: .venv/tests.stamp lint browser
	$(BIN)/python -m pytest

lint: .venv/tests.stamp
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

audit: .venv/tests.stamp
	$(BIN)/python -m tests.audit

browser: .venv/tests.stamp
	tests/install_browser.sh

screenshots: .venv/tests.stamp browser
	$(BIN)/python -m tests.make_screenshots

clean:
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Whichbin needs Python 3.11 or newer; this is " + sys.version.split()[0] + ". Name another with PYTHON=.")'
	$(PYTHON) -m venv .venv

.venv/app.stamp: requirements.txt | .venv/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

.venv/training.stamp: training/requirements.txt .venv/app.stamp
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r training/requirements.txt
	@touch $@

.venv/tests.stamp: tests/requirements.txt .venv/training.stamp
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r tests/requirements.txt
	@touch $@
