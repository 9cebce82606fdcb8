package memapi_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// sentence is something that is true of a Kubernetes API server.
type sentence struct {
	text  string
	holds func(*testing.T, *api)
}

// sentences are all that the controller and its tests rely on.
var sentences = []sentence{
	{"a created object has a uid, a time of creation, a resourceVersion and generation 1", createdByTheServer},
	{"what only the server says of an object is not taken from who creates it", creatorsDoNotDecide},
	{"a status that comes with a creation is dropped, and reads as never observed", statusIsNotCreated},
	{"creating a name that is taken is AlreadyExists and changes nothing", takenName},
	{"a deleted name can be created again, as another object", recreated},
	{"creating in a namespace that does not exist is NotFound", missingNamespace},
	{"creating with a resourceVersion is refused", createdWithVersion},
	{"generateName makes a name", generatedName},
	{"a name must be one, and be there", badNames},
	{"an object of a cluster has no namespace", clusterScoped},
	{"a body must be an object of the version, the kind, the namespace and the name in the URL", misplacedBodies},
	{"what is not there is NotFound for every verb", notFound},

	{"a list is of one namespace, by name, at a resourceVersion", listOfNamespace},
	{"a list of all namespaces goes by namespace/name", listOfAll},
	{"a list takes label and field selectors", listSelected},
	{"an unknown field or a malformed label in a selector is a bad request", badSelectors},

	{"an update of spec raises generation and resourceVersion", specRaisesGeneration},
	{"an update of labels and annotations leaves generation", metadataLeavesGeneration},
	{"an update or a patch that changes nothing keeps the resourceVersion", nothingChanges},
	{"an update of the object leaves status alone", updateLeavesStatus},
	{"an update of status leaves spec, labels and annotations alone", statusUpdateLeavesRest},
	{"a patch of status does not raise generation", statusPatchLeavesGeneration},
	{"a status that is taken away reads as never observed", statusTakenAway},
	{"the first write after a creation stores the default of status", defaultIsStored},
	{"an update of an old resourceVersion is a Conflict", updateConflicts},
	{"a merge patch with an old resourceVersion is a Conflict", patchConflicts},
	{"a merge patch without a resourceVersion is applied to what is there", patchApplies},
	{"a merge patch of null takes a field away", patchOfNull},
	{"an update without a resourceVersion is Invalid", updateWithoutVersion},
	{"an update of another uid is a Conflict, a patch of the uid is Invalid", updateOfAnotherUID},
	{"generation, time of creation and deletion are not the writer's to change", immutableMetadata},
	{"a patch that is none is a bad request", badPatches},

	{"fields that the schema does not know are pruned", unknownFieldsArePruned},
	{"the schema is enforced, in the server's words", schemaMessages},
	{"the rules beside the fields are enforced, in their words", ruleMessages},
	{"the schema of status is enforced when status is written", statusSchema},
	{"an invalid write changes nothing", invalidChangesNothing},
	{"labels, annotations and finalizers are checked as everywhere", badMetadata},

	{"a watch from a list's resourceVersion tells all that followed, in order", watchFollowsList},
	{"a watch from no resourceVersion begins with what is there", watchFromNothing},
	{"a watch that asks for initial events gets them and a bookmark", watchWithInitialEvents},
	{"a watch with a label selector sees objects come and go", watchSelected},
	{"a watch of a namespace or of a name sees nothing else", watchOfOne},
	{"a watch from too long ago is Expired", watchExpired},
	{"a watch ends when its time is up", watchTimesOut},

	{"a deleted object is gone and was the one that the answer says", deleted},
	{"a delete honours preconditions of uid and resourceVersion", deletePreconditions},
	{"an object with finalizers waits for the last of them", finalizers},
	{"an object that is being deleted gets no new finalizers", noNewFinalizers},

	{"an update of a lease with an old resourceVersion is a Conflict", leaseConflicts},
	{"a lease has no generation and needs a resourceVersion", leaseMetadata},
	{"an event is created, and its series patched", eventSeries},
	{"a namespace is active, labelled with its name and not the writer's to deactivate", namespaces},
}

// TestConformance holds memapi and kube-apiserver to the same sentences. Each holds on both, and
// both answer every call of it alike.
func TestConformance(t *testing.T) {
	both := newBoth(t)
	for i, s := range sentences {
		t.Run(s.text, func(t *testing.T) {
			t.Parallel()
			heard := map[string]string{}
			for name, open := range both.servers {
				t.Run(name, func(t *testing.T) {
					a := both.open(t, open(t), i)
					s.holds(t, a)
					heard[name] = a.heard.String()
				})
			}
			if t.Failed() {
				return
			}
			if diff := cmp.Diff(heard["kube-apiserver"], heard["memapi"]); diff != "" {
				t.Errorf("both hold, but answer differently (-kube-apiserver +memapi):\n%s", diff)
			}
		})
	}
}
