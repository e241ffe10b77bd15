#!/usr/bin/env bash
# up.sh DIR: podman-compose from PyPI (Debian's is too old), installed once per machine; nothing runs. Writes DIR/env.
set -euo pipefail
[ $# -eq 1 ] || { echo "usage: up.sh DIR" >&2; exit 2; }
source "$(dirname "$0")/../python_programs.sh"
mkdir -p "$1"
command -v podman >/dev/null || { echo "SKIPPED: podman is not installed"; exit 77; }
python_program podman-compose 1.6.0 podman-compose==1.6.0
echo "PODMAN_COMPOSE=$venv/bin/podman-compose" >"$1/env"
