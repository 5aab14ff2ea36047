package plan

// DeleteRemote deletes a part of the remote profile, by the record that an earlier run left of what it applied. A part that is not
// recorded is passed over.
type DeleteRemote struct {
	Part RemotePart
	// Shared deletes what all revisions have in common, too.
	Shared bool
}

func (DeleteRemote) describe() description { return writes() }
