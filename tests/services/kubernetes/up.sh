#!/usr/bin/env bash
# up.sh DIR: a real Kubernetes API server with its own etcd on free ports of 127.0.0.1, all files in DIR; returns when it is ready.
# DIR/env, written last, names what a test needs. Any number may run at once, each in its own DIR. If it fails, nothing is left running.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
[[ $# == 1 ]] || { echo "usage: up.sh DIR" >&2; exit 2; }
bin=$("$here/build.sh") || { code=$?; echo "$bin"; exit "$code"; }
umask 077

alive() { [[ -s $dir/$1.pid ]] && kill -0 "$(<"$dir/$1.pid")" 2>/dev/null; }
ready() { curl --silent --fail --max-time 2 --noproxy '*' --cacert "$dir/pki/ca.crt" "https://127.0.0.1:$1/readyz" >/dev/null 2>&1; }

mkdir -p "$1"
dir=$(cd "$1" && pwd)
if [[ -f $dir/.par-kubernetes ]]; then
  "$here/down.sh" "$dir"  # left by a crash or a reboot
  rm -f "$dir"/*.log
elif [[ -n $(ls -A "$dir") ]]; then
  echo "up.sh: $dir is not empty and was not made by up.sh" >&2
  exit 1
fi
touch "$dir/.par-kubernetes"

started=false
finish() {
  $started && return
  echo "up.sh: failed; last lines of the logs:" >&2
  tail -n 8 "$dir"/*.log >&2 2>/dev/null || true
  "$here/down.sh" "$dir"
}
trap finish EXIT
trap 'exit 130' INT TERM

# --- certificates and keys ------------------------------------------------------------------------------------------
pki=$dir/pki
mkdir -p "$pki"
new_ca() {  # name, common name
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3650 -subj "/CN=$2" \
    -keyout "$pki/$1.key" -out "$pki/$1.crt" 2>/dev/null
}
new_cert() {  # name, CA, subject, extensions, days
  openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "$3" \
    -keyout "$pki/$1.key" -out "$pki/$1.csr" 2>/dev/null
  openssl x509 -req -in "$pki/$1.csr" -CA "$pki/$2.crt" -CAkey "$pki/$2.key" -CAcreateserial -days "${5-3650}" \
    -extfile <(echo "$4") -out "$pki/$1.crt" 2>/dev/null
  rm "$pki/$1.csr"
}
new_ca ca par-test-ca
new_ca sni-ca par-test-sni-ca
kube_names=DNS:localhost,DNS:kubernetes,DNS:kubernetes.default,DNS:kubernetes.default.svc,DNS:kubernetes.default.svc.cluster.local
new_cert apiserver ca /CN=kube-apiserver "subjectAltName=IP:127.0.0.1,IP:10.0.0.1,$kube_names"
# Served only to clients that ask for this name (SNI), and valid for nothing else: what tls-server-name is tested with.
new_cert sni sni-ca /CN=kube-apiserver "subjectAltName=DNS:apiserver.par.test"
client=extendedKeyUsage=clientAuth
new_cert setup ca /O=system:masters/CN=par-setup "$client"
new_cert admin ca /O=system:masters/CN=par-admin "$client"
new_cert viewer ca /O=par:viewers/CN=par-viewer "$client"
new_cert expired ca /O=system:masters/CN=par-admin "$client" -1
openssl genrsa -out "$pki/service-account.key" 2048 2>/dev/null

# --- static tokens --------------------------------------------------------------------------------------------------
mkdir -p "$dir/tokens"
new_token() {  # user, group
  local token
  token=$(openssl rand -hex 16)
  echo -n "$token" >"$dir/tokens/$1"
  echo "$token,$1,uid-$1,\"$2\"" >>"$dir/tokens.csv"
}
new_token par-admin system:masters
new_token par-viewer par:viewers
new_token par-nobody par:none
echo -n not-a-token-of-this-server >"$dir/tokens/unknown"

# --- servers --------------------------------------------------------------------------------------------------------
free_port() {  # below the ports that the kernel hands to outgoing connections
  local port
  while port=$((RANDOM % 12000 + 20000)); do
    (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || { echo "$port"; return; }
  done
}
start() {  # name, arguments
  local name=$1
  shift
  setsid "$bin/$name" "$@" </dev/null >"$dir/$name.log" 2>&1 &
  echo $! >"$dir/$name.pid"
}
lost_port() { ! alive "$1" && grep -q 'address already in use' "$dir/$1.log"; }

wait_for() {  # name, seconds, command...; 1: not in time or ended, 2: the port was taken meanwhile
  local name=$1 end=$((SECONDS + $2))
  shift 2
  until "$@"; do
    if lost_port "$name"; then return 2; fi
    alive "$name" || { echo "up.sh: $name ended" >&2; return 1; }
    ((SECONDS < end)) || { echo "up.sh: $name is not ready in time" >&2; return 1; }
    sleep 0.1
  done
}

with_free_ports() {  # starter: run it until it gets the ports it chose
  local rc
  for _ in 1 2 3 4 5; do
    rc=0
    "$1" || rc=$?
    ((rc == 2)) || return "$rc"
  done
  return 1
}

etcd_healthy() { curl --silent --fail --max-time 2 --noproxy '*' "http://127.0.0.1:$etcd_port/health" >/dev/null 2>&1; }
start_etcd() {
  etcd_port=$(free_port)
  local peer=http://127.0.0.1:$(free_port)
  rm -rf "$dir/etcd"
  start etcd --name par --data-dir="$dir/etcd" --unsafe-no-fsync --log-level warn \
    --listen-client-urls "http://127.0.0.1:$etcd_port" --advertise-client-urls "http://127.0.0.1:$etcd_port" \
    --listen-peer-urls "$peer" --initial-advertise-peer-urls "$peer" --initial-cluster "par=$peer"
  wait_for etcd 30 etcd_healthy
}

start_apiserver() {
  port=$(free_port)
  # No endpoint reconciler: it refuses loopback addresses. No ServiceAccount admission: no controller makes the
  # default service accounts that it would demand of every pod.
  start kube-apiserver \
    --bind-address=127.0.0.1 --advertise-address=127.0.0.1 --secure-port="$port" --endpoint-reconciler-type=none \
    --etcd-servers="http://127.0.0.1:$etcd_port" --service-cluster-ip-range=10.0.0.0/16 \
    --cert-dir="$dir/pki" --tls-cert-file="$pki/apiserver.crt" --tls-private-key-file="$pki/apiserver.key" \
    --tls-sni-cert-key="$pki/sni.crt,$pki/sni.key" --client-ca-file="$pki/ca.crt" \
    --token-auth-file="$dir/tokens.csv" --service-account-issuer=https://kubernetes.default.svc \
    --service-account-key-file="$pki/service-account.key" --service-account-signing-key-file="$pki/service-account.key" \
    --authorization-mode=Node,RBAC --disable-admission-plugins=ServiceAccount --allow-privileged=true \
    --audit-policy-file="$here/audit-policy.yaml" --audit-log-path="$dir/audit.log" --profiling=false
  wait_for kube-apiserver 90 ready "$port"
}

with_free_ports start_etcd
with_free_ports start_apiserver
url=https://127.0.0.1:$port

# --- users' files ---------------------------------------------------------------------------------------------------
base64_of() { base64 -w0 "$1"; }
kubeconfig_of() {  # certificate name
  cat <<EOF
apiVersion: v1
kind: Config
current-context: default
clusters: [{name: par, cluster: {server: "$url", certificate-authority-data: $(base64_of "$pki/ca.crt")}}]
users: [{name: $1, user: {client-certificate-data: $(base64_of "$pki/$1.crt"), client-key-data: $(base64_of "$pki/$1.key")}}]
contexts: [{name: default, context: {cluster: par, user: $1}}]
EOF
}
kubeconfig_of admin >"$dir/admin.kubeconfig"

kubeconfig_of setup >"$dir/setup.kubeconfig"
setup() { KUBECONFIG=$dir/setup.kubeconfig "$bin/kubectl" "$@"; }
setup create -f "$here/bootstrap.yaml" >/dev/null

in_cluster() {  # folder, service account: what a pod of that account finds in its file system
  mkdir -p "$dir/$1"
  cp "$pki/ca.crt" "$dir/$1/ca.crt"
  echo -n par-e2e >"$dir/$1/namespace"
  setup create token "$2" --namespace par-e2e --duration 720h | tr -d '\n' >"$dir/$1/token"
}
in_cluster serviceaccount runner
in_cluster serviceaccount-cluster runner-cluster
in_cluster serviceaccount-full runner-full
setup create token revoked --namespace par-e2e | tr -d '\n' >"$dir/tokens/revoked"
setup delete serviceaccount revoked --namespace par-e2e --wait=false >/dev/null

cat >"$dir/exec-credential.json" <<EOF
{"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential", "status": {"token": "$(<"$dir/tokens/par-admin")"}}
EOF
cat >"$dir/kubeconfig" <<EOF
apiVersion: v1
kind: Config
current-context: client-certificate
clusters:
- {name: ca-data, cluster: {server: "$url", certificate-authority-data: $(base64_of "$pki/ca.crt")}}
- {name: ca-file, cluster: {server: "$url", certificate-authority: "$pki/ca.crt"}}
- {name: ca-relative-file, cluster: {server: "$url", certificate-authority: pki/ca.crt}}
- {name: ca-wrong, cluster: {server: "$url", certificate-authority: "$pki/sni-ca.crt"}}
- {name: ca-none, cluster: {server: "$url"}}
- {name: insecure, cluster: {server: "$url", insecure-skip-tls-verify: true}}
- {name: server-name, cluster: {server: "$url", certificate-authority: "$pki/sni-ca.crt", tls-server-name: apiserver.par.test}}
- {name: server-name-wrong, cluster: {server: "$url", certificate-authority: "$pki/ca.crt", tls-server-name: other.par.test}}
users:
- {name: cert-data, user: {client-certificate-data: $(base64_of "$pki/admin.crt"), client-key-data: $(base64_of "$pki/admin.key")}}
- {name: cert-files, user: {client-certificate: "$pki/admin.crt", client-key: "$pki/admin.key"}}
- {name: cert-relative-files, user: {client-certificate: pki/admin.crt, client-key: pki/admin.key}}
- {name: cert-viewer, user: {client-certificate: "$pki/viewer.crt", client-key: "$pki/viewer.key"}}
- {name: cert-expired, user: {client-certificate: "$pki/expired.crt", client-key: "$pki/expired.key"}}
- {name: token, user: {token: "$(<"$dir/tokens/par-admin")"}}
- {name: token-file, user: {tokenFile: "$dir/tokens/par-admin"}}
- {name: token-nobody, user: {token: "$(<"$dir/tokens/par-nobody")"}}
- {name: token-unknown, user: {token: "$(<"$dir/tokens/unknown")"}}
- {name: token-runner, user: {tokenFile: "$dir/serviceaccount/token"}}
- {name: basic, user: {username: par-admin, password: "$(<"$dir/tokens/par-admin")"}}
- {name: exec, user: {exec: {apiVersion: client.authentication.k8s.io/v1, interactiveMode: Never, command: cat, args: ["$dir/exec-credential.json"]}}}
contexts:
- {name: client-certificate, context: {cluster: ca-data, user: cert-data, namespace: par-e2e}}
- {name: client-certificate-files, context: {cluster: ca-file, user: cert-files}}
- {name: client-certificate-relative-files, context: {cluster: ca-relative-file, user: cert-relative-files}}
- {name: viewer, context: {cluster: ca-data, user: cert-viewer}}
- {name: token, context: {cluster: ca-data, user: token}}
- {name: token-file, context: {cluster: ca-data, user: token-file}}
- {name: token-runner, context: {cluster: ca-data, user: token-runner}}
- {name: exec, context: {cluster: ca-data, user: exec}}
- {name: insecure, context: {cluster: insecure, user: token}}
- {name: tls-server-name, context: {cluster: server-name, user: token}}
- {name: refused-basic, context: {cluster: ca-data, user: basic}}
- {name: refused-nobody, context: {cluster: ca-data, user: token-nobody}}
- {name: refused-token-unknown, context: {cluster: ca-data, user: token-unknown}}
- {name: refused-certificate-expired, context: {cluster: ca-data, user: cert-expired}}
- {name: refused-ca-wrong, context: {cluster: ca-wrong, user: token}}
- {name: refused-ca-none, context: {cluster: ca-none, user: token}}
- {name: refused-tls-server-name, context: {cluster: server-name-wrong, user: token}}
EOF

variable() { printf 'export %s=%q\n' "$1" "$2"; }
{
  variable KUBERNETES_SERVICE_HOST 127.0.0.1
  variable KUBERNETES_SERVICE_PORT "$port"
  variable PAR_K8S_DIR "$dir"
  variable PAR_K8S_URL "$url"
  variable PAR_K8S_CA "$pki/ca.crt"
  variable PAR_K8S_NAMESPACE par-e2e
  variable PAR_K8S_SERVICEACCOUNT "$dir/serviceaccount"
  variable PAR_K8S_SERVICEACCOUNT_CLUSTER "$dir/serviceaccount-cluster"
  variable PAR_K8S_SERVICEACCOUNT_FULL "$dir/serviceaccount-full"
  variable PAR_K8S_TOKENS "$dir/tokens"
  variable PAR_K8S_KUBECONFIG "$dir/kubeconfig"
  variable PAR_K8S_ADMIN_KUBECONFIG "$dir/admin.kubeconfig"
  variable PAR_K8S_SETUP_KUBECONFIG "$dir/setup.kubeconfig"
  variable PAR_K8S_AUDIT_LOG "$dir/audit.log"
  variable PAR_K8S_KUBECTL "$bin/kubectl"
} >"$dir/env.new"
mv "$dir/env.new" "$dir/env"  # the last file: with it everything else is there
started=true
echo "up.sh: $url ready, files in $dir"
