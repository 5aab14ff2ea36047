package report

import (
	"encoding/xml"
	"io"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/check"
)

// The parts of JUnit's XML that every reader of it knows.
type (
	junitSuites struct {
		XMLName  xml.Name `xml:"testsuites"`
		Name     string   `xml:"name,attr"`
		Tests    int      `xml:"tests,attr"`
		Failures int      `xml:"failures,attr"`
		Errors   int      `xml:"errors,attr"`
		Skipped  int      `xml:"skipped,attr"`
		Suites   []junitSuite
	}
	junitSuite struct {
		XMLName  xml.Name `xml:"testsuite"`
		Name     string   `xml:"name,attr"`
		Tests    int      `xml:"tests,attr"`
		Failures int      `xml:"failures,attr"`
		Errors   int      `xml:"errors,attr"`
		Skipped  int      `xml:"skipped,attr"`
		Cases    []junitCase
	}
	junitCase struct {
		XMLName   xml.Name `xml:"testcase"`
		ClassName string   `xml:"classname,attr"`
		Name      string   `xml:"name,attr"`
		Failure   *junitOutcome
		Error     *junitOutcome
		Skipped   *junitOutcome
		// Output is what a passed or warned check has to say.
		Output string `xml:"system-out,omitempty"`
	}
	junitOutcome struct {
		XMLName xml.Name
		Message string `xml:"message,attr"`
		Type    string `xml:"type,attr,omitempty"`
		Text    string `xml:",chardata"`
	}
)

// JUnit writes results for programs that read test reports, under a name: a suite for each cluster, a case for each
// check. JUnit has no warnings; with warningsFail they are failures, else they pass and their text is the case's output.
func JUnit(w io.Writer, name string, results []check.Result, warningsFail bool) error {
	all := junitSuites{Name: name}
	order, byCluster := group(merge(results))
	for _, cluster := range order {
		suite := junitSuite{Name: cluster}
		for _, r := range byCluster[cluster] {
			c := junitCaseOf(r, warningsFail)
			suite.Tests++
			switch {
			case c.Failure != nil:
				suite.Failures++
			case c.Error != nil:
				suite.Errors++
			case c.Skipped != nil:
				suite.Skipped++
			}
			suite.Cases = append(suite.Cases, c)
		}
		all.Tests += suite.Tests
		all.Failures += suite.Failures
		all.Errors += suite.Errors
		all.Skipped += suite.Skipped
		all.Suites = append(all.Suites, suite)
	}
	text, err := xml.MarshalIndent(all, "", "  ")
	if err != nil {
		return err
	}
	_, err = io.WriteString(w, xml.Header+string(text)+"\n")
	return err
}

func junitCaseOf(r check.Result, warningsFail bool) junitCase {
	// Readers take the part before the last dot for a package, and what follows for a class.
	c := junitCase{ClassName: "kubectl-mesh." + string(r.Category), Name: r.ID}
	if r.To != "" {
		c.Name += " → " + r.To
	}
	outcome := func(kind string) *junitOutcome {
		return &junitOutcome{XMLName: xml.Name{Local: kind}, Message: r.Seen, Type: string(r.Status), Text: details(r)}
	}
	switch {
	case r.Status == check.Fail, r.Status == check.Warn && warningsFail:
		c.Failure = outcome("failure")
	case r.Status == check.Unknown:
		c.Error = outcome("error")
	case r.Status == check.Skip:
		c.Skipped = &junitOutcome{XMLName: xml.Name{Local: "skipped"}, Message: r.Seen}
	case r.Status == check.Warn:
		c.Output = "warning: " + r.Seen + "\n" + details(r)
	default:
		c.Output = r.Seen
	}
	return c
}

// details are what was expected, what to do and where more is said.
func details(r check.Result) string {
	return "expected: " + r.Title + "\n" + Fix(r.Fix, "") + r.Docs
}
