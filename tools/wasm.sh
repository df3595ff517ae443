#!/usr/bin/env bash
# Builds or lints the module for wasm32-wasip1, or runs the core's tests as wasm32-unknown-unknown,
# for which Node has a runner; `host` builds the module that leaves signatures to its host, `probe` what tests/probe
# is and `noop` what benches/noop is, `hostile` measures the dearest requests.
# usage: tools/wasm.sh build | host | probe | noop | clippy | test | hostile
#
# Two ways lead to either target. `rustup` adds the target to the pinned toolchain. `debian` takes Debian's
# own compiler and builds the standard library from source, for machines where rustup cannot download a
# target. The first that works is taken; WASM_TOOLCHAIN=rustup or WASM_TOOLCHAIN=debian forces one.
set -euo pipefail
cd "$(dirname "$0")/.."

target=wasm32-wasip1
profile=module
rustflags=
module=dist/vestibule.wasm
# What the module is to share with its host.
interface=tools/interface.txt
# The same without signatures of its own (Cargo.toml: the feature `software`).
host_module=dist/vestibule-host.wasm
# What cargo is told of features; nothing where they are the default ones.
features=()
# The modules before they are optimised, with the names of their functions (tools/size.sh).
named=target/named
# Beside the tests, which alone have a use for it.
probe=target/probe.wasm
# Beside the benchmark, which measures it.
noop=target/noop.wasm

say() { echo "wasm: $*" >&2; }

rustup_has_target() { [[ $'\n'$(rustup target list --installed 2>/dev/null)$'\n' == *$'\n'"$target"$'\n'* ]]; }

try_rustup() {
    command -v rustup >/dev/null || { say "there is no rustup here"; return 1; }
    if rustup_has_target; then
        say "rustup's toolchain, which has the target $target already"
    else
        say "rustup's toolchain; adding the target: rustup target add $target"
        rustup target add "$target" >&2
    fi
}

# Exports what makes /usr/bin/cargo build the target.
use_debian() {
    say "Debian's toolchain (rustc-web), building the standard library from source (rust-web-src)"
    tools/packages.sh rustc-web cargo-web rust-web-src lld
    # The same linker as rustup's own builds where there is one, else LLVM's from Debian.
    local sysroot lld linker=wasm-ld
    sysroot=$(rustc --print sysroot 2>/dev/null || true)
    for lld in "$sysroot"/lib/rustlib/*/bin/rust-lld; do
        if [[ -x $lld ]]; then linker=$lld; fi
    done
    say "linker: $linker"
    # Flags for every target would replace those of this one, without which nothing links.
    unset RUSTFLAGS CARGO_ENCODED_RUSTFLAGS
    export CARGO=/usr/bin/cargo RUSTC=/usr/bin/rustc RUSTC_BOOTSTRAP=1
    case $target in
    wasm32-unknown-unknown) export CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER=$linker ;;
    wasm32-wasip1)
        tools/packages.sh wasi-libc
        export CARGO_TARGET_WASM32_WASIP1_LINKER=$linker
        rustflags+=" -C link-self-contained=no -L native=/usr/lib/wasm32-wasi"
        ;;
    esac
}

choose_way() {
    case ${WASM_TOOLCHAIN:-} in
    rustup)
        try_rustup || { say "rustup cannot give the target here, and WASM_TOOLCHAIN allows no other way"; exit 1; }
        way=rustup
        ;;
    debian) way=debian ;;
    '')
        if try_rustup; then
            way=rustup
        else
            say "rustup cannot give the target here, so the other way (WASM_TOOLCHAIN=debian goes there at once)"
            way=debian
        fi
        ;;
    *)
        say "WASM_TOOLCHAIN is '$WASM_TOOLCHAIN'; it can be rustup or debian, or be left out"
        exit 1
        ;;
    esac
    # What is no code tells Binaryen which features are in use, and `tools/size.sh report` the functions' names.
    # The module is rid of the names in the end.
    export CARGO_PROFILE_MODULE_STRIP=debuginfo
    # Rounds in a loop: at one or two blocks a request, code that is read once costs more than it saves.
    rustflags+=' --cfg sha2_backend_soft="compact"'
    # One directory for each way, so that neither throws away what the other has compiled.
    target_dir=${CARGO_TARGET_DIR:-target}/wasm/$way
    arguments=(--locked --lib --target "$target" --target-dir "$target_dir")
    if [[ $way == debian ]]; then
        use_debian
        arguments+=(-Z "build-std=std,panic_abort" -Z "build-std-features=optimize_for_size")
    fi
    # Panics name the file that they come from: no path of this machine stands in the module.
    local sources
    "${CARGO:-cargo}" fetch --quiet --locked --target "$target" >&2
    for sources in "${CARGO_HOME:-$HOME/.cargo}"/registry/src/*/; do
        rustflags+=" --remap-path-prefix=$sources="
    done
    export CARGO_TARGET_WASM32_WASIP1_RUSTFLAGS=$rustflags
}

build() {
    local binaryen compiled trimmed
    binaryen=$(tools/binaryen.sh)
    choose_way
    compiled=$(compile vestibule)
    trimmed=$named/$(basename "$module")
    mkdir -p "$named" "$(dirname "$module")"
    node tools/interface.mjs graph "$interface" >"$compiled.graph"
    # Which names it took away is what the list says.
    "$binaryen/wasm-metadce" -g "$compiled" --graph-file "$compiled.graph" --output "$trimmed" >/dev/null
    # For speed, of which V8 makes machine code with less memory than of what is optimised for size. What has one
    # caller stays by itself unless it is small: of functions of 100 KB it makes machine code for longer than of
    # their parts.
    "$binaryen/wasm-opt" -O3 --one-caller-inline-max-function-size=100 "$trimmed" --output "$compiled.new"
    node tools/interface.mjs check "$interface" "$compiled.new"
    # Under its name only when it is whole, and what it should be.
    mv "$compiled.new" "$module"
}

host() {
    module=$host_module
    features=(--no-default-features --features plugin)
    build
}

probe() {
    choose_way
    # Under its name only when it is whole.
    cp "$(compile vestibule-probe)" "$probe.new"
    mv "$probe.new" "$probe"
}

noop() {
    choose_way
    # Under its name only when it is whole.
    cp "$(compile vestibule-noop)" "$noop.new"
    mv "$noop.new" "$noop"
}

# compile PACKAGE: prints the path of what the linker made.
compile() {
    # A shell that was started for what it prints does not end at the first failure by itself.
    "${CARGO:-cargo}" rustc --package "$1" --profile "$profile" --crate-type cdylib "${arguments[@]}" \
        ${features[@]+"${features[@]}"} >&2 || return
    echo "$target_dir/$target/$profile/${1//-/_}.wasm"
}

clippy() {
    choose_way
    if [[ $way == debian ]]; then
        tools/packages.sh rust-web-clippy
        # By its path: cargo would look among rustup's commands first.
        /usr/bin/cargo-clippy clippy --workspace "${arguments[@]}" -- -D warnings
    else
        cargo clippy --workspace "${arguments[@]}" -- -D warnings
    fi
}

# The core's tests, all of them: one that did not run would be worth as much as one that cannot fail.
tests() {
    target=wasm32-unknown-unknown
    local runner log written passed
    runner=$(tools/wasm-runner.sh)
    export CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUNNER=$runner
    command -v node >/dev/null || tools/packages.sh nodejs
    choose_way
    log=$target_dir/tests.log
    mkdir -p "$target_dir"
    "${CARGO:-cargo}" test "${arguments[@]}" | tee "$log"
    passed=$(sed -n 's/^test result: ok\. \([0-9]*\) passed.*/\1/p' "$log")
    written=$(find src \( -path src/host -o -path src/bin \) -prune -o -name '*.rs' -exec cat {} + |
        grep -c '^ *#\[test\]$' || true)
    if [[ $written -eq 0 || $passed != "$written" ]]; then
        say "the core has $written tests, and ${passed:-none} of them passed"
        exit 1
    fi
    say "all $written tests of the core passed as $target"
}

# What the dearest requests cost (examples/hostile.rs), on the engine that Envoy has too.
hostile() {
    command -v node >/dev/null || tools/packages.sh nodejs
    choose_way
    "${CARGO:-cargo}" build --profile "$profile" --example hostile "${arguments[@]}"
    node --no-warnings tools/wasi.mjs "$target_dir/$target/$profile/examples/hostile.wasm"
}

case ${1:-} in
build | host | probe | noop | clippy | hostile) "$1" ;;
# `test` by itself is a command of the shell.
test) tests ;;
*)
    echo "usage: tools/wasm.sh build | host | probe | noop | clippy | test | hostile" >&2
    exit 1
    ;;
esac
