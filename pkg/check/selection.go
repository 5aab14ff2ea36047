package check

import (
	"slices"
)

// Selection says which checks a user wants to see. All are judged whatever is selected, since a check's needs decide
// whether it has anything to say.
type Selection struct {
	// Only are the ids to show; all when empty.
	Only []string
	// Skip are the ids to leave out.
	Skip []string
	// Categories are those to show; all when empty.
	Categories []string
}

// Narrows is true when anything is left out.
func (s Selection) Narrows() bool { return len(s.Only)+len(s.Skip)+len(s.Categories) > 0 }

// Validate says which of the selected names there are not, with those that look alike.
func (s Selection) Validate() error {
	var ids, categories []string
	for _, known := range All() {
		ids = append(ids, known.ID)
	}
	for _, known := range Categories() {
		categories = append(categories, string(known))
	}
	for _, id := range slices.Concat(s.Only, s.Skip) {
		if !slices.Contains(ids, id) {
			return notFound("check", id, ids)
		}
	}
	for _, name := range s.Categories {
		if !slices.Contains(categories, name) {
			return notFound("category", name, categories)
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
	return Check{}, notFound("check", id, ids)
}

// Of are the selected ones among checks.
func (s Selection) Of(checks []Check) []Check {
	var selected []Check
	for _, one := range checks {
		if s.has(one.ID, one.Category) {
			selected = append(selected, one)
		}
	}
	return selected
}

func (s Selection) has(id string, category Category) bool {
	return (len(s.Only) == 0 || slices.Contains(s.Only, id)) &&
		(len(s.Categories) == 0 || slices.Contains(s.Categories, string(category))) &&
		!slices.Contains(s.Skip, id)
}

// Results are the selected ones among the results of the checks that were asked. Those that stand in the way of a selected one are
// given apart: a check that was skipped because another failed has not passed, and who asks for it alone must not take it so. Nor
// has one that came to no result because the clusters that it is about were not found.
func (s Selection) Results(asked []Check, all []Result) (selected, causes []Result) {
	selected = []Result{} // for programs: an empty list, not none
	for _, r := range all {
		if s.has(r.ID, r.Category) {
			selected = append(selected, r)
		}
	}
	// A cause may be skipped for a cause of its own; the list grows while it is walked.
	given := slices.Clone(selected)
	for i := 0; i < len(given); i++ {
		skipped := given[i]
		if skipped.Needs == "" || slices.Contains(s.Skip, skipped.Needs) {
			continue
		}
		for _, r := range causesOf(all, skipped) {
			if !slices.ContainsFunc(given, r.sameAs) {
				given, causes = append(given, r), append(causes, r)
			}
		}
	}
	possible := s.possibleCauses(asked, selected)
	for _, r := range all {
		bad := r.Status == Fail || r.Status == Unknown
		if bad && slices.Contains(possible, r.ID) && !slices.Contains(s.Skip, r.ID) && !slices.ContainsFunc(given, r.sameAs) {
			causes = append(causes, r)
		}
	}
	return selected, causes
}

// sameAs is true for the same judgement.
func (r Result) sameAs(other Result) bool {
	return r.ID == other.ID && r.Cluster == other.Cluster && r.To == other.To && r.ControlPlane == other.ControlPlane && r.Seen == other.Seen
}

// possibleCauses are the ids of the checks whose failure may be why selected ones came to no result at all.
func (s Selection) possibleCauses(asked []Check, selected []Result) []string {
	if !s.Narrows() {
		return nil
	}
	needs := map[string][]string{}
	var ids []string
	for _, one := range asked {
		needs[one.ID] = one.Needs
		if s.has(one.ID, one.Category) && !slices.ContainsFunc(selected, func(r Result) bool { return r.ID == one.ID }) {
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

// causesOf are the results for which one was skipped: of its own cluster, or else of the primary, for which alone
// some checks are asked.
func causesOf(all []Result, skipped Result) []Result {
	var here, elsewhere []Result
	for _, r := range all {
		switch {
		case r.ID != skipped.Needs, r.ControlPlane != "" && skipped.ControlPlane != "" && r.ControlPlane != skipped.ControlPlane:
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
