package image

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"
)

// Where the check's own tests leave what they have tried; what other tests left before may be removed.
const layouts = root + "/target/image/tmp/layouts"

// What the agent makes of each of them. A layout that is not here fails the test.
var outcomes = map[string]string{
	"good-image":      takes,
	"good-docker":     takes,
	"good-artifact":   takes,
	"good-annotation": takes,
	"good-copy":       takes,
	"good-tar":        takes,

	"artifact-docker":         "invalid media type",
	"artifact-gzip":           "is invalid",
	"artifact-one-layer":      "number of layers must be 2",
	"artifact-other-layer":    "could not find the layer of type",
	"docker-layer-in-oci":     "invalid media type",
	"foreign":                 "invalid media type",
	"layer-type":              "invalid media type",
	"link":                    "is invalid",
	"no-file":                 "plugin.wasm not found",
	"no-module":               "is invalid",
	"oci-layer-in-docker":     "invalid media type",
	"other-name":              "plugin.wasm not found",
	"third-layer":             "number of layers must be 2",
	"uncompressed":            "invalid media type",
	"uncompressed-named-gzip": "gzip",
	"zstd":                    "invalid media type",
	"zstd-named-gzip":         "gzip",

	// The agent is content, and the check is not (tools/image/src/check.rs): somebody else would stumble.
	"artifact-elsewhere":    takes,
	"artifact-two-modules":  takes,
	"config-type":           takes,
	"cut-short":             takes,
	"docker-list":           takes,
	"elsewhere":             takes,
	"file-beside":           takes,
	"in-directory":          takes,
	"index":                 takes,
	"manifest-type":         takes,
	"module-twice":          takes,
	"oci-config-in-docker":  takes,
	"other-diff-id":         takes,
	"other-spelling":        takes,
	"other-spelling-inside": takes,
	"subject":               takes,
	"two-layers":            takes,

	// No registry has these: a blob that is not what its digest says, or nothing to push.
	"digest-path":             nowhere,
	"index-json":              nowhere,
	"longer-config":           nowhere,
	"longer-layer":            nowhere,
	"longer-manifest":         nowhere,
	"manifest-types-differ":   nowhere,
	"no-image":                nowhere,
	"other-config":            nowhere,
	"other-layer":             nowhere,
	"other-manifest":          nowhere,
	"two-images":              nowhere,
	"without-artifact-config": nowhere,
	"without-artifact-layer":  nowhere,
	"without-config":          nowhere,
	"without-layer":           nowhere,
	"without-manifest":        nowhere,
}

const (
	takes   = "takes"
	nowhere = "nowhere"
)

func TestWhatTheAgentMakesOfEachLayout(t *testing.T) {
	entries, err := os.ReadDir(layouts)
	if err != nil || len(entries) != len(outcomes) {
		t.Fatalf("%d layouts in %s, and %d are known: %v", len(entries), layouts, len(outcomes), err)
	}
	host := serve(t, quiet())
	for _, entry := range entries {
		t.Run(entry.Name(), func(t *testing.T) {
			outcome := outcomes[entry.Name()]
			url := "oci://" + host + "/" + entry.Name() + ":test"
			switch outcome {
			case "":
				t.Fatal("say in `outcomes` what the agent makes of it")
			case nowhere:
				return
			}
			upload(t, filepath.Join(layouts, entry.Name()), host, entry.Name())
			if outcome == takes {
				gets(t, []byte("\x00asm\x01\x00\x00\x00"), url, "", nil)
			} else {
				refuses(t, outcome, url, "", nil)
			}
		})
	}
}

// An index is named by one digest and pulled by another: what a WasmPlugin pins is never what the agent compares.
func TestTheDigestOfAnIndexIsNotWhatTheAgentCompares(t *testing.T) {
	host := serve(t, quiet())
	layout := filepath.Join(layouts, "index")
	upload(t, layout, host, "mesh/index")
	named := decode[index](t, read(t, filepath.Join(layout, "index.json"))).Manifests[0].Digest
	refuses(t, "does not match", "oci://"+host+"/mesh/index:test", named[len("sha256:"):], nil)
}

func digest(bytes []byte) string {
	sum := sha256.Sum256(bytes)
	return hex.EncodeToString(sum[:])
}

// onlyLayer gives the bytes of the one layer of what is there, and what kind of thing it is.
func onlyLayer(t *testing.T, reference string) (kind string, bytes []byte) {
	t.Helper()
	where, err := name.ParseReference(reference)
	if err != nil {
		t.Fatal(err)
	}
	there, err := remote.Image(where)
	if err != nil {
		t.Fatal(err)
	}
	manifest, err := there.RawManifest()
	if err != nil {
		t.Fatal(err)
	}
	all, err := there.Layers()
	if err != nil || len(all) != 1 {
		t.Fatalf("%d layers, %v", len(all), err)
	}
	reader, err := all[0].Compressed()
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	if bytes, err = io.ReadAll(reader); err != nil {
		t.Fatal(err)
	}
	return decode[struct{ ArtifactType string }](t, manifest).ArtifactType, bytes
}
