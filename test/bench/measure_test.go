package bench

import (
	"slices"
	"testing"
	"time"
)

func TestStepsOf(t *testing.T) {
	got := stepsOf("✔ Installation complete\n     1.435 s  istioctl install, remote\n" +
		"✓ west      Create namespace istio-system: 1 created (0.1s)\n… west  Wait\n✓ west  Wait for it (2m5s)\n")
	want := []step{
		{"istioctl install, remote", 1435 * time.Millisecond},
		{"west Create namespace istio-system", 100 * time.Millisecond},
		{"west Wait for it", 125 * time.Second},
	}
	if !slices.Equal(got, want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
}

func TestMedian(t *testing.T) {
	if got := median([]time.Duration{9, 1, 2}); got != 2 {
		t.Errorf("of three: %d", got)
	}
	if got := median([]time.Duration{9, 1, 2, 4}); got != 3 {
		t.Errorf("of four: %d", got)
	}
}
