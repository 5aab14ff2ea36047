package plan

// ApplyRemoteSecret gives the primary the credentials for a remote.
type ApplyRemoteSecret struct {
	Remote, Server, TLSServerName string
	// New is true where the primary had no credentials for the remote when the run looked around.
	New bool
	// InPlace is true where the control plane takes over credentials that change in a secret: others that are there are replaced.
	InPlace bool
}

func (a ApplyRemoteSecret) describe() description {
	return description{writes: true, remote: a.Remote}
}

// DropRemoteSecrets deletes secrets with a remote's credentials, so that istiod forgets the cluster.
type DropRemoteSecrets struct {
	Remote  string
	Secrets []SeenSecret
}

func (a DropRemoteSecrets) describe() description {
	return description{writes: true, remote: a.Remote}
}

// SeenSecret is a secret as it was seen: one of that name with another UID has been created since.
type SeenSecret struct{ Name, UID string }

// AwaitSynced waits until every istiod replica has read the remote.
type AwaitSynced struct {
	Remote string
	// Restart allows to restart istiod where it has stopped processing remote secrets.
	Restart bool
}

func (a AwaitSynced) describe() description {
	return description{remote: a.Remote, mayAlso: restartOfIstiod(a.Restart)}
}

// AwaitForgotten waits until no istiod replica knows the remote.
type AwaitForgotten struct {
	Remote string
	// Restart allows to restart istiod where it has stopped processing remote secrets.
	Restart bool
}

func (a AwaitForgotten) describe() description {
	return description{remote: a.Remote, mayAlso: restartOfIstiod(a.Restart)}
}

// restartOfIstiod says that a wait may restart istiod, where it is allowed to.
func restartOfIstiod(allowed bool) string {
	if !allowed {
		return ""
	}
	return "Restart istiod, replica by replica, if it has stopped processing remote secrets"
}
