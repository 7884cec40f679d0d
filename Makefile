# One verb per job, the same on a laptop and in CI. The virtual environment is
# made by the first verb that needs it; each stamp in it says what is installed,
# and is out of date when pyproject.toml changes.

PYTHON ?= python3
WORKERS ?= auto
VENV := .venv
RUN := $(VENV)/bin/python
INSTALL := $(RUN) -m pip install --quiet --disable-pip-version-check
# A second environment, for what needs TensorFlow: Keras 2 is of no use without it.
PEERS := .peers
TENSORFLOW := 2.21.0

.PHONY: help demo test lessons peers check fix docs bench size nightly clean

help:
	@echo "make demo      train a small classifier on pictures of clothes (DEMO_EPOCHS=1 for a short look)"
	@echo "make test      run the tests (TESTS=tests/datasets for some of them)"
	@echo "make lessons   run old programs unchanged, each in its own process (LESSONS=folder for others than ours)"
	@echo "make peers     exchange files with Keras 2 and 3 (PEERS_FILES=20 for fewer); installs TensorFlow into $(PEERS)"
	@echo "make peers FROM=net.ckpt TO=net.h5    turn a checkpoint of TensorFlow into weights that doltap reads"
	@echo "make check     formatting, lint, types and the order of imports"
	@echo "make fix       repair what can be repaired of formatting and lint"
	@echo "make docs      write docs/coverage.md, the table of Keras's names, and docs/old-code.md, that of old ones"
	@echo "make bench     measure against Keras, PyTorch and scikit-learn; writes bench/RESULTS.md and the READMEs' table"
	@echo "make size      count the lines of each package"
	@echo "make nightly   run all tests, the slow ones too, and compare 30 epochs of Fashion-MNIST with Keras"
	@echo "make clean     remove the environment and everything that was made"

demo: $(VENV)/.demo
	$(RUN) -m doltap demo $(if $(DEMO_EPOCHS),--epochs $(DEMO_EPOCHS))

test: $(VENV)/.test
	$(RUN) -m pytest --numprocesses $(WORKERS) --maxprocesses 4 $(TESTS)

# DOLTAP_DATASETS and what else is set goes on to the programs.
lessons: $(VENV)/.test
	@$(RUN) tools/lessons.py $(LESSONS)

ifdef FROM
peers: $(PEERS)/.made
	@$(PEERS)/bin/python tools/convert_checkpoint.py "$(FROM)" $(if $(TO),"$(TO)")
else
peers: $(PEERS)/.made
	$(PEERS)/bin/python -m pytest --numprocesses $(WORKERS) --maxprocesses 4 $(or $(TESTS),tests/peers)
endif

check: $(VENV)/.check
	$(RUN) -m ruff format --check .
	$(RUN) -m ruff check .
	$(RUN) -m mypy
	$(VENV)/bin/lint-imports

fix: $(VENV)/.check
	$(RUN) -m ruff format .
	$(RUN) -m ruff check --fix .

docs: $(VENV)/.test
	$(RUN) docs/coverage.py
	$(RUN) docs/old_code.py

bench: $(VENV)/.test
	$(RUN) bench/run.py
	$(RUN) bench/readme.py
	$(RUN) bench/page.py
	$(RUN) bench/play.py

size:
	@for folder in src/doltap src/doltap/*/ tests bench docs examples; do \
	  deep=$$(test $$folder = src/doltap && echo 1 || echo 9); \
	  find $$folder -maxdepth $$deep -name '*.py' -exec cat {} + | wc -l | xargs printf '%7s  %s\n' | sed "s|$$| $$folder|"; \
	done
	@find src -name '*.py' -exec cat {} + | wc -l | xargs printf '%7s   all of src\n'

# An empty marker expression also runs what the default leaves out.
nightly: $(VENV)/.test
	$(RUN) -m pytest --numprocesses $(WORKERS) --maxprocesses 4 -m "" $(TESTS)
	$(RUN) bench/accuracy.py

clean:
	rm -rf $(VENV) $(PEERS) build dist src/*.egg-info demo-output
	rm -rf .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis .coverage
	find src tests bench docs examples -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/.made:
	@command -v $(PYTHON) >/dev/null || { \
	  echo "make: expected Python 3.11 or later as '$(PYTHON)', got no such command."; \
	  echo "  Install it, or name it: make PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "make: expected Python 3.11 or later as '$(PYTHON)', got $$($(PYTHON) --version)."; \
	  echo "  Install a newer one, or name it: make PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -m venv --clear $(VENV) || { \
	  echo "make: expected '$(PYTHON) -m venv' to make $(VENV), got the error above."; \
	  echo "  On Debian and Ubuntu: apt-get install python3-venv"; exit 1; }
	@touch $@

$(VENV)/.demo: $(VENV)/.made pyproject.toml
	@echo "installing doltap into $(VENV)"
	@$(INSTALL) --editable '.[sklearn]'
	@touch $@

$(VENV)/.test: $(VENV)/.made pyproject.toml
	@echo "installing doltap and its tests' packages into $(VENV)"
	@$(INSTALL) --editable '.[sklearn,test]'
	@touch $@

$(VENV)/.check: $(VENV)/.test
	@echo "installing the checkers into $(VENV)"
	@$(INSTALL) --editable '.[check]'
	@touch $@

# tf_keras asks for the TensorFlow of GPUs, several gigabytes; the one for CPUs, where there is one, does.
$(PEERS)/.made: $(VENV)/.made pyproject.toml
	@echo "installing doltap, TensorFlow, Keras 2 and Keras 3 into $(PEERS)"
	@$(RUN) -m venv --clear $(PEERS)
	@$(PEERS)/bin/python -m pip install --quiet --disable-pip-version-check --editable '.[sklearn,test]' \
	  "tensorflow-cpu==$(TENSORFLOW) ; platform_machine == 'x86_64' and sys_platform == 'linux'" \
	  "tensorflow==$(TENSORFLOW) ; platform_machine != 'x86_64' or sys_platform != 'linux'"
	@$(PEERS)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps "tf_keras==$(TENSORFLOW)"
	@touch $@
