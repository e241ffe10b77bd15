#!/usr/bin/env bash
# up.sh DIR: podman-compose from PyPI (Debian's is too old), installed once per machine; nothing runs. Writes DIR/env.
set -euo pipefail
[ $# -eq 1 ] || { echo "usage: up.sh DIR" >&2; exit 2; }
version=1.6.0
out=${PAR_TEST_SERVERS:-${XDG_CACHE_HOME:-$HOME/.cache}/par-test-servers}/podman-compose-$version
mkdir -p "$1" "$(dirname "$out")"
command -v podman >/dev/null || { echo "SKIPPED: podman is not installed"; exit 77; }
exec 9>"$out.lock"
flock 9  # several build trees may ask at once
if [ ! -e "$out/installed" ]; then
  rm -rf "$out"
  python3 -m venv "$out"
  "$out/bin/pip" -q --disable-pip-version-check install "podman-compose==$version" ||
    { echo "SKIPPED: podman-compose cannot be installed from PyPI here"; exit 77; }
  touch "$out/installed"
fi
echo "PODMAN_COMPOSE=$out/bin/podman-compose" >"$1/env"
