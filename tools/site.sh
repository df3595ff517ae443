#!/usr/bin/env bash
# Makes the site of the documentation in dist/docs, and follows every link in it.
# usage: [REPOSITORY=https://github.com/OWNER/NAME/tree/REF] [MDBOOK=/path/to/mdbook] tools/site.sh
set -euo pipefail
cd "$(dirname "$0")/.."

command -v node >/dev/null || tools/packages.sh nodejs
mdbook=$(tools/mdbook.sh)
node tools/site.mjs stage target/docs
# Quiet unless something is wrong.
rm -rf dist/docs
MDBOOK_LOG=warn "$mdbook" build target/docs --dest-dir "$PWD/dist/docs"
node tools/site.mjs check dist/docs
