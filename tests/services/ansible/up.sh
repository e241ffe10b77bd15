#!/usr/bin/env bash
# up.sh DIR: installs Ansible once per machine and starts ansible-rulebook with its webhook source (TLS and a token) on a free port of
# 127.0.0.1. Writes DIR/env; without a JDK of 17 or newer there is no webhook, and env says so.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
[ $# -eq 1 ] || { echo "usage: up.sh DIR" >&2; exit 2; }
mkdir -p "$1"; dir=$(cd "$1" && pwd)
[ ! -f "$dir/pid" ] || ! kill -0 "$(cat "$dir/pid")" 2>/dev/null || { echo "already running in $dir" >&2; exit 1; }
out=$("$here/install.sh") || { code=$?; echo "$out"; exit "$code"; }
out=${out##*$'\n'}
rm -f "$dir/env"; mkdir -p "$dir/home"
finish() {
  { echo "ANSIBLE_PLAYBOOK=$out/venv/bin/ansible-playbook"; echo "ANSIBLE_COLLECTIONS=$out/collections"; echo "ANSIBLE_BIN=$out/venv/bin"
    printf '%s\n' "$@"; } > "$dir/env.tmp"
  mv "$dir/env.tmp" "$dir/env"
  exit 0
}
command -v java >/dev/null || finish "EDA_MISSING='the webhook of Event-Driven Ansible needs a JDK of 17 or newer (apt-get install openjdk-17-jdk-headless)'"
if [ -z "${JAVA_HOME:-}" ]; then JAVA_HOME=$(dirname "$(dirname "$(readlink -f "$(command -v java)")")"); fi
export JAVA_HOME
token=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
port=$(python3 -c 'import socket; s=socket.socket(); s.bind(("127.0.0.1",0)); print(s.getsockname()[1])')
cp "$here/playbooks/ok.yml" "$dir/playbook.yml"
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 365 -keyout "$dir/tls.key" -out "$dir/tls.crt" \
  -subj /CN=localhost -addext 'subjectAltName=DNS:localhost,IP:127.0.0.1' 2> "$dir/openssl.log"
sed -e "s/{{ par_port }}/$port/; s/{{ par_token }}/$token/; s#{{ par_playbook }}#$dir/playbook.yml#" \
  -e "s#^\( *\)host: 127.0.0.1#&\n\1certfile: $dir/tls.crt\n\1keyfile: $dir/tls.key#" "$here/rulebooks/webhook.yml" > "$dir/rulebook.yml"
PATH=$out/venv/bin:$PATH HOME=$dir/home ANSIBLE_COLLECTIONS_PATH=$out/collections ANSIBLE_NOCOLOR=1 \
  setsid "$out/venv/bin/ansible-rulebook" -r "$dir/rulebook.yml" -i "$here/rulebooks/inventory.yml" > "$dir/log" 2>&1 < /dev/null &
pid=$!
echo "$pid" > "$dir/pid"
for _ in $(seq 1 600); do
  kill -0 "$pid" 2>/dev/null || { echo "ansible-rulebook ended; see $dir/log" >&2; tail -5 "$dir/log" >&2; rm -f "$dir/pid"; exit 1; }
  # A GET is answered 405 or 401 once it listens, which makes no event.
  if [ "$(curl -sk -o /dev/null -w '%{http_code}' "https://127.0.0.1:$port/ready")" -ge 400 ]; then
    finish "EDA_URL=https://127.0.0.1:$port/endpoint" "EDA_TOKEN=$token" "EDA_LOG=$dir/log" "EDA_PID=$pid" "EDA_CA=$dir/tls.crt"
  fi
  sleep 0.1
done
echo "ansible-rulebook did not get ready; see $dir/log" >&2
"$here/down.sh" "$dir"
exit 1
