// cron-oracle answers when a schedule comes next, with robfig/cron's own parser.
//
// In: JSON values on standard input, {"schedule": …, "zone": …, "after": RFC 3339, "count": …}. Out, one a line: {"times": […]}, as
// many as there are, or {"error": …}.
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"io"
	"log"
	"os"
	"time"
	_ "time/tzdata"

	"github.com/robfig/cron/v3"
)

type question struct {
	Schedule string    `json:"schedule"`
	Zone     string    `json:"zone"`
	After    time.Time `json:"after"`
	Count    int       `json:"count"`
}

type answer struct {
	Times []time.Time `json:"times"`
	Error string      `json:"error,omitempty"`
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
		if err := encoder.Encode(next(asked)); err != nil {
			log.Fatal(err)
		}
	}
	if err := out.Flush(); err != nil {
		log.Fatal(err)
	}
}

func next(asked question) answer {
	zone, err := time.LoadLocation(asked.Zone)
	if err != nil {
		return answer{Error: err.Error()}
	}
	schedule, err := cron.ParseStandard(asked.Schedule)
	if err != nil {
		return answer{Error: err.Error()}
	}
	times := []time.Time{}
	for at := asked.After.In(zone); len(times) < asked.Count; {
		at = schedule.Next(at)
		if at.IsZero() {
			break
		}
		times = append(times, at.UTC())
	}
	return answer{Times: times}
}
