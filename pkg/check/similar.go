package check

import (
	"fmt"
	"slices"
	"strings"
)

// notFound says that there is no such name, and which are near it.
func notFound(kind, name string, known []string) error {
	if near := similar(name, known); len(near) > 0 {
		return fmt.Errorf("there is no %s %q; did you mean %s?", kind, name, strings.Join(near, ", "))
	}
	if len(known) < 12 {
		return fmt.Errorf("there is no %s %q; there are: %s", kind, name, strings.Join(known, ", "))
	}
	return fmt.Errorf("there is no %s %q; kubectl mesh verify --list shows them all", kind, name)
}

// similar are the names that contain what was given, or differ from it by a typing error or two: the nearest
// three.
func similar(given string, known []string) []string {
	given = strings.ToLower(given)
	if given == "" {
		return nil
	}
	type near struct {
		name string
		by   int
	}
	var found []near
	for _, name := range known {
		by := editDistance(given, name)
		switch {
		case by <= max(1, len(given)/3):
		case len(given) >= 3 && (strings.Contains(name, given) || strings.Contains(given, name)):
			by += len(given) // after those that differ by a slip
		default:
			continue
		}
		found = append(found, near{name, by})
	}
	slices.SortStableFunc(found, func(a, b near) int { return a.by - b.by })
	var names []string
	for _, n := range found[:min(len(found), 3)] {
		names = append(names, n.name)
	}
	return names
}

// editDistance is how many letters must be put in, taken out or changed to make one word of another.
func editDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
