#!/usr/bin/env bash
# down.sh DIR: forgets what up.sh wrote; the images stay, as layers for the next run.
set -euo pipefail
rm -rf "$1"
