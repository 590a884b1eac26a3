.DEFAULT_GOAL := help
.PHONY: help run ui query notebook report sample contracts model reader docs screenshots forget restore history test test-general test-other terraform rehearse fuzz soak bench check lock wheel clean
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

# Arrow takes memory from malloc, which frees it sooner, and malloc keeps fewer pools. With both, a refresh of 10 million
# order lines has a peak of 440 MiB instead of 480 MiB.
export ARROW_DEFAULT_MEMORY_POOL ?= system
export MALLOC_ARENA_MAX ?= 4

# Also install Spark if the engine is Spark on this machine.
ENGINE := $(if $(filter spark,$(STARSCHEMA_ENGINE)),.venv/spark)

# $(call install,PACKAGES,WHAT FOR): install Debian packages if this user may do so; otherwise fail and name them.
define install
{ \
  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
    echo "Installing $(1): $(2)"; \
    apt-get update -qq && \
    DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends $(1) >/dev/null; \
  else \
    echo "make: $(2) is missing. On Debian and Ubuntu, run: sudo apt-get install $(1)" >&2; exit 1; \
  fi; \
}
endef

# $(call mariadb,WHAT FOR): install the MariaDB server if it is missing. /usr/sbin isn't in every user's PATH.
define mariadb
{ command -v mariadbd >/dev/null || test -x /usr/sbin/mariadbd || \
  $(call install,mariadb-server-core mariadb-client-core,the MariaDB server $(1)); }
endef

# Terraform can't be installed from a package index, so `make test` leaves out these tests.
AWS_TESTS := starschema_assets_tests/terraform

# Unpack a MySQL server in .mysql, without installing it, if its packages can be downloaded.
mysql := .venv/bin/python -m starschema_assets_tests.mysql_packages

help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s%s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo
	@echo "A target that needs the environment creates it in .venv (Python 3.11 to 3.13: PYTHON=python3.12)."

run: .venv/installed $(ENGINE) ## refresh raw and star and print the totals (uses sample data by default)
	@.venv/bin/python -m starschema_assets.run

ui: .venv/installed $(ENGINE) ## start Dagster's webserver and daemon on http://127.0.0.1:3000 (PORT=3001)
	@.venv/bin/python -m starschema_assets.ui --port "$(PORT)"

# Pass the SQL in the environment, so that make and the shell don't change its quotes.
query: override export SQL := $(value SQL)
query: .venv/installed ## run a query on the star (SQL="select …", SQL=@file, or a query by name: SQL=margin)
	@.venv/bin/python -m starschema_assets.analytics.query "$$SQL"

notebook: .venv/installed ## open the notebook of the sales report in JupyterLab
	@.venv/bin/python -m starschema_assets.analytics.lab $(ARGS)

report: .venv/installed ## create the sales report from the published tables, and print its path
	@.venv/bin/python -m starschema_assets.report

sample: .venv/installed ## generate the sample database (ARGS="--scale 10"; ARGS=--help)
	@.venv/bin/python -m starschema_assets.sample $(ARGS)

contracts: .venv/installed ## generate raw contracts from your database (TABLES="orders customers" ARGS=--write)
	@.venv/bin/python -m starschema_assets.authoring.contracts $(ARGS) $(TABLES)

model: .venv/installed ## generate the contract of a star table from its SQL (TABLE=fact_sales ARGS=--write)
	@.venv/bin/python -m starschema_assets.authoring.model $(ARGS) $(TABLE)

reader: .venv/installed ## create the pipeline's user in Terraform's database, or rotate its password (ARGS=--help)
	@.venv/bin/python -m starschema_assets.deployment.reader $(ARGS)

docs: .venv/installed ## write docs/data-dictionary.md from the contracts, the lineage and the queries
	@.venv/bin/python -m starschema_assets.analytics.dictionary

screenshots: .venv/installed ## take the screenshots of docs/images/ again, of a fresh sample (needs Chromium, like `make test`)
	@.venv/bin/python -m starschema_assets_tests.screenshots

forget: .venv/installed ## show which tables would be removed from lake and catalog (TABLE=star/x, raw, star or unnamed; ARGS=--yes removes them)
	@.venv/bin/python -m starschema_assets.forget "$(TABLE)" $(ARGS)

restore: .venv/installed ## restore the previous star, or the previous version of one table (TABLE=star/dim_dates)
	@.venv/bin/python -m starschema_assets.restore $(TABLE)

history: .venv/installed ## rebuild the histories from the raw tables of earlier days (FOLDER=exports; ARGS=--help)
	@.venv/bin/python -m starschema_assets.rebuild $(if $(FOLDER),"$(FOLDER)") $(ARGS)

test: .venv/installed .venv/spark ## run the tests on a real MariaDB, MySQL, S3 server and browser (ARGS="-k snapshot -x")
	@$(call mariadb,for the tests)
	@$(mysql)
	@{ command -v chromium && .venv/bin/playwright --version; } >/dev/null 2>&1 || \
	  $(call install,chromium libatomic1,a browser for the tests of the UI)
	@.venv/bin/python -m pytest -n 4 --dist loadfile --no-loadscope-reorder $(or $(ARGS),--ignore $(AWS_TESTS))
	@$(if $(ARGS),,.venv/bin/python -m starschema_assets_tests.servers)

# Test files and single tests that contain names of the classic cars.
CARS := $(shell cat starschema_assets_tests/classic_cars.txt)

test-general: ## run the tests that hold for any business: all except those in starschema_assets_tests/classic_cars.txt
	@$(MAKE) --no-print-directory test ARGS="--ignore $(AWS_TESTS) \
	  $(foreach test,$(CARS),$(if $(findstring ::,$(test)),--deselect,--ignore) $(test)) $(ARGS)"

test-other: .venv/installed ## put a bike rental in the sample's place, in a copy, and run check and test-general there
	@.venv/bin/python -m starschema_assets_tests.other_business

terraform: .venv/installed ## check the configuration in terraform/: format, tests, policies
	@.venv/bin/python -m pytest $(AWS_TESTS) $(ARGS)

rehearse: wheel .venv/spark ## run docs/deploy.md from apply to destroy, in an AWS emulator and a container (some 15 minutes)
	@$(call mariadb,for the pipeline)
	@{ command -v systemd-nspawn && command -v mmdebstrap; } >/dev/null 2>&1 || \
	  ( $(call install,systemd-container mmdebstrap,a container for the machine) ) || true
	@.venv/bin/python -m starschema_assets_tests.rehearsal

fuzz: .venv/installed ## test random tables on a real MariaDB and MySQL for half an hour (ARGS=--hypothesis-seed=7)
	@$(call mariadb,for the tables)
	@$(mysql)
	@.venv/bin/python -m pytest starschema_assets_tests/source/test_fuzz.py \
	  --hypothesis-profile=long --hypothesis-show-statistics $(ARGS)

soak: .venv/installed ## run refreshes under write load and kills for ten minutes (ARGS="--lake directory --seconds 60 --seed 7")
	@$(call mariadb,for the soak test)
	@.venv/bin/python -m benchmarks.soak $(ARGS)

bench: .venv/installed ## measure against dlt, pandas and Spark, and write docs/benchmarks.md (ARGS=--help)
	@$(call mariadb,for the benchmarks)
	@{ command -v java >/dev/null && test -e /usr/share/java/mariadb-java-client.jar; } || \
	  ( $(call install,default-jre-headless libmariadb-java,Java and a database driver for Spark (left out)) ) || true
	@.venv/bin/python -m benchmarks $(ARGS)

check: .venv/installed ## check format, lint, types, imports, contracts, SQL, and the installed packages
	@.venv/bin/ruff format --check .
	@.venv/bin/ruff check .
	@.venv/bin/mypy
	@.venv/bin/lint-imports
	@.venv/bin/python -m starschema_assets.check
	@.venv/bin/uv pip check -q --python .venv/bin/python

lock: .venv/installed ## write the lock files after a change of dependencies (ARGS=--upgrade: newest versions)
	@.venv/bin/uv pip compile -q pyproject.toml --group dev --universal --generate-hashes \
	  --custom-compile-command "make lock" -o requirements.lock $(ARGS)
	@.venv/bin/uv pip compile -q --group spark --universal --generate-hashes \
	  --custom-compile-command "make lock" -o requirements-spark.lock $(ARGS)
	@.venv/bin/uv pip compile -q --group glue -c requirements.lock --python-version 3.11 \
	  --python-platform x86_64-manylinux_2_28 --no-annotate \
	  --custom-compile-command "make lock" -o requirements-glue.lock $(ARGS)

# A fixed date makes the wheel reproducible, so that Terraform uploads it only if the source changed.
wheel: .venv/installed ## build dist/, which Terraform uploads for the Glue job
	@rm -rf build dist
	@SOURCE_DATE_EPOCH=315532800 .venv/bin/uv build -q --wheel --no-build-isolation --offline \
	  --python .venv/bin/python -o dist

# Histories in data/lake that come from another source than the sample can't be recreated. Their metadata contain the source.
keepsakes = find data/lake -path '*/star/*_history/*.parquet' \
  ! -exec grep -qF '["the DuckDB file sample.duckdb"]' {} \; -print 2>/dev/null

clean: ## remove .venv, .mysql, caches, run history, and data/ unless STARSCHEMA_LAKE_URI is set
	rm -rf .venv .mysql build dist *.egg-info .hypothesis .mypy_cache .pytest_cache .ruff_cache
	@$(if $(STARSCHEMA_LAKE_URI),true,\
	  if [ -n "$$($(keepsakes))" ]; then \
	    echo "data/lake is kept: it contains histories that aren't the sample's and can't be recreated."; \
	    find data -mindepth 1 -maxdepth 1 ! -name lake -exec rm -rf {} +; \
	  else rm -rf data; fi)
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
	find .dagster -mindepth 1 ! -path .dagster/dagster.yaml -delete

# uv needs a fifth of pip's time, and removes packages that the lock no longer contains. pip installs uv with the lock's hashes.
.venv/installed: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))' || \
	  { echo "make: $(PYTHON) isn't Python 3.11, 3.12 or 3.13. Choose one: make PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || \
	  $(call install,python3-venv,Python's module for virtual environments)
	@echo "Installing the Python packages of requirements.lock into .venv"
	@$(PYTHON) -m venv .venv
	@awk '/^[^ ]/ { uv = /^uv==/ } uv' requirements.lock > .venv/uv.lock
	@.venv/bin/python -m pip install -q --disable-pip-version-check --require-hashes -r .venv/uv.lock
	@.venv/bin/uv pip sync -q --require-hashes --compile-bytecode --python .venv/bin/python requirements.lock
	@.venv/bin/uv pip install -q --no-deps --no-build-isolation --python .venv/bin/python -e .
	@touch $@

# PySpark is published only as source, and is built with the setuptools of requirements.lock.
.venv/spark: .venv/installed requirements-spark.lock
	@command -v java >/dev/null || \
	  $(call install,openjdk-17-jre-headless,Java for Spark)
	@echo "Installing Spark, 300 MB: requirements-spark.lock"
	@.venv/bin/uv pip install -q --require-hashes --no-deps --no-build-isolation \
	  --python .venv/bin/python -r requirements-spark.lock
	@touch $@
