package simulation

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/client"

	ecsv1alpha1 "heliumai.space/ecsrelease/api/v1alpha1"
	"heliumai.space/ecsrelease/internal/awssim"
	"heliumai.space/ecsrelease/internal/memapi"
)

const (
	managerAccount = "999900001111"
	managerKey     = "AKIASIMULATION000001"
	managerSecret  = "the-secret-of-the-manager"
	repository     = "helium-backend"
)

var regions = []string{"ap-south-1", "ap-southeast-1", "us-east-1"}

// realm is one team: a namespace, the environment that lets it release, and its AWS account.
type realm struct {
	name    string // of the namespace and of the environment
	account string
	role    string // its ARN
	manager string // whose environment it is; "": there is only one
}

// place is one ECS service.
type place struct {
	realm                    *realm
	region, cluster, service string
	family                   string
	manner
}

func (p place) String() string { return p.region + "/" + p.cluster + "/" + p.service }

// world is everything that exists in a run.
type world struct {
	seed   uint64
	setup  *Setup
	began  time.Time
	kube   *memapi.Server
	aws    *awssim.Simulator
	user   client.Client // an admin of the cluster, who suffers no faults
	mapper meta.RESTMapper
	scheme *runtime.Scheme

	realms   []*realm
	places   []place
	subjects []*subject

	story      *story
	coverage   *Coverage
	chronicle  *chronicle
	ledger     *ledger
	images     *gallery
	fronts     *fronts
	kubeFaults *kubeFaults
	awsFaults  *awsFaults

	managers  []string // that divide the environments; one of the name "" has them all
	workers   int      // of each process
	processes int
	alive     []*process
	ended     chan *process // processes that came to an end, one way or another

	script  *script // nil once it is played
	closing bool

	mu      sync.Mutex
	clients map[string]aws.Config
	denied  map[string]time.Time // namespaces that no environment names, since when
	shut    map[string]time.Time // environments that let no release start, since when
}

// Setup is what runs share: it takes longer to make than many a run.
type Setup struct {
	// Verbose puts the log of the managers into the story.
	Verbose bool

	kinds  *memapi.Kinds
	scheme *runtime.Scheme
}

// NewSetup reads the CRDs in a directory.
func NewSetup(crds string) (*Setup, error) {
	read, err := memapi.ReadCRDs(crds)
	if err != nil {
		return nil, err
	}
	kinds, err := memapi.NewKinds(read...)
	if err != nil {
		return nil, err
	}
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{clientgoscheme.AddToScheme, ecsv1alpha1.AddToScheme} {
		if err := add(scheme); err != nil {
			return nil, fmt.Errorf("building the scheme: %w", err)
		}
	}
	return &Setup{kinds: kinds, scheme: scheme}, nil
}

// newWorld makes a world that a seed determines, with nothing of the controller in it yet.
func newWorld(setup *Setup, seed uint64) (*world, error) {
	w, err := bareWorld(setup, seed)
	if err != nil {
		return nil, err
	}
	w.divide(w.random("managers"))
	if err := w.populate(w.random("world")); err != nil {
		return nil, err
	}
	return w, nil
}

// bareWorld makes a world in which there is nothing yet.
func bareWorld(setup *Setup, seed uint64) (*world, error) {
	w := &world{
		seed: seed, setup: setup, managers: []string{""}, workers: workerCount, began: time.Now(), mapper: setup.kinds.Mapper(), scheme: setup.scheme,
		ended: make(chan *process, 64), clients: map[string]aws.Config{}, denied: map[string]time.Time{}, shut: map[string]time.Time{},
	}
	w.story = &story{began: w.began}
	w.coverage = newCoverage()
	w.images = newGallery(w)
	w.fronts = &fronts{}
	w.ledger = newLedger(w)
	w.chronicle = newChronicle(w)
	w.kubeFaults = newKubeFaults(w)
	w.awsFaults = newAWSFaults(w)
	w.aws = awssim.New(awssim.Options{Seed: seed + 1, JournalEntries: 4000})
	w.kube = memapi.New(memapi.Options{
		Kinds:   setup.kinds,
		Trouble: w.kubeFaults.trouble,
		Lag:     w.kubeFaults.lag,
		Observe: w.chronicle.observe,
	})
	var err error
	if w.user, err = client.New(w.kube.Config("user"), client.Options{Scheme: w.scheme, Mapper: w.mapper}); err != nil {
		return nil, fmt.Errorf("making a client: %w", err)
	}
	return w, nil
}

// random is a source of chance for one purpose, so that more of one changes nothing in another.
func (w *world) random(purpose string) *rand.Rand {
	sum := uint64(14695981039346656037)
	for _, b := range []byte(purpose) {
		sum = (sum ^ uint64(b)) * 1099511628211
	}
	return rand.New(rand.NewPCG(w.seed, sum))
}

// populate makes accounts, clusters, services, namespaces and environments. The last realm is
// that of the bystander, whom nothing of what happens to the others may concern.
func (w *world) populate(r *rand.Rand) error {
	if err := w.admit(); err != nil {
		return err
	}
	for _, name := range []string{"production", "bystander"} {
		if err := w.addRealm(name, fmt.Sprintf("%012d", 111122220000+len(w.realms))); err != nil {
			return err
		}
	}
	home, bystander := w.realms[0], w.realms[1]
	services := 1 + r.IntN(2)
	targets := 1 + r.IntN(3)
	shared, balanced := r.IntN(3) == 0, r.IntN(3) == 0
	for t := range targets {
		region := regions[r.IntN(len(regions))]
		for s := range services {
			p := place{
				realm: home, region: region, cluster: fmt.Sprintf("helium-%d", t), service: fmt.Sprintf("service-%c", 'a'+s),
			}
			p.manner = mannerOf(r, p, balanced)
			p.family = "helium-" + p.service
			if shared {
				p.family = "helium"
			}
			w.places = append(w.places, p)
		}
	}
	w.places = append(w.places, place{realm: bystander, region: regions[0], cluster: "quiet", service: "backend", family: "backend", manner: manner{breaker: true}})
	if err := w.images.open(); err != nil {
		return err
	}
	if err := w.furnish(r, balanced); err != nil {
		return err
	}
	w.subjects = w.cast(r)
	return nil
}

// admit makes the identity that managers have.
func (w *world) admit() error {
	if _, err := w.aws.PutUser(awssim.User{
		Account: managerAccount, Name: "manager", AccessKeyID: managerKey, SecretAccessKey: managerSecret,
		Policies: []json.RawMessage{json.RawMessage(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["sts:AssumeRole","sts:TagSession"],"Resource":"*"}]}`)},
	}); err != nil {
		return fmt.Errorf("making the manager's user: %w", err)
	}
	return nil
}

// furnish makes the services, of the first realm behind load balancers if so.
func (w *world) furnish(r *rand.Rand, balanced bool) error {
	if err := w.serveExternal(w.places[0]); err != nil {
		return err
	}
	shifts := false
	for i := range w.places {
		p := &w.places[i]
		shifts = shifts || p.shifts()
		if balanced && p.realm == w.realms[0] {
			if err := w.balance(p); err != nil {
				return err
			}
		}
		if err := w.serve(*p, int32(1+r.IntN(3))); err != nil {
			return err
		}
	}
	if !shifts && r.IntN(2) == 0 {
		return nil // releases come upon services that are being created
	}
	<-time.After(warmUp)
	for _, p := range w.places {
		if err := w.hook(p); err != nil {
			return err
		}
	}
	return nil
}

// trust has the role of a realm let the manager in, or not.
func (w *world) trust(m *realm, effect string) {
	role, err := w.aws.PutRole(awssim.Role{
		Account: m.account, Name: "ecsrelease", Unrestricted: true,
		TrustPolicy: json.RawMessage(`{"Version":"2012-10-17","Statement":[{"Effect":"` + effect + `","Principal":{"AWS":"` + managerAccount + `"},"Action":["sts:AssumeRole","sts:TagSession"]}]}`),
	})
	if err != nil {
		w.story.violate("the script can be played", "making the role of %s: %v", m.name, err)
	}
	m.role = role.ARN
}

func (w *world) addRealm(name, account string) error {
	m := &realm{name: name, account: account, manager: w.managers[len(w.realms)%len(w.managers)]}
	w.trust(m, "Allow")
	w.realms = append(w.realms, m)
	ctx := context.Background()
	if err := w.user.Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}}); err != nil {
		return fmt.Errorf("making namespace %s: %w", name, err)
	}
	if err := w.user.Create(ctx, m.environment()); err != nil {
		return fmt.Errorf("making environment %s: %w", name, err)
	}
	return nil
}

// environment lets the realm's namespace release everywhere in its account.
func (m *realm) environment() *ecsv1alpha1.EcsEnvironment {
	return &ecsv1alpha1.EcsEnvironment{
		ObjectMeta: metav1.ObjectMeta{Name: m.name, Labels: map[string]string{managerLabel: m.manager}},
		Spec: ecsv1alpha1.EcsEnvironmentSpec{
			Namespaces:   &ecsv1alpha1.NamespaceSelector{Names: []string{m.name}},
			AWS:          ecsv1alpha1.AWSIdentity{AccountID: m.account, RoleARN: m.role},
			Destinations: []ecsv1alpha1.Destination{{Region: "*", Clusters: []string{"*"}, Services: []string{"*"}}},
		},
	}
}

// cast are the releases of the world: one for everything of the first realm, or one for each of
// its services' names, and the bystander's.
func (w *world) cast(r *rand.Rand) []*subject {
	home, bystander := w.realms[0], w.realms[1]
	apart := r.IntN(3) == 0
	byName := map[string]*subject{}
	var subjects []*subject
	for _, p := range w.places {
		name := "release"
		if apart && p.realm == home {
			name = "release-" + p.service
		}
		key := p.realm.name + "/" + name
		s := byName[key]
		if s == nil {
			s = &subject{world: w, realm: p.realm, bystander: p.realm == bystander}
			s.key.Namespace, s.key.Name = p.realm.name, name
			byName[key] = s
			subjects = append(subjects, s)
		}
		s.places = append(s.places, p)
	}
	for _, s := range subjects {
		s.shape(r)
	}
	return subjects
}

// config is how the root of an account reaches it in a region: that is whoever else works there, and the
// checks, which look at more the more the manager does. So it costs the manager's quotas nothing.
func (w *world) config(account, region string) aws.Config {
	w.mu.Lock()
	defer w.mu.Unlock()
	key := account + region
	if w.clients[key].HTTPClient == nil {
		w.clients[key] = aws.Config{
			Region: region, HTTPClient: w.aws.UnmeteredHTTPClient(), RetryMaxAttempts: 1,
			Credentials: credentials.NewStaticCredentialsProvider(account, "awssim", ""),
		}
	}
	return w.clients[key]
}

func (w *world) ecs(account, region string) *ecs.Client {
	return ecs.NewFromConfig(w.config(account, region))
}

func (w *world) ecr(account, region string) *ecr.Client {
	return ecr.NewFromConfig(w.config(account, region))
}

// log is where a process writes its log: every line is searched for what may not be there.
func (w *world) log(name string) logr.Logger {
	return logr.New(&logSink{world: w, process: name})
}
