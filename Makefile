# make grade: environment, release, the sample class graded, a table of results.
# make test: environment, every test.
# make release: regenerate release/, solutions/ and workshop.ipynb from source/workshop.py.

PYTHON ?= python3
VENV ?= .venv
RUN := $(VENV)/bin/python
export PATH := $(abspath $(VENV))/bin:$(PATH)

.PHONY: grade test release clean
.DELETE_ON_ERROR:

grade: release
	$(RUN) examples/make_class.py
	$(RUN) -m grading sample

test: $(VENV)/ready
	$(RUN) -m ruff check .
	$(RUN) -m ruff format --check .
	$(RUN) -m pytest -n 2 --dist loadfile

release: $(VENV)/ready
	$(RUN) source/build.py

$(VENV)/ready: requirements.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.12 ...")'
	$(PYTHON) -m venv $(VENV) || { apt-get install -y python3-venv && $(PYTHON) -m venv $(VENV); }
	$(RUN) -m pip install --quiet --disable-pip-version-check -r requirements.txt
	$(RUN) -c 'import torch, torchvision'
	touch $@

clean:
	rm -rf $(VENV) gradebook.db autograded feedback examples/autograded examples/feedback examples/gradebook.db
