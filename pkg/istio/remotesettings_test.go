package istio

import (
	"strings"
	"testing"
)

// What counts in the primary alone is refused in a remote, each setting by its path.
func TestIdleInRemote(t *testing.T) {
	t.Parallel()
	idle := []string{
		"hub", "tag", "meshConfig.defaultConfig.concurrency", "meshConfig.trustDomain", "values.meshConfig.accessLogFile", "values.global.hub",
		"values.global.proxy.logLevel", "values.global.proxy.resources.requests.cpu", "values.global.proxy_init.resources.requests.cpu",
		"values.global.logging.level", "values.pilot.env.ANY", "values.pilot.resources.requests.cpu", "values.telemetry.enabled",
		"components.pilot.k8s.replicaCount",
	}
	charts := Charts{Set: []string{"values.sidecarInjectorWebhook.reinvocationPolicy=IfNeeded"}} // it counts, and is not named
	for _, path := range idle {
		value := map[string]string{
			"hub": "registry.example/istio", "values.global.hub": "registry.example/istio", "values.global.logging.level": "default:debug",
			"meshConfig.defaultConfig.concurrency": "2", "values.telemetry.enabled": "false", "components.pilot.k8s.replicaCount": "2",
		}[path]
		if value == "" {
			value = "any"
		}
		charts.Set = append(charts.Set, path+"="+value)
	}
	if err := charts.ValidateRemote(); err == nil || !strings.Contains(err.Error(), "the primary's count: "+strings.Join(idle, ", ")+". Give them to install-primary") {
		t.Errorf("it says %v", err)
	}
}

// What does something in a remote is let through, and is seen in its objects.
func TestAtWorkInRemote(t *testing.T) {
	t.Parallel()
	defaults, err := Charts{}.remoteOf(nil)
	if err != nil {
		t.Fatal(err)
	}
	without := text(t, defaults)
	for _, sets := range []string{
		"values.sidecarInjectorWebhook.reinvocationPolicy=IfNeeded",
		"values.sidecarInjectorWebhook.enableNamespacesByDefault=true",
		"values.revisionTags={blue,green}",
		"values.global.imagePullSecrets={mine}",
		"values.base.excludedCRDs={wasmplugins.extensions.istio.io}",
		"values.pilot.env.MCS_API_GROUP=example.com",
		"values.istiodRemote.enabledLocalInjectorIstiod=true values.pilot.env.ANY=1 hub=registry.example/istio",
	} {
		t.Run(sets, func(t *testing.T) {
			t.Parallel()
			charts := Charts{Set: strings.Fields(sets)}
			if err := charts.ValidateRemote(); err != nil {
				t.Errorf("it is refused: %v", err)
			}
			user, err := charts.merged(nil)
			if err != nil {
				t.Fatal(err)
			}
			if with, err := charts.remoteOf(user); err != nil || text(t, with) == without {
				t.Errorf("it does nothing: %v", err)
			}
		})
	}
}
