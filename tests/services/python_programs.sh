# python_program NAME VERSION REQUIREMENT...: installs them from PyPI once per machine, several build trees may ask at once; sets $venv to
# the virtual environment. Ends the caller with 77 where that cannot be done. For scripts that source it.
python_program() {
  local name=$1 version=$2
  shift 2
  venv=${PAR_TEST_SERVERS:-${XDG_CACHE_HOME:-$HOME/.cache}/par-test-servers}/$name-$version
  mkdir -p "$(dirname "$venv")"
  exec 9>"$venv.lock"
  flock 9
  if [ ! -e "$venv/installed" ]; then
    rm -rf "$venv"
    python3 -m venv "$venv"
    "$venv/bin/pip" -q --disable-pip-version-check install "$@" ||
      { echo "SKIPPED: $name cannot be installed from PyPI here"; exit 77; }
    touch "$venv/installed"
  fi
  flock -u 9
}
