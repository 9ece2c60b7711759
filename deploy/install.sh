#!/bin/sh
# What the Dockerfile installs into $VIRTUAL_ENV, in two steps, so that a change of the app does not
# install PyTorch anew: "packages", then "app". $EXTRAS names extras of pyproject.toml.
set -eu

case "$1" in
packages)
    uv venv "$VIRTUAL_ENV"
    set -- --frozen --no-dev --no-emit-project
    for extra in ${EXTRAS:-}; do set -- "$@" --extra "$extra"; done
    # the same releases as everywhere; but PyTorch from its own index, which has builds without CUDA
    uv export "$@" --no-hashes --output-file locked.txt >/dev/null
    uv export "$@" --prune torch --prune torchvision --output-file others.txt >/dev/null
    uv pip install --require-hashes -r others.txt
    grep -E '^torch(vision)?==' locked.txt | sed 's/ .*//' >torch.txt
    # the locked releases of what PyTorch needs; of those for CUDA the CPU build asks none
    grep -E '^[a-z]' locked.txt | grep -vE '^torch(vision)?==' >versions.txt
    # shellcheck disable=SC2086 # several options
    uv pip install ${TORCH_FROM:---torch-backend cpu} -r torch.txt --constraints versions.txt
    ;;
app)
    uv pip install --no-deps .
    ;;
esac
