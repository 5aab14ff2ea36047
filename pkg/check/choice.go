package check

import (
	"fmt"
	"slices"
	"strings"
)

// Choice says which checks a user wants to see. All are judged whatever is chosen, since a check's needs decide
// whether it has anything to say.
type Choice struct {
	// Only are the ids to show; all when empty.
	Only []string
	// Skip are the ids to leave out.
	Skip []string
	// Categories are those to show; all when empty.
	Categories []string
}

// Narrows is true when anything is left out.
func (c Choice) Narrows() bool { return len(c.Only)+len(c.Skip)+len(c.Categories) > 0 }

// Validate says which of the chosen names there are not, with those that look alike.
func (c Choice) Validate() error {
	var ids, categories []string
	for _, known := range All() {
		ids = append(ids, known.ID)
	}
	for _, known := range Categories() {
		categories = append(categories, string(known))
	}
	for _, id := range slices.Concat(c.Only, c.Skip) {
		if !slices.Contains(ids, id) {
			return unknown("check", id, ids)
		}
	}
	for _, name := range c.Categories {
		if !slices.Contains(categories, name) {
			return unknown("category", name, categories)
		}
	}
	return nil
}

// Find is the check of an id; the error names those that look alike.
func Find(id string) (Check, error) {
	var ids []string
	for _, c := range All() {
		if c.ID == id {
			return c, nil
		}
		ids = append(ids, c.ID)
	}
	return Check{}, unknown("check", id, ids)
}

// Of are the chosen ones among checks.
func (c Choice) Of(checks []Check) []Check {
	var chosen []Check
	for _, one := range checks {
		if c.has(one.ID, one.Category) {
			chosen = append(chosen, one)
		}
	}
	return chosen
}

// Results are the chosen ones among the results of the checks that were asked. Those that stand in the way of a chosen one are given apart: a check
// that was skipped because another failed has not passed, and who asks for it alone must not take it so. Nor has one
// that came to no result because the clusters that it is about were not found.
func (c Choice) Results(asked []Check, all []Result) (chosen, grounds []Result) {
	chosen = []Result{} // for programs: an empty list, not none
	for _, r := range all {
		if c.has(r.ID, r.Category) {
			chosen = append(chosen, r)
		}
	}
	// A ground may be skipped for a ground of its own; the list grows while it is walked.
	reasons := slices.Clone(chosen)
	for i := 0; i < len(reasons); i++ {
		skipped := reasons[i]
		if skipped.Needs == "" || slices.Contains(c.Skip, skipped.Needs) {
			continue
		}
		for _, r := range grounded(all, skipped) {
			if !slices.ContainsFunc(reasons, r.sameAs) {
				reasons, grounds = append(reasons, r), append(grounds, r)
			}
		}
	}
	silencers := c.silencers(asked, chosen)
	for _, r := range all {
		bad := r.Status == Fail || r.Status == Unknown
		if bad && slices.Contains(silencers, r.ID) && !slices.Contains(c.Skip, r.ID) && !slices.ContainsFunc(reasons, r.sameAs) {
			grounds = append(grounds, r)
		}
	}
	return chosen, grounds
}

// sameAs is true for the same judgement.
func (r Result) sameAs(other Result) bool {
	return r.ID == other.ID && r.Cluster == other.Cluster && r.To == other.To && r.Seen == other.Seen
}

// silencers are the ids of the checks whose failure may be why chosen ones came to no result at all.
func (c Choice) silencers(asked []Check, chosen []Result) []string {
	if !c.Narrows() {
		return nil
	}
	needs := map[string][]string{}
	var ids []string
	for _, one := range asked {
		needs[one.ID] = one.Needs
		if c.has(one.ID, one.Category) && !slices.ContainsFunc(chosen, func(r Result) bool { return r.ID == one.ID }) {
			// verify finds the remotes from the primary's secrets.
			ids = append(ids, "reachable", "secret-malformed")
			ids = append(ids, one.Needs...)
		}
	}
	for i := 0; i < len(ids); i++ {
		for _, need := range needs[ids[i]] {
			if !slices.Contains(ids, need) {
				ids = append(ids, need)
			}
		}
	}
	return ids
}

// grounded are the results for which one was skipped: of its own cluster, or else of the primary, for which alone
// some checks are asked.
func grounded(all []Result, skipped Result) []Result {
	var here, elsewhere []Result
	for _, r := range all {
		switch {
		case r.ID != skipped.Needs:
		case r.Cluster == skipped.Cluster:
			here = append(here, r)
		default:
			elsewhere = append(elsewhere, r)
		}
	}
	if here != nil {
		return here
	}
	return elsewhere
}

func (c Choice) has(id string, category Category) bool {
	return (len(c.Only) == 0 || slices.Contains(c.Only, id)) &&
		(len(c.Categories) == 0 || slices.Contains(c.Categories, string(category))) &&
		!slices.Contains(c.Skip, id)
}

// unknown says that there is no such name, and which are near it.
func unknown(kind, name string, known []string) error {
	if near := alike(name, known); len(near) > 0 {
		return fmt.Errorf("there is no %s %q; did you mean %s?", kind, name, strings.Join(near, ", "))
	}
	if len(known) < 12 {
		return fmt.Errorf("there is no %s %q; there are: %s", kind, name, strings.Join(known, ", "))
	}
	return fmt.Errorf("there is no %s %q; kubectl mesh verify --list shows them all", kind, name)
}

// alike are the names that contain what was given, or differ from it by a slip of the finger or two; the nearest
// first, and few.
func alike(given string, known []string) []string {
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
		by := slips(given, name)
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

// slips is how many letters must be put in, taken out or changed to make one word of another.
func slips(a, b string) int {
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
