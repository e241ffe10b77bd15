#!/usr/bin/env bash
# down.sh DIR: ends the API server and the etcd that up.sh started in DIR; of the files only the logs stay.
set -euo pipefail
[[ $# == 1 ]] || { echo "usage: down.sh DIR" >&2; exit 2; }
[[ -f $1/.par-kubernetes ]] || { echo "down.sh: $1 was not made by up.sh (no .par-kubernetes in it)" >&2; exit 1; }
dir=$(cd "$1" && pwd)

# The pid files outlive a reboot; only a process that names this DIR on its command line is ours.
ours() { tr '\0' '\n' 2>/dev/null <"/proc/$1/cmdline" | grep -qF -- "=$dir/"; } 2>/dev/null
gone_within_5s() {
  for _ in $(seq 50); do
    ours "$1" || return 0
    sleep 0.1
  done
  return 1
}

stop() {
  local pid
  [[ -s $dir/$1.pid ]] || return 0
  pid=$(<"$dir/$1.pid")
  if ours "$pid"; then
    kill "$pid" 2>/dev/null || true
    if ! gone_within_5s "$pid"; then
      kill -KILL "$pid" 2>/dev/null || true
      gone_within_5s "$pid" || { echo "down.sh: $1 (pid $pid) does not end" >&2; exit 1; }
    fi
  fi
}

rm -f "$dir/env"
stop kube-apiserver  # first: without etcd it would only log errors
stop etcd
find "$dir" -mindepth 1 -maxdepth 1 ! -name '*.log' ! -name .par-kubernetes -exec rm -rf {} +
