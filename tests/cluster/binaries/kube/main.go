// One program for every part of Kubernetes that the tests run: the first argument names the part, or the name that
// the program was called by does (a link named kubectl is kubectl).
package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"
	"go.etcd.io/etcd/server/v3/etcdmain"
	"k8s.io/component-base/cli"
	_ "k8s.io/component-base/logs/json/register"
	_ "k8s.io/component-base/metrics/prometheus/clientgo"
	_ "k8s.io/component-base/metrics/prometheus/version"
	kubectl "k8s.io/kubectl/pkg/cmd"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	controllers "k8s.io/kubernetes/cmd/kube-controller-manager/app"
	proxy "k8s.io/kubernetes/cmd/kube-proxy/app"
	scheduler "k8s.io/kubernetes/cmd/kube-scheduler/app"
	kubelet "k8s.io/kubernetes/cmd/kubelet/app"
)

var commands = map[string]func() *cobra.Command{
	"kube-apiserver":          apiserver.NewAPIServerCommand,
	"kube-controller-manager": controllers.NewControllerManagerCommand,
	"kube-scheduler":          func() *cobra.Command { return scheduler.NewSchedulerCommand() },
	"kubelet":                 func() *cobra.Command { return kubelet.NewKubeletCommand(context.Background()) },
	"kube-proxy":              proxy.NewProxyCommand,
	"kubectl":                 kubectl.NewDefaultKubectlCommand,
}

func main() {
	os.Args[0] = filepath.Base(os.Args[0])
	if !known(os.Args[0]) && len(os.Args) > 1 {
		os.Args = os.Args[1:]
	}
	part := os.Args[0]
	switch {
	case part == "etcd":
		etcdmain.Main(os.Args)
	case known(part):
		os.Exit(cli.Run(commands[part]()))
	default:
		fmt.Fprintln(os.Stderr, "kube: there is no part "+part)
		os.Exit(2)
	}
}

func known(part string) bool {
	_, found := commands[part]
	return found || part == "etcd"
}
