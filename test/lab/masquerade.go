package lab

import (
	"bytes"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
)

// masqueradeRules are the nftables rules of a cluster's node. What its pods send to pods on their own network keeps their
// address; whatever else leaves the node bears the node's, since nobody out there has a way back to the pods.
func masqueradeRules(of Cluster, all []Cluster) string {
	var direct []string
	for _, each := range all {
		if each.Network == of.Network {
			direct = append(direct, podRange(each.Number).String())
		}
	}
	return fmt.Sprintf(`add table ip lab
delete table ip lab
table ip lab {
  chain postrouting {
    type nat hook postrouting priority srcnat;
    oifname %q ip saddr %s ip daddr != { %s } masquerade
  }
}
`, nodeDevice, podRange(of.Number), strings.Join(direct, ", "))
}

// masquerade sets the rules in a cluster's space, in place of those that are there.
func masquerade(space int, of Cluster, all []Cluster) error {
	nft, err := lookPath("nft")
	if err != nil {
		return err
	}
	var said bytes.Buffer
	command := exec.Cmd{
		Path: nft, Args: []string{"nft", "-f", "-"}, Env: environment(), Stdin: strings.NewReader(masqueradeRules(of, all)),
		Stdout: &said, Stderr: &said,
	}
	err = inThread(func() error {
		if err := enterNetwork(space)(); err != nil {
			return err
		}
		return command.Start()
	})
	if err := errors.Join(err, waitFor(&command)); err != nil {
		return fmt.Errorf("nft: %w: %s", err, bytes.TrimSpace(said.Bytes()))
	}
	return nil
}

// waitFor waits for a program to end, if it was started.
func waitFor(command *exec.Cmd) error {
	if command.Process == nil {
		return nil
	}
	return command.Wait()
}

// lookPath finds a program on the path and in the places of system programs.
func lookPath(program string) (string, error) {
	for dir := range strings.SplitSeq(searchPath(), ":") {
		if path := filepath.Join(dir, program); executable(path) {
			return path, nil
		}
	}
	return "", fmt.Errorf("there is no program %s", program)
}
