package image

import "testing"

func TestParseRegistryKnowsECRInAllPartitions(t *testing.T) {
	for host, region := range map[string]string{
		"111122223333.dkr.ecr.ap-south-1.amazonaws.com":               "ap-south-1",
		"111122223333.dkr.ecr-fips.us-east-1.amazonaws.com":           "us-east-1",
		"111122223333.dkr-ecr.eu-west-1.on.aws":                       "eu-west-1",
		"111122223333.dkr-ecr-fips.us-gov-west-1.on.aws":              "us-gov-west-1",
		"111122223333.dkr.ecr.cn-north-1.amazonaws.com.cn":            "cn-north-1",
		"111122223333.dkr-ecr.cn-north-1.on.amazonwebservices.com.cn": "cn-north-1",
		"111122223333.dkr.ecr.eusc-de-east-1.amazonaws.eu":            "eusc-de-east-1",
		"111122223333.dkr.ecr.us-isob-east-1.sc2s.sgov.gov":           "us-isob-east-1",
	} {
		got, ok := ParseRegistry(host)
		want := Registry{AccountID: "111122223333", Region: region, Host: host}
		if !ok || got != want {
			t.Errorf("ParseRegistry(%q) = %+v, %v, want %+v", host, got, ok, want)
		}
	}
}

func TestParseRegistryKnowsWhatIsNotECR(t *testing.T) {
	for _, host := range []string{
		"", "docker.io", "public.ecr.aws", "ghcr.io", "localhost:5000",
		"1111.dkr.ecr.ap-south-1.amazonaws.com",
		"111122223333.dkr.ecr.ap-south-1.amazonaws.com.example.org",
		"x.111122223333.dkr.ecr.ap-south-1.amazonaws.com",
		"111122223333.dkr.ecr.ap-south-1.amazonaws.com:443",
	} {
		if got, ok := ParseRegistry(host); ok {
			t.Errorf("ParseRegistry(%q) = %+v, want none", host, got)
		}
	}
}

func TestInNamesTheRegistryOfTheRegionsPartition(t *testing.T) {
	for region, host := range map[string]string{
		"ap-south-1":     "111122223333.dkr.ecr.ap-south-1.amazonaws.com",
		"us-gov-west-1":  "111122223333.dkr.ecr.us-gov-west-1.amazonaws.com",
		"cn-northwest-1": "111122223333.dkr.ecr.cn-northwest-1.amazonaws.com.cn",
		"eusc-de-east-1": "111122223333.dkr.ecr.eusc-de-east-1.amazonaws.eu",
		"us-iso-east-1":  "111122223333.dkr.ecr.us-iso-east-1.c2s.ic.gov",
		"us-isob-east-1": "111122223333.dkr.ecr.us-isob-east-1.sc2s.sgov.gov",
		"us-isof-east-1": "111122223333.dkr.ecr.us-isof-east-1.csp.hci.ic.gov",
		"eu-isoe-west-1": "111122223333.dkr.ecr.eu-isoe-west-1.cloud.adc-e.uk",
	} {
		got := Reference{Repository: "backend", Tag: "v1"}.In("111122223333", region)
		if got.Host != host {
			t.Errorf("In(%s).Host = %q, want %q", region, got.Host, host)
		}
		if registry, ok := got.Registry(); !ok || registry.Region != region {
			t.Errorf("In(%s) is in the registry %+v, %v", region, registry, ok)
		}
	}
}

func TestInLeavesAHostAsItIsWritten(t *testing.T) {
	r := Reference{Host: "111122223333.dkr.ecr.us-east-1.amazonaws.com", Repository: "backend", Tag: "v1"}
	if got := r.In("444455556666", "ap-south-1"); got != r {
		t.Errorf("In() = %+v, want %+v", got, r)
	}
}

func TestSameRepository(t *testing.T) {
	const mumbai = "111122223333.dkr.ecr.ap-south-1.amazonaws.com/"
	for _, c := range []struct {
		name      string
		reference string
		image     string
		want      bool
	}{
		{"another tag", mumbai + "backend:v2", mumbai + "backend:v1", true},
		{"a digest", mumbai + "backend:v2", mumbai + "backend@" + digest, true},
		{"the form of a running task", mumbai + "backend:v2", mumbai + "backend:v1@" + digest, true},
		{"no tag at all", mumbai + "backend:v2", mumbai + "backend", true},
		{"a replica in another region", mumbai + "backend:v2", "111122223333.dkr.ecr.us-east-1.amazonaws.com/backend:v1", true},
		{"the dual-stack endpoint", mumbai + "backend:v2", "111122223333.dkr-ecr.ap-south-1.on.aws/backend:v1", true},
		{"another account", mumbai + "backend:v2", "444455556666.dkr.ecr.ap-south-1.amazonaws.com/backend:v1", false},
		{"another repository", mumbai + "backend:v2", mumbai + "worker:v1", false},
		{"a longer name", mumbai + "backend:v2", mumbai + "backend/sub:v1", false},
		{"Docker Hub's image of that name is not ECR's", mumbai + "backend:v2", "backend:v1", false},
		{"Docker Hub in short", "docker.io/library/nginx:1", "nginx:latest", true},
		{"Docker Hub without library", "docker.io/nginx:1", "library/nginx", true},
		{"Docker Hub by its other host", "docker.io/helium/backend:1", "index.docker.io/helium/backend:2", true},
		{"a registry of one's own", "ghcr.io/helium/backend:1", "ghcr.io/helium/backend:2", true},
		{"the same path elsewhere", "ghcr.io/helium/backend:1", "quay.io/helium/backend:2", false},
		{"a reference that was not resolved", "backend:v1", "backend:v1", false},
		{"an image that is no reference", mumbai + "backend:v2", "Not an image!", false},
		{"no image", mumbai + "backend:v2", "", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, err := Parse(c.reference)
			if err != nil {
				t.Fatal(err)
			}
			if got := r.SameRepository(c.image); got != c.want {
				t.Errorf("%s.SameRepository(%q) = %v, want %v", c.reference, c.image, got, c.want)
			}
		})
	}
}
