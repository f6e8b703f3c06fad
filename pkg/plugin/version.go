package plugin

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
	"k8s.io/cli-runtime/pkg/genericiooptions"
)

// Set by the linker.
var (
	version = ""
	commit  = "unknown"
)

// builtVersion is the plugin's version. One that `go install` has built knows of no linker's flags, but where it came from.
func builtVersion(info *debug.BuildInfo, ok bool) string {
	switch {
	case version != "":
		return version
	case ok && info.Main.Version != "" && info.Main.Version != "(devel)":
		return info.Main.Version
	}
	return "v0.0.0-dev"
}

func newVersion(streams genericiooptions.IOStreams) *cobra.Command {
	return &cobra.Command{
		Use:     "version",
		GroupID: "other",
		Short:   "Print the version of the plugin",
		Long:    "Print the version of the plugin. It does not ask the cluster anything.",
		Args:    noWords,
		RunE: func(*cobra.Command, []string) error {
			_, err := fmt.Fprintf(streams.Out, "kubectl-%s %s (commit %s, %s, %s/%s)\n", name, builtVersion(debug.ReadBuildInfo()), commit, runtime.Version(), runtime.GOOS, runtime.GOARCH)
			return err
		},
	}
}
