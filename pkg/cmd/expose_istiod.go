package cmd

import (
	"context"
	"fmt"
	"net/netip"
	"strings"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/kubectl/pkg/util/templates"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/app"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/istio/wellknown"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/mesh"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/snapshot"
)

type exposeIstiod struct {
	write   writing
	request app.ExposeIstiod
}

func newExposeIstiod(g *global) *cobra.Command {
	e := &exposeIstiod{write: writing{global: g}}
	c := &cobra.Command{
		Use:   "expose-istiod",
		Short: "Publish the primary's istiod to other clusters",
		Long: long(`
			Install the east-west gateway in the cluster of --context, wait for its external address, and publish istiod
			through it: port 15012 for the remotes' proxies and 15017 for their injection webhooks.

			The address is reachable by whoever can reach the load balancer. TLS passes through to istiod, which asks for
			credentials on 15012; on 15017 it answers injection requests of anybody. Restrict it with
			--load-balancer-source-range, or with your cloud's annotation for an internal load balancer.`),
		Example: templates.Examples(`
			# Publish istiod at the address that the load balancer gives
			kubectl mesh expose-istiod --context east

			# Only for the networks of the other clusters
			kubectl mesh expose-istiod --context east --load-balancer-source-range 10.20.0.0/16,203.0.113.7/32

			# An internal load balancer of AWS, made by the AWS Load Balancer Controller
			kubectl mesh expose-istiod --context east \
			  --gateway-annotation service.beta.kubernetes.io/aws-load-balancer-type=external \
			  --gateway-annotation service.beta.kubernetes.io/aws-load-balancer-scheme=internal

			# Behind NAT, or without a load balancer
			kubectl mesh expose-istiod --context east --address 203.0.113.7`),
		Args: noArguments,
		RunE: func(c *cobra.Command, _ []string) error { return e.run(c.Context()) },
	}
	e.write.addFlags(c)
	f := c.Flags()
	f.Var(&onceValue{value: &e.request.Gateway.Address}, "address", "IP or hostname that other clusters reach the gateway by, instead of the load balancer's")
	f.StringSliceVar(&e.request.Gateway.SourceRanges, "load-balancer-source-range", nil, "CIDR that the load balancer lets in; may be given more than once")
	f.StringToStringVar(&e.request.Gateway.Annotations, "gateway-annotation", nil, "Annotation of the gateway's Service, as KEY=VALUE; may be given more than once")
	return c
}

// validate finds wrong flags before any cluster is called.
func (e *exposeIstiod) validate() error {
	for _, cidr := range e.request.Gateway.SourceRanges {
		if _, err := netip.ParsePrefix(cidr); err != nil {
			return usage("--load-balancer-source-range %q is not a CIDR such as 10.0.0.0/8", cidr)
		}
	}
	if e.request.Gateway.Address != "" {
		if err := mesh.ValidateAddress(e.request.Gateway.Address); err != nil {
			return usage("--address %w", err)
		}
	}
	for key := range e.request.Gateway.Annotations {
		if problems := validation.IsQualifiedName(strings.ToLower(key)); len(problems) > 0 {
			return usage("--gateway-annotation %q is not a valid key: %s", key, strings.Join(problems, "; "))
		}
	}
	return nil
}

func (e *exposeIstiod) run(ctx context.Context) error {
	ctx, cancel := bounded(ctx, e.write.timeout)
	defer cancel()
	if err := e.validate(); err != nil {
		return err
	}
	if err := e.write.objects.validate(); err != nil {
		return err
	}
	session := e.write.session()
	prepared, err := session.PrepareExpose(ctx, e.request)
	if err != nil {
		return err
	}
	e.write.printKept(prepared.KeptSettings)
	outcome, err := e.write.carryOut(ctx, prepared)
	if err != nil {
		return err
	}
	if err := outcome.Err(); err != nil || e.write.objects.dry() {
		return err
	}
	gateway, err := session.Gateway(ctx, prepared.Mesh)
	if err != nil {
		return err
	}
	e.summary(prepared.Mesh, gateway, outcome.Run.Wrote)
	return nil
}

// summary says where istiod is published.
func (e *exposeIstiod) summary(m mesh.Mesh, gateway snapshot.Gateway, wrote bool) {
	out, global := e.write.summaryOut(), e.write.global
	primary, _ := m.Primary()
	if !wrote {
		fmt.Fprintf(out, "istiod of %s is already published at %s: nothing was written.\n", primary.Name, gateway.Address)
	} else {
		fmt.Fprintf(out, "istiod of %s is published at %s, ports %d and %d.\n", primary.Name, gateway.Address, wellknown.PortXDS, wellknown.PortWebhook)
	}
	if len(gateway.SourceRanges) == 0 && len(gateway.Annotations) == 0 {
		fmt.Fprintf(global.ErrOut, "Warning: whoever reaches %s can talk to istiod. Restrict it with --load-balancer-source-range, or with your cloud's --gateway-annotation for an internal load balancer.\n", gateway.Address)
	}
	fmt.Fprintf(out, "Next: %s\n", global.next(m, "attach-remote", "CONTEXT"))
}
