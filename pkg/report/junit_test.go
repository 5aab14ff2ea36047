package report

import (
	"encoding/xml"
	"strings"
	"testing"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/check"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/internal/golden"
)

// junitReport is JUnit's XML as its readers (Jenkins, GitLab, GitHub's actions) take it: written from their side, so that
// it shares nothing with what writes it.
type junitReport struct {
	XMLName  xml.Name `xml:"testsuites"`
	Tests    int      `xml:"tests,attr"`
	Failures int      `xml:"failures,attr"`
	Errors   int      `xml:"errors,attr"`
	Skipped  int      `xml:"skipped,attr"`
	Suites   []struct {
		Name     string `xml:"name,attr"`
		Tests    int    `xml:"tests,attr"`
		Failures int    `xml:"failures,attr"`
		Errors   int    `xml:"errors,attr"`
		Skipped  int    `xml:"skipped,attr"`
		Cases    []struct {
			Class   string        `xml:"classname,attr"`
			Name    string        `xml:"name,attr"`
			Failure *junitMessage `xml:"failure"`
			Error   *junitMessage `xml:"error"`
			Skipped *junitMessage `xml:"skipped"`
			Output  string        `xml:"system-out"`
			Strange []xml.Name    `xml:",any"`
		} `xml:"testcase"`
		Strange []xml.Name `xml:",any"`
	} `xml:"testsuite"`
}

type junitMessage struct {
	Message string `xml:"message,attr"`
	Text    string `xml:",chardata"`
}

func read(t *testing.T, text string) junitReport {
	t.Helper()
	var r junitReport
	decoder := xml.NewDecoder(strings.NewReader(text))
	decoder.Strict = true
	if err := decoder.Decode(&r); err != nil {
		t.Fatalf("no JUnit: %v\n%s", err, text)
	}
	return r
}

func TestJUnit(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name         string
		results      []check.Result
		warningsFail bool
		// outcomes are CLUSTER/CASE: what a reader makes of it.
		outcomes map[string]string
	}{
		{"junit.xml", results(), false, map[string]string{
			"east/reachable": "passed", "east/version-skew": "passed", "west/reachable": "passed", "west/cabundle-empty": "failed",
			"west/root-cm-missing": "error", "west/roots-differ": "skipped", "west/traffic → east": "failed", "west/traffic → west": "passed",
		}},
		{"junit-warnings-fail.xml", results(), true, map[string]string{
			"east/reachable": "passed", "east/version-skew": "failed", "west/reachable": "passed", "west/cabundle-empty": "failed",
			"west/root-cm-missing": "error", "west/roots-differ": "skipped", "west/traffic → east": "failed", "west/traffic → west": "passed",
		}},
		{"junit-healthy.xml", healthy(), true, map[string]string{
			"east/reachable": "passed", "east/same-cluster": "passed", "east/no-istiod": "passed", "west/reachable": "passed", "west/token-missing": "passed",
		}},
		{"junit-nothing.xml", nil, false, map[string]string{}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var text strings.Builder
			if err := JUnit(&text, "kubectl mesh verify", test.results, test.warningsFail); err != nil {
				t.Fatal(err)
			}
			golden.Equal(t, test.name, text.String())
			r := read(t, text.String())
			count := map[string]int{}
			for _, suite := range r.Suites {
				here := map[string]int{}
				for _, c := range suite.Cases {
					outcome := "passed"
					switch {
					case c.Failure != nil:
						outcome = "failed"
					case c.Error != nil:
						outcome = "error"
					case c.Skipped != nil:
						outcome = "skipped"
					}
					if key := suite.Name + "/" + c.Name; test.outcomes[key] != outcome {
						t.Errorf("%s is read as %s", key, outcome)
					}
					if !strings.HasPrefix(c.Class, "kubectl-mesh.") || len(c.Strange) > 0 {
						t.Errorf("%s is of class %q and has %v", c.Name, c.Class, c.Strange)
					}
					here[outcome]++
					count[outcome]++
				}
				if suite.Tests != len(suite.Cases) || suite.Failures != here["failed"] || suite.Errors != here["error"] ||
					suite.Skipped != here["skipped"] || len(suite.Strange) > 0 {
					t.Errorf("the numbers of suite %s are wrong: %+v", suite.Name, suite)
				}
			}
			if r.Tests != len(test.outcomes) || r.Failures != count["failed"] || r.Errors != count["error"] || r.Skipped != count["skipped"] {
				t.Errorf("the numbers are wrong: %+v", r)
			}
		})
	}
}

// What comes out of a cluster may be anything.
func TestJUnitOfStrangeText(t *testing.T) {
	t.Parallel()
	var text strings.Builder
	strange := "a\x00b \x1b[31m ]]> <x a=\"&\"> \xff\xfe ü"
	if err := JUnit(&text, "kubectl mesh verify", []check.Result{{ID: "traffic", Cluster: strange, Status: check.Fail, Seen: strange, Fix: check.Fix{Advice: strange}}}, false); err != nil {
		t.Fatal(err)
	}
	r := read(t, text.String())
	if got := r.Suites[0].Cases[0].Failure.Message; !strings.Contains(got, "]]> <x a=\"&\">") || !strings.Contains(got, "ü") {
		t.Errorf("the message is read as %q", got)
	}
}
