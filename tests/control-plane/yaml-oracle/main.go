// yaml-oracle tells how Kubernetes' own tools read YAML.
//
// In: JSON values on standard input, {"name": …, "text": base64}. Out, one a line: {"name": …, "documents": [{"json": …} or
// {"error": …}]}, with each document split off by apimachinery's YAMLReader and read by sigs.k8s.io/yaml, as kubectl and
// Argo CD do. What is no YAML but is JSON is read as JSON, and several JSON objects in a row are several documents, as for
// kubectl. Empty and null documents are left out.
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"log"
	"os"

	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/yaml"
)

type question struct {
	Name string `json:"name"`
	Text []byte `json:"text"`
}

type document struct {
	JSON  json.RawMessage `json:"json,omitempty"`
	Error string          `json:"error,omitempty"`
}

type answer struct {
	Name      string     `json:"name"`
	Documents []document `json:"documents"`
}

func main() {
	out := bufio.NewWriter(os.Stdout)
	in := json.NewDecoder(bufio.NewReader(os.Stdin))
	encoder := json.NewEncoder(out)
	for {
		var asked question
		if err := in.Decode(&asked); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			log.Fatal(err)
		}
		if err := encoder.Encode(answer{Name: asked.Name, Documents: documents(asked.Text)}); err != nil {
			log.Fatal(err)
		}
	}
	if err := out.Flush(); err != nil {
		log.Fatal(err)
	}
}

func documents(stream []byte) []document {
	read := []document{}
	reader := utilyaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(stream)))
	for {
		text, err := reader.Read()
		if errors.Is(err, io.EOF) {
			return read
		}
		if err != nil {
			read = append(read, document{Error: err.Error()})
			continue
		}
		objects := jsonObjects(text)
		converted, err := yaml.YAMLToJSON(text)
		switch {
		case len(objects) > 1, len(objects) == 1 && err != nil:
			read = append(read, objects...)
		case err != nil:
			read = append(read, document{Error: err.Error()})
		case string(converted) != "null":
			read = append(read, document{JSON: converted})
		}
	}
}

// jsonObjects reads text that is JSON objects and nothing else.
func jsonObjects(text []byte) []document {
	if !utilyaml.IsJSONBuffer(text) {
		return nil
	}
	objects := []document{}
	decoder := json.NewDecoder(bytes.NewReader(text))
	for {
		var object map[string]json.RawMessage
		if err := decoder.Decode(&object); errors.Is(err, io.EOF) {
			return objects
		} else if err != nil {
			return nil
		}
		marshalled, err := json.Marshal(object)
		if err != nil {
			return nil
		}
		objects = append(objects, document{JSON: marshalled})
	}
}
