# make grade: environment, release, the sample class graded, a table of results.
# make test: environment, every test (attacks need bubblewrap: see docs/security.md; tests start a cluster, a database
# server, JupyterLab and a browser of their own).
# make proof: the whole corpus, each solution with 200 seeds.
# make release: regenerate release/, solutions/ and workshop.ipynb from source/workshop.py.
# make lock: choose anew which versions are installed, within the ranges of requirements*.txt.

PYTHON ?= python3
VENV ?= .venv
RUN := $(VENV)/bin/python
export PATH := $(abspath $(VENV))/bin:$(PATH)

# The environment and the system's packages are installed at the same time. Several goals are made one after the other.
MAKEFLAGS += $(if $(word 2,$(MAKECMDGOALS)),,-j2)

.PHONY: grade test proof release lock jail postgresql chromium clean
.DELETE_ON_ERROR:

grade: release jail
	$(RUN) examples/make_class.py
	$(RUN) -m grading sample

test: $(VENV)/ready-test jail postgresql chromium
	$(RUN) -m ruff check .
	$(RUN) -m ruff format --check .
	$(RUN) -m pytest -n 3 --dist loadfile

proof: $(VENV)/ready-test jail
	$(RUN) kit_tests/proof.py --seeds 200

release: $(VENV)/ready
	$(RUN) source/build.py

lock:
	$(PYTHON) source/lock.py

# bubblewrap, which isolates learners' code: installed where that is allowed, else grading says what to do.
jail:
	@command -v bwrap >/dev/null || { $(call install,bubblewrap); }

# A database server, for one test.
postgresql: | jail  # apt runs once at a time
	@ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || { $(call install,postgresql); }

# A browser, for the tests of the notebook and of formgrader.
chromium: | postgresql
	@command -v chromium >/dev/null || command -v google-chrome >/dev/null || { $(call install,chromium); }

install = [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && \
  { $(apt) install -y -q $(1) || { $(apt) update -q && $(apt) install -y -q $(1); }; } || true
apt = apt-get -o DPkg::Lock::Timeout=600

$(VENV)/ready: requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.12 ...")'
	$(PYTHON) -m venv $(VENV) || { $(call install,python3-venv); $(PYTHON) -m venv $(VENV); }
	$(RUN) -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(RUN) -c 'import torch, torchvision'
	touch $@

$(VENV)/ready-test: requirements-test.lock $(VENV)/ready
	$(RUN) -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-test.lock
	touch $@

clean:
	rm -rf $(VENV) autograded feedback examples/autograded examples/feedback examples/gradebook.db
