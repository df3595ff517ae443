#!/usr/bin/env bash
# Prints the path of the program that a variable names, whole, so that it is the same wherever it is run from.
# usage: tools/program.sh VARIABLE
set -euo pipefail

found=$(command -v -- "${!1}" || true)
if [[ ! -x $found ]]; then
    echo "${1,,}: $1 is '${!1}', which is no program that can be run" >&2
    exit 1
fi
echo "$(cd "$(dirname "$found")" && pwd)/$(basename "$found")"
