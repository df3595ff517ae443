// Command admit says what a Kubernetes API server would say to custom resources, without one: it reads a
// stream of manifests and checks each against its CustomResourceDefinition, with the API server's own code.
// Unknown and repeated fields, types, enumerations, list keys and CEL rules are all looked at. It knows
// nothing of what a resource means.
//
// Built-in kinds have no definition; they are written to standard output for another tool.
//
//	usage: admit CRD.yaml... < manifests.yaml > built-in.yaml
package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"

	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/json"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/yaml"
)

func main() {
	refused, err := run(os.Args[1:], os.Stdin, os.Stdout)
	if err != nil {
		fmt.Fprintln(os.Stderr, "admit:", err)
		os.Exit(1)
	}
	if refused {
		os.Exit(3)
	}
}

// run reports whether any resource was refused; why, it tells on standard error.
func run(files []string, in io.Reader, builtIn io.Writer) (bool, error) {
	definitions := definitions{}
	for _, file := range files {
		if err := definitions.read(file); err != nil {
			return false, fmt.Errorf("%s: %w", file, err)
		}
	}
	refused, seen := false, 0
	documents := utilyaml.NewYAMLReader(bufio.NewReader(in))
	for {
		text, err := documents.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return refused, err
		}
		// Whole numbers are integers, as they are to the API server; CEL tells them from others.
		document, err := yaml.YAMLToJSONStrict(text)
		if err != nil {
			return refused, err
		}
		var resource map[string]any
		if err := json.Unmarshal(document, &resource); err != nil {
			return refused, err
		}
		if len(resource) == 0 {
			continue
		}
		seen++
		name, kind := describe(resource)
		definition, known := definitions[kind.GroupKind()]
		switch {
		case known:
			for _, fault := range definition.faults(kind.Version, resource) {
				fmt.Fprintf(os.Stderr, "%s: %s\n", name, fault)
				refused = true
			}
		case isBuiltIn(kind.Group):
			if _, err := fmt.Fprintf(builtIn, "---\n%s\n", text); err != nil {
				return refused, err
			}
		default:
			fmt.Fprintf(os.Stderr, "%s: no CustomResourceDefinition of %s is at hand\n", name, kind.GroupKind())
			refused = true
		}
	}
	// A stream that a build forgot to fill is not one in which all is well.
	if seen == 0 {
		return refused, errors.New("no manifest on standard input")
	}
	return refused, nil
}

func describe(resource map[string]any) (string, schema.GroupVersionKind) {
	version, _ := resource["apiVersion"].(string)
	kind, _ := resource["kind"].(string)
	metadata, _ := resource["metadata"].(map[string]any)
	namespace, _ := metadata["namespace"].(string)
	name, _ := metadata["name"].(string)
	return fmt.Sprintf("%s %s/%s", kind, namespace, name), schema.FromAPIVersionAndKind(version, kind)
}

// isBuiltIn reports whether the API server serves the group by itself. Such groups have no dot, or are older
// than the rule that they have one.
func isBuiltIn(group string) bool {
	switch group {
	case "", "apps", "autoscaling", "batch", "policy", "networking.k8s.io", "rbac.authorization.k8s.io":
		return true
	}
	return false
}
