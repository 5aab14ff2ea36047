package plan

// Action is what a step does. An action carries what the user and the Snapshot decide; what only exists once earlier steps
// are done, such as an address or a token, is read from the clusters when the step runs, so that a plan needs no memory
// of an earlier try. The types that implement it are in the files actions_*.go; pkg/execute carries them out.
//
//sumtype:decl
type Action interface {
	// describe says what the plan and the commands must know of the action.
	describe() description
}

// description is what is to be known of an action. The zero value describes a wait on whose outcome no write depends.
type description struct {
	// writes is true for an action that changes a cluster. All others wait.
	writes bool
	// provides is true for a wait that ends with something of which a later write is made, such as an address or a token.
	// --wait=false keeps it.
	provides bool
	// remote is the remote cluster that an action on another cluster concerns.
	remote string
	// mayAlso is what the action does beside its step's title, where nothing else helps.
	mayAlso string
}

// writes describes most actions that change a cluster.
func writes() description { return description{writes: true} }

// waits describes most actions that wait.
func waits() description { return description{} }
