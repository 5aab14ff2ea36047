package lab

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"
)

// linkPrefix begins the name of each lab's link in the machine's own network namespace: there is one for each.
const linkPrefix = "kmlab-"

// linkName is short, since the kernel allows no more than 15 characters.
func linkName(lab string) string {
	return fmt.Sprintf("%s%x", linkPrefix, sha256.Sum256([]byte(lab)))[:len(linkPrefix)+8]
}

const (
	bridge     = "lab"     // in the hub: joins the clusters and the machine
	nodeDevice = "eth0"    // in a cluster: its way to the bridge
	uplink     = "machine" // in the hub: the other end of the machine's link
)

// connectHub links the machine to the hub, whose process is given, under a lab's number that is free.
func connectHub(ctx context.Context, lab string, hub int) (number int, err error) {
	unlock, err := lock(ctx, home, nil)
	if err != nil {
		return 0, err
	}
	defer unlock()
	taken, err := takenRanges()
	if err != nil {
		return 0, err
	}
	if number, err = firstFree(taken, nodeRange); err != nil {
		return 0, fmt.Errorf("no addresses are left for another lab: %w", err)
	}
	link := &netlink.Veth{
		LinkAttrs:     netlink.LinkAttrs{Name: linkName(lab)},
		PeerName:      uplink,
		PeerNamespace: netlink.NsPid(hub),
	}
	if err := netlink.LinkAdd(link); err != nil {
		return 0, fmt.Errorf("make the link %s: %w", link.Name, err)
	}
	if err := raise(&netlink.Handle{}, link.Name, machineAddress(number)); err != nil {
		return 0, err
	}
	inside, err := netlinkAt(hub)
	if err != nil {
		return 0, err
	}
	defer inside.Close()
	// With an address of its own the bridge does not change it whenever a link is added.
	address := net.HardwareAddr{0x0a, 'k', 'm', 'l', 0, octet(number)}
	if err := inside.LinkAdd(&netlink.Bridge{LinkAttrs: netlink.LinkAttrs{Name: bridge, HardwareAddr: address}}); err != nil {
		return 0, fmt.Errorf("make the bridge: %w", err)
	}
	return number, errors.Join(
		raise(inside, "lo", netip.Addr{}),
		raise(inside, bridge, hubAddress(number)),
		enslave(inside, uplink),
	)
}

// takeNumber finds a free number for a cluster, and takes it by setting the machine's routes to it.
func takeNumber(ctx context.Context, lab string, labNumber int) (number int, err error) {
	unlock, err := lock(ctx, home, nil)
	if err != nil {
		return 0, err
	}
	defer unlock()
	taken, err := takenRanges()
	if err != nil {
		return 0, err
	}
	if number, err = firstFree(taken, podRange, serviceRange, loadBalancerRange); err != nil {
		return 0, fmt.Errorf("no addresses are left for another cluster: %w", err)
	}
	machine := &netlink.Handle{}
	for _, destination := range []netip.Prefix{podRange(number), loadBalancerRange(number)} {
		if err := route(machine, destination, nodeAddress(labNumber, number), linkName(lab)); err != nil {
			return 0, err
		}
	}
	return number, nil
}

// takenRanges returns the ranges to which the machine has routes: other labs', and whatever else it is connected to.
func takenRanges() ([]netip.Prefix, error) {
	routes, err := netlink.RouteList(nil, unix.AF_INET)
	if err != nil {
		return nil, fmt.Errorf("list the machine's routes: %w", err)
	}
	var taken []netip.Prefix
	for _, each := range routes {
		if each.Dst == nil {
			continue
		}
		ones, _ := each.Dst.Mask.Size()
		if address, ok := netip.AddrFromSlice(each.Dst.IP.To4()); ok && ones > 0 {
			taken = append(taken, netip.PrefixFrom(address, ones))
		}
	}
	return taken, nil
}

// firstFree returns the first number whose ranges are all free.
func firstFree(taken []netip.Prefix, ranges ...func(int) netip.Prefix) (int, error) {
	var last error
	for number := 1; number <= maxNumber; number++ {
		last = nil
		for _, of := range ranges {
			for _, other := range taken {
				if of(number).Overlaps(other) {
					last = fmt.Errorf("the machine has a route to %s already", other)
				}
			}
		}
		if last == nil {
			return number, nil
		}
	}
	return 0, last
}

// connectCluster links a cluster's space to the hub's bridge, unless it is linked.
func connectCluster(hub, space, lab int, cluster Cluster) error {
	inside, err := netlinkAt(space)
	if err != nil {
		return err
	}
	defer inside.Close()
	if _, err := inside.LinkByName(nodeDevice); errors.As(err, &netlink.LinkNotFoundError{}) {
		if err := linkCluster(hub, space, lab, cluster.Number); err != nil {
			return err
		}
	} else if err != nil {
		return err
	}
	err = errors.Join(
		raise(inside, "lo", netip.Addr{}),
		raise(inside, nodeDevice, nodeAddress(lab, cluster.Number)),
		// The addresses of load balancers are the node's own: whoever listens there is reached.
		routeLocal(inside, loadBalancerRange(cluster.Number)),
		// kube-proxy sees only what has a route at all.
		route(inside, serviceRange(cluster.Number), netip.Addr{}, nodeDevice),
	)
	if err != nil {
		return err
	}
	return inThread(func() error {
		if err := enterNetwork(space)(); err != nil {
			return err
		}
		return os.WriteFile("/proc/sys/net/ipv4/ip_forward", []byte("1"), 0)
	})
}

// linkCluster makes a link from the hub's bridge into a cluster's space.
func linkCluster(hub, space, lab, cluster int) error {
	name := fmt.Sprintf("node%d", cluster)
	atHub, err := netlinkAt(hub)
	if err != nil {
		return err
	}
	defer atHub.Close()
	// The link to the cluster's last space may not have gone yet.
	if old, err := atHub.LinkByName(name); err == nil {
		if err := atHub.LinkDel(old); err != nil && !errors.Is(err, unix.ENODEV) {
			return fmt.Errorf("remove the old link %s: %w", name, err)
		}
	}
	link := &netlink.Veth{
		LinkAttrs:     netlink.LinkAttrs{Name: name},
		PeerName:      nodeDevice,
		PeerNamespace: netlink.NsPid(space),
		// A cluster that is made anew keeps its address: nobody's neighbour table is out of date.
		PeerHardwareAddr: net.HardwareAddr{0x0a, 'k', 'm', 'n', octet(lab), octet(cluster)},
	}
	if err := atHub.LinkAdd(link); err != nil {
		return fmt.Errorf("make the link %s: %w", name, err)
	}
	return enslave(atHub, name)
}

// connectNetworks sets the routes among clusters: every load balancer can be reached from everywhere, pods from their
// own network only.
func connectNetworks(lab, hub int, clusters []Cluster, spaces map[string]int) error {
	atHub, err := netlinkAt(hub)
	if err != nil {
		return err
	}
	defer atHub.Close()
	for _, to := range clusters {
		if err := route(atHub, loadBalancerRange(to.Number), nodeAddress(lab, to.Number), bridge); err != nil {
			return err
		}
	}
	for _, from := range clusters {
		if err := connectNode(lab, spaces[from.Name], from, clusters); err != nil {
			return fmt.Errorf("%s: %w", from.Name, err)
		}
	}
	return nil
}

// connectNode sets the routes from a cluster's node to the others.
func connectNode(lab, space int, from Cluster, clusters []Cluster) error {
	inside, err := netlinkAt(space)
	if err != nil {
		return err
	}
	defer inside.Close()
	for _, to := range clusters {
		if to.Name == from.Name {
			continue
		}
		gateway := nodeAddress(lab, to.Number)
		if err := route(inside, loadBalancerRange(to.Number), gateway, nodeDevice); err != nil {
			return err
		}
		if to.Network != from.Network {
			continue
		}
		if err := route(inside, podRange(to.Number), gateway, nodeDevice); err != nil {
			return err
		}
	}
	return masquerade(space, from, clusters)
}

// disconnect removes a lab's link, and with it the machine's routes to the lab.
func disconnect(lab string) error {
	link, err := netlink.LinkByName(linkName(lab))
	if errors.As(err, &netlink.LinkNotFoundError{}) {
		return nil
	}
	if err == nil {
		err = netlink.LinkDel(link)
	}
	if err != nil && !errors.Is(err, unix.ENODEV) {
		return fmt.Errorf("remove the link %s: %w", linkName(lab), err)
	}
	return nil
}

func linked(lab string) bool {
	_, err := netlink.LinkByName(linkName(lab))
	return err == nil
}

// netlinkAt talks to the kernel about the network of a process.
func netlinkAt(pid int) (*netlink.Handle, error) {
	namespace, err := netns.GetFromPid(pid)
	if err != nil {
		return nil, fmt.Errorf("the network namespace of process %d: %w", pid, err)
	}
	defer namespace.Close()
	return netlink.NewHandleAt(namespace, unix.NETLINK_ROUTE)
}

// raise gives a link its address, if any, and sets it up.
func raise(at *netlink.Handle, name string, address netip.Addr) error {
	link, err := at.LinkByName(name)
	if err != nil {
		return fmt.Errorf("the link %s: %w", name, err)
	}
	if address.IsValid() {
		network := &net.IPNet{IP: address.AsSlice(), Mask: net.CIDRMask(24, 32)}
		if err := at.AddrReplace(link, &netlink.Addr{IPNet: network}); err != nil {
			return fmt.Errorf("give %s the address %s: %w", name, address, err)
		}
	}
	if err := at.LinkSetUp(link); err != nil {
		return fmt.Errorf("set %s up: %w", name, err)
	}
	return nil
}

func enslave(at *netlink.Handle, name string) error {
	link, err := at.LinkByName(name)
	if err != nil {
		return fmt.Errorf("the link %s: %w", name, err)
	}
	master, err := at.LinkByName(bridge)
	if err != nil {
		return fmt.Errorf("the bridge: %w", err)
	}
	if err := at.LinkSetMaster(link, master); err != nil {
		return fmt.Errorf("add %s to the bridge: %w", name, err)
	}
	return raise(at, name, netip.Addr{})
}

// route sets the way to a range: through a neighbour, or, if none is given, straight through a device.
func route(at *netlink.Handle, to netip.Prefix, via netip.Addr, device string) error {
	link, err := at.LinkByName(device)
	if err != nil {
		return fmt.Errorf("the link %s: %w", device, err)
	}
	way := &netlink.Route{LinkIndex: link.Attrs().Index, Dst: ipNet(to), Gw: via.AsSlice()}
	if !via.IsValid() {
		way.Scope = netlink.SCOPE_LINK
	}
	if err := at.RouteReplace(way); err != nil {
		return fmt.Errorf("route %s through %s %s: %w", to, device, via, err)
	}
	return nil
}

func routeLocal(at *netlink.Handle, to netip.Prefix) error {
	link, err := at.LinkByName("lo")
	if err != nil {
		return fmt.Errorf("the link lo: %w", err)
	}
	err = at.RouteReplace(&netlink.Route{
		LinkIndex: link.Attrs().Index, Dst: ipNet(to),
		Type: unix.RTN_LOCAL, Scope: netlink.SCOPE_HOST, Table: unix.RT_TABLE_LOCAL,
	})
	if err != nil {
		return fmt.Errorf("make %s addresses of the node: %w", to, err)
	}
	return nil
}

func ipNet(of netip.Prefix) *net.IPNet {
	return &net.IPNet{IP: of.Addr().AsSlice(), Mask: net.CIDRMask(of.Bits(), 32)}
}
