package facts

import "testing"

func TestAddress(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]struct{ ipv4, hostname, attachable bool }{
		"192.0.2.10":       {true, false, true},
		"::ffff:192.0.2.1": {true, false, true},
		"fd00::1":          {false, false, false},
		"gw.example":       {false, true, true},
		"192.0.2":          {false, true, true},
		"":                 {false, false, true},
	} {
		if IsIPv4(address) != want.ipv4 || IsHostname(address) != want.hostname || IsAttachable(address) != want.attachable {
			t.Errorf("%q: IPv4 %v, hostname %v, attachable %v", address, IsIPv4(address), IsHostname(address), IsAttachable(address))
		}
	}
}
