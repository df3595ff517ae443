#!/usr/bin/env bash
# Installs those of the named Debian packages that are missing, and says so. Silent when all are there.
# usage: tools/packages.sh PACKAGE...
set -euo pipefail

missing=()
for package in "$@"; do
    status=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)
    [[ $status == installed ]] || missing+=("$package")
done
[[ ${#missing[@]} -gt 0 ]] || exit 0

if ! command -v apt-get >/dev/null; then
    echo "packages: needed here, under whatever name this system gives them: ${missing[*]}" >&2
    exit 1
fi
install=(apt-get -qq -o DPkg::Lock::Timeout=600 -o Dpkg::Use-Pty=0 install -y --no-install-recommends "${missing[@]}")
if [[ $(id -u) -ne 0 ]]; then
    echo "packages: please run as root: apt-get install --no-install-recommends ${missing[*]}" >&2
    exit 1
fi

echo "packages: installing from Debian: ${missing[*]}" >&2
export DEBIAN_FRONTEND=noninteractive
# The package lists may be absent or older than the mirror; only then are they fetched anew, and errors shown.
"${install[@]}" >/dev/null 2>&1 || { apt-get -qq update >&2 && "${install[@]}" >&2; }
