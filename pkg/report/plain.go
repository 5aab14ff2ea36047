package report

import (
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/check"
)

// Plain spells out what a terminal would take for a command: texts that tell what was seen in a cluster hold whatever
// somebody has written there.
func Plain(text string) string {
	var plain strings.Builder
	for _, r := range text {
		switch {
		case r == '\n' || unicode.IsGraphic(r):
			plain.WriteRune(r)
		case unicode.IsSpace(r):
			plain.WriteByte(' ')
		default:
			plain.WriteString(strings.Trim(strconv.QuoteRuneToASCII(r), "'"))
		}
	}
	return plain.String()
}

// plainLine is Plain for what must stay one line.
func plainLine(text string) string { return strings.ReplaceAll(Plain(text), "\n", " ") }

// plainResults are the results with plain texts.
func plainResults(results []check.Result) []check.Result {
	plain := slices.Clone(results)
	for i := range plain {
		for _, text := range []*string{&plain[i].Cluster, &plain[i].To, &plain[i].Seen} {
			*text = plainLine(*text)
		}
	}
	return plain
}
