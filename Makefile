.DEFAULT_GOAL := help
.PHONY: help run ui query notebook report sample contracts model reader docs screenshots forget restore history test test-general terraform rehearse fuzz soak bench check lock wheel clean
.DELETE_ON_ERROR:

# Settings of the make command line: `make PYTHON=python3.12 run`.
PYTHON ?= python3
PORT ?= 3000
ARGS ?=
TABLE ?=
FOLDER ?=
TABLES ?=

# One instance for the command line and the UI, so that a run of either is seen in both.
DAGSTER_HOME ?= $(CURDIR)/.dagster
run ui report forget restore history: export DAGSTER_HOME := $(DAGSTER_HOME)

# Memory that is freed goes back to the system: at 10 million order lines a refresh takes some 50 MB less.
export MALLOC_ARENA_MAX ?= 2
export ARROW_DEFAULT_MEMORY_POOL ?= system

# What the engine needs beside the rest: Spark, where it runs on this machine.
ENGINE := $(if $(filter spark,$(STARSCHEMA_ENGINE)),.venv/spark)

# $(call install,PACKAGES,WHAT FOR): Debian packages, where this user may install them; elsewhere, what is missing.
define install
{ \
  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
    echo "Installing $(1): $(2)"; \
    apt-get update -qq && \
    DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends $(1) >/dev/null; \
  else \
    echo "make: missing, $(2). On Debian and Ubuntu: sudo apt-get install $(1)" >&2; exit 1; \
  fi; \
}
endef

# $(call mariadb,WHAT FOR): the server, where it isn't yet; not in every user's PATH.
define mariadb
{ command -v mariadbd >/dev/null || test -x /usr/sbin/mariadbd || \
  $(call install,mariadb-server-core mariadb-client-core,the MariaDB server $(1)); }
endef

# Terraform can't be installed from a package index: what needs it is no part of `make test`.
AWS_TESTS := starschema_assets_tests/terraform

# A MySQL in .mysql, unpacked and not installed, where it can be had.
mysql := .venv/bin/python -m starschema_assets_tests.mysql_packages

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s%s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo
	@echo "The environment is made in .venv when a target needs it (Python 3.11 to 3.13: PYTHON=python3.12)."

run: .venv/installed $(ENGINE) ## refresh raw and star and print the totals (on sample data, unless told your source)
	@.venv/bin/python -m starschema_assets.run

ui: .venv/installed $(ENGINE) ## Dagster's webserver and daemon on http://127.0.0.1:3000 (PORT=3001)
	@.venv/bin/python -m starschema_assets.ui --port "$(PORT)"

# The SQL goes by the environment, untouched by make and the shell, whatever it quotes.
query: override export SQL := $(value SQL)
query: .venv/installed ## ask the star (SQL="select …", SQL=@file, or the name of a question: SQL=margin)
	@.venv/bin/python -m starschema_assets.analytics.query "$$SQL"

notebook: .venv/installed ## JupyterLab on the notebook of the sales report, with its tables, charts and dashboard
	@.venv/bin/python -m starschema_assets.analytics.lab $(ARGS)

report: .venv/installed ## make the sales report of what is published, and say where it is
	@.venv/bin/python -m starschema_assets.report

sample: .venv/installed ## generate the sample database (ARGS="--scale 10"; ARGS=--help)
	@.venv/bin/python -m starschema_assets.sample $(ARGS)

contracts: .venv/installed ## raw contracts from what your database declares (TABLES="orders customers" ARGS=--write)
	@.venv/bin/python -m starschema_assets.authoring.contracts $(ARGS) $(TABLES)

model: .venv/installed ## the contract of a star table from its SQL (TABLE=fact_sales ARGS=--write)
	@.venv/bin/python -m starschema_assets.authoring.model $(ARGS) $(TABLE)

reader: .venv/installed ## make or rotate the pipeline's user in the database that Terraform made (ARGS=--help)
	@.venv/bin/python -m starschema_assets.deployment.reader $(ARGS)

docs: .venv/installed ## write docs/data-dictionary.md from the contracts, the lineage and the questions
	@.venv/bin/python -m starschema_assets.analytics.dictionary

screenshots: .venv/installed ## take the pictures of docs/images/ anew, of a fresh sample (needs Chromium, as `make test` does)
	@.venv/bin/python -m starschema_assets_tests.screenshots

forget: .venv/installed ## say which published tables would go from lake and catalog (TABLE=star/x, a stage, or unnamed; ARGS=--yes does it)
	@.venv/bin/python -m starschema_assets.forget "$(TABLE)" $(ARGS)

restore: .venv/installed ## put back the previous star, or one table's previous version (TABLE=star/dim_dates)
	@.venv/bin/python -m starschema_assets.restore $(TABLE)

history: .venv/installed ## rebuild the histories from the raw tables of earlier days (FOLDER=exports; ARGS=--help)
	@.venv/bin/python -m starschema_assets.rebuild $(if $(FOLDER),"$(FOLDER)") $(ARGS)

test: .venv/installed .venv/spark ## run the tests on a real MariaDB, MySQL, S3 server and browser (ARGS="-k snapshot -x")
	@$(call mariadb,that the tests start for themselves)
	@$(mysql)
	@{ command -v chromium && .venv/bin/playwright --version; } >/dev/null 2>&1 || \
	  $(call install,chromium libatomic1,the browser in which the tests look at the UI)
	@.venv/bin/python -m pytest -n 4 --dist loadfile --no-loadscope-reorder $(or $(ARGS),--ignore $(AWS_TESTS))
	@$(if $(ARGS),,.venv/bin/python -m starschema_assets_tests.servers)

# Files, and single tests of other files, that name what the classic cars have.
CARS := $(shell cat starschema_assets_tests/classic_cars.txt)

test-general: ## run the tests that hold for any business: all but those of starschema_assets_tests/classic_cars.txt
	@$(MAKE) --no-print-directory test ARGS="--ignore $(AWS_TESTS) \
	  $(foreach test,$(CARS),$(if $(findstring ::,$(test)),--deselect,--ignore) $(test)) $(ARGS)"

terraform: .venv/installed ## check the configuration in terraform/: its form, its tests, its policies
	@.venv/bin/python -m pytest $(AWS_TESTS) $(ARGS)

rehearse: wheel .venv/spark ## docs/deploy.md from nothing to nothing, in an emulator of AWS and a container, in some 15 minutes
	@$(call mariadb,that the pipeline reads)
	@{ command -v systemd-nspawn && command -v mmdebstrap; } >/dev/null 2>&1 || \
	  ( $(call install,systemd-container mmdebstrap,the container in which the machine boots) ) || true
	@.venv/bin/python -m starschema_assets_tests.rehearsal

fuzz: .venv/installed ## random tables through a real MariaDB and MySQL for half an hour (ARGS=--hypothesis-seed=7)
	@$(call mariadb,that holds the tables)
	@$(mysql)
	@.venv/bin/python -m pytest starschema_assets_tests/source/test_fuzz.py \
	  --hypothesis-profile=long --hypothesis-show-statistics $(ARGS)

soak: .venv/installed ## ten minutes of refreshes, write load and kills (ARGS="--lake directory --seconds 60 --seed 7")
	@$(call mariadb,that is read and killed)
	@.venv/bin/python -m benchmarks.soak $(ARGS)

bench: .venv/installed ## measure against dlt, pandas and Spark, and write docs/benchmarks.md (ARGS=--help)
	@$(call mariadb,that all contenders read)
	@{ command -v java >/dev/null && test -e /usr/share/java/mariadb-java-client.jar; } || \
	  ( $(call install,default-jre-headless libmariadb-java,the Java and the driver of Spark which is left out) ) || true
	@.venv/bin/python -m benchmarks $(ARGS)

check: .venv/installed ## format, lint, types, imports, contracts and SQL, and whether the lock holds what the project asks for
	@.venv/bin/ruff format --check .
	@.venv/bin/ruff check .
	@.venv/bin/mypy
	@.venv/bin/lint-imports
	@.venv/bin/python -m starschema_assets.check
	@.venv/bin/uv pip check -q --python .venv/bin/python

lock: .venv/installed ## write the locks after a change of dependencies (ARGS=--upgrade: newest of all)
	@.venv/bin/uv pip compile -q pyproject.toml --group dev --universal --generate-hashes \
	  --custom-compile-command "make lock" -o requirements.lock $(ARGS)
	@.venv/bin/uv pip compile -q --group spark --universal --generate-hashes \
	  --custom-compile-command "make lock" -o requirements-spark.lock $(ARGS)
	@.venv/bin/uv pip compile -q --group glue -c requirements.lock --python-version 3.11 \
	  --python-platform x86_64-manylinux_2_28 --no-annotate \
	  --custom-compile-command "make lock" -o requirements-glue.lock $(ARGS)

# The same bytes from the same source, so that Terraform uploads only what changed.
wheel: .venv/installed ## build dist/, which Terraform uploads for the Glue job
	@rm -rf build dist
	@SOURCE_DATE_EPOCH=315532800 .venv/bin/uv build -q --wheel --no-build-isolation --offline \
	  --python .venv/bin/python -o dist

# Histories in data/lake that aren't of the sample: the source can't give them again. Their files name it.
keepsakes = find data/lake -path '*/star/*_history/*.parquet' \
  ! -exec grep -qF '["the DuckDB file sample.duckdb"]' {} \; -print 2>/dev/null

clean: ## remove .venv, .mysql, caches, run history, and data/ unless STARSCHEMA_LAKE_URI is set
	rm -rf .venv .mysql build dist *.egg-info .hypothesis .mypy_cache .pytest_cache .ruff_cache
	@$(if $(STARSCHEMA_LAKE_URI),true,\
	  if [ -n "$$($(keepsakes))" ]; then \
	    echo "data/lake stays: it has histories that aren't the sample's, and no source can give them again."; \
	    find data -mindepth 1 -maxdepth 1 ! -name lake -exec rm -rf {} +; \
	  else rm -rf data; fi)
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
	find .dagster -mindepth 1 ! -path .dagster/dagster.yaml -delete

# uv takes a fifth of pip's time, and removes what the lock no longer holds. pip fetches it, held to the lock's hashes.
.venv/installed: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))' || \
	  { echo "make: $(PYTHON) isn't a Python 3.11, 3.12 or 3.13; name one: make PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || \
	  $(call install,python3-venv,the part of Python that makes virtual environments)
	@echo "Installing the Python packages of requirements.lock into .venv"
	@$(PYTHON) -m venv .venv
	@awk '/^[^ ]/ { uv = /^uv==/ } uv' requirements.lock > .venv/uv.lock
	@.venv/bin/python -m pip install -q --disable-pip-version-check --require-hashes -r .venv/uv.lock
	@.venv/bin/uv pip sync -q --require-hashes --compile-bytecode --python .venv/bin/python requirements.lock
	@.venv/bin/uv pip install -q --no-deps --no-build-isolation --python .venv/bin/python -e .
	@touch $@

# PySpark comes as source only, and is built with the setuptools of the first lock.
.venv/spark: .venv/installed requirements-spark.lock
	@command -v java >/dev/null || \
	  $(call install,openjdk-17-jre-headless,the Java in which Spark runs)
	@echo "Installing Spark, 300 MB: requirements-spark.lock"
	@.venv/bin/uv pip install -q --require-hashes --no-deps --no-build-isolation \
	  --python .venv/bin/python -r requirements-spark.lock
	@touch $@
