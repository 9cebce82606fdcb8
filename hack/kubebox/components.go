package main

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"path/filepath"
	"strings"

	"github.com/spf13/pflag"
	"go.etcd.io/etcd/client/pkg/v3/transport"
	"go.etcd.io/etcd/server/v3/embed"
	utilerrors "k8s.io/apimachinery/pkg/util/errors"
	utilfeature "k8s.io/apiserver/pkg/util/feature"
	"k8s.io/client-go/rest"
	cliflag "k8s.io/component-base/cli/flag"
	logsapi "k8s.io/component-base/logs/api/v1"
	kubeapiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	apiserveroptions "k8s.io/kubernetes/cmd/kube-apiserver/app/options"
	kubecontrollermanager "k8s.io/kubernetes/cmd/kube-controller-manager/app"
	manageroptions "k8s.io/kubernetes/cmd/kube-controller-manager/app/options"
	"k8s.io/kubernetes/cmd/kube-controller-manager/names"
)

// startEtcd returns when etcd serves on a free port of 127.0.0.1, to holders
// of a certificate of ours only: it holds every secret and asks for no token.
func startEtcd(ctx context.Context, dir, logFile string, creds *credentials) (*component, string, error) {
	tls := transport.TLSInfo{
		CertFile: creds.etcdCertFile, KeyFile: creds.etcdKeyFile,
		TrustedCAFile: creds.caFile, ClientCertAuth: true,
	}
	anyPort := url.URL{Scheme: "https", Host: net.JoinHostPort(loopback.String(), "0")}
	config := embed.NewConfig()
	config.Dir = dir
	config.LogOutputs = []string{logFile}
	config.LogLevel = "warn"
	config.ClientTLSInfo, config.PeerTLSInfo = tls, tls
	config.ListenClientUrls, config.AdvertiseClientUrls = []url.URL{anyPort}, []url.URL{anyPort}
	config.ListenPeerUrls, config.AdvertisePeerUrls = []url.URL{anyPort}, []url.URL{anyPort}
	config.InitialCluster = config.InitialClusterFromName(config.Name)
	config.EnableGRPCGateway = false
	// Waiting for the disk at each write is most of what a write costs, and
	// buys nothing against a crash of this process.
	config.UnsafeNoFsync = true

	server, err := embed.StartEtcd(config)
	if err != nil {
		return nil, "", err
	}
	select {
	case <-server.Server.ReadyNotify():
	case err := <-server.Err():
		server.Close()
		return nil, "", err
	case <-ctx.Done():
		server.Close()
		return nil, "", ctx.Err()
	}
	etcd := startComponent("etcd", func(ctx context.Context) error {
		defer server.Close()
		select {
		case err := <-server.Err():
			return err
		case <-server.Server.StopNotify():
			return nil
		case <-ctx.Done():
			return nil
		}
	})
	return etcd, "https://" + server.Clients[0].Addr().String(), nil
}

// startAPIServer returns as soon as kube-apiserver is on its way.
// It takes the listener over if it returns no error.
func startAPIServer(listener net.Listener, etcdURL string, creds *credentials, withServiceAccounts bool) (*component, error) {
	const issuer = "https://kubernetes.default.svc"
	args := []string{
		"--etcd-servers=" + etcdURL,
		"--etcd-cafile=" + creds.caFile,
		"--etcd-certfile=" + creds.etcdClientCert,
		"--etcd-keyfile=" + creds.etcdClient,
		"--bind-address=" + loopback.String(),
		// Without it the address of the machine is looked for, which one
		// without a network does not have.
		"--advertise-address=" + loopback.String(),
		// The endpoints of the service "kubernetes" must not be on loopback,
		// and nothing here could reach them: have none.
		"--endpoint-reconciler-type=none",
		"--service-cluster-ip-range=" + serviceClusterIPRange,
		"--tls-cert-file=" + creds.servingCert,
		"--tls-private-key-file=" + creds.servingKey,
		"--client-ca-file=" + creds.caFile,
		"--token-auth-file=" + creds.tokenFile,
		"--authorization-mode=RBAC",
		"--service-account-issuer=" + issuer,
		"--service-account-key-file=" + creds.serviceAccountKeyFile,
		"--service-account-signing-key-file=" + creds.serviceAccountKeyFile,
		"--profiling=false",
	}
	if !withServiceAccounts {
		// As envtest does: nobody makes the service account that each pod needs.
		args = append(args, "--disable-admission-plugins=ServiceAccount")
	}
	options := apiserveroptions.NewServerRunOptions()
	if err := parseComponentFlags("kube-apiserver", options.Flags(), args); err != nil {
		return nil, err
	}
	options.SecureServing.Listener = listener
	options.SecureServing.BindPort = listener.Addr().(*net.TCPAddr).Port
	if err := options.GenericServerRunOptions.ComponentGlobalsRegistry.Set(); err != nil {
		return nil, err
	}
	// Once in a process, so kube-controller-manager lives with it too.
	if err := logsapi.ValidateAndApply(options.Logs, utilfeature.DefaultFeatureGate); err != nil {
		return nil, err
	}
	// Both components warn their operator about deprecated APIs that they
	// themselves have to watch.
	rest.SetDefaultWarningHandler(rest.NoWarnings{})

	return startComponent("kube-apiserver", func(ctx context.Context) error {
		completed, err := options.Complete(ctx)
		if err != nil {
			return err
		}
		if errs := completed.Validate(); len(errs) > 0 {
			return utilerrors.NewAggregate(errs)
		}
		return kubeapiserver.Run(ctx, completed)
	}), nil
}

// controllers are those that an API without nodes and pods needs.
var controllers = []string{
	names.GarbageCollectorController,
	names.NamespaceController,
	names.ServiceAccountController,
	names.ServiceAccountTokenController,
	names.RootCACertificatePublisherController,
	names.ClusterRoleAggregationController,
	names.ValidatingAdmissionPolicyStatusController,
}

// startControllerManager returns as soon as kube-controller-manager is on its
// way. It goes by options and Run instead of the cobra command, whose signal
// handling would stop it together with the API server that it still needs.
func startControllerManager(serverURL, dataDir string, creds *credentials) (*component, error) {
	kubeconfig := filepath.Join(dataDir, "kube-controller-manager.kubeconfig")
	if err := writeKubeconfig(kubeconfig, serverURL, creds.caFile, creds.managerToken); err != nil {
		return nil, err
	}
	options, err := manageroptions.NewKubeControllerManagerOptions()
	if err != nil {
		return nil, err
	}
	known, disabled, aliases := kubecontrollermanager.KnownControllers(), kubecontrollermanager.ControllersDisabledByDefault(), kubecontrollermanager.ControllerAliases()
	err = parseComponentFlags("kube-controller-manager", options.Flags(known, disabled, aliases), []string{
		"--kubeconfig=" + kubeconfig,
		"--controllers=" + strings.Join(controllers, ","),
		"--service-account-private-key-file=" + creds.serviceAccountKeyFile,
		"--root-ca-file=" + creds.caFile,
		"--leader-elect=false", // there is no other
		"--secure-port=0",      // it serves nothing
	})
	if err != nil {
		return nil, err
	}
	return startComponent("kube-controller-manager", func(ctx context.Context) error {
		config, err := options.Config(ctx, known, disabled, aliases)
		if err != nil {
			return err
		}
		return kubecontrollermanager.Run(ctx, config.Complete())
	}), nil
}

func parseComponentFlags(name string, sets cliflag.NamedFlagSets, args []string) error {
	flags := pflag.NewFlagSet(name, pflag.ContinueOnError)
	for _, set := range sets.FlagSets {
		flags.AddFlagSet(set)
	}
	if err := flags.Parse(args); err != nil {
		return fmt.Errorf("parsing the flags of %s: %w", name, err)
	}
	return nil
}
