package argocd_test

import (
	"maps"
	"path"
	"slices"
	"testing"

	"heliumai.space/ecsrelease/config/argocd"
)

// endpointsAre is how healthy each of the endpoints in testdata is.
var endpointsAre = map[string]string{
	"access_denied":           "Degraded",
	"broken":                  "Degraded",
	"new":                     "Progressing",
	"no_environment":          "Degraded",
	"outdated":                "Progressing",
	"pending":                 "Progressing",
	"reachable":               "Healthy",
	"reachable_with_warnings": "Healthy",
	"unwired":                 "Progressing",
}

// Argo CD runs the same tests with its own machine.
func TestArgoCDIsToldHowHealthyAWayInIs(t *testing.T) {
	var healthTests []document
	for _, name := range slices.Sorted(maps.Keys(endpointsAre)) {
		said, err := argocd.HealthOf(read(t, "../EcsEndpoint/testdata/"+name+".yaml"))
		if err != nil {
			t.Fatal(err)
		}
		if said.Status != endpointsAre[name] || said.Message == "" {
			t.Errorf("%s is %s (%s), wanted %s with a message", name, said.Status, said.Message, endpointsAre[name])
		}
		healthTests = append(healthTests, document{
			"inputPath": "testdata/" + name + ".yaml", "healthStatus": document{"status": said.Status, "message": said.Message},
		})
	}
	is(t, path.Join("..", path.Base(argocd.EndpointKind), "health_test.yaml"), document{"tests": healthTests})
}
