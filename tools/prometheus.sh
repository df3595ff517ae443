#!/usr/bin/env bash
# Prints the directory of prometheus and promtool: the one that PROMETHEUS names, else the pinned ones in
# .tools/, downloaded at need. They are Debian's, unpacked and not installed.
# usage: [PROMETHEUS=/directory] tools/prometheus.sh
set -euo pipefail

version=2.42.0
release=$version+ds-5+deb12u1

fail() {
    echo "prometheus: $*" >&2
    exit 1
}

if [[ -n ${PROMETHEUS:-} ]]; then
    [[ -x $PROMETHEUS/prometheus && -x $PROMETHEUS/promtool ]] ||
        fail "PROMETHEUS is '$PROMETHEUS', where prometheus and promtool are not both"
    (cd "$PROMETHEUS" && pwd)
    exit 0
fi

cd "$(dirname "$0")/.."
directory=$PWD/.tools/prometheus-$version
if [[ -x $directory/prometheus && -x $directory/promtool ]]; then
    echo "$directory"
    exit 0
fi

case $(uname -sm) in
"Linux x86_64") architecture=amd64 sha256=81d59a24fce84f7fbe97a45a4f2914b6a5881b5cd1db2a6a0e129e515e1a5f55 ;;
"Linux aarch64") architecture=arm64 sha256=ca131aa102390083398afbc80be9c8dd1dda78f9f92154fc00df8f7f1f4556e9 ;;
*) fail "there is none here for $(uname -sm); PROMETHEUS=/directory names yours (2.42 or newer)" ;;
esac
package=prometheus_${release}_$architecture.deb
url=https://deb.debian.org/debian/pool/main/p/prometheus/$package

for needed in curl:curl dpkg-deb:dpkg; do
    command -v "${needed%:*}" >/dev/null || tools/packages.sh "${needed#*:}"
done
echo "prometheus: downloading Prometheus $version (19 MB) into .tools/" >&2
mkdir -p .tools
work=$(mktemp -d .tools/prometheus.XXXXXX)
trap 'rm -rf "$work"' EXIT
# By apt where it knows this very release, for it knows the way to a mirror; whoever brings it, the checksum decides.
if ! (cd "$work" && apt-get download --quiet "prometheus=$release" && mv ./*.deb package.deb) >/dev/null 2>&1; then
    curl --fail --silent --show-error --location --retry 3 --max-time 300 --output "$work/package.deb" "$url" ||
        fail "$url could not be downloaded; PROMETHEUS=/directory names another one"
fi
echo "$sha256  $work/package.deb" | sha256sum --check --quiet - >&2 || fail "$package is not what is pinned here"
dpkg-deb --extract "$work/package.deb" "$work/tree"
"$work/tree/usr/bin/promtool" --version >/dev/null 2>&1 || fail "the Prometheus downloaded does not run on this machine"
# Under its name only when it is whole. Who came first has put the very same there.
mv -T "$work/tree/usr/bin" "$directory" 2>/dev/null || [[ -x $directory/promtool ]] || fail "$directory is in the way"
echo "$directory"
