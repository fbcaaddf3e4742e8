# make grade: environment, release, the sample class graded, a table of results.
# make test: environment, every test (attacks need bubblewrap: see docs/security.md).
# make release: regenerate release/, solutions/ and workshop.ipynb from source/workshop.py.

PYTHON ?= python3
VENV ?= .venv
RUN := $(VENV)/bin/python
export PATH := $(abspath $(VENV))/bin:$(PATH)

.PHONY: grade test release jail clean
.DELETE_ON_ERROR:

grade: release jail
	$(RUN) examples/make_class.py
	$(RUN) -m grading sample

test: $(VENV)/ready jail
	$(RUN) -m ruff check .
	$(RUN) -m ruff format --check .
	$(RUN) -m pytest -n 2 --dist loadfile

release: $(VENV)/ready
	$(RUN) source/build.py

# bubblewrap, which isolates learners' code: installed where that is allowed, else grading says what to do.
jail:
	@command -v bwrap >/dev/null || { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && \
	  { apt-get install -y -q bubblewrap || { apt-get update -q && apt-get install -y -q bubblewrap; }; }; } || true

$(VENV)/ready: requirements.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.12 ...")'
	$(PYTHON) -m venv $(VENV) || { apt-get install -y python3-venv && $(PYTHON) -m venv $(VENV); }
	$(RUN) -m pip install --quiet --disable-pip-version-check -r requirements.txt
	$(RUN) -c 'import torch, torchvision'
	touch $@

clean:
	rm -rf $(VENV) gradebook.db autograded feedback examples/autograded examples/feedback examples/gradebook.db
