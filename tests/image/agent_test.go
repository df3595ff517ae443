// Package image has Istio's own agent pull what `make image` makes and `make push` pushes, from registries that run
// here. What the agent does with a layout is what the layout's check is about.
package image

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	core "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	rbac "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/rbac/v3"
	filter "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/wasm/v3"
	extension "github.com/envoyproxy/go-control-plane/envoy/extensions/wasm/v3"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"istio.io/istio/pkg/wasm"
)

// agent is what an Istio proxy has beside its Envoy, with nothing in its cache and the settings that it has by default.
func agent(t *testing.T) *wasm.LocalFileCache {
	t.Helper()
	cache := wasm.NewLocalFileCache(t.TempDir(), wasm.Options{
		PurgeInterval:         wasm.DefaultPurgeInterval,
		ModuleExpiry:          wasm.DefaultModuleExpiry,
		HTTPRequestTimeout:    wasm.DefaultHTTPRequestTimeout,
		HTTPRequestMaxRetries: wasm.DefaultHTTPRequestMaxRetries,
	})
	t.Cleanup(cache.Cleanup)
	return cache
}

// fetch gives what Envoy is given to load.
func fetch(t *testing.T, url, sha256 string, pullSecret []byte) ([]byte, error) {
	t.Helper()
	path, err := agent(t).Get(url, wasm.GetOptions{
		Checksum:       sha256,
		ResourceName:   "test.vestibule",
		RequestTimeout: 30 * time.Second,
		PullSecret:     pullSecret,
	})
	if err != nil {
		return nil, err
	}
	return os.ReadFile(path)
}

func gets(t *testing.T, expected []byte, url, sha256 string, pullSecret []byte) {
	t.Helper()
	found, err := fetch(t, url, sha256, pullSecret)
	if err != nil {
		t.Errorf("%s: %v", url, err)
	} else if !bytes.Equal(found, expected) {
		t.Errorf("%s: %d bytes that are not the module's %d", url, len(found), len(expected))
	}
}

func refuses(t *testing.T, reason, url, sha256 string, pullSecret []byte) {
	t.Helper()
	found, err := fetch(t, url, sha256, pullSecret)
	if err == nil {
		t.Errorf("%s: the agent took %d bytes", url, len(found))
	} else if !strings.Contains(err.Error(), reason) {
		t.Errorf("%s: refused, but not for %q: %v", url, reason, err)
	}
}

func TestTheAgentGetsTheModuleThatWasPushed(t *testing.T) {
	for kind, host := range registries(t) {
		for _, name := range names {
			t.Run(kind+"/"+name, func(t *testing.T) {
				there := push(t, host+"/mesh/"+name+":1", name)
				expected := module(t, name)
				gets(t, expected, there.tagged, "", nil)
				gets(t, expected, there.tagged, there.sha256, nil)
				gets(t, expected, there.pinned, "", nil)
				gets(t, expected, there.pinned, there.sha256, nil)
			})
		}
	}
}

func TestTheAgentRefusesAnImageOfAnotherDigest(t *testing.T) {
	host := registries(t)["distribution"]
	one := push(t, host+"/mesh/vestibule:1", "vestibule")
	other := push(t, host+"/mesh/vestibule:2", "vestibule-host")
	refuses(t, "does not match", one.tagged, other.sha256, nil)
	// For OCI it is the manifest's digest, not the module's.
	refuses(t, "does not match", one.tagged, digest(module(t, "vestibule")), nil)
}

// Why the digest belongs into the url.
func TestATagThatMovesTakesOnlyThoseAlongThatNameIt(t *testing.T) {
	host := registries(t)["distribution"]
	before := push(t, host+"/mesh/vestibule:1", "vestibule")
	push(t, host+"/mesh/vestibule:1", "vestibule-host")
	gets(t, module(t, "vestibule"), before.pinned, "", nil)
	refuses(t, "does not match", before.tagged, before.sha256, nil)
	gets(t, module(t, "vestibule-host"), before.tagged, "", nil)
}

func TestPushingTwiceIsPushingTheSame(t *testing.T) {
	for kind, host := range registries(t) {
		t.Run(kind, func(t *testing.T) {
			one, other := push(t, host+"/mesh/vestibule:1", "vestibule"), push(t, host+"/mesh/vestibule:1", "vestibule")
			if one != other {
				t.Errorf("%v, then %v", one, other)
			}
		})
	}
}

func TestTheBillOfMaterialsRefersToTheImage(t *testing.T) {
	for kind, host := range registries(t) {
		for _, title := range names {
			t.Run(kind+"/"+title, func(t *testing.T) {
				there := push(t, host+"/mesh/"+title+":1", title)
				image, err := name.NewDigest(strings.TrimPrefix(there.pinned, "oci://"))
				if err != nil {
					t.Fatal(err)
				}
				listed, err := remote.Referrers(image)
				if err != nil {
					t.Fatal(err)
				}
				manifest, err := listed.IndexManifest()
				if err != nil || len(manifest.Manifests) != 1 {
					t.Fatalf("%v, %+v", err, manifest)
				}
				if found := manifest.Manifests[0].Digest.String(); !strings.HasSuffix(there.bill, "@"+found) {
					t.Errorf("%s is not the bill, which is %s", found, there.bill)
				}
				// Not by the descriptor: this registry takes the type of the configuration for that of the artifact.
				expected := read(t, filepath.Join(root, "dist", title+".cdx.json"))
				kind, bill := onlyLayer(t, there.bill)
				if kind != "application/vnd.cyclonedx+json" || !bytes.Equal(bill, expected) {
					t.Errorf("the bill is %q: %s", kind, bill)
				}
			})
		}
	}
}

func TestTheCheckReadsARegistry(t *testing.T) {
	for kind, host := range registries(t) {
		t.Run(kind, func(t *testing.T) {
			there := push(t, host+"/mesh/vestibule:1", "vestibule")
			said, err := run(nil, "check", host+"/mesh/vestibule:1")
			if err != nil || !strings.HasPrefix(said, "sha256:"+there.sha256+" image") {
				t.Errorf("%v: %s", err, said)
			}
			upload(t, filepath.Join(layouts, "index"), host, "mesh/index")
			_, err = run(nil, "check", host+"/mesh/index:test")
			if err == nil || !strings.Contains(err.Error(), "it is an index") ||
				!strings.Contains(err.Error(), host+"/mesh/index:test/") {
				t.Error(err)
			}
		})
	}
}

// credentials as `docker login` and a Secret of type kubernetes.io/dockerconfigjson have them.
func credentials(t *testing.T, host string) []byte {
	t.Helper()
	auth := base64.StdEncoding.EncodeToString([]byte("reader:secret"))
	bytes, err := json.Marshal(map[string]any{"auths": map[string]any{host: map[string]string{"auth": auth}}})
	if err != nil {
		t.Fatal(err)
	}
	return bytes
}

// guarded asks for a password, and names the realm of which it is.
func guarded(realm string, inner http.Handler) http.HandlerFunc {
	return func(writer http.ResponseWriter, request *http.Request) {
		if user, password, _ := request.BasicAuth(); user != "reader" || password != "secret" {
			writer.Header().Set("WWW-Authenticate", fmt.Sprintf("Basic realm=%q", realm))
			http.Error(writer, "", http.StatusUnauthorized)
			return
		}
		inner.ServeHTTP(writer, request)
	}
}

func TestTheCredentialsOfDockerPushAndThoseOfAPullSecretPull(t *testing.T) {
	host := serve(t, guarded("https://registry.example.com", quiet()))
	home := t.TempDir()
	if err := os.WriteFile(filepath.Join(home, "config.json"), credentials(t, host), 0o600); err != nil {
		t.Fatal(err)
	}
	output, err := run([]string{"DOCKER_CONFIG=" + t.TempDir()}, "push", host+"/mesh/vestibule:1", "vestibule")
	if err == nil || !strings.Contains(err.Error(), "401 Unauthorized") {
		t.Errorf("pushed without a password: %v, %s", err, output)
	}
	there := push(t, host+"/mesh/vestibule:1", "vestibule", "DOCKER_CONFIG="+home)
	gets(t, module(t, "vestibule"), there.pinned, there.sha256, credentials(t, host))
	refuses(t, "401", there.pinned, there.sha256, nil)
	refuses(t, "401", there.pinned, there.sha256, credentials(t, "another.example.com"))
}

// A registry that names its realm by a word, as htpasswd of distribution and others do, is one of which this agent
// takes nothing, with or without a password.
func TestTheAgentRefusesARealmThatIsNoPublicAddress(t *testing.T) {
	for _, realm := range []string{"Registry Realm", "http://127.0.0.1/token", "http://10.0.0.1/token"} {
		host := serve(t, guarded(realm, quiet()))
		refuses(t, "unsafe bearer realm", "oci://"+host+"/mesh/vestibule:1", "", credentials(t, host))
	}
}

func TestOverHttpTheSumIsOfTheModule(t *testing.T) {
	expected := module(t, "vestibule")
	url := "http://" + serve(t, http.FileServer(http.Dir(filepath.Join(root, "dist")))) + "/vestibule.wasm"
	gets(t, expected, url, digest(expected), nil)
	gets(t, expected, url, "", nil)
	refuses(t, "does not match", url, digest([]byte("another")), nil)
	zipped := "http://" + serve(t, http.HandlerFunc(func(writer http.ResponseWriter, _ *http.Request) {
		zip := gzip.NewWriter(writer)
		_, _ = zip.Write(expected)
		_ = zip.Close()
	}))
	gets(t, expected, zipped, digest(expected), nil)
}

// How often the agent asks where it gets 503.
func TestHowOftenTheAgentTries(t *testing.T) {
	for scheme, expected := range map[string]int64{"http": 5, "oci": 3} {
		t.Run(scheme, func(t *testing.T) {
			t.Parallel()
			var asked atomic.Int64
			host := serve(t, http.HandlerFunc(func(writer http.ResponseWriter, request *http.Request) {
				if request.URL.Path == "/v2/" {
					return
				}
				asked.Add(1)
				http.Error(writer, "", http.StatusServiceUnavailable)
			}))
			refuses(t, "", scheme+"://"+host+"/mesh/vestibule:1", "", nil)
			if asked.Load() != expected {
				t.Errorf("asked %d times, not %d", asked.Load(), expected)
			}
		})
	}
}

// What istiod sends for a WasmPlugin, as the agent hands it on to Envoy.
func handedOn(t *testing.T, url string, policy extension.FailurePolicy) *anypb.Any {
	t.Helper()
	wrapped := func(name string, of *anypb.Any) *anypb.Any {
		return pack(t, &core.TypedExtensionConfig{Name: name, TypedConfig: of})
	}
	resources := []*anypb.Any{wrapped("istio-ingress.vestibule", pack(t, &filter.Wasm{Config: &extension.PluginConfig{
		Name:          "vestibule",
		FailurePolicy: policy,
		Vm: &extension.PluginConfig_VmConfig{VmConfig: &extension.VmConfig{
			Code: &core.AsyncDataSource{Specifier: &core.AsyncDataSource_Remote{Remote: &core.RemoteDataSource{
				HttpUri: &core.HttpUri{Uri: url, Timeout: durationpb.New(30 * time.Second)},
			}}},
		}},
	}}))}
	if err := wasm.MaybeConvertWasmExtensionConfig(resources, agent(t)); err != nil {
		t.Fatal(err)
	}
	var config core.TypedExtensionConfig
	if err := resources[0].UnmarshalTo(&config); err != nil {
		t.Fatal(err)
	}
	return config.TypedConfig
}

func pack(t *testing.T, message proto.Message) *anypb.Any {
	t.Helper()
	packed, err := anypb.New(message)
	if err != nil {
		t.Fatal(err)
	}
	return packed
}

func TestWhereNothingCanBePulledEverythingIsDenied(t *testing.T) {
	host := serve(t, quiet())
	for _, policy := range []extension.FailurePolicy{
		extension.FailurePolicy_FAIL_CLOSED, extension.FailurePolicy_FAIL_RELOAD, extension.FailurePolicy_UNSPECIFIED,
	} {
		var denied rbac.RBAC
		if err := handedOn(t, "oci://"+host+"/mesh/absent:1", policy).UnmarshalTo(&denied); err != nil {
			t.Fatalf("%v: %v", policy, err)
		}
		// Rules that allow something, and nothing that they allow.
		if denied.Rules == nil || denied.Rules.Action != 0 || len(denied.Rules.Policies) != 0 {
			t.Errorf("%v: %v", policy, &denied)
		}
	}
	there := push(t, host+"/mesh/vestibule:1", "vestibule")
	var loaded filter.Wasm
	if err := handedOn(t, there.tagged, extension.FailurePolicy_FAIL_RELOAD).UnmarshalTo(&loaded); err != nil {
		t.Fatal(err)
	}
	file := loaded.GetConfig().GetVmConfig().GetCode().GetLocal().GetFilename()
	if !bytes.Equal(read(t, file), module(t, "vestibule")) {
		t.Errorf("%s is not the module", file)
	}
}
