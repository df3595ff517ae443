# shellcheck shell=bash disable=SC2154  # state, kubectl and vestibule are kind.sh's
# What is secret in the cluster, made anew for each: files in $state, which stay until it is removed, and the
# Secrets that carry them.

# quietly COMMAND ARGUMENT...: what it says is said only where it fails.
quietly() {
    local said
    said=$("$@" 2>&1) || fail "$*: $said"
}

sha256_of() {
    sha256sum "$1" | cut -d ' ' -f 1
}

# authority NAME: an authority's certificate and key, NAME.crt and NAME.key.
authority() {
    quietly openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30 \
        -subj "/O=vestibule/CN=$1" \
        -addext basicConstraints=critical,CA:true -addext keyUsage=critical,keyCertSign,cRLSign \
        -keyout "$state/$1.key" -out "$state/$1.crt"
}

# leaf NAME AUTHORITY SUBJECT-ALTERNATIVE-NAME
leaf() {
    quietly openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj "/O=vestibule" \
        -keyout "$state/$1.key" -out "$state/$1.csr"
    quietly openssl x509 -req -in "$state/$1.csr" -CA "$state/$2.crt" -CAkey "$state/$2.key" -days 30 \
        -extfile <(printf 'subjectAltName=critical,%s\nextendedKeyUsage=serverAuth,clientAuth\n' "$3") \
        -out "$state/$1.crt"
}

keys() {
    # The file is the last that is made.
    [[ ! -e $state/keys-are-made ]] || return 0
    step "keys and certificates"
    rm -f "$state"/{gateway,context,password}.*
    (
        umask 077
        authority authority
        leaf public authority DNS:api.kind.example.com
        leaf login authority DNS:login.kind.example.com
        # Says that it is the gateway, and nobody in the mesh believes who signed it.
        authority forger
        leaf forged forger URI:spiffe://kind.mesh.example.com/ns/istio-ingress/sa/istio-ingress
        quietly "$vestibule" keygen gateway-key --out "$state/gateway.key"
        "$vestibule" keygen p256 --out "$state/context.pem" >"$state/context.json"
        openssl rand -hex 16 | tr -d '\n' >"$state/password.txt"
    )
    touch "$state/keys-are-made"
}

# secret NAMESPACE KIND NAME ARGUMENT...: as `kubectl create secret`.
secret() {
    local namespace=$1 kind=$2 name=$3
    shift 3
    "$kubectl" create secret "$kind" "$name" --namespace "$namespace" "$@" --dry-run=client --output yaml |
        "$kubectl" apply --filename -
}

secrets() {
    step "Secrets"
    secret istio-ingress generic vestibule-outer --from-file=gateway-key-first="$state/gateway.key" \
        --from-file=context-key-first="$state/context.pem"
    secret istio-ingress tls public-tls --cert="$state/public.crt" --key="$state/public.key"
    secret istio-ingress generic issuer-authority --from-file=ca.crt="$state/authority.crt"
    secret keycloak tls keycloak-tls --cert="$state/login.crt" --key="$state/login.key"
    secret keycloak generic keycloak-password --from-file=password="$state/password.txt"
    secret clients generic authority --from-file=ca.crt="$state/authority.crt"
    secret shop generic forged --from-file=tls.crt="$state/forged.crt" --from-file=tls.key="$state/forged.key"
}
