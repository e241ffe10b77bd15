#!/usr/bin/env bash
# down.sh DIR: ends what up.sh DIR started; keeps the logs.
set -euo pipefail
[ $# -eq 1 ] || { echo "usage: down.sh DIR" >&2; exit 2; }
for file in "$1"/*.pid; do
  [ -f "$file" ] || continue
  # It would take seconds to end by itself, and has nothing to save.
  kill -KILL "$(cat "$file")" 2>/dev/null || true
done
rm -f "$1/env" "$1"/*.pid "$1"/*.conf
