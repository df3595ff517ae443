package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	v1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	structural "k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/defaulting"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/listtype"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/objectmeta"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/pruning"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/validation"
	"k8s.io/apimachinery/pkg/runtime/schema"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	celconfig "k8s.io/apiserver/pkg/apis/cel"
	"sigs.k8s.io/yaml"
)

// definitions are the kinds that are known, each with its CustomResourceDefinition.
type definitions map[schema.GroupKind]definition

type definition struct {
	versions map[string]*v1.CustomResourceDefinitionVersion
}

// read takes in the CustomResourceDefinitions of a file and passes over whatever else stands there.
func (d definitions) read(file string) error {
	opened, err := os.Open(file)
	if err != nil {
		return err
	}
	defer opened.Close()
	documents := utilyaml.NewYAMLReader(bufio.NewReader(opened))
	for {
		text, err := documents.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		var resource v1.CustomResourceDefinition
		if err := yaml.Unmarshal(text, &resource); err != nil {
			return err
		}
		if resource.Kind != "CustomResourceDefinition" {
			continue
		}
		// As the API server fills in what a definition leaves out.
		v1.SetDefaults_CustomResourceDefinitionSpec(&resource.Spec)
		versions := map[string]*v1.CustomResourceDefinitionVersion{}
		for index := range resource.Spec.Versions {
			if version := &resource.Spec.Versions[index]; version.Served {
				versions[version.Name] = version
			}
		}
		d[schema.GroupKind{Group: resource.Spec.Group, Kind: resource.Spec.Names.Kind}] = definition{versions}
	}
}

// faults are the reasons for which an API server refuses the resource, field validation being strict. It
// fills in the defaults, as an API server does before it validates.
func (d definition) faults(version string, resource map[string]any) []string {
	defined, served := d.versions[version]
	if !served {
		return []string{fmt.Sprintf("version %s is not served", version)}
	}
	var properties apiextensions.JSONSchemaProps
	if err := v1.Convert_v1_JSONSchemaProps_To_apiextensions_JSONSchemaProps(
		defined.Schema.OpenAPIV3Schema, &properties, nil); err != nil {
		return []string{err.Error()}
	}
	form, err := structural.NewStructural(&properties)
	if err != nil {
		return []string{err.Error()}
	}
	validator, _, err := validation.NewSchemaValidator(&properties)
	if err != nil {
		return []string{err.Error()}
	}

	var faults []string
	malformed, unknown := objectmeta.CoerceWithOptions(nil, resource, form, true,
		objectmeta.CoerceOptions{ReturnUnknownFieldPaths: true})
	if malformed != nil {
		faults = append(faults, malformed.Error())
	}
	unknown = append(unknown, pruning.PruneWithOptions(resource, form, true,
		structural.UnknownFieldPathOptions{TrackUnknownFieldPaths: true})...)
	for _, path := range unknown {
		faults = append(faults, fmt.Sprintf("unknown field %q", path))
	}
	defaulting.Default(resource, form)
	errs := objectmeta.Validate(nil, resource, form, true)
	errs = append(errs, validation.ValidateCustomResource(nil, resource, validator)...)
	errs = append(errs, listtype.ValidateListSetsAndMaps(nil, form, resource)...)
	if rules := cel.NewValidator(form, true, celconfig.PerCallLimit); rules != nil {
		broken, _ := rules.Validate(context.Background(), nil, form, resource, nil, celconfig.RuntimeCELCostBudget)
		errs = append(errs, broken...)
	}
	for _, err := range errs {
		faults = append(faults, err.Error())
	}
	return faults
}
