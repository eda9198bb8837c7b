# Each daily act is one command; `make help` lists them. Everything runs in .venv, which make builds when it has to.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

# Tests start hundreds of processes: where Python is told to keep no bytecode, as in many containers, each would compile it all again.
unexport PYTHONDONTWRITEBYTECODE

PYTHON := .venv/bin/python
UV := .venv/bin/uv
COMPILE := $(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --custom-compile-command "make lock"

# Whole files to each process: what a module sets up once (a migrated site, a server) stays set up once.
# One more than there are processors: some tests wait for processes of their own.
PARALLEL := --numprocesses $(shell expr $$(nproc) + 1) --maxprocesses 4 --dist loadfile --no-loadscope-reorder

# The environment of a production process, for the checks that look at it; nothing connects to these addresses.
PRODUCTION := SECRET_KEY=checked-only-0123456789-abcdefghijklmnopqrstuvwxyz-ABCDEFGH ALLOWED_HOSTS=office.example.org \
	SITE_URL=https://office.example.org DATABASE_URL=postgres://office@db.example.org/office \
	REDIS_URL=redis://broker.example.org/0 EMAIL_HOST=mail.example.org DEFAULT_FROM_EMAIL=office@example.org \
	TRUSTED_PROXIES=1

.PHONY: help run test check format lock messages admin bench look chaos

help:  ## Show the commands
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## *' '{printf "  make %-8s %s\n", $$1, $$2}'

run: .venv/.runtime  ## Start everything on this machine: site, worker, timer, broker, local mail (SAMPLE=no: facts alone)
	@exec $(PYTHON) manage.py run_embedded

admin: .venv/.runtime  ## Create the first administrator (asks; or DJANGO_SUPERUSER_USERNAME, _NAME, _EMAIL, _PASSWORD)
	@exec $(PYTHON) manage.py createsuperuser $(if $(DJANGO_SUPERUSER_PASSWORD),--noinput)

test: .venv/.tools  ## Run all tests against real PostgreSQL, Redis, SMTP and a browser (ARGS: passed to pytest)
	@scripts/install-missing '/usr/lib/postgresql/*/bin/initdb=postgresql' setpriv=util-linux chromium=chromium \
		'/usr/share/fonts/opentype/noto/NotoSansCJK-*=fonts-noto-cjk' msgfmt=gettext
	@TEST_DATABASE=sqlite $(PYTHON) -m pytest $(PARALLEL) -q -m both_databases
	@$(PYTHON) -m pytest $(PARALLEL) $(ARGS)

bench: .venv/.tools  ## Measure planning, sending and imports, as ratios in one table (BENCH_MILESTONES=1000000; some ten minutes)
	@scripts/install-missing '/usr/lib/postgresql/*/bin/initdb=postgresql' setpriv=util-linux
	@BENCH_QUIET=1 $(PYTHON) -m tests.bench

look: .venv/.tools  ## Look at every page: six widths, both themes and languages, three kinds of data (LOOK_PICTURES: a folder)
	@scripts/install-missing chromium=chromium '/usr/share/fonts/opentype/noto/NotoSansCJK-*=fonts-noto-cjk' setpriv=util-linux
	@$(PYTHON) -m tests.look

chaos: .venv/.tools  ## Kill senders at random, 500 times on each database and behind Postfix (CHAOS_KILLS, CHAOS_SEED)
	@scripts/install-missing '/usr/lib/postgresql/*/bin/initdb=postgresql' setpriv=util-linux \
		/usr/lib/postfix/sbin/master=postfix
	@table=$$(mktemp); trap 'cat "$$table"; rm -f "$$table"' EXIT; export CHAOS_KILLS=$${CHAOS_KILLS:-500} CHAOS_TABLE="$$table"; \
	echo '| database | relay | senders | kills | sent meanwhile | lost | doubled | uncertain | unconfirmed | failed |' >"$$table"; \
	echo '|---|---|---|---|---|---|---|---|---|---|' >>"$$table"; \
	failed=0; \
	TEST_DATABASE=sqlite $(PYTHON) -m pytest -q -p no:xdist tests/faults/test_killed_senders.py || failed=1; \
	$(PYTHON) -m pytest -q -p no:xdist tests/faults/test_killed_senders.py tests/faults/chaos_postfix.py tests/faults/chaos_broker.py || failed=1; \
	exit $$failed

check: .venv/.tools  ## Check style, types, migrations, templates, settings and lock files
	$(PYTHON) -m ruff check .
	$(PYTHON) -m ruff format --check .
	$(PYTHON) -m mypy
	$(PYTHON) manage.py makemigrations --check --dry-run
	find templates partnerships -name '*.html' -print0 | xargs -0r .venv/bin/djhtml --tabwidth 2 --check
	find templates partnerships -name '*.html' -print0 | xargs -0r $(PYTHON) scripts/check_templates.py
	@$(PRODUCTION) $(PYTHON) manage.py check --deploy --fail-level WARNING
	@$(MAKE) lock-is-current

format: .venv/.tools  ## Bring code and templates into the project's form
	$(PYTHON) -m ruff check --fix .
	$(PYTHON) -m ruff format .
	find templates partnerships -name '*.html' -print0 | xargs -0r .venv/bin/djhtml --tabwidth 2

messages: .venv/.runtime  ## Bring new strings into the Chinese catalogs (translate them, run it again) and compile them
	@scripts/install-missing msgfmt=gettext
	$(PYTHON) manage.py makemessages -l zh_Hans --no-location --no-obsolete $(addprefix -i ,.venv var tests)
	$(PYTHON) manage.py compilemessages -i .venv

lock: .venv/.uv  ## Compile requirements*.in into pinned, hashed requirements*.txt (UPGRADE=1: newest versions)
	$(COMPILE) $(if $(UPGRADE),--upgrade) requirements.in -o requirements.txt
	$(COMPILE) $(if $(UPGRADE),--upgrade) requirements-dev.in -o requirements-dev.txt
	$(COMPILE) $(if $(UPGRADE),--upgrade) requirements-uv.in -o requirements-uv.txt

.PHONY: lock-is-current
lock-is-current: .venv/.uv
	@scratch=$$(mktemp -d); trap 'rm -rf "$$scratch"' EXIT; \
	for name in requirements requirements-dev requirements-uv; do \
		cp $$name.txt "$$scratch"; \
		$(COMPILE) $$name.in -o "$$scratch/$$name.txt"; \
		cmp -s $$name.txt "$$scratch/$$name.txt" || { echo "$$name.txt is out of date: run make lock"; exit 1; }; \
	done

# The stamps below make a second start do nothing.
.venv/.uv: requirements-uv.txt
	@python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
		|| { echo "Python 3.11 or newer is needed as python3." >&2; exit 1; }
	@scripts/install-missing module:ensurepip=python3-venv
	@python3 -m venv --clear .venv
	@.venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-uv.txt
	@touch $@

.venv/.runtime: .venv/.uv requirements.txt
	@$(UV) pip install --quiet --python $(PYTHON) --require-hashes -r requirements.txt
	@touch $@

.venv/.tools: .venv/.runtime requirements-dev.txt
	@$(UV) pip sync --quiet --python $(PYTHON) --require-hashes requirements.txt requirements-dev.txt requirements-uv.txt
	@touch $@
