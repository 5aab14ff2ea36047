// Package lab runs real Kubernetes clusters on one Linux machine, without Docker or a VM: for the tests, the demo, and
// whoever wants to try something on more clusters than one.
//
// A lab is a hub and some clusters. Each of them is a space: a network namespace and a mount namespace that one waiting
// process holds open. The hub has the bridge that joins the spaces, the machine's way in, and the lab's own services: the
// registry of the images, the names under lab.test, and the controller of the load balancers. A cluster's space has one
// node with every component of Kubernetes, or (nodeless) the API server, etcd and the controller manager alone.
//
// What is running is never written down: it is read from the kernel. Every process is in a cgroup named after its lab,
// cluster and component, and its mounts and links end with the spaces, so Down finds all of it whatever has happened
// before.
package lab
