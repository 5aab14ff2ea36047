package check

// explanation is what docs/checks.md and `verify --explain` say about a check.
type explanation struct{ why, fix string }

// explanations are those of every check, by id. "#" and a number is an issue of istio/istio in which people met it.
func explanations() map[string]explanation {
	return map[string]explanation{
		"reachable": {
			`The API server of a context did not answer, or refused the user's credentials. Without it nothing else can be
			said about that cluster, so every other check of it is skipped. The check fails only for an answer: credentials that
			are refused, or a certificate that is not trusted. If nobody answers, or a proxy answers in the API server's place,
			and retries do not help, the result is unknown: the cluster itself may be healthy. A remote for which your kubeconfig
			has no context is read with the credentials of its remote secret, as istiod reads it; what its account may not read
			is unknown.`,
			`Try the context with kubectl. If the remote is fine but you have no context for it, ask for one, or name it as
			NAME=CONTEXT.`,
		},
		"same-cluster": {
			`Two contexts lead to one cluster: their kube-system namespaces have the same UID. Kubeconfigs often have several
			names for one cluster. A cluster can't be a remote of itself, and attached twice it would give every endpoint twice.`,
			`Leave one of the contexts out.`,
		},
		"permission": {
			`The command will need permissions that you do not have in this cluster. It would stop half-way, so it asks the API
			server first (SelfSubjectAccessReview) and does not begin.`,
			`Ask an administrator of the cluster for what is named. docs/security.md lists what each command needs.`,
		},
		"kubernetes-version": {
			`The cluster's Kubernetes is older than the oldest that this Istio release supports. The charts may use API versions
			that are not there, and nobody tests the combination.`,
			`Upgrade the cluster, or install an older Istio release with --manifests.`,
		},
		"namespace-terminating": {
			`Istio's namespace is being deleted, so nothing can be created in it. Mostly it waits for a finalizer, or for an
			API service that does not answer.`,
			`Wait until it is gone, then run the command again. If it stays, its status says what it waits for.`,
		},
		"primary-is-remote": {
			`The cluster of --context is attached to another primary as its remote, or was when a control plane was installed
			over it: the annotation, the injection path, the Service or EndpointSlice of istiod, or the record of attach-remote
			say so. One wrong current context is enough. A control plane installed over a remote takes it from its primary, with
			another root of trust, and breaks the traffic in both directions.`,
			`Name the primary's context with --context. Where a control plane was installed over a remote, the result has the
			commands that remove it and attach the cluster again. To take a remote from its primary on purpose, name it to
			install-primary with --convert-remote.`,
		},
		"adoptable": {
			`A control plane is there that another tool installed. It is read, never installed again, so it must already be
			what a primary is: it may manage remote clusters (EXTERNAL_ISTIOD), and has a cluster name and a mesh ID of its own.
			A primary that kubectl-mesh installed keeps its name, mesh ID and network, because every proxy and every remote knows
			it by them.`,
			`Set the missing values with the tool that made the control plane. The result names the tool and its command.`,
		},
		"no-istiod": {
			`The primary has no istiod of the wanted revision. Either none was installed, or --revision, --namespace or --context
			lead elsewhere.`,
			`Install it with install-primary, or choose one of the revisions that there are with --revision.`,
		},
		"external-off": {
			`istiod was installed without EXTERNAL_ISTIOD=true. It then reads remote clusters, but never leads in them: it writes
			no root certificates there and patches no webhooks, so that no pod of a remote can start with a sidecar.`,
			`Set pilot.env.EXTERNAL_ISTIOD=true with the tool that installed istiod.`,
		},
		"name-default": {
			`The control plane has the default cluster name "Kubernetes" (#42516). Every cluster that nobody named has it. Two of
			one name can't be told apart: istiod would take a remote's pods for its own, or ignore the remote.`,
			`Set global.multiCluster.clusterName with the tool that installed istiod, and restart the workloads, which carry the
			old name.`,
		},
		"istiod-ready": {
			`Not every replica of istiod is ready. Running proxies keep what they have, but new pods get no sidecar and no
			certificate from a replica that is down. istiod may also wait for a remote cluster that does not answer
			(PILOT_REMOTE_CLUSTER_TIMEOUT), until it gives up (#30838, #33564).`,
			`Look at the Deployment's events and at the log of its pods.`,
		},
		"version-skew": {
			`The primary's istiod and the charts that remotes are made with are of different minor releases. A remote would get
			webhooks, roles and settings that fit another istiod (#52951). verify only warns, since what is installed may fit;
			commands that would write refuse.`,
			`Upgrade the primary, or give the charts of its own release with --manifests.`,
		},
		"address-pending": {
			`The Service of the east-west gateway has no external address, so remotes can't find istiod. Most often the cluster
			has no controller for Services of type LoadBalancer, as on kind or bare metal, or the controller refuses (quota,
			subnet, annotation) (#49045, #43656). Or there is no gateway yet.`,
			`Run expose-istiod, which waits a bounded time and tells what the controller says. Without such a controller, install
			one (MetalLB), or give --address.`,
		},
		"gateway-ready": {
			`The gateway has a Service, but no pod behind it is ready. Remotes get no connection to istiod: no injection, no
			configuration, no certificates.`,
			`Look at the gateway's pods. Is its image "auto"? Then injection-not-ready has the cause.`,
		},
		"not-exposed": {
			`No VirtualService publishes istiod of this revision through the gateway. Connections to ports 15012 and 15017 of the
			gateway then end there (filter_chain_not_found in its log, #34059). Each revision needs its own.`,
			`Run expose-istiod for this revision.`,
		},
		"gateway-policy": {
			`An AuthorizationPolicy shuts the ports of the gateway that lead to istiod. A policy without a selector in Istio's
			namespace, as meshes have it that deny what is not allowed, is the gateway's too. TLS passes through the gateway, so
			no caller has an identity there that a policy could name. Remotes get no sidecars, no configuration and no
			certificates. A policy whose rules may let callers through, by their address for example, passes.`,
			`Allow ports 15012 and 15017 for the gateway's pods, and 15443 for calls between networks: istiod and the pods behind
			it check their callers themselves. A DENY policy must leave these ports out, since no other can overrule it.`,
		},
		"own-control-plane": {
			`A cluster that is to be a remote runs an istiod of its own. Two control planes would then patch the same webhooks and
			write the same ConfigMaps, each with its own root certificate.`,
			`Remove that istiod with the tool that installed it, or leave the cluster out.`,
		},
		"other-primary": {
			`Istio's namespace in the remote says, in the annotation topology.istio.io/controlPlaneClusters, that another primary
			leads there. Attaching it would take it from its mesh: its pods would get another root certificate while they serve.`,
			`Detach it from the other primary first. If that one is gone, remove the annotation.`,
		},
		"secret-localhost": {
			`The API server's address is one of the machine on which you sit (127.0.0.1, localhost), as kind and minikube write it
			into kubeconfigs. In istiod's pod it means that pod itself, so istiod never reads the remote (#31081, #44826).`,
			`Attach the cluster with --remote-server and an address that the primary's pods reach.`,
		},
		"secret-proxy": {
			`Your kubeconfig reaches the remote's API server through a proxy (proxy-url). A remote secret takes no proxy along:
			istiod would call the server without it, and whether that works can't be told from here.`,
			`Give attach-remote, with --remote-server, the address by which the primary's pods reach the API server; it may be the same
			one, where they need no proxy.`,
		},
		"secret-missing": {
			`The primary has no remote secret for a cluster that is said to be its remote: it was deleted, or the cluster was
			never attached. istiod does not know of the cluster, so its Services have no endpoints for the rest of the mesh, and
			its pods get no identity.`,
			`Attach the cluster.`,
		},
		"secret-malformed": {
			`istiod can't use a remote secret: its kubeconfig can't be read, or has what istiod refuses, such as a program to run
			or a file to read. istiod says so only in its log: the cluster is simply not there.`,
			`Delete the secret and attach the cluster again.`,
		},
		"name-duplicate": {
			`A cluster's name must stand for one cluster. istiod ignores a remote with the primary's own name, and uses only the
			first of two secrets with one key, both silently (#36365). One cluster under two names gives every endpoint twice.
			Clusters are told apart by the UID of their namespace kube-system, which is read with each secret's own credentials.
			Where it can't be read, and the token is not the cluster's own, the answer is unknown.`,
			`Keep one secret for each name, and give each cluster a name of its own (NAME=CONTEXT).`,
		},
		"annotation-missing": {
			`Istio's namespace in the remote must name its primary in the annotation topology.istio.io/controlPlaneClusters.
			istiod decides by it, once, when the cluster is added, whether it leads there. Without it no webhook is patched and
			no root certificate written; set later, it changes nothing until the cluster is added anew (#43320).`,
			`Attach the cluster again, which sets the annotation and adds the cluster anew.`,
		},
		"annotation-late": {
			`The remote's namespace has the annotation and istiod has read the cluster, but it does not lead there: no webhook has its
			certificate, and no namespace its root. istiod decides once, when it is told of a cluster; this one was annotated
			after its secret was there (#43320). It stays so until the cluster is added anew.`,
			`Attach the cluster again, which takes the credentials away and gives them anew, so that istiod decides again.`,
		},
		"network-label": {
			`The label topology.istio.io/network of Istio's namespace says on which network the cluster's pods are. Where it is
			missing or wrong, istiod gives proxies the pods' own addresses across networks, or a gateway where none is needed
			(#42516, #49412).`,
			`Set the label. istiod takes it up at once.`,
		},
		"network-unconnected": {
			`The remote is on another network than the primary, and nothing leads from one to the other: each of them needs an
			east-west gateway with the label of its network, an address and port 15443, and the primary a Gateway of Istio's that
			publishes services there (AUTO_PASSTHROUGH). Without them istiod gives proxies no endpoint across networks, and every
			call to a service that is there alone fails. Gateways of Kubernetes' Gateway API publish services by themselves, and
			those that meshNetworks names count, too.`,
			`Publish services to other networks as Istio's guide for a primary and a remote on different networks does; kubectl
			mesh does not do it yet. attach-remote goes on without with --allow-unconnected-network. Clusters whose pods reach
			each other directly are on one network: leave --network out.`,
		},
		"revision-mismatch": {
			`The remote has no injector of the primary's revision, so its namespaces' labels lead nowhere: pods start without a
			sidecar, or ask an istiod that is not exposed (#47552, #34867). It was attached for another revision, or not to
			the end.`,
			`Attach the cluster again, with the primary's revision.`,
		},
		"name-mismatch": {
			`The injector's path gives pods a cluster name that differs from the key of the remote secret. istiod knows the
			cluster by the key alone and refuses the pods' certificates, and locality goes wrong (#47791).`,
			`Attach the cluster again; name, key and path then have one source.`,
		},
		"address-empty": {
			`The remote profile was installed without the address of istiod (values.global.remotePilotAddress). Istio's charts then
			make no Service istiod, without a word. It happens where a script reads the load balancer's .ip, and the cloud gave
			it a hostname, or nothing yet (#24155). Neither the API server nor proxies find istiod.`,
			`Attach the cluster again, which takes the gateway's address whatever its kind, and waits for it.`,
		},
		"slice-missing": {
			`In a remote the Service istiod has no pods behind it; an EndpointSlice, or an ExternalName, leads it to the gateway.
			Where that is missing or leads to an old address, neither the API server (injection) nor proxies find istiod (#58998,
			#24155). The gateway's address may have changed since the cluster was attached.`,
			`Attach the cluster again, which writes the gateway's present address.`,
		},
		"token-missing": {
			`istiod reads a remote through the account istio-reader-service-account, with a token from a Secret that the remote's
			controller manager fills. Kubernetes makes no such Secret by itself since 1.24 (#38246).`,
			`Attach the cluster again. If the Secret is there and stays empty, the token controller says why in its events.`,
		},
		"secret-unreachable": {
			`The API server in the remote secret does not answer istiod: a private endpoint, a firewall, an address that has changed,
			or a cluster that is gone (#34472, #57525). istiod sees no more changes there, and its start waits for such a cluster.
			With --traffic, pods of the primary call it, and what they find counts. Without, it fails if neither istiod has read the
			cluster nor this machine gets an answer.`,
			`Let the primary's pods reach the API server, or attach the cluster again with --remote-server and an address that they reach.
			Delete the secret of a cluster that is gone.`,
		},
		"secret-stale": {
			`A remote secret names a cluster whose API server answers nobody, and no context of yours leads to it. Most likely
			the cluster is gone. Each start of istiod waits for it, for up to 30 seconds, before proxies get their configuration
			(#30838, #33564).`,
			`Delete the secret. If the cluster does exist, give it an address that the primary reaches.`,
		},
		"secret-ca": {
			`The API server's certificate is not signed by the CA in the remote secret. A proxy in front of it (Rancher, Loft, a
			company's TLS inspection) shows its own (#51376), or the cluster's CA was rotated. With --traffic, pods of the primary
			look at it, and what they see counts. Before a cluster is attached, it is looked at from where the command runs, if
			the kubeconfig checks the certificate by another CA, or not at all.`,
			`Attach the cluster again, with --remote-server and the API server's own address if a proxy stands before it.`,
		},
		"token-expired": {
			`The remote's API server refuses the token in the remote secret: it was revoked, its Secret or account deleted, or it
			has expired. istiod goes on saying "synced", which is about its first reading only, and serves endpoints that get
			older and older (#60612, #34210).`,
			`Attach the cluster again, which writes a token that works.`,
		},
		"reader-rbac": {
			`The account that istiod reads the remote through may not read all that this istiod needs; for example configmaps,
			from 1.29 on (#59474). The role was installed by an older release. istiod then never finishes reading the cluster.`,
			`Attach the cluster again, which writes the role of the primary's release.`,
		},
		"sync-partial": {
			`Some replicas of istiod have read the remote, others have not. A proxy sees the remote's endpoints or not, depending
			on the replica that serves it, and this changes with each reconnect (#38440, #45992).`,
			`Delete the pods that have not; their successors read everything anew.`,
		},
		"not-synced": {
			`istiod does not say "synced" of the remote: it has no secret for it, or could not read everything there. Services in
			the remote have no endpoints for the rest of the mesh, and its pods get no identity.`,
			`Its log names the cluster and what it waits for. Where it is closed or not in its list, istiod does not try again,
			as when the credentials in a secret changed under Istio 1.29 (#59875): restart it.`,
		},
		"cabundle-empty": {
			`A webhook of the remote's injector has no caBundle, so the API server can't check istiod's certificate and does not
			call it: pods fail to start, or start without a sidecar (#42327, #30899). Or it has another one than the primary's root,
			left from another mesh or an earlier installation, by which it refuses istiod. istiod writes it when it leads in the
			cluster.`,
			`Attach the cluster again, so that istiod leads there and writes it.`,
		},
		"root-cm-missing": {
			`istiod writes the mesh's root certificate into every namespace (ConfigMap istio-ca-root-cert). Where it is missing,
			sidecars can't check istiod and stay in ContainerCreating (#29659, #43824). istiod does not lead in that cluster, or
			meshConfig.discoverySelectors does not select the namespace, or an istiod pod that has ended still holds the lock by
			which istiods elect the one that writes it.`,
			`Attach the remote again; in the primary, restart istiod. Give a namespace that is not selected the label that the
			selectors ask for. A lock of a pod that has ended runs out by itself, within a
			minute and a half: wait.`,
		},
		"roots-differ": {
			`A namespace has a root certificate that is not the primary's. Its pods and the others do not trust each other: calls
			end with CERTIFICATE_VERIFY_FAILED or UNKNOWN_CA (#32501, #52356). Mostly it is left from an earlier control plane, or
			each cluster made its own root.`,
			`Delete the ConfigMap, which istiod writes anew, and restart the pods that use it.`,
		},
		"address-hostname": {
			`The load balancer gave a hostname. A remote then finds istiod through a Service of type ExternalName, and an API server
			that calls webhooks at endpoints (EKS, k3s) refuses a webhook with such a Service (#45014, #37331). So attach-remote
			has API servers call a URL with that host. istiod's certificate must be for it, and the gateway needs a port for each
			named revision, since a URL tells it the host alone.`,
			`Run expose-istiod again, which gives both. Where another tool installed istiod, set ISTIOD_CUSTOM_HOST with that tool.`,
		},
		"address-ipv6": {
			`The gateway has an IPv6 address alone. Istio's charts for remotes take it for a hostname and make an ExternalName of it,
			which the API server does not accept.`,
			`Give the gateway's load balancer an IPv4 address too, or give expose-istiod the --address by which remotes reach it.`,
		},
		"webhook-address": {
			`The injector's webhook calls a URL with a host that is not the gateway's: its address has changed since the cluster was
			attached, or somebody has edited it. Or the gateway has a hostname and the webhook calls the Service istiod, as Istio's
			guide has it: an API server with --enable-aggregator-routing (EKS, k3s) refuses it, and any other calls port 443 of
			that host. While that works it is a warning.`,
			`Attach the cluster again, which writes the gateway's present address.`,
		},
		"secret-namespace": {
			`A remote secret is in a namespace in which istiod does not look; it reads only its own (#49780). It does nothing
			there but hold a token that works.`,
			`Delete it, and attach the cluster again.`,
		},
		"mesh-id": {
			`The remote was installed with another mesh ID than the primary. Proxies report it in their telemetry and for
			federation, where the two then look like different meshes.`,
			`Attach the cluster again, which takes the primary's mesh ID, and restart the workloads.`,
		},
		"network-overlap": {
			`Two clusters are on one network by their labels, but give their pods the same addresses (#35077, #42144). Calls meant
			for a pod of one cluster then reach a pod of the other, or none.`,
			`Give the clusters other pod ranges, or networks of their own (--network) with a gateway in each: see network-unconnected.`,
		},
		"firewall": {
			`The gateway has an address and serves, but not all of its ports answer: a firewall, a security group or the load
			balancer's source ranges are in between (#30765). Proxies need 15012, API servers 15017 (of a hostname, a named
			revision's own port). With
			--traffic, pods of each remote call the ports, and what they find counts; if nobody at all is answered, the result is of
			the primary. Without, only this machine calls: if no port answers it while the remotes are fine, it alone is shut out,
			and the check passes.`,
			`Let the remotes' pods, nodes and API servers reach the ports.`,
		},
		"gateway-trust": {
			`Somebody answers at the gateway's ports with a certificate that is not of the mesh's root: a load balancer or proxy that
			ends TLS, or an address that now belongs to another machine. Proxies refuse to talk to it. With --traffic, pods of each
			remote look too, and what they see counts: what stands between may stand before one cluster alone.`,
			`Let TLS pass through to istiod, or run expose-istiod so that remotes get the right address.`,
		},
		"injection": {
			`A pod that was created in a dry run got no sidecar of this cluster, although everything checked before is in order.
			This takes the whole way: namespace label, webhook, API server to gateway to istiod, and its answer. The error is the
			API server's own.`,
			`The error tells the link that broke. If the API server got no answer, let it reach the gateway's port for webhooks.
			Otherwise attach the cluster again, which rewrites all links on the remote's side.`,
		},
		"injection-not-ready": {
			`A gateway pod was created before injection worked. It has the placeholder image "auto", which can't be pulled, and
			stays so, because pods are injected only when they are created (#39282, #46307).`,
			`Delete the pod; its successor is injected.`,
		},
		"proxies": {
			`A proxy refuses the configuration that istiod sends (NACK) and keeps the last one that it took, so it misses every
			change since. Or it is of another minor release than istiod, which only warns: supported for a while, but old.`,
			`istioctl analyze finds the resource that makes the configuration invalid. Restart old workloads.`,
		},
		"unknown-cluster": {
			`A proxy is connected that says it is in a cluster which istiod does not know: one that was detached while its pods run
			on, or that was renamed. Its pods get no certificates when theirs expire.`,
			`Attach the cluster, or remove Istio from it.`,
		},
		"leftover": {
			`An injector is left of a revision for which the primary has no istiod, mostly from an uninstall or an upgrade (#38497,
			#23706). Pods in namespaces with its label fail to start, because the API server's call to it fails.`,
			`Delete the MutatingWebhookConfiguration.`,
		},
		"mixed-ambient": {
			`ztunnel runs in this cluster. Istio does not support ambient in a primary-remote mesh, and its multi-network flag
			drops endpoints of sidecars (#61713, #52571).`,
			`Keep to sidecars in such a mesh, or leave the cluster out.`,
		},
		"load-balancer": {
			`The east-west gateway needs an address that the other clusters reach. Nothing here shows that Services of type
			LoadBalancer get one: there are some without an address, or none at all and no cloud (#49045).`,
			`Install a controller for them (MetalLB), or give expose-istiod the --address.`,
		},
		"pod-security": {
			`Sidecars need the capability NET_ADMIN while they start, which the pod security standard of the cluster or of a
			namespace forbids. Pods with a sidecar would not be admitted.`,
			`Allow it for those namespaces, or install Istio's CNI plugin, which does the set-up on the node.`,
		},
		"clock-skew": {
			`The API servers' clocks differ by more than half a minute. Certificates and tokens that one side has just made are not
			valid yet on the other, so handshakes and logins fail for a while, or always.`,
			`Let all nodes follow a time server.`,
		},
		"probe-ready": {
			`The probe of --traffic did not become ready in a cluster, so nothing can be said about calls from and to it. Mostly its
			image can't be pulled there; --probe-image names another, and make probe builds the program for one. It also fails
			where a cluster has nodes and none of them can run a pod; a cluster without any node is skipped. It is unknown where
			the API server did not answer or --timeout left too little time, and where the probe ran but its second pod, which has
			no sidecar and calls the gateway or API servers, did not run or had no network.`,
			`Look at the cluster's nodes, and at its events, with --keep, so that the probe stays.`,
		},
		"service-asymmetric": {
			`A namespace asks for sidecars in two clusters, but one of them lacks a Service that the other has. A client looks
			the name up in the DNS of its own cluster and finds nothing, although istiod has the endpoints (#31760, #17087).`,
			`Create the Service in every cluster that has clients of it; it needs no pods there.`,
		},
		"service-inconsistent": {
			`Services of one name and namespace are one Service to the mesh, but they are not the same in two clusters: other
			ports, another type, or one is headless. istiod takes the ports and the type of one of them for all, so clients may
			call a port that half of the endpoints do not have. Istio's own analyzer says so (IST0170); only namespaces that
			ask for sidecars are looked at, and Istio's own is not.`,
			`Make them alike. The result shows the commands that print both.`,
		},
		"registry-unknown": {
			`meshNetworks, in the mesh configuration, gives a network to a registry that is none of the mesh's clusters: a
			misspelt name, or a cluster that was detached (IST0126 of Istio's own analyzer), or it can't be read at all. The
			pods of the cluster that was meant have no network then, and are called directly from other networks.`,
			`Give fromRegistry the cluster's name, which is the key of its remote secret; or take meshNetworks out, since the
			label topology.istio.io/network of Istio's namespaces says the same.`,
		},
		"trust-domain": {
			`Workloads show identities of another trust domain than the mesh is configured with. Authorization policies that
			name identities do not fit them, and peers of the other domain may refuse them (#37096).`,
			`Restart the workloads, so that they get certificates of the domain that istiod gives now.`,
		},
		"traffic": {
			`Calls from one cluster's pods to another's failed, went to a wrong cluster, or (a warning) came without mutual TLS. The
			result says at which link it broke as far as the error tells: name, endpoint, handshake, route or policy.`,
			`It depends on the link: the result names it, with a command.`,
		},
		"spread": {
			`A Service with endpoints in all clusters is one Service for its callers. Here calls to it failed, or (a warning) a cluster
			answered none of them. Locality load balancing or weights in a DestinationRule may want it so.`,
			`If traffic passes, look for DestinationRules; otherwise fix that first.`,
		},
	}
}
