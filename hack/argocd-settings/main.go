// Command argocd-settings writes config/argocd/argocd-cm.yaml and config/argocd/helm-values.yaml from the Lua
// scripts in config/argocd/resource_customizations. Run it from the repository's root.
package main

import (
	"fmt"
	"os"

	"heliumai.space/ecsrelease/config/argocd"
)

func main() {
	for path, write := range map[string]func() ([]byte, error){
		"config/argocd/argocd-cm.yaml":   argocd.ConfigMap,
		"config/argocd/helm-values.yaml": argocd.HelmValues,
	} {
		content, err := write()
		if err == nil {
			err = os.WriteFile(path, content, 0o644)
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, "argocd-settings:", err)
			os.Exit(1)
		}
	}
}
