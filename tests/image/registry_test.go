package image

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/distribution/distribution/v3/configuration"
	"github.com/distribution/distribution/v3/registry/handlers"
	_ "github.com/distribution/distribution/v3/registry/storage/driver/inmemory"
	"github.com/google/go-containerregistry/pkg/registry"
	"github.com/sirupsen/logrus"
)

// Where the repository is.
const root = "../.."

// What is pushed, and where the module is that it is made of.
var names = []string{"vestibule", "vestibule-host"}

func module(t *testing.T, name string) []byte {
	t.Helper()
	return read(t, filepath.Join(root, "dist", name+".wasm"))
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	bytes, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v; `make test-image` makes what is needed", err)
	}
	return bytes
}

// registries are two that have nothing in common: one keeps lists of what refers to an image, and the other, which is
// what many run, leaves that to a tag.
func registries(t *testing.T) map[string]string {
	t.Helper()
	logrus.SetOutput(io.Discard)
	distribution := &configuration.Configuration{Storage: configuration.Storage{"inmemory": nil}}
	distribution.HTTP.Secret = rand.Text()
	return map[string]string{
		"go-containerregistry": serve(t, quiet(registry.WithReferrersSupport(true))),
		"distribution":         serve(t, handlers.NewApp(context.Background(), distribution)),
	}
}

// quiet is the registry that tells nobody what it does.
func quiet(options ...registry.Option) http.Handler {
	return registry.New(append(options, registry.Logger(log.New(io.Discard, "", 0)))...)
}

// serve answers on loopback until the test is over, and says where.
func serve(t *testing.T, handler http.Handler) string {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return strings.TrimPrefix(server.URL, "http://")
}

// pushed is what `make push` prints.
type pushed struct {
	pinned, tagged, sha256, bill string
}

var printed = regexp.MustCompile(
	`^url: (oci://\S+@\S+)\n# by its tag: (oci://\S+), with sha256: ([0-9a-f]{64})\n# its bill of materials: (\S+)\n$`)

func push(t *testing.T, image, name string, environment ...string) pushed {
	t.Helper()
	output, err := run(environment, "push", image, name)
	found := printed.FindStringSubmatch(output)
	if err != nil || found == nil {
		t.Fatalf("push of %s: %v\n%s", image, err, output)
	}
	return pushed{found[1], found[2], found[3], found[4]}
}

// run gives what tools/image.sh prints, or says where it fails.
func run(environment []string, arguments ...string) (string, error) {
	var said bytes.Buffer
	command := exec.Command(filepath.Join(root, "tools/image.sh"), arguments...)
	command.Env = append(os.Environ(), environment...)
	command.Stderr = &said
	output, err := command.Output()
	if err != nil {
		err = fmt.Errorf("%w: %s", err, said.String())
	}
	return string(output), err
}

// descriptor is what a layout's index, or an index among its blobs, says of a manifest.
type descriptor struct {
	MediaType string `json:"mediaType"`
	Digest    string `json:"digest"`
}

type index struct {
	Manifests []descriptor `json:"manifests"`
}

func decode[T any](t *testing.T, bytes []byte) (value T) {
	t.Helper()
	if err := json.Unmarshal(bytes, &value); err != nil {
		t.Fatalf("%v in %s", err, bytes)
	}
	return value
}

// upload sends the blobs of a layout as they are, and what its index names under a tag: other tools would refuse, or
// mend, what is to be tried.
func upload(t *testing.T, layout, host, name string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(layout, "blobs/sha256/*"))
	if err != nil || len(files) == 0 {
		t.Fatalf("%s: no blobs, %v", layout, err)
	}
	base := "http://" + host + "/v2/" + name
	for _, file := range files {
		place, err := url.Parse(send(t, http.MethodPost, base+"/blobs/uploads/", "", nil))
		if err != nil {
			t.Fatal(err)
		}
		query := place.Query()
		query.Set("digest", "sha256:"+filepath.Base(file))
		place.RawQuery = query.Encode()
		send(t, http.MethodPut, place.String(), "application/octet-stream", read(t, file))
	}
	named := decode[index](t, read(t, filepath.Join(layout, "index.json"))).Manifests[0]
	blob := func(of descriptor) []byte {
		return read(t, filepath.Join(layout, "blobs", strings.Replace(of.Digest, ":", "/", 1)))
	}
	for _, child := range decode[index](t, blob(named)).Manifests {
		send(t, http.MethodPut, base+"/manifests/"+child.Digest, child.MediaType, blob(child))
	}
	send(t, http.MethodPut, base+"/manifests/test", named.MediaType, blob(named))
}

// send gives where the answer says to go on.
func send(t *testing.T, method, where, kind string, body []byte) string {
	t.Helper()
	request, err := http.NewRequest(method, where, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", kind)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusCreated && response.StatusCode != http.StatusAccepted {
		said, _ := io.ReadAll(response.Body)
		t.Fatalf("%s %s: %s: %s", method, where, response.Status, said)
	}
	next, err := response.Request.URL.Parse(response.Header.Get("Location"))
	if err != nil {
		t.Fatal(err)
	}
	return next.String()
}
