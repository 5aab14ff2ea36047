// Package parity holds kubectl-mesh against Istio's own guide: both build the same mesh, and what they leave in the
// clusters must mean the same.
package parity

import (
	"encoding/base64"
	"fmt"
	"maps"
	"slices"
	"strings"

	"sigs.k8s.io/yaml"
)

// object is an API object as JSON has it.
type object = map[string]any

// name is how an object is called in reports: Kind/name, with its namespace in front if it has one.
func name(o object) string {
	metadata, _ := o["metadata"].(object)
	text := fmt.Sprintf("%v/%v", o["kind"], metadata["name"])
	if namespace, found := metadata["namespace"]; found {
		return fmt.Sprintf("%v/%s", namespace, text)
	}
	return text
}

// ofTheFlow is false for what controllers make of other objects, or write again and again while a cluster lives: it
// says nothing of the flow that its origin does not say.
func ofTheFlow(o object) bool {
	metadata, _ := o["metadata"].(object)
	if _, owned := metadata["ownerReferences"]; owned {
		return false
	}
	switch o["kind"] {
	case "Event", "Lease", "Endpoints", "IPAddress":
		return false
	}
	return true
}

// normalise flattens an object into its fields that mean the same in every cluster and at every time: what the API
// server, controllers and chance fill in is gone, secrets and certificates are only said to be there, and addresses
// (their names by address) have got names. Files inside ConfigMaps and Secrets are taken apart as well, so that a difference has
// a path of its own.
func normalise(o object, addresses map[string]string) map[string]string {
	fields := map[string]string{}
	n := normaliser{fields: fields, addresses: addresses, secret: o["kind"] == "Secret"}
	n.flatten("", withoutNoise(o))
	return fields
}

// withoutNoise copies what a person or a tool wanted of an object.
func withoutNoise(o object) object {
	o = maps.Clone(o)
	delete(o, "status")
	if metadata, found := o["metadata"].(object); found {
		metadata = maps.Clone(metadata)
		for _, key := range []string{"uid", "resourceVersion", "generation", "creationTimestamp", "managedFields", "selfLink"} {
			delete(metadata, key)
		}
		if annotations, found := metadata["annotations"].(object); found {
			annotations = maps.Clone(annotations)
			for key := range annotations {
				if slices.Contains(bookkeeping(), key) {
					delete(annotations, key)
				}
			}
			metadata["annotations"] = annotations
		}
		o["metadata"] = metadata
	}
	if spec, found := o["spec"].(object); found && o["kind"] == "Service" {
		spec = maps.Clone(spec)
		delete(spec, "clusterIP")
		delete(spec, "clusterIPs")
		delete(spec, "healthCheckNodePort")
		o["spec"] = spec
	}
	return o
}

// bookkeeping are annotations that a program keeps for itself: kubectl apply's memory, a Deployment's rollout count, a
// token's account, and who leads among istiod's replicas.
func bookkeeping() []string {
	return []string{
		"kubectl.kubernetes.io/last-applied-configuration",
		"deployment.kubernetes.io/revision",
		"kubernetes.io/service-account.uid",
		"control-plane.alpha.kubernetes.io/leader",
		"endpoints.kubernetes.io/last-change-trigger-time",
	}
}

type normaliser struct {
	fields    map[string]string
	addresses map[string]string
	secret    bool
}

func (n normaliser) flatten(path string, value any) {
	if strings.HasSuffix(path, ".nodePort") {
		return
	}
	switch value := value.(type) {
	case object:
		for key, inner := range value {
			n.flatten(join(path, key), inner)
		}
	case []any:
		for i, inner := range value {
			n.flatten(fmt.Sprintf("%s[%s]", path, index(i, inner)), inner)
		}
	case nil:
	case string:
		n.text(path, value)
	default:
		n.fields[path] = fmt.Sprint(value)
	}
}

func (n normaliser) text(path, text string) {
	last := path[strings.LastIndex(path, ".")+1:]
	switch {
	case last == "caBundle", strings.Contains(text, "-----BEGIN "):
		n.fields[path] = "(a certificate)"
		return
	case n.secret && strings.HasPrefix(path, "data"), last == "token", last == "certificate-authority-data":
		n.hidden(path, text)
		return
	}
	if inner, found := document(text); found && strings.HasPrefix(path, "data") {
		n.flatten(path, inner)
		return
	}
	for address, name := range n.addresses {
		text = strings.ReplaceAll(text, address, name)
	}
	n.fields[path] = text
}

// hidden says of a secret value only that it is there, unless it is a whole kubeconfig, whose public half matters.
func (n normaliser) hidden(path, text string) {
	if text == "" {
		n.fields[path] = "(empty)"
		return
	}
	if decoded, err := base64.StdEncoding.DecodeString(text); err == nil && n.secret {
		if inner, found := document(string(decoded)); found && inner["kind"] == "Config" {
			n.secret = false
			n.flatten(path, inner)
			return
		}
	}
	n.fields[path] = "(a secret)"
}

// document takes a text apart that holds a YAML or JSON object.
func document(text string) (object, bool) {
	var inner object
	if !strings.Contains(text, ":") || yaml.Unmarshal([]byte(text), &inner) != nil || len(inner) == 0 {
		return nil, false
	}
	return inner, true
}

// join quotes keys that hold a dot, so that a path can be read in one way only.
func join(path, key string) string {
	if strings.ContainsAny(key, "./") {
		return fmt.Sprintf("%s[%q]", path, key)
	}
	if path == "" {
		return key
	}
	return path + "." + key
}

// index names an item of a list by its own name, where it has one, so that an item more shifts no others.
func index(i int, item any) string {
	if fields, isObject := item.(object); isObject {
		if name, found := fields["name"].(string); found && name != "" {
			return name
		}
	}
	return fmt.Sprint(i)
}
