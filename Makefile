# Every target brings what it needs; there is no set-up step. `make help` lists them.
SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.PHONY: help wasm size size-report image push cli certificates demo test test-envoys test-istio test-keycloak \
		test-kind test-alerts test-page test-wasm test-image fuzz bench bench-memory bench-signatures bench-native \
		bench-instructions check manifests fmt envoy clean compiler FORCE

MODULE := dist/vestibule.wasm
# The same without signatures of its own.
HOST_MODULE := dist/vestibule-host.wasm
# For the tests alone.
PROBE := target/probe.wasm
# For the benchmark alone.
NOOP := target/noop.wasm
# KUBECTL=/path and ISTIOCTL=/path name others than the pinned ones; so do ISTIOD=/directory, KUBERNETES=/directory,
# KEYCLOAK=/directory and KIND=/path.
# WASM_TOOLCHAIN=rustup|debian forces one way to the wasm target (tools/wasm.sh); ENVOY=/path names another Envoy,
# BINARYEN=/directory another Binaryen.
export WASM_TOOLCHAIN
export BINARYEN
export ENVOY
export KUBECTL
export ISTIOCTL
export ISTIOD
export KUBERNETES
export KEYCLOAK
export PROMETHEUS
export KIND
# FUZZ_SECONDS=600 fuzzes each target so long; FUZZ_SANITIZER=address watches memory as well (tools/fuzz.sh).
export FUZZ_SECONDS
export FUZZ_SANITIZER

# What the tests and the demo are told. The assignment by itself, so that its failure ends the recipe.
FILTERS = VESTIBULE_WASM="$(CURDIR)/$(MODULE)" VESTIBULE_HOST_WASM="$(CURDIR)/$(HOST_MODULE)" \
	VESTIBULE_PROBE="$(CURDIR)/$(PROBE)"
WITH_ENVOY = ENVOY=$$(tools/envoy.sh) && export ENVOY $(FILTERS) &&

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-18s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

wasm: $(MODULE) $(HOST_MODULE) ## build dist/vestibule.wasm and dist/vestibule-host.wasm and print their sizes
	@tools/size.sh print

size: $(MODULE) $(HOST_MODULE) ## print what the modules weigh; fails where one exceeds its budget (tools/size.txt)
	@tools/size.sh check

size-report: $(MODULE) $(HOST_MODULE) | compiler ## print what weighs what in the modules, by crate and function
	@tools/size.sh report

image: $(MODULE) $(HOST_MODULE) | compiler ## make and check an image of each module in dist/image; print their digests
	@tools/image.sh make

push: image ## push the image to IMAGE=registry/name:tag, with its bill of materials; NAME=vestibule-host for the other
	@tools/image.sh push "$(IMAGE)" $(NAME)

cli: | compiler ## build the operator's command, target/release/vestibule
	cargo build --release --locked --bin vestibule

# The authority's is the last file that is written.
certificates: | compiler ## make what envoy/mesh.yaml reads from dist/certificates, anew each day
	@[[ -n "$$(find dist/certificates/authority.pem -mmin -1440 -newer tests/support/certificates.rs 2>/dev/null)" ]] \
	|| cargo run --quiet --locked --example certificates

demo: $(MODULE) envoy | compiler ## run both doors in a real Envoy and show what gets through
	@$(WITH_ENVOY) cargo run --locked --example demo

test: $(MODULE) $(HOST_MODULE) $(PROBE) envoy | compiler ## run every test, natively and through a real Envoy
	@$(WITH_ENVOY) cargo test --locked --no-fail-fast
	cargo test --locked --lib --no-default-features --features plugin
	cargo test --locked --manifest-path tools/image/Cargo.toml --target-dir target/image

# ENVOYS='1.36.2 1.38.2' runs it with these alone.
test-envoys: $(MODULE) $(HOST_MODULE) $(PROBE) | compiler ## run the tests in Envoy, and the demo, with each Envoy supported
	@$(FILTERS) tools/envoys.sh $(ENVOYS)

# One Keycloak for all of its tests, which therefore run one after the other.
test-keycloak: $(MODULE) envoy | compiler ## run a door before tokens of a real Keycloak, whose keys it fetches
	@$(WITH_ENVOY) KEYCLOAK=$$(tools/keycloak.sh) && export KEYCLOAK && \
	cargo test --locked --test keycloak -- --test-threads=1

test-alerts: ## test the rules of monitoring/, each alert firing and not, and check what else is there
	@tools/alerts.sh

# PICTURES=docs/monitoring draws the panels anew for the docs.
test-page: $(MODULE) $(PROBE) envoy | compiler ## ask a real Prometheus, that scrapes real Envoys, every panel and every rule
	@$(WITH_ENVOY) PROMETHEUS=$$(tools/prometheus.sh) && export PROMETHEUS && cargo test --locked --test page

# The layouts that the checks' tests spoil are tried on the agent too.
test-image: image ## push the images to registries on loopback and pull them by the code of Istio's agent; it takes Go
	cargo test --locked --manifest-path tools/image/Cargo.toml --target-dir target/image
	@command -v go >/dev/null || { echo "test-image: Go 1.26 or newer runs it (https://go.dev/dl)" >&2; exit 1; }
	cd tests/image && go test -mod=readonly -count=1 ./...

# One mesh for all of its tests, which therefore run one after the other.
test-istio: $(MODULE) $(PROBE) envoy | compiler ## run both doors in a mesh of Istio's own control plane and agents
	@$(WITH_ENVOY) ISTIOD=$$(tools/istiod.sh) && KUBERNETES=$$(tools/kubernetes.sh) && KUBECTL=$$(tools/kubectl.sh) && \
	export ISTIOD KUBERNETES KUBECTL && cargo test --locked --test istio -- --test-threads=1

# Two entrances to one script: what has been made stays until `istio/kind/kind.sh down`.
test-kind: | compiler ## make a cluster of kind with both doors, and send the requests there; it takes Docker
	@istio/kind/kind.sh up
	@istio/kind/kind.sh test

test-wasm: | compiler ## run the core's tests as 32-bit wasm, in Node
	tools/wasm.sh test

.PHONY: docs
# REPOSITORY=https://github.com/OWNER/NAME/tree/REF is where links to what is no page lead; without it they are text.
docs: | compiler ## make the site of docs/ in dist/docs, and follow every link in it
	@REPOSITORY="$(REPOSITORY)" tools/site.sh

fuzz: | compiler ## fuzz each target for FUZZ_SECONDS (60) seconds
	tools/fuzz.sh run

# Their clients need not be fast, only soon built: what `make test` has compiled serves them too. QUICK=1 for two
# minutes instead of ten, ONLY=warm,native for some variants, OUT=folder for another place than
# target/bench, BESIDE=old.wasm for what a change costs: the doors of another module in the same Envoy.
BENCH = $(WITH_ENVOY) VESTIBULE_NOOP="$(CURDIR)/$(NOOP)" cargo bench --locked --profile dev --bench envoy -- \
	$(if $(QUICK),--quick) $(if $(OUT),--out $(OUT)) $(if $(BESIDE),--beside $(abspath $(BESIDE)))

bench: $(MODULE) $(HOST_MODULE) $(NOOP) envoy | compiler ## measure what a request costs a real Envoy, beside its own filters
	@$(BENCH) $(if $(ONLY),--only $(ONLY))

bench-memory: $(MODULE) $(HOST_MODULE) $(NOOP) envoy | compiler ## measure memory and loading alone
	@$(BENCH) --memory

bench-native: | compiler ## measure natively what decisions, routes and permissions take
	cargo bench --locked --bench routes --bench times

bench-instructions: | compiler ## count the instructions of the filter's own work, beside those of the last run
	@command -v valgrind >/dev/null || tools/packages.sh valgrind
	cargo bench --locked --bench instructions

bench-signatures: $(MODULE) $(PROBE) envoy | compiler ## measure what a signature costs, by the host and in the module
	@$(WITH_ENVOY) cargo bench --locked --profile dev --bench signatures

check: | compiler ## check format and lints, natively and for wasm
	@cargo fmt --version >/dev/null 2>&1 && cargo clippy --version >/dev/null 2>&1 \
	|| rustup component add rustfmt clippy
	cargo fmt --all --check
	cargo clippy --locked --all-targets -- -D warnings
	cargo clippy --locked --lib --no-default-features --features plugin -- -D warnings
	cargo fmt --manifest-path tools/image/Cargo.toml --check
	cargo clippy --locked --manifest-path tools/image/Cargo.toml --target-dir target/image --all-targets -- -D warnings
	tools/wasm.sh clippy
	@command -v shellcheck >/dev/null || tools/packages.sh shellcheck
	shellcheck -x tools/*.sh .ci/run istio/kind/*.sh

manifests: ## check the Istio manifests with kustomize, the schemas of all their kinds and Istio's own validation
	@tools/manifests.sh $(if $(QUICK),--quick)

fmt: ## format the code
	cargo fmt --all

envoy: ## print the path of the Envoy for tests and demo; downloads it at need
	@tools/envoy.sh

clean: ## remove what was built (the tools in .tools/ stay)
	rm -rf target dist

# The command's sources are no part of the module.
SOURCES := $(shell find src -path src/bin -prune -o -type f -print) Cargo.toml Cargo.lock rust-toolchain.toml \
		tools/wasm.sh tools/binaryen.sh tools/interface.mjs tools/interface.txt dist/.way

$(MODULE): $(SOURCES) | compiler
	tools/wasm.sh build

# After the other, for both are of one name where they are built.
$(HOST_MODULE): $(SOURCES) | $(MODULE) compiler
	tools/wasm.sh host

$(PROBE): $(SOURCES) tests/probe/lib.rs tests/probe/Cargo.toml | compiler
	tools/wasm.sh probe

$(NOOP): benches/noop/lib.rs benches/noop/Cargo.toml Cargo.lock rust-toolchain.toml tools/wasm.sh dist/.way | compiler
	tools/wasm.sh noop

# Changes only when another way to the target is asked for, which is a reason to build again.
dist/.way: FORCE
	@mkdir -p dist
	@[[ -f $@ && $$(<$@) == "$(WASM_TOOLCHAIN)" ]] || echo "$(WASM_TOOLCHAIN)" >$@

# rustc links build scripts and native binaries through the system's C compiler.
compiler:
	@command -v cc >/dev/null || tools/packages.sh gcc libc6-dev
