#!/usr/bin/env bash
# Prints a Python that has pip; installs Debian's at need.
# usage: tools/python.sh
set -euo pipefail

for candidate in python3 /usr/bin/python3; do
    if "$candidate" -m pip --version >/dev/null 2>&1; then
        command -v "$candidate"
        exit 0
    fi
done
"$(dirname "$0")/packages.sh" python3 python3-pip
echo /usr/bin/python3
