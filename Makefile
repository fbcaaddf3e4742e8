# make grade: environment, release, the sample classes in examples/ graded, a table of results for each assignment. Your
# own class: submitted/<learner>/<assignment>/, then python -m grading autograde ASSIGNMENT (see docs/instructor.md).
# make check: the style, and the tests that are quick, in a minute or so: for whoever is changing something.
# make test: environment, every test (attacks need bubblewrap: see docs/security.md; tests start a cluster, a database
# server, JupyterLab and a browser of their own).
# make proof: the whole corpus, each solution with 200 seeds, with PyTorch and without.
# make release: regenerate release/, solutions/ and what lies at the top from source/.
# make site: the course in a browser, as a folder that any web server serves (docs/site.md): PYODIDE=a folder or an
# address to take Pyodide from, ASSIGNMENTS=some of them.
# make clean: remove what can be made again; never a gradebook, nor what was graded.
# make lock: choose anew which versions are installed, within the ranges of requirements*.txt.

PYTHON ?= python3
VENV ?= .venv
RUN := $(VENV)/bin/python
export PATH := $(abspath $(VENV))/bin:$(PATH)

# The environment and the system's packages are installed at the same time. Several goals are made one after the other.
MAKEFLAGS += $(if $(word 2,$(MAKECMDGOALS)),,-j2)

.PHONY: grade check test proof release site lock jail postgresql chromium npm clean
.DELETE_ON_ERROR:

grade: release jail
	$(RUN) source/make_class.py
	$(RUN) -m grading sample

check: $(VENV)/ready-test jail
	$(style)
	$(pytest) -n 2 --dist worksteal -q -m 'not long'

test: $(VENV)/ready-test jail postgresql chromium npm
	$(style)
	$(pytest)

style = $(RUN) -m ruff check . && $(RUN) -m ruff format --check .
# The files that take longest come first (kit_tests/conftest.py): pytest-xdist would begin with those of most tests.
pytest = $(RUN) -m pytest -n 3 --dist loadfile --no-loadscope-reorder

proof: $(VENV)/ready-test jail
	$(RUN) source/workshop/author/proof.py --seeds 200
	$(RUN) source/workshop/author/proof.py --oracles 200
	$(RUN) source/classify/author/classify_proof.py --oracles 200

release: $(VENV)/ready
	$(RUN) source/build.py

# Nobody else needs what builds it, and JupyterLab would find parts of it: it has an environment of its own.
site: $(VENV)/site/ready
	$(VENV)/site/bin/python source/make_site.py $(ASSIGNMENTS) $(if $(PYODIDE),--pyodide '$(PYODIDE)')

$(VENV)/site/ready: requirements-site.lock
	$(PYTHON) -m venv $(VENV)/site
	$(VENV)/site/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-site.lock
	touch $@

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

# It fetches Pyodide for the tests of the site.
npm: | chromium
	@command -v npm >/dev/null || { $(call install,npm); }

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
	rm -rf $(VENV) site examples/autograded examples/feedback examples/release examples/gradebook.db
