#!/bin/sh
# Builds org.example.go.so into the directory $1 (default: build/). PREFIX is where par-runner's kit is installed.
set -eu
cd "$(dirname "$0")"
out=${1:-build}
mkdir -p "$out"
export CGO_ENABLED=1 GOFLAGS=-mod=mod GOPROXY=off
export CGO_CFLAGS="-O2 -I${PREFIX:-/usr}/include -Wa,-I$PWD"
go build -buildmode=c-shared -trimpath -o "$out/org.example.go.so" \
  -ldflags "-extldflags '-Wl,--version-script=$PWD/plugin.map -Wl,-z,nodelete -Wl,-z,relro -Wl,-z,now'" .
rm -f "$out/org.example.go.h"
