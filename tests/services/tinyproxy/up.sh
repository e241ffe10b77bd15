#!/usr/bin/env bash
# up.sh DIR: the distribution's tinyproxy twice on free ports of 127.0.0.1, one open to all, one that asks for a password. Writes
# DIR/env.
set -euo pipefail
[ $# -eq 1 ] || { echo "usage: up.sh DIR" >&2; exit 2; }
mkdir -p "$1"
dir=$(cd "$1" && pwd)
tinyproxy=$(command -v tinyproxy || echo /usr/bin/tinyproxy)
[ -x "$tinyproxy" ] || { echo "SKIPPED: tinyproxy is missing: apt-get install tinyproxy-bin (or packaging/install-dependencies)"; exit 77; }
rm -f "$dir/env" "$dir"/*.log

free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
start() { # name, further lines of the configuration; sets port
  port=$(free_port)
  printf '%s\n' "Port $port" "Listen 127.0.0.1" "LogFile \"$dir/$1.log\"" "LogLevel Connect" "MaxClients 50" "Timeout 60" \
    "DisableViaHeader Yes" "${@:2}" >"$dir/$1.conf"
  setsid "$tinyproxy" -d -c "$dir/$1.conf" >"$dir/$1.out.log" 2>&1 </dev/null &
  echo $! >"$dir/$1.pid"
  for _ in $(seq 1 100); do
    kill -0 "$(cat "$dir/$1.pid")" 2>/dev/null || return 1
    (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null && return 0
    sleep 0.05
  done
  return 1
}
try() { # A port found free may be taken a moment later.
  start "$@" || start "$@" || start "$@" || { tail -5 "$dir/$1.out.log" "$dir/$1.log" >&2; exit 1; }
}
password=$(od -An -N9 -tx1 /dev/urandom | tr -d ' \n')
try open
open=$port
try asking "BasicAuth user $password"
{
  echo "TINYPROXY=http://127.0.0.1:$open"; echo "TINYPROXY_LOG=$dir/open.log"
  echo "TINYPROXY_ASKING=http://127.0.0.1:$port"; echo "TINYPROXY_ASKING_LOG=$dir/asking.log"
  echo "TINYPROXY_USER=user"; echo "TINYPROXY_PASSWORD=$password"
} >"$dir/env.tmp"
mv "$dir/env.tmp" "$dir/env"
