#!/usr/bin/env bash
# down.sh DIR: removes the images that up.sh built, and what it wrote; the base image stays for the next run.
set -euo pipefail
sed -n 's/^PAR_IMAGE.*=//p' "$1/env" 2>/dev/null | xargs -r podman rmi --force >/dev/null 2>&1 || true
rm -rf "$1"
