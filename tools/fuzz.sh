#!/usr/bin/env bash
# Fuzzes each target for a bounded time and says how often it ran; what fails is left in fuzz/artifacts/.
# usage: tools/fuzz.sh run|keep [TARGET...]      all targets unless some are named
#   run     fuzzes, starting from fuzz/corpus, the vectors, and what earlier runs found (target/fuzz/found)
#   keep    makes of fuzz/corpus and the vectors the smallest set with the same coverage, in fuzz/corpus
#
# FUZZ_SECONDS bounds the time of each target. FUZZ_SANITIZER is what cargo-fuzz calls so; none unless told,
# for the core has no unsafe code, and runs more often without.
set -euo pipefail
cd "$(dirname "$0")/.."

cargo_fuzz_version=0.13.2
seconds=${FUZZ_SECONDS:-60}
sanitizer=${FUZZ_SANITIZER:-none}
found=target/fuzz/found
# The longest input, in bytes: a token may be a little too long. Neither a slow nor a greedy input is a small
# fault.
limits=(-max_len=9000 -timeout=10 -rss_limit_mb=1024)

say() { echo "fuzz: $*" >&2; }

fail() {
    say "$@"
    exit 1
}

# Prints the path of cargo-fuzz.
cargo_fuzz() {
    local directory=.tools/cargo-fuzz-$cargo_fuzz_version work
    if [[ ! -x $directory/cargo-fuzz ]]; then
        say "building cargo-fuzz $cargo_fuzz_version into .tools/ (a minute)"
        mkdir -p .tools
        work=$(mktemp -d .tools/cargo-fuzz.XXXXXX)
        cargo install --quiet --locked --no-track --root "$work" "cargo-fuzz@$cargo_fuzz_version" >&2
        # Under its name only when it is whole.
        mkdir -p "$directory"
        mv -f "$work/bin/cargo-fuzz" "$directory/cargo-fuzz"
        rm -rf "$work"
    fi
    echo "$PWD/$directory/cargo-fuzz"
}

build() {
    local program
    command -v c++ >/dev/null || tools/packages.sh g++
    program=$(cargo_fuzz)
    # Optimised, and with the checks of arithmetic that the module's release build leaves out. What a
    # sanitizer needs of the compiler is not stable.
    RUSTC_BOOTSTRAP=1 "$program" build --fuzz-dir fuzz --target-dir target/fuzz --sanitizer "$sanitizer" \
        --release --debug-assertions
    binaries=target/fuzz/$(rustc -vV | sed -n 's/^host: //p')/release
}

# What the vectors hold, as files.
seeds() {
    cargo test --quiet --locked --test corpus -- --ignored >&2
    seeds=target/tmp/seeds
}

run() {
    build
    seeds
    local target log status failed=() lines=()
    for target in "${targets[@]}"; do
        say "$target, for $seconds seconds"
        log=target/fuzz/$target.log
        mkdir -p "$found/$target" "$seeds/$target" "fuzz/artifacts/$target"
        status=0
        # The first directory takes what is new.
        "$binaries/$target" "${limits[@]}" -max_total_time="$seconds" -print_final_stats=1 \
            -dict="fuzz/dictionaries/$target.dict" -artifact_prefix="fuzz/artifacts/$target/" \
            "$found/$target" "fuzz/corpus/$target" "$seeds/$target" >"$log" 2>&1 || status=$?
        lines+=("$(awk -v target="$target" -v status="$status" '
            /^stat::number_of_executed_units:/ { runs = $2 }
            / cov: / { for (i = 1; i < NF; i++) if ($i == "cov:") coverage = $(i + 1) }
            END { printf "%-10s %12d executions, coverage %6d%s", target, runs, coverage, status ? ", FAILED" : "" }' "$log")")
        if [[ $status -ne 0 ]]; then
            failed+=("$target")
            grep -v -E '^#[0-9]+|^INFO' "$log" | tail -40 >&2
        fi
    done
    printf '%s\n' "${lines[@]}"
    if [[ ${#failed[@]} -gt 0 ]]; then
        fail "${failed[*]} failed; the inputs are in fuzz/artifacts/, the output in target/fuzz/*.log"
    fi
}

keep() {
    build
    seeds
    local target work hash seed
    for target in "${targets[@]}"; do
        work=target/fuzz/kept/$target
        rm -rf "$work"
        mkdir -p "$work"
        "$binaries/$target" "${limits[@]}" -set_cover_merge=1 -use_counters=0 \
            "$work" "$seeds/$target" "fuzz/corpus/$target" >"target/fuzz/$target.log" 2>&1 ||
            fail "$target fails on what is to be kept; the output is in target/fuzz/$target.log"
        # libFuzzer names a file by its SHA-1. What is of a vector gets the name of its case, and what has a
        # name here keeps it.
        find "$seeds/$target" "fuzz/corpus/$target" -type f -exec sha1sum {} + | while read -r hash seed; do
            # What the fuzzer found has its hash for a name already.
            if [[ -e $work/$hash && $(basename "$seed") != "$hash" ]]; then
                mv "$work/$hash" "$work/$(basename "$seed")"
            fi
        done
        # What has a name was put there by somebody, for a reason.
        for seed in "fuzz/corpus/$target"/*; do
            if [[ $(basename "$seed") =~ ^[0-9a-f]{40}$ ]]; then rm "$seed"; fi
        done
        find "$work" -type f -exec cp {} "fuzz/corpus/$target/" \;
        echo "$target: $(find "fuzz/corpus/$target" -type f | wc -l) files"
    done
}

command=${1:-}
shift || true
targets=("$@")
if [[ ${#targets[@]} -eq 0 ]]; then
    for file in fuzz/targets/*.rs; do targets+=("$(basename "$file" .rs)"); done
fi
case $command in
run | keep) "$command" ;;
*) fail "usage: tools/fuzz.sh run|keep [TARGET...]" ;;
esac
