#!/usr/bin/env bash
# build.sh: obtains kube-apiserver, etcd and kubectl of the versions in source/go.mod and prints the folder that holds them, below
# ${PAR_TEST_SERVERS:-${XDG_CACHE_HOME:-$HOME/.cache}/par-test-servers}. There already: at once. Else unpacked from
# $PAR_TEST_FIXTURES/kubernetes/prebuilt if that has these versions, else compiled from their Go modules, which takes 15 to 30 minutes
# on two cores. Without either: exit code 77 and the line "SKIPPED: why". --from-source compiles in any case.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
programs=(etcd kube-apiserver kubectl)
from_source=false
[[ ${1-} != --from-source ]] || { from_source=true; shift; }
[[ $# == 0 ]] || { echo "usage: build.sh [--from-source]" >&2; exit 2; }

version_of() { awk -v module="$1" '$1 == module && $2 ~ /^v/ { print $2; exit }' "$here/source/go.mod"; }
kubernetes=$(version_of k8s.io/kubernetes)
etcd=$(version_of go.etcd.io/etcd/server/v3)
go_needed=$(awk '$1 == "go" { print $2 }' "$here/source/go.mod")
cache=${PAR_TEST_SERVERS:-${XDG_CACHE_HOME:-$HOME/.cache}/par-test-servers}
prebuilt=${PAR_TEST_FIXTURES:+$PAR_TEST_FIXTURES/kubernetes/prebuilt}
out=$cache/kubernetes-$kubernetes-etcd-$etcd-$(uname -m)

mkdir -p "$cache"
exec 9>"$out.lock"
flock 9  # several build trees may ask at once
if [[ -d $out ]] && ! $from_source; then  # moved there whole
  echo "$out"
  exit 0
fi

prebuilt_fits() {
  [[ -n $prebuilt && -f $prebuilt/VERSIONS ]] || return 1
  local found
  found=", $(<"$prebuilt/VERSIONS"),"
  [[ $found == *", kubernetes $kubernetes,"* && $found == *", etcd $etcd,"* && $found == *", linux/$(uname -m),"* ]] && return 0
  echo "build.sh: $prebuilt has $(<"$prebuilt/VERSIONS"), not kubernetes $kubernetes and etcd $etcd" >&2
  return 1
}

unpack() {
  local p
  for p in "${programs[@]}"; do
    (cd "$prebuilt" && grep -F " $p.xz" SHA256SUMS | sha256sum --check --quiet) >&2
    xz --decompress --stdout "$prebuilt/$p.xz" >"$new/$p"
    chmod 755 "$new/$p"
  done
}

skip_without_go() {
  local found
  found=$(GOTOOLCHAIN=local go env GOVERSION 2>/dev/null) || found=''
  [[ $(printf '%s\n' "$go_needed" "${found#go}" | sort --version-sort | head -1) == "$go_needed" ]] && return
  echo "SKIPPED: a Kubernetes API server is compiled with Go $go_needed or newer (here: ${found:-no Go}), or unpacked from \$PAR_TEST_FIXTURES/kubernetes/prebuilt"
  exit 77
}

compile() {
  export CGO_ENABLED=0 GOWORK=off GOFLAGS='' GOTOOLCHAIN=local
  local major minor package stamp='-s -w'
  IFS=. read -r major minor _ <<<"${kubernetes#v}"
  for package in k8s.io/component-base/version k8s.io/client-go/pkg/version; do
    stamp+=" -X $package.gitVersion=$kubernetes -X $package.gitMajor=$major -X $package.gitMinor=$minor"
    stamp+=" -X $package.gitTreeState=clean -X $package.gitCommit="
  done
  local p
  local -A package_of=([etcd]=go.etcd.io/etcd/server/v3 [kube-apiserver]=k8s.io/kubernetes/cmd/kube-apiserver
    [kubectl]=k8s.io/kubernetes/cmd/kubectl)
  for p in "${programs[@]}"; do
    echo "build.sh: compiling $p ($(date +%T))" >&2
    (cd "$here/source" && go build -mod=readonly -trimpath -buildvcs=false -tags notest,grpcnotrace \
      -ldflags "$stamp" -o "$new/$p" "${package_of[$p]}") >&2 9>&-
  done
}

new=$out.new
rm -rf "$new"
if ! $from_source && prebuilt_fits; then
  mkdir "$new"
  unpack
else
  skip_without_go
  mkdir "$new"
  compile
fi
rm -rf "$out"
mv "$new" "$out"
echo "$out"
