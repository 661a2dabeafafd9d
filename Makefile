# make run    start the app (PORT=8501 ADDRESS=localhost); HTTPS=1: with a certificate, at all addresses
# make test   lint, types and every test
# make train  make a model anew from the photos in DATA, into OUT (an hour at most); then evaluate it (EXTRA: more options)
# make audit  known vulnerabilities in the installed packages
# make setup  install what the app needs, nothing else; make setup-training adds TensorFlow
# All of them set themselves up and are cheap to repeat.

PYTHON ?= python3
PORT ?= 8501
ADDRESS ?= $(if $(HTTPS),,localhost)
DATA ?= ../shared/data
OUT ?= runs/model
SEED ?= 1
BIN := .venv/bin

.PHONY: run setup setup-training test train test-browser test-others test-last lint audit system browser screenshots clean
.DEFAULT_GOAL := run

run: setup
	exec $(BIN)/python -m app.network.$(if $(HTTPS),https,listen) --port $(PORT) $(if $(ADDRESS),--address $(ADDRESS))

setup: .venv/app.stamp

setup-training: .venv/training.stamp

TRASHNET := $(DATA)/trashnet/dataset-resized
NOT_ITEMS := $(foreach kind,nature people_things_places fruit_veg,--not-items $(DATA)/not_trash/$(kind)) --empty-scenes 300
EVALUATE := $(BIN)/python -m training.evaluate --model $(OUT) --report $(OUT)

train: .venv/training.stamp
	$(BIN)/python -m training.train --data $(TRASHNET) --extra $(DATA)/field_train/drinks_ccby $(EXTRA) \
		--background $(DATA)/backgrounds --weights $(or $(wildcard $(DATA)/backbone/*.weights.h5),imagenet) \
		--data-notes training/data_notes.md --seed $(SEED) --out $(OUT)
	$(EVALUATE)/reference.html --record "reference split" --data $(TRASHNET) --split validation $(NOT_ITEMS)
	$(EVALUATE)/web2.html --record web2 --data $(DATA)/field_dev/web2 $(NOT_ITEMS)
	$(EVALUATE)/cups.html --record cups --data $(DATA)/field_dev/cups
	$(BIN)/python -m training.paste --data $(TRASHNET) --before $(DATA)/not_trash/people_things_places --out $(OUT)/pasted
	$(EVALUATE)/pasted.html --record pasted --data $(OUT)/pasted
	rm -r $(OUT)/pasted

test:
	$(MAKE) --no-print-directory --jobs=2 system .venv/tests.stamp
	$(MAKE) --no-print-directory browser
	$(MAKE) --no-print-directory --jobs=2 test-browser test-others
	$(MAKE) --no-print-directory test-last

LINT := $(BIN)/ruff format --check . && $(BIN)/ruff check . && $(BIN)/mypy

# Two lanes, of which each takes about half of the time. What computes runs at a low priority, since the video of the
# browsers must not be late, and says what it has to say at its end, so as not to write into the other lane's lines.
# What looks at how soon a page is back after an outage comes last, alone.
test-browser: .venv/tests.stamp
	$(BIN)/python -m pytest -m "browser and not slow"

test-others: .venv/tests.stamp
	@export TF_NUM_INTRAOP_THREADS=1 TF_NUM_INTEROP_THREADS=1; said=$$(nice -n 19 sh -c '$(LINT) && $(BIN)/python -m pytest -m "unit or training"' 2>&1); good=$$?; echo "$$said"; exit $$good
	nice -n 10 $(BIN)/python -m pytest -m media

test-last: .venv/tests.stamp
	$(BIN)/python -m pytest -m "browser and slow"

lint: .venv/tests.stamp
	$(LINT)

audit: .venv/tests.stamp
	$(BIN)/python -m tests.measure.audit

system:
	tests/helpers/install_system.sh

browser: .venv/tests.stamp
	tests/helpers/install_browser.sh

screenshots: .venv/tests.stamp system browser
	$(BIN)/python -m tests.measure.screenshots

clean:
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Whichbin needs Python 3.11 or newer; this is " + sys.version.split()[0] + ". Name another with PYTHON=.")'
	$(PYTHON) -m venv .venv

.venv/app.stamp: requirements.txt | .venv/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

# TensorFlow's modules are compiled as they are used: most never are
.venv/training.stamp: training/requirements.txt .venv/app.stamp
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile -r training/requirements.txt
	@touch $@

.venv/tests.stamp: tests/requirements.txt .venv/training.stamp
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile -r tests/requirements.txt
	@touch $@
