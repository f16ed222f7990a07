#!/usr/bin/env bash
# Sets up what is needed below this folder, then runs one command.
#
#   ./run_local.sh                  ingest the bundled sample site and show what was written
#   ./run_local.sh test [WORDS]     the test suite; WORDS go to pytest
#   ./run_local.sh COMMAND [WORDS]  python -m pipeline COMMAND [WORDS]
set -euo pipefail

called_from=$PWD
cd "$(dirname "${BASH_SOURCE[0]}")"
here=$PWD
venv=$here/.venv
export TMPDIR=$here/.cache/tmp # nothing is written outside this folder
mkdir -p "$TMPDIR"

fail() {
  echo "run_local.sh: $*" >&2
  exit 1
}

# The first Python that is new enough and can make a virtual environment.
make_venv() {
  local python found=
  for python in ${PYTHON:-} python3.13 python3.12 python3.11 python3 python; do
    command -v "$python" >/dev/null 2>&1 || continue
    "$python" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' \
      2>/dev/null || continue
    found=$python
    rm -rf "$venv"
    "$python" -m venv "$venv" >/dev/null 2>&1 && return
    "$python" -m virtualenv -q "$venv" >/dev/null 2>&1 && return
  done
  rm -rf "$venv"
  [ -z "$found" ] || fail "$found cannot make virtual environments: install its venv module" \
    "(Debian: apt-get install python3-venv)"
  fail "no Python 3.11, 3.12 or 3.13 found: install one, or name it: PYTHON=/path/to/python $0"
}

# Installs what the command needs, once for each state of the two files it follows from.
set_up() {
  local extras=$1 wanted stamp=$venv/.installed-$1
  wanted=$(cat pyproject.toml .ci/constraints.txt)
  [ -x "$venv/bin/python" ] || make_venv
  if [ -f "$stamp" ] && [ "$wanted" = "$(cat "$stamp")" ]; then return; fi
  echo "Setting up .venv (once, takes a few minutes) ..." >&2
  "$venv/bin/python" -m pip install --quiet --disable-pip-version-check \
    --constraint .ci/constraints.txt --editable ".[$extras]" >&2 ||
    fail "the packages could not be installed, see above"
  printf '%s' "$wanted" >"$stamp"
}

case ${1:-sample} in
  test)
    shift
    set_up dev
    exec "$venv/bin/python" -m pytest "$@"
    ;;
  *)
    set_up run
    # Paths are meant from where the caller stands.
    [ $# -eq 0 ] || cd "$called_from"
    exec "$venv/bin/python" -m pipeline "${@:-sample}"
    ;;
esac
