#!/usr/bin/env bash
# Sets up what is needed below this folder, then runs one command.
#
#   ./run_local.sh                  ingest the bundled sample site and show what was written
#   ./run_local.sh test [WORDS]     the test suite; WORDS go to pytest
#   ./run_local.sh COMMAND [WORDS]  python -m pipeline COMMAND [WORDS]
set -euo pipefail

unset CDPATH
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

# Makes .venv with the Python that PYTHON names, else with the first that is new enough.
make_venv() {
  local python found=
  for python in ${PYTHON:+"$PYTHON"} python3.13 python3.12 python3.11 python3 python; do
    if fits "$python"; then
      found=$python
      rm -rf "$venv"
      "$python" -m venv "$venv" >/dev/null 2>&1 && return
      "$python" -m virtualenv -q "$venv" >/dev/null 2>&1 && return
    fi
    [ -z "${PYTHON:-}" ] || break
  done
  rm -rf "$venv"
  [ -z "$found" ] || fail "$found cannot make virtual environments: install its venv module" \
    "(Debian: apt-get install python3-venv)"
  fail "no Python 3.11, 3.12 or 3.13 found: install one, or name it: PYTHON=/path/to/python $0"
}

fits() {
  "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' >/dev/null 2>&1
}

# Installs what the command needs, once for each state of what it follows from: two files, and
# this folder's path, which the installation refers to.
set_up() {
  local extras=$1 wanted stamp=$venv/.installed-$1
  wanted=$(printf '%s\n' "$here" && cat pyproject.toml .ci/constraints.txt)
  if [ -n "${PYTHON:-}" ] && ! fits "$PYTHON"; then
    fail "PYTHON=$PYTHON is no Python 3.11, 3.12 or 3.13"
  fi
  if [ -x "$venv/bin/python" ] && [ -f "$stamp" ] && [ "$wanted" = "$(cat "$stamp")" ]; then
    return
  fi
  # An interrupt may have left half of it.
  "$venv/bin/python" -m pip --version >/dev/null 2>&1 || make_venv
  echo "Setting up .venv (once, takes a few minutes) ..." >&2
  "$venv/bin/python" -m pip install -qq --disable-pip-version-check \
    --constraint .ci/constraints.txt --editable ".[$extras]" >&2 ||
    fail "the packages could not be installed, see above"
  printf '%s' "$wanted" >"$stamp"
}

case ${1:-sample} in
  test)
    shift
    set_up dev
    exec "$venv/bin/python" -m pytest --numprocesses auto "$@"
    ;;
  *)
    extras=run
    [ "${1:-}" != topics ] || extras=topics
    set_up "$extras"
    # Paths are meant from where the caller stands; modules that lie there are not (-P).
    [ $# -eq 0 ] || cd "$called_from"
    exec "$venv/bin/python" -P -m pipeline "${@:-sample}"
    ;;
esac
