package taskdef

import (
	"strings"
	"testing"
)

func contentHash(t *testing.T, members string) string {
	t.Helper()
	return parse(t, []byte(described(members))).ContentHash()
}

func TestFormsThatMeanTheSameHaveOneHash(t *testing.T) {
	app := func(members string) string {
		return `"networkMode":"awsvpc","containerDefinitions":[{"name":"app","image":"app:v1"` + members + `}]`
	}
	bridge := func(members string) string { return strings.Replace(app(members), "awsvpc", "bridge", 1) }
	for name, forms := range map[string][]string{
		"numbers":          {app(`,"memory":1000`), app(`,"memory":1e3`), app(`,"memory":1000.0`), app(`,"memory":10.00E+2`)},
		"escapes":          {app(`,"user":"caf\u00e9"`), app(`,"user":"café"`)},
		"essential":        {app(``), app(`,"essential":true`), app(`,"essential":null`)},
		"empty lists":      {app(``), app(`,"environment":[],"secrets":[],"entryPoint":[],"mountPoints":[],"cpu":0`)},
		"sets":             {app(`,"secrets":[{"name":"A","valueFrom":"a"},{"name":"B","valueFrom":"b"}]`), app(`,"secrets":[{"valueFrom":"b","name":"B"},{"name":"A","valueFrom":"a"}]`)},
		"containers":       {`"containerDefinitions":[{"name":"a"},{"name":"b"}]`, `"containerDefinitions":[{"name":"b"},{"name":"a"}]`},
		"ports of awsvpc":  {app(`,"portMappings":[{"containerPort":80}]`), app(`,"portMappings":[{"containerPort":80,"hostPort":80,"protocol":"tcp"}]`), app(`,"portMappings":[{"containerPort":80,"hostPort":0}]`)},
		"ports of bridge":  {bridge(`,"portMappings":[{"containerPort":80}]`), bridge(`,"portMappings":[{"containerPort":80,"hostPort":0,"protocol":"tcp"}]`)},
		"health check":     {app(`,"healthCheck":{"command":["CMD","x"]}`), app(`,"healthCheck":{"command":["CMD","x"],"interval":30,"timeout":5,"retries":3,"startPeriod":0}`)},
		"no value":         {app(`,"environment":[{"name":"A"}]`), app(`,"environment":[{"name":"A","value":""}]`)},
		"network mode":     {`"cpu":"256"`, `"cpu":"256","networkMode":"bridge"`},
		"cpu":              {`"cpu":"1024"`, `"cpu":"1 vCPU"`, `"cpu":"1vcpu"`, `"cpu":"1.0 vCPU"`},
		"half a cpu":       {`"cpu":"512"`, `"cpu":".5 vCPU"`},
		"memory":           {`"memory":"2048"`, `"memory":"2 GB"`, `"memory":"2GB"`},
		"empty parameters": {app(``), app(`,"linuxParameters":{"capabilities":{"add":[],"drop":[]},"devices":[]}`), app(`,"dockerLabels":{}`)},
		"volumes":          {`"volumes":[{"name":"v"}]`, `"volumes":[{"name":"v","host":{}}]`, `"volumes":[{"name":"v","configuredAtLaunch":false}]`},
		"EFS":              {`"volumes":[{"name":"v","efsVolumeConfiguration":{"fileSystemId":"fs"}}]`, `"volumes":[{"name":"v","efsVolumeConfiguration":{"fileSystemId":"fs","rootDirectory":"/","transitEncryption":"DISABLED","authorizationConfig":{"iam":"DISABLED"}}}]`},
		"what AWS adds":    {`"cpu":"256"`, `"cpu":"256","status":"INACTIVE","registeredBy":"me","compatibilities":["EC2"],"requiresAttributes":[],"deregisteredAt":1,"registeredAt":1.5,"deleteRequestedAt":2`},
	} {
		t.Run(name, func(t *testing.T) {
			want := contentHash(t, forms[0])
			for _, form := range forms[1:] {
				if got := contentHash(t, form); got != want {
					t.Errorf("%s\nhashes to %s, not %s as\n%s", form, got, want, forms[0])
				}
			}
		})
	}
}

func TestFormsThatMeanSomethingElseHaveHashesOfTheirOwn(t *testing.T) {
	app := func(members string) string {
		return `"containerDefinitions":[{"name":"app","image":"app:v1"` + members + `}]`
	}
	seen := map[string]string{}
	for _, form := range []string{
		app(``),
		app(`,"essential":false`),
		app(`,"cpu":1`),
		app(`,"command":["a","b"]`),
		app(`,"command":["b","a"]`),
		app(`,"command":[""]`),
		app(`,"environment":[{"name":"A"}]`),
		app(`,"environment":[{"name":"A","value":"0"}]`),
		app(`,"user":""`),
		app(`,"user":"0"`),
		app(`,"portMappings":[{"containerPort":80}]`),
		app(`,"portMappings":[{"containerPort":80,"hostPort":80}]`),
		app(`,"portMappings":[{"containerPort":80,"protocol":"udp"}]`),
		app(`,"healthCheck":{"command":["CMD","x"],"interval":10}`),
		app(`,"future":{}`),
		app(`,"future":false`),
		app(`,"future":0`),
		app(`,"future":9007199254740992`),
		app(`,"future":9007199254740993`),
		app(`,"future":1e400`),
		app(`,"future":-1e400`),
		app(`,"future":1e99999999999`),
		app(`,"future":[1,2]`),
		app(`,"future":[2,1]`),
		app(`,"portMappings[].protocol":"tcp"`),
		`"networkMode":"awsvpc"`,
		`"networkMode":"host"`,
		`"volumes":[{"name":"v"}]`,
		`"volumes":[{"name":"v","host":{"sourcePath":"/"}}]`,
		`"volumes":[{"name":"v","dockerVolumeConfiguration":{}}]`,
		`"cpu":"0.3 vCPU"`,
		`"cpu":"256"`,
		`"runtimePlatform":{"cpuArchitecture":"X86_64"}`,
	} {
		hash := contentHash(t, form)
		if other, ok := seen[hash]; ok {
			t.Errorf("%s\nhas the hash of\n%s", form, other)
		}
		seen[hash] = form
	}
}

func TestTagsDoNotCountAsContent(t *testing.T) {
	bare := described(`"cpu":"256"`)
	with := `{"tags":[{"key":"team","value":"a"}],` + bare[1:]
	if a, b := parse(t, []byte(bare)).ContentHash(), parse(t, []byte(with)).ContentHash(); a != b {
		t.Errorf("hash with tags %s, without %s", b, a)
	}
}

// This hash is in the tags of people's task definitions.
func TestTheHashIsThatOfEarlierReleases(t *testing.T) {
	const want = "v1-e8be74d1bf0cbeaef74a2618"
	if got := backend(t).ContentHash(); got != want {
		t.Errorf("hash = %s, want %s: a canonical form that changed needs a new hashVersion", got, want)
	}
}

func TestDecimalSpellsAValueOneWay(t *testing.T) {
	for want, spellings := range map[string][]string{
		"0":                  {"0", "-0", "0.00", "0e9"},
		"1e3":                {"1000", "1e3", "1E+3", "0.001e6", "1000.000"},
		"-25e-4":             {"-0.0025", "-2.50e-3"},
		"9007199254740993e0": {"9007199254740993", "9007199254740993.0"},
		"1e99999999999":      {"1e99999999999", "1E99999999999"},
	} {
		for _, raw := range spellings {
			if got := decimal(raw); got != want {
				t.Errorf("decimal(%s) = %s, want %s", raw, got, want)
			}
		}
	}
}
