package parity

import (
	"fmt"
	"maps"
	"path"
	"regexp"
	"slices"
)

// absent stands for a field or an object that one side does not have.
const absent = "(absent)"

// whole is the path of a difference that is about an object as such: only one side has it.
const whole = "(object)"

// difference is a field in which the guide's mesh and ours differ.
type difference struct {
	cluster, object, field string
	guide, ours            string
}

func (d difference) String() string {
	return fmt.Sprintf("%s %s %s\n  guide: %.300s\n  ours:  %.300s", d.cluster, d.object, d.field, d.guide, d.ours)
}

// state is what stands in one cluster: the fields of each object, by the object's name.
type state map[string]map[string]string

// compare lists the differences between two states of a cluster, in a stable order.
func compare(cluster string, guide, ours state) []difference {
	var differences []difference
	for _, name := range union(guide, ours) {
		theirs, mine := guide[name], ours[name]
		switch {
		case theirs == nil:
			differences = append(differences, difference{cluster, name, whole, absent, "(there)"})
		case mine == nil:
			differences = append(differences, difference{cluster, name, whole, "(there)", absent})
		default:
			for _, field := range union(theirs, mine) {
				if a, b := orAbsent(theirs, field), orAbsent(mine, field); a != b {
					differences = append(differences, difference{cluster, name, field, a, b})
				}
			}
		}
	}
	return differences
}

func union[V any](a, b map[string]V) []string {
	keys := maps.Clone(a)
	maps.Copy(keys, b)
	return slices.Sorted(maps.Keys(keys))
}

func orAbsent(fields map[string]string, field string) string {
	if value, found := fields[field]; found {
		return value
	}
	return absent
}

// intended is a difference that is meant, and why. The object is a glob as of path.Match; field and values are regular
// expressions for the whole text. What is empty fits anything.
type intended struct {
	cluster, object string
	field           string
	guide, ours     string
	why             string
}

func (i intended) covers(d difference) bool {
	return (i.cluster == "" || i.cluster == d.cluster) && glob(i.object, d.object) &&
		entire(i.field, d.field) && entire(i.guide, d.guide) && entire(i.ours, d.ours)
}

func glob(pattern, text string) bool {
	matched, err := path.Match(pattern, text)
	return pattern == "" || err == nil && matched
}

func entire(pattern, text string) bool {
	return pattern == "" || regexp.MustCompile(`^(?s:`+pattern+`)$`).MatchString(text)
}

// judge parts the differences into those that nobody meant, and the entries of the list that meet none: a list that
// nobody has to keep true does not stay true.
func judge(differences []difference, list []intended) (unmeant []difference, unmet []intended) {
	matched := make([]bool, len(list))
	for _, d := range differences {
		covered := false
		for i, entry := range list {
			if entry.covers(d) {
				matched[i], covered = true, true
			}
		}
		if !covered {
			unmeant = append(unmeant, d)
		}
	}
	for i, entry := range list {
		if !matched[i] {
			unmet = append(unmet, entry)
		}
	}
	return unmeant, unmet
}
