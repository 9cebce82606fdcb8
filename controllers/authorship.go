package controllers

import (
	"crypto/sha256"
	"encoding/json"
	"slices"
	"sync"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/predicate"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
)

// maxUnseen is how many statuses of a release may be on their way to the watch.
const maxUnseen = 16

// authorship remembers which statuses of each release this process wrote last. One that somebody else
// wrote is a reason to look again: a leader that was paused in the middle of a write, and whose write
// went out when it woke up, tells what was seen before its successor looked.
type authorship struct {
	mu sync.Mutex
	// wrote are the statuses that the watch may still show, in the order in which they were written;
	// the first is the one that it showed last.
	wrote map[types.NamespacedName][]signature
}

type signature [sha256.Size]byte

// sign is called before a status is written, so that it is known when the watch shows it.
func (a *authorship) sign(release *ecsv1alpha1.EcsRelease) {
	key, signed := client.ObjectKeyFromObject(release), signatureOf(&release.Status)
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.wrote == nil {
		a.wrote = map[types.NamespacedName][]signature{}
	}
	a.wrote[key] = append(a.wrote[key], signed)
	a.wrote[key] = a.wrote[key][max(0, len(a.wrote[key])-maxUnseen):]
}

func (a *authorship) forget(release types.NamespacedName) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.wrote, release)
}

// foreign is true for updates to a status that this process did not write last.
func (a *authorship) foreign() predicate.Predicate {
	return predicate.Funcs{UpdateFunc: func(e event.UpdateEvent) bool {
		old, ok := e.ObjectOld.(*ecsv1alpha1.EcsRelease)
		if !ok {
			return false
		}
		release, ok := e.ObjectNew.(*ecsv1alpha1.EcsRelease)
		if !ok || old.ResourceVersion == release.ResourceVersion {
			return false // told again, as informers do from time to time
		}
		signed := signatureOf(&release.Status)
		return !a.ours(client.ObjectKeyFromObject(release), signed) && signed != signatureOf(&old.Status)
	}}
}

// ours says whether this process wrote a status. None that it wrote before that is shown any more.
func (a *authorship) ours(release types.NamespacedName, signed signature) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	i := slices.Index(a.wrote[release], signed)
	if i < 0 {
		return false
	}
	a.wrote[release] = a.wrote[release][i:]
	return true
}

func signatureOf(status *ecsv1alpha1.EcsReleaseStatus) signature {
	text, err := json.Marshal(status)
	if err != nil {
		return signature{} // it holds nothing that cannot be written
	}
	return sha256.Sum256(text)
}
