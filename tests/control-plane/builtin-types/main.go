// Prints the shapes of Kubernetes' own types, as src/status/compare/builtin.txt holds them.
//
// In: the Go types of every kind that the API server knows, and their OpenAPI definitions. Out: one line for each kind
// and each field. What the Go type tells: whether a zero value can be told from none (a pointer), where quantities and
// bytes are. What OpenAPI tells: the keys of lists, what is atomic, the default of a key.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"reflect"
	"sort"
	"strings"

	apiextensions "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/install"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/runtime"
	apiregistration "k8s.io/kube-aggregator/pkg/apis/apiregistration/install"
	"k8s.io/kube-openapi/pkg/validation/spec"
	"k8s.io/kubernetes/pkg/api/legacyscheme"
	_ "k8s.io/kubernetes/pkg/controlplane"
	"k8s.io/kubernetes/pkg/generated/openapi"
)

const header = `# Shapes of Kubernetes' own types: written by tests/control-plane/builtin-types from Kubernetes 1.36, not by hand.
# kind APIVERSION KIND TYPE, then each type with its fields: NAME SHAPE [=DEFAULT, as JSON]
# *: a pointer, so that a zero value is not none; !: atomic; []: a list, atomic, or with its keys, or a set; {}: a map
`

var (
	definitions = openapi.GetOpenAPIDefinitions(func(path string) spec.Ref { return spec.MustCreateRef(path) })
	quantity    = reflect.TypeFor[resource.Quantity]()
	marshaler   = reflect.TypeFor[json.Marshaler]()
	modelNamer  = reflect.TypeFor[interface{ OpenAPIModelName() string }]()
)

// field is one JSON field of a Go struct, embedded structs already taken in.
type field struct {
	name string
	kind reflect.Type
}

func modelName(kind reflect.Type) string {
	if !kind.Implements(modelNamer) {
		return ""
	}
	return reflect.New(kind).Elem().Interface().(interface{ OpenAPIModelName() string }).OpenAPIModelName()
}

func shortName(kind reflect.Type) string {
	return strings.TrimPrefix(modelName(kind), "io.k8s.")
}

func fields(kind reflect.Type) []field {
	var found []field
	for index := range kind.NumField() {
		member := kind.Field(index)
		name, options, _ := strings.Cut(member.Tag.Get("json"), ",")
		switch {
		case name == "-":
		case name == "" && (member.Anonymous || strings.Contains(options, "inline")):
			found = append(found, fields(member.Type)...)
		case name != "":
			found = append(found, field{name, member.Type})
		}
	}
	return found
}

func extension(schema *spec.Schema, name string) string {
	if schema == nil {
		return ""
	}
	text, _ := schema.Extensions[name].(string)
	return text
}

type printer struct {
	out     *bufio.Writer
	waiting []reflect.Type
	seen    map[reflect.Type]bool
}

// shape writes a type as one word; schema is the property's own OpenAPI schema, nil for items.
func (p *printer) shape(kind reflect.Type, schema *spec.Schema) string {
	if kind.Kind() == reflect.Pointer {
		return "*" + strings.TrimPrefix(p.shape(kind.Elem(), schema), "*")
	}
	if kind == quantity {
		return "quantity"
	}
	if kind.Implements(marshaler) || reflect.PointerTo(kind).Implements(marshaler) {
		return "exact"
	}
	switch kind.Kind() {
	case reflect.Struct:
		if modelName(kind) == "" {
			return "exact"
		}
		if !p.seen[kind] {
			p.seen[kind] = true
			p.waiting = append(p.waiting, kind)
		}
		atomic := ""
		definition := definitions[modelName(kind)].Schema
		if extension(schema, "x-kubernetes-map-type") == "atomic" || extension(&definition, "x-kubernetes-map-type") == "atomic" {
			atomic = "!"
		}
		return atomic + shortName(kind)
	case reflect.Slice:
		if kind.Elem().Kind() == reflect.Uint8 {
			return "bytes"
		}
		return "[" + listKind(kind.Elem(), schema) + "]" + p.shape(kind.Elem(), itemSchema(schema))
	case reflect.Map:
		atomic := ""
		if extension(schema, "x-kubernetes-map-type") == "atomic" {
			atomic = "!"
		}
		return atomic + "{}" + p.shape(kind.Elem(), nil)
	case reflect.String, reflect.Bool, reflect.Int, reflect.Int32, reflect.Int64, reflect.Uint8, reflect.Uint32, reflect.Float64, reflect.Float32:
		return "scalar"
	}
	return "exact"
}

func itemSchema(schema *spec.Schema) *spec.Schema {
	if schema != nil && schema.Items != nil {
		return schema.Items.Schema
	}
	return nil
}

func listKind(element reflect.Type, schema *spec.Schema) string {
	switch extension(schema, "x-kubernetes-list-type") {
	case "set":
		return "set"
	case "map":
		for element.Kind() == reflect.Pointer {
			element = element.Elem()
		}
		keys := []string{}
		for _, key := range schema.Extensions["x-kubernetes-list-map-keys"].([]any) {
			text := key.(string)
			definition := definitions[modelName(element)].Schema
			if value, ok := definition.Properties[text].Default.(string); ok && value != "" {
				text += "=" + value
			}
			keys = append(keys, text)
		}
		return strings.Join(keys, ",")
	}
	return ""
}

func main() {
	scheme := legacyscheme.Scheme
	apiextensions.Install(scheme)
	apiregistration.Install(scheme)
	p := &printer{out: bufio.NewWriter(os.Stdout), seen: map[reflect.Type]bool{}}
	roots := map[reflect.Type]bool{}
	var lines []string
	for gvk, kind := range scheme.AllKnownTypes() {
		_, isObject := kind.FieldByName("ObjectMeta")
		if gvk.Version == runtime.APIVersionInternal || !isObject || modelName(kind) == "" {
			continue
		}
		roots[kind] = true
		lines = append(lines, fmt.Sprintf("kind %s %s %s", gvk.GroupVersion(), gvk.Kind, shortName(kind)))
		p.seen[kind] = true
		p.waiting = append(p.waiting, kind)
	}
	sort.Strings(lines)
	sort.Slice(p.waiting, func(i, j int) bool { return shortName(p.waiting[i]) < shortName(p.waiting[j]) })
	types := map[string][]string{}
	for len(p.waiting) > 0 {
		kind := p.waiting[0]
		p.waiting = p.waiting[1:]
		var schema *spec.Schema
		if definition, ok := definitions[modelName(kind)]; ok {
			schema = &definition.Schema
		}
		var rows []string
		for _, member := range fields(kind) {
			if roots[kind] && member.name == "status" {
				continue
			}
			var property *spec.Schema
			if schema != nil {
				if found, ok := schema.Properties[member.name]; ok {
					property = &found
				}
			}
			rows = append(rows, member.name+" "+p.shape(member.kind, property)+defaultOf(shortName(kind)+"."+member.name, property))
		}
		sort.Strings(rows)
		types[shortName(kind)] = rows
	}
	types["custom"] = []string{"apiVersion scalar", "kind scalar", "metadata apimachinery.pkg.apis.meta.v1.ObjectMeta"}
	fmt.Fprint(p.out, header)
	for _, line := range lines {
		fmt.Fprintln(p.out, line)
	}
	names := make([]string, 0, len(types))
	for name := range types {
		names = append(names, name)
	}
	sort.Strings(names)
	for _, name := range names {
		fmt.Fprintln(p.out, "type "+name)
		for _, row := range types[name] {
			fmt.Fprintln(p.out, " "+row)
		}
	}
	if err := p.out.Flush(); err != nil {
		panic(err)
	}
}

// codeDefaults are defaults that the API server sets in code (pkg/apis/*/v1/defaults.go) without publishing them, that
// depend on nothing else in the object, and that stand inside of atomic lists.
var codeDefaults = map[string]any{
	"api.admissionregistration.v1.Rule.scope":                     "*",
	"api.admissionregistration.v1.RuleWithOperations.scope":       "*",
	"api.batch.v1.PodFailurePolicyOnPodConditionsPattern.status":  "True",
	"api.core.v1.EndpointPort.protocol":                           "TCP",
	"api.core.v1.ObjectFieldSelector.apiVersion":                  "v1",
	"api.core.v1.PersistentVolumeClaim.apiVersion":                "v1",
	"api.core.v1.PersistentVolumeClaim.kind":                      "PersistentVolumeClaim",
	"api.core.v1.PersistentVolumeClaimSpec.volumeMode":            "Filesystem",
	"api.core.v1.ResourceFieldSelector.divisor":                   "0",
	"api.core.v1.ServiceAccountTokenProjection.expirationSeconds": 3600,
	"api.discovery.v1.EndpointPort.name":                          "",
	"api.discovery.v1.EndpointPort.protocol":                      "TCP",
	"api.networking.v1.NetworkPolicyPort.protocol":                "TCP",
}

// defaultOf is the default that the API server sets, as JSON, where it is more than the zero value.
func defaultOf(place string, schema *spec.Schema) string {
	value, ok := codeDefaults[place]
	if !ok && schema != nil {
		switch schema.Default.(type) {
		case string, bool, int, int32, int64, float64:
			value = schema.Default
			ok = !reflect.ValueOf(value).IsZero()
		}
	}
	if !ok {
		return ""
	}
	text, err := json.Marshal(value)
	if err != nil {
		panic(err)
	}
	return " =" + string(text)
}
