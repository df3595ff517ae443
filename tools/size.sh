#!/usr/bin/env bash
# Prints what the modules weigh, and what is left of their budgets (tools/size.txt), or what weighs what.
# usage: tools/size.sh print | check | report
#   print     each module's bytes
#   check     the same, and fails where a budget is exceeded
#   report    the crates and the largest functions of each module
set -euo pipefail
cd "$(dirname "$0")/.."

budgets=tools/size.txt
twiggy_version=0.8.0

say() { echo "size: $*" >&2; }

# Prints the path of twiggy.
twiggy() {
    local directory=.tools/twiggy-$twiggy_version work
    if [[ ! -x $directory/twiggy ]]; then
        say "building twiggy $twiggy_version into .tools/ (two minutes)"
        mkdir -p .tools
        work=$(mktemp -d .tools/twiggy.XXXXXX)
        cargo install --quiet --locked --no-track --root "$work" "twiggy@$twiggy_version" >&2
        # Under its name only when it is whole.
        mkdir -p "$directory"
        mv -f "$work/bin/twiggy" "$directory/twiggy"
        rm -rf "$work"
    fi
    echo "$PWD/$directory/twiggy"
}

each_module() {
    local module budget goal most
    while read -r module budget goal most; do
        [[ -n $module && $module != \#* ]] || continue
        "$1" "$module" "$budget" "$goal" "$most"
    done <"$budgets"
}

heavy=()

weigh() {
    local module=$1 budget=$2 goal=$3 most=$4 bytes zipped left largest
    bytes=$(wc -c <"$module")
    zipped=$(gzip -9 -c "$module" | wc -c)
    if [[ $bytes -gt $budget ]]; then
        left="$((bytes - budget)) TOO MUCH"
        heavy+=("$module")
    else
        left="$((budget - bytes)) left"
    fi
    largest=$(node tools/largest.mjs "$module")
    if [[ $largest -gt $most ]]; then
        left+=", A FUNCTION IS TOO LARGE"
        heavy+=("$module")
    fi
    printf '%-26s %8d bytes, %7d gzipped; budget %d, %s; goal %d; largest function %d of %d\n' \
        "$module" "$bytes" "$zipped" "$budget" "$left" "$goal" "$largest" "$most"
}

print() { each_module weigh; }

check() {
    print
    if [[ ${#heavy[@]} -gt 0 ]]; then
        say "${heavy[*]}: over budget; \`make size-report\` says what weighs what, $budgets what to do"
        exit 1
    fi
}

describe() {
    echo "$1, as it is before Binaryen puts functions into each other and takes a tenth away"
    "$twiggy" top --format json "target/named/$(basename "$1")" | node tools/size.mjs
}

report() {
    command -v node >/dev/null || tools/packages.sh nodejs
    twiggy=$(twiggy)
    each_module describe
}

case ${1:-} in
print | check | report) "$1" ;;
*)
    echo "usage: tools/size.sh print | check | report" >&2
    exit 1
    ;;
esac
