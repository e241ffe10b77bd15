#!/usr/bin/env bash
# down.sh DIR: forgets what up.sh wrote.
set -euo pipefail
rm -rf "$1"
