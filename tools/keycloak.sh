#!/usr/bin/env bash
# Prints the path of a Keycloak, unpacked: the one that KEYCLOAK names, else the pinned one in .tools/,
# downloaded at need. Nothing is ever started there: it writes into its own folder, so whoever starts one
# copies it first.
# usage: [KEYCLOAK=/directory] tools/keycloak.sh
set -euo pipefail

version=26.7.3
sha256=27a6535553c3cdcd083872ba40629efafb3475e3b758e0c6f691395561dd0f1f
archive=keycloak-quarkus-dist-$version.zip
url=https://repo1.maven.org/maven2/org/keycloak/keycloak-quarkus-dist/$version/$archive

fail() {
    echo "keycloak: $*" >&2
    exit 1
}

root=$(cd "$(dirname "$0")/.." && pwd)

# Java 17 or newer runs it.
newer() {
    local found
    found=$("${JAVA_HOME:+$JAVA_HOME/bin/}java" -version 2>&1 | sed -n '1s/.*version "\([0-9]*\).*/\1/p') || true
    [[ ${found:-0} -ge 17 ]]
}
if ! newer; then
    "$root/tools/packages.sh" openjdk-17-jre-headless
    newer || fail "it takes Java 17 or newer; JAVA_HOME names one"
fi

if [[ -n ${KEYCLOAK:-} ]]; then
    [[ -x $KEYCLOAK/bin/kc.sh ]] || fail "KEYCLOAK is '$KEYCLOAK', where there is no bin/kc.sh"
    (cd "$KEYCLOAK" && pwd)
    exit 0
fi

cd "$root"
directory=$PWD/.tools/keycloak-$version
if [[ -x $directory/bin/kc.sh ]]; then
    echo "$directory"
    exit 0
fi

command -v curl >/dev/null || tools/packages.sh curl ca-certificates
python=$(tools/python.sh)
echo "keycloak: downloading Keycloak $version (177 MB) into .tools/" >&2
mkdir -p .tools
work=$(mktemp -d .tools/keycloak.XXXXXX)
trap 'rm -rf "$work"' EXIT
curl --fail --silent --show-error --location --retry 3 --max-time 900 --output "$work/$archive" "$url" ||
    fail "$url could not be downloaded; KEYCLOAK=/directory names another one"
echo "$sha256  $work/$archive" | sha256sum --check --quiet - >&2 || fail "$url is not what is pinned here"
"$python" -m zipfile -e "$work/$archive" "$work"
chmod +x "$work/keycloak-$version/bin/"*.sh
# Under its name only when it is whole; whoever came first with it keeps it.
mv -T "$work/keycloak-$version" "$directory" 2>/dev/null || [[ -x $directory/bin/kc.sh ]] ||
    fail "$directory is in the way"
echo "$directory"
