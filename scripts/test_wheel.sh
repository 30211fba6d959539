#!/bin/sh
# Runs the tests of the sdist in dist/ against the wheel beside it, in a new environment and another folder.
#   sh scripts/test_wheel.sh PYTHON [TESTS...]
set -eu
python=$1
shift
dist=$(pwd)/dist
apart=$(mktemp -d)
chmod 755 "$apart" # root's tests start PostgreSQL, and a sandbox, as another user
trap 'rm -rf "$apart"' EXIT

tar -xzf "$dist"/*.tar.gz -C "$apart" --strip-components 1
rm -r "$apart/moa_engine" "$apart/pytest_moa" "$apart/review_bot"
"$python" -m venv "$apart/.venv"
"$apart/.venv/bin/python" -m pip install --quiet --upgrade 'pip>=25.1'
cd "$apart"
.venv/bin/python -m pip install --quiet "$(ls "$dist"/*.whl)[all]" --group dev
.venv/bin/python -m pytest -n auto -q "$@"
