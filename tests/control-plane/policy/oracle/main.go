// Answers what Argo CD's RBAC decides: a question a line as JSON in, an answer a line as JSON out.
//
// The model, the built-in policy, the reading of a line and the order of the decisions are those of Argo CD 3.6
// (assets/model.conf, util/rbac/rbac.go, server/rbacpolicy/rbacpolicy.go), the engine is casbin, the globs are gobwas'.
package main

import (
	"bufio"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"os"
	"strings"

	"github.com/casbin/casbin/v2"
	"github.com/casbin/casbin/v2/model"
	"github.com/casbin/casbin/v2/util"
	"github.com/casbin/govaluate"
	"github.com/gobwas/glob"
)

const modelConf = `
[request_definition]
r = sub, res, act, obj
[policy_definition]
p = sub, res, act, obj, eft
[role_definition]
g = _, _
[policy_effect]
e = some(where (p.eft == allow)) && !some(where (p.eft == deny))
[matchers]
m = g(r.sub, p.sub) && globOrRegexMatch(r.res, p.res) && globOrRegexMatch(r.act, p.act) && globOrRegexMatch(r.obj, p.obj)
`

type question struct {
	// A glob and the texts that it is matched with.
	Glob       *string
	Separators string
	Texts      []string
	// Or a policy and the requests that are decided.
	Policies    []string
	DefaultRole string
	Regex       bool
	Project     string
	Roles       string
	Requests    [][]string
	Subject     string
	Groups      []string
}

type answer struct {
	Error   string `json:"error,omitempty"`
	Results []bool `json:"results"`
}

type adapter struct{ policies []string }

func (a adapter) LoadPolicy(model model.Model) error {
	for _, policy := range a.policies {
		for line := range strings.SplitSeq(policy, "\n") {
			if err := loadPolicyLine(strings.TrimSpace(line), model); err != nil {
				return err
			}
		}
	}
	return nil
}

func loadPolicyLine(line string, model model.Model) error {
	if line == "" || strings.HasPrefix(line, "#") {
		return nil
	}
	reader := csv.NewReader(strings.NewReader(line))
	reader.TrimLeadingSpace = true
	tokens, err := reader.Read()
	if err != nil {
		return fmt.Errorf("error parsing policy line %q: %w", line, err)
	}
	count := len(tokens)
	if count < 1 || tokens[0] == "" || (tokens[0] == "g" && count != 3) || (tokens[0] == "p" && count != 6) {
		return fmt.Errorf("invalid RBAC policy: %s", line)
	}
	key := tokens[0]
	sec := key[:1]
	if _, ok := model[sec]; !ok {
		return fmt.Errorf("invalid RBAC policy: %s", line)
	}
	if _, ok := model[sec][key]; !ok {
		return fmt.Errorf("invalid RBAC policy: %s", line)
	}
	model[sec][key].Policy = append(model[sec][key].Policy, tokens[1:])
	return nil
}

func (adapter) SavePolicy(model.Model) error                             { return nil }
func (adapter) AddPolicy(string, string, []string) error                 { return nil }
func (adapter) RemovePolicy(string, string, []string) error              { return nil }
func (adapter) RemoveFilteredPolicy(string, string, int, ...string) error { return nil }

func globMatch(args ...any) (any, error) {
	compiled, err := glob.Compile(args[1].(string))
	if err != nil {
		return false, nil
	}
	return compiled.Match(args[0].(string)), nil
}

func enforcer(regex bool, policies ...string) (enforcer *casbin.CachedEnforcer, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%v", r)
		}
	}()
	parsed, err := model.NewModelFromString(modelConf)
	if err != nil {
		return nil, err
	}
	enforcer, err = casbin.NewCachedEnforcer(parsed, adapter{policies})
	if err != nil {
		return nil, err
	}
	var match govaluate.ExpressionFunction = globMatch
	if regex {
		match = util.RegexMatchFunc
	}
	enforcer.AddFunction("globOrRegexMatch", match)
	return enforcer, nil
}

func enforced(e *casbin.CachedEnforcer, defaultRole, subject string, request []string) bool {
	ask := func(subject string) bool {
		ok, err := e.Enforce(subject, request[0], request[1], request[2])
		return ok && err == nil
	}
	return (defaultRole != "" && ask(defaultRole)) || ask(subject)
}

func decide(q question) answer {
	global, err := enforcer(q.Regex, q.Policies...)
	if err != nil {
		return answer{Error: err.Error()}
	}
	project, err := enforcer(q.Regex, append(q.Policies, q.Roles)...)
	if err != nil {
		return answer{Error: err.Error()}
	}
	var results []bool
	for _, request := range q.Requests {
		results = append(results, claims(q, global, project, request))
	}
	return answer{Results: results}
}

// EnforceClaims of server/rbacpolicy, and enforce of util/rbac around it.
func claims(q question, global, project *casbin.CachedEnforcer, request []string) bool {
	if q.DefaultRole != "" {
		if ok, err := global.Enforce(q.DefaultRole, request[0], request[1], request[2]); ok && err == nil {
			return true
		}
	}
	inner := func() bool {
		own := global
		if q.Project != "" && projectOf(request) == q.Project {
			own = project
			if parts := strings.Split(q.Subject, ":"); len(parts) == 3 && parts[0] == "proj" {
				return parts[1] == q.Project && enforced(own, q.DefaultRole, q.Subject, request)
			}
		}
		if enforced(own, q.DefaultRole, q.Subject, request) {
			return true
		}
		grouping, _ := own.GetGroupingPolicy()
		for _, group := range q.Groups {
			for _, line := range grouping {
				if line[0] == group {
					if enforced(own, q.DefaultRole, group, request) {
						return true
					}
					break
				}
			}
		}
		return false
	}
	return inner() || enforced(global, q.DefaultRole, "", request)
}

// getProjectFromRequest of server/rbacpolicy.
func projectOf(request []string) string {
	switch request[0] {
	case "applicationsets", "applications", "repositories", "clusters", "logs", "exec":
		if parts := strings.Split(request[2], "/"); len(parts) >= 2 {
			return parts[0]
		}
	case "projects":
		return request[2]
	}
	return ""
}

func matches(q question) (result answer) {
	compiled, err := glob.Compile(*q.Glob, []rune(q.Separators)...)
	if err != nil {
		return answer{Error: err.Error()}
	}
	defer func() {
		if r := recover(); r != nil {
			result = answer{Error: "panic"}
		}
	}()
	for _, text := range q.Texts {
		result.Results = append(result.Results, compiled.Match(text))
	}
	return result
}

func main() {
	input := bufio.NewScanner(os.Stdin)
	input.Buffer(nil, 64<<20)
	output := json.NewEncoder(os.Stdout)
	for input.Scan() {
		var q question
		if err := json.Unmarshal(input.Bytes(), &q); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		if q.Glob != nil {
			_ = output.Encode(matches(q))
		} else {
			_ = output.Encode(decide(q))
		}
	}
}
