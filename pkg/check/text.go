package check

import (
	"fmt"
	"slices"
	"strings"
)

// unique leaves out what was there before.
func unique(texts []string) []string {
	var first []string
	for _, text := range texts {
		if !slices.Contains(first, text) {
			first = append(first, text)
		}
	}
	return first
}

// firstFew lists texts, but of many only the first.
func firstFew(texts []string) string {
	const most = 4
	if len(texts) > most {
		return fmt.Sprintf("%s and %d more", strings.Join(texts[:most], ", "), len(texts)-most)
	}
	return strings.Join(texts, ", ")
}

// oneLine takes the source's line breaks out of a text.
func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }
