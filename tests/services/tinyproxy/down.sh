#!/usr/bin/env bash
# down.sh DIR: ends what up.sh DIR started; keeps the logs.
set -euo pipefail
[ $# -eq 1 ] || { echo "usage: down.sh DIR" >&2; exit 2; }
for file in "$1"/*.pid; do
  [ -f "$file" ] || continue
  pid=$(cat "$file")
  kill -TERM "$pid" 2>/dev/null || true
  for _ in $(seq 1 100); do kill -0 "$pid" 2>/dev/null || break; sleep 0.05; done
  ! kill -0 "$pid" 2>/dev/null || kill -KILL "$pid" || true
done
rm -f "$1/env" "$1"/*.pid "$1"/*.conf
