package cmd

import (
	"context"
	"fmt"
	"net/netip"
	"strings"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/kubectl/pkg/util/templates"

	"github.com/kubectl-mesh/kubectl-mesh/pkg/check"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/istio"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/istio/wellknown"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/mesh"
	"github.com/kubectl-mesh/kubectl-mesh/pkg/plan"
)

type exposeIstiod struct {
	*options
	gateway plan.GatewayOptions
}

func newExposeIstiod(o *options) *cobra.Command {
	e := &exposeIstiod{options: o}
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
	o.addWriteFlags(c)
	o.addChartFlags(c)
	f := c.Flags()
	f.Var(&onceValue{value: &e.gateway.Address}, "address", "IP or hostname that other clusters reach the gateway by, instead of the load balancer's")
	f.StringSliceVar(&e.gateway.SourceRanges, "load-balancer-source-range", nil, "CIDR that the load balancer lets in; may be given more than once")
	f.StringToStringVar(&e.gateway.Annotations, "gateway-annotation", nil, "Annotation of the gateway's Service, as KEY=VALUE; may be given more than once")
	return c
}

func (e *exposeIstiod) validate() error {
	for _, cidr := range e.gateway.SourceRanges {
		if _, err := netip.ParsePrefix(cidr); err != nil {
			return usage("--load-balancer-source-range %q is not a CIDR such as 10.0.0.0/8", cidr)
		}
	}
	if e.gateway.Address != "" {
		if err := mesh.ValidateAddress(e.gateway.Address); err != nil {
			return usage("--address %w", err)
		}
	}
	for key := range e.gateway.Annotations {
		if problems := validation.IsQualifiedName(strings.ToLower(key)); len(problems) > 0 {
			return usage("--gateway-annotation %q is not a valid key: %s", key, strings.Join(problems, "; "))
		}
	}
	return nil
}

func (e *exposeIstiod) run(ctx context.Context) error {
	ctx, cancel := bounded(ctx, e.timeout)
	defer cancel()
	if err := e.validate(); err != nil {
		return err
	}
	if err := e.objects.validate(); err != nil {
		return err
	}
	if err := e.charts.Validate(); err != nil {
		return usage("%w", err)
	}
	m, err := e.newMesh(nil)
	if err != nil {
		return err
	}
	m.Clusters[0].Gateway = e.gateway.Address
	s, err := e.look(ctx, m, plan.ExposeIstiod)
	if err != nil {
		return err
	}
	if err := s.complete(); err != nil {
		return err
	}
	if err := e.refuse(check.BeforeExpose, s); err != nil {
		return err
	}
	if err := e.keepAll(ctx, s, mesh.Primary, istio.EastWestSet); err != nil {
		return err
	}
	steps := plan.Slice(plan.Build(s.mesh, s.snapshot, plan.Options{Gateway: e.gateway, Wait: e.wait}), plan.ExposeIstiod)
	if e.objects.dry() {
		return e.showDryRun(ctx, s, steps)
	}
	outcome, err := e.carryOut(ctx, s, steps)
	if err != nil {
		return err
	}
	if err := failure(outcome, steps); err != nil {
		return err
	}
	return e.summary(ctx, s, outcome.Wrote)
}

func (e *exposeIstiod) summary(ctx context.Context, s *session, wrote bool) error {
	after, err := e.look(ctx, s.mesh)
	if err != nil {
		return err
	}
	primary, _ := s.mesh.Primary()
	gateway, _ := after.snapshot.Clusters[plan.PrimaryKey].Gateway(wellknown.EastWestGateway)
	if !wrote {
		fmt.Fprintf(e.said(), "istiod of %s is already published at %s: nothing was written.\n", primary.Name, gateway.Address)
	} else {
		fmt.Fprintf(e.said(), "istiod of %s is published at %s, ports %d and %d.\n", primary.Name, gateway.Address, wellknown.PortXDS, wellknown.PortWebhook)
	}
	if len(gateway.SourceRanges) == 0 && len(gateway.Annotations) == 0 {
		fmt.Fprintf(e.ErrOut, "Warning: whoever reaches %s can talk to istiod. Restrict it with --load-balancer-source-range, or with your cloud's --gateway-annotation for an internal load balancer.\n", gateway.Address)
	}
	fmt.Fprintf(e.said(), "Next: %s\n", e.next(s.mesh, "attach-remote", "CONTEXT"))
	return nil
}
