#!/bin/sh
# Builds org.example.rust.so into the directory $1 (default: build/). No crate is fetched.
set -eu
cd "$(dirname "$0")"
out=${1:-build}
mkdir -p "$out"
cargo build --release --offline --locked --target-dir "$out/target"
cp "$out/target/release/libplugin.so" "$out/org.example.rust.so"
