package golden

import (
	"strings"
	"testing"
)

func TestDifference(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ name, wanted, got, says string }{
		{"a changed line", "a\nb\n", "a\nc\n", `line 2 is "c\n", wanted "b\n"`},
		{"a line more", "a\n", "a\nb\n", `line 2 is "b\n", wanted ""`},
		{"a line less", "a\nb\n", "a\n", `line 2 is "", wanted "b\n"`},
		{"no newline at the end", "a\n", "a", `line 1 is "a", wanted "a\n"`},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if says := difference(test.wanted, test.got); !strings.HasPrefix(says, test.says) {
				t.Errorf("got %q, wanted it to begin with %q", says, test.says)
			}
		})
	}
	if says := difference("a\n", "a\n"); says != "" {
		t.Errorf("equal texts differ: %s", says)
	}
}
