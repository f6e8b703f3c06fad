package main

import (
	"fmt"
	"net"
	"os"
	"path/filepath"

	"github.com/vishvananda/netlink"

	"github.com/kubectl-canary/kubectl-canary/sandbox/internal/realnode"
)

// settings are this network namespace's own. Connections that have ended are forgotten in a second: a load generator soon uses its
// ports again, and the old entry would send the new connection to a pod that may be gone.
var settings = map[string]string{
	"ipv4/ip_forward": "1",
	"netfilter/nf_conntrack_tcp_timeout_time_wait": "1",
	"netfilter/nf_conntrack_tcp_timeout_close":     "1",
}

// network gives the node its address and a default route, on a cable that has both its ends here: no packet can leave.
func network() error {
	lo, err := netlink.LinkByName("lo")
	if err != nil {
		return err
	}
	if err := netlink.LinkSetUp(lo); err != nil {
		return fmt.Errorf("lo: %w", err)
	}
	attrs := netlink.NewLinkAttrs()
	attrs.Name = "node"
	cable := &netlink.Veth{LinkAttrs: attrs, PeerName: "nowhere"}
	if err := netlink.LinkAdd(cable); err != nil {
		return fmt.Errorf("veth: %w", err)
	}
	for _, end := range []string{"node", "nowhere"} {
		link, err := netlink.LinkByName(end)
		if err != nil {
			return err
		}
		if err := netlink.LinkSetUp(link); err != nil {
			return fmt.Errorf("%s: %w", end, err)
		}
	}
	own := &net.IPNet{IP: net.ParseIP(realnode.Address), Mask: net.CIDRMask(24, 32)}
	if err := netlink.AddrAdd(cable, &netlink.Addr{IPNet: own}); err != nil {
		return fmt.Errorf("address: %w", err)
	}
	// a kubelet wants a default route
	if err := netlink.RouteAdd(&netlink.Route{LinkIndex: cable.Attrs().Index, Gw: net.ParseIP("192.0.2.254")}); err != nil {
		return fmt.Errorf("route: %w", err)
	}
	_ = netlink.ConntrackTableFlush(netlink.ConntrackTable) // loads the module that has the settings
	for name, value := range settings {
		if err := os.WriteFile(filepath.Join("/proc/sys/net", name), []byte(value), 0); err != nil {
			return err
		}
	}
	return nil
}
