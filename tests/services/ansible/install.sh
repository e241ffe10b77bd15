#!/usr/bin/env bash
# A virtual environment with ansible-core, ansible-rulebook and awxkit, and the collections
# ansible.posix (JSON callback) and awx.awx (modules that drive a controller), which are on PyPI only
# inside the large package "ansible". Once per machine. Prints its folder; exit code 77 and a line "SKIPPED: why" if it cannot be had.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
out=${PAR_TEST_SERVERS:-${XDG_CACHE_HOME:-$HOME/.cache}/par-test-servers}/ansible
bundle=12.3.0 # of "ansible": the newest that runs on Python 3.11
want="$(cat "$here/requirements.txt") $bundle $(python3 --version)"
mkdir -p "$(dirname "$out")"
exec 9>"$out.lock"
flock 9  # several build trees may ask at once
python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "SKIPPED: Ansible needs Python 3.11 or newer"; exit 77; }
if [ "$(cat "$out/installed" 2>/dev/null)" != "$want" ]; then
  rm -rf "$out"; mkdir -p "$out/tmp"
  python3 -m venv "$out/venv"
  pip=("$out/venv/bin/pip" -q --disable-pip-version-check)
  { "${pip[@]}" install -r "$here/requirements.txt" && "${pip[@]}" download --no-deps -d "$out/tmp" "ansible==$bundle"; } >&2 ||
    { echo "SKIPPED: Ansible's packages cannot be installed from PyPI here"; exit 77; }
  python3 - "$out" <<'P'
import glob, sys, zipfile
out = sys.argv[1]
with zipfile.ZipFile(glob.glob(out + "/tmp/ansible-*.whl")[0]) as z:
    for n in z.namelist():
        if n.startswith(("ansible_collections/ansible/posix/", "ansible_collections/awx/awx/")):
            z.extract(n, out + "/collections")
P
  rm -rf "$out/tmp"
  echo "$want" > "$out/installed"
fi
echo "$out"
