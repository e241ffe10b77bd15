#!/usr/bin/env bash
# up.sh DIR: debsbom, which packaging/container/sbom calls, and the validators of both formats from PyPI, installed once per machine;
# nothing runs. Writes DIR/env.
set -euo pipefail
[ $# -eq 1 ] || { echo "usage: up.sh DIR" >&2; exit 2; }
source "$(dirname "$0")/../python_programs.sh"
mkdir -p "$1"
python_program debsbom 0.10.2 'debsbom[spdx,cdx]==0.10.2' spdx-tools==0.8.5 'cyclonedx-python-lib[json-validation]==11.12.0'
echo "SBOM_BIN=$venv/bin" >"$1/env"
