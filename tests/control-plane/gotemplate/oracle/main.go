// gotemplate-oracle evaluates Go templates with Go's own text/template and Masterminds sprig.
//
// In: JSON values on standard input, {"text": …, "data": …, "sprig": …, "missingKey": …, "left": …, "right": …, "times": …}. Out, one a
// line: {"output": base64} or {"error": …}.
//
// Data is what encoding/json makes of it, so that every number is a float64; an object with one key that starts with `$`
// is a value of another type, such as {"$int": 3} or {"$strings": ["a"]}.
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"syscall"
	"text/template"

	"github.com/Masterminds/sprig/v3"
)

type question struct {
	Text       string `json:"text"`
	Data       any    `json:"data"`
	Sprig      bool   `json:"sprig"`
	MissingKey string `json:"missingKey"`
	Left       string `json:"left"`
	Right      string `json:"right"`
	// How often to run it, for benchmarks; whether to parse it once.
	Times     int  `json:"times"`
	ParseOnce bool `json:"parseOnce"`
}

type answer struct {
	Output []byte `json:"output"`
	Error  string `json:"error,omitempty"`
	// The CPU time that all runs took together, with the collection of their garbage.
	Nanoseconds int64 `json:"nanoseconds,omitempty"`
}

var functions = func() template.FuncMap {
	functions := sprig.TxtFuncMap()
	for _, name := range []string{"env", "expandenv", "getHostByName"} {
		delete(functions, name)
	}
	return functions
}()

func main() {
	out := bufio.NewWriter(os.Stdout)
	in := json.NewDecoder(bufio.NewReader(os.Stdin))
	encoder := json.NewEncoder(out)
	encoder.SetEscapeHTML(false)
	for {
		var asked question
		if err := in.Decode(&asked); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			log.Fatal(err)
		}
		if err := encoder.Encode(evaluate(asked)); err != nil {
			log.Fatal(err)
		}
	}
	if err := out.Flush(); err != nil {
		log.Fatal(err)
	}
}

func evaluate(asked question) (result answer) {
	defer func() {
		if caught := recover(); caught != nil {
			result = answer{Error: fmt.Sprintf("panic: %v", caught)}
		}
	}()
	data := typed(asked.Data)
	var parsed *template.Template
	var output bytes.Buffer
	start := cpuTime()
	for number := range max(asked.Times, 1) {
		if number == 0 || !asked.ParseOnce {
			var err error
			if parsed, err = parse(asked); err != nil {
				return answer{Error: err.Error()}
			}
		}
		output.Reset()
		if err := parsed.Execute(&output, data); err != nil {
			return answer{Error: err.Error()}
		}
	}
	result = answer{Output: output.Bytes()}
	if asked.Times > 0 {
		result.Nanoseconds = cpuTime() - start
	}
	return result
}

// cpuTime is that of the whole process, in nanoseconds.
func cpuTime() int64 {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		log.Fatal(err)
	}
	return usage.Utime.Nano() + usage.Stime.Nano()
}

func parse(asked question) (*template.Template, error) {
	parsed := template.New("t").Delims(asked.Left, asked.Right)
	if asked.Sprig {
		parsed.Funcs(functions)
	}
	if asked.MissingKey != "" {
		parsed.Option("missingkey=" + asked.MissingKey)
	}
	return parsed.Parse(asked.Text)
}

// typed replaces what stands for a value of another type.
func typed(value any) any {
	switch value := value.(type) {
	case []any:
		for index, item := range value {
			value[index] = typed(item)
		}
	case map[string]any:
		if len(value) == 1 {
			for key, inner := range value {
				if key[0] == '$' {
					return convert(key, inner)
				}
			}
		}
		for key, item := range value {
			value[key] = typed(item)
		}
	}
	return value
}

func convert(kind string, value any) any {
	number, _ := value.(float64)
	list, _ := value.([]any)
	object, _ := value.(map[string]any)
	switch kind {
	case "$int":
		return int(number)
	case "$int8":
		return int8(number)
	case "$int32":
		return int32(number)
	case "$int64":
		return int64(number)
	case "$uint":
		return uint(number)
	case "$uint8":
		return uint8(number)
	case "$uint64":
		return uint64(number)
	case "$float32":
		return float32(number)
	case "$bytes":
		return []byte(value.(string))
	case "$strings":
		strings := make([]string, 0, len(list))
		for _, item := range list {
			strings = append(strings, item.(string))
		}
		return strings
	case "$ints":
		ints := make([]int, 0, len(list))
		for _, item := range list {
			ints = append(ints, int(item.(float64)))
		}
		return ints
	case "$texts":
		texts := map[string]string{}
		for key, item := range object {
			texts[key] = item.(string)
		}
		return texts
	case "$nilmap":
		return map[string]any(nil)
	case "$nillist":
		return []any(nil)
	}
	log.Fatalf("unknown kind %s", kind)
	return nil
}
