package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	_ "time/tzdata" // time zones of CronJobs

	"github.com/spf13/pflag"
	"go.etcd.io/etcd/server/v3/etcdmain"
	"k8s.io/component-base/cli"
	_ "k8s.io/component-base/logs/json/register"
	_ "k8s.io/component-base/metrics/prometheus/clientgo"
	_ "k8s.io/component-base/metrics/prometheus/version"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	controllermanager "k8s.io/kubernetes/cmd/kube-controller-manager/app"
	scheduler "k8s.io/kubernetes/cmd/kube-scheduler/app"
	"sigs.k8s.io/kwok/pkg/config"
	kwok "sigs.k8s.io/kwok/pkg/kwok/cmd"
	"sigs.k8s.io/kwok/pkg/log"
	"sigs.k8s.io/kwok/pkg/utils/signals"

	"github.com/kubectl-canary/kubectl-canary/sandbox/internal/cluster"
	"github.com/kubectl-canary/kubectl-canary/sandbox/internal/simulate"
)

// selected returns the component that argv0 names, or nil: one program holds them all, and each sees the arguments it would see
// upstream. A component runs until it ends, and returns its exit code.
func selected(argv0 string) func() int {
	switch filepath.Base(argv0) {
	case cluster.Etcd:
		return func() int { etcdmain.Main(os.Args); return 0 }
	case cluster.APIServer:
		return func() int { return cli.Run(apiserver.NewAPIServerCommand()) }
	case cluster.ControllerManager:
		return func() int { return cli.Run(controllermanager.NewControllerManagerCommand()) }
	case cluster.Scheduler:
		return func() int { return cli.Run(scheduler.NewSchedulerCommand()) }
	case cluster.Kwok:
		return runKwok
	}
	return nil
}

// runKwok does what kwok's own main does.
func runKwok() int {
	flags := pflag.NewFlagSet("global", pflag.ContinueOnError)
	flags.ParseErrorsAllowlist.UnknownFlags = true
	flags.Usage = func() {}

	ctx := signals.SetupSignalContext()
	serveNetwork(ctx)
	ctx, _ = log.InitFlags(ctx, flags)
	ctx, err := config.InitFlags(ctx, flags)
	if err == nil {
		command := kwok.NewCommand(ctx)
		command.Version = "" // the flag would clash with the one that Kubernetes' packages declare
		command.PersistentFlags().AddFlagSet(flags)
		err = command.ExecuteContext(ctx)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "kwok:", err)
		return 1
	}
	return 0
}

// serveNetwork is the network of the simulated pods, where the first arguments say so; they are taken out.
func serveNetwork(ctx context.Context) {
	if len(os.Args) < 5 || os.Args[1] != cluster.NetworkFlag {
		return
	}
	address, cert, key := os.Args[2], os.Args[3], os.Args[4]
	os.Args = slices.Delete(os.Args, 1, 5)
	go func() {
		if err := simulate.Network(ctx, address, cert, key); ctx.Err() == nil {
			fmt.Fprintln(os.Stderr, "kwok: the network of the pods:", err)
			os.Exit(1)
		}
	}()
}
