package rollout

import "testing"

func TestARevisionIsSpelledFamilyColonNumber(t *testing.T) {
	for revision, want := range map[string]struct {
		family string
		number int
	}{
		"app:12":  {"app", 12},
		"app":     {"app", 0},
		"app:":    {"app", 0},
		"app:one": {"app", 0},
		"":        {"", 0},
	} {
		if family, number := Family(revision), Number(revision); family != want.family || number != want.number {
			t.Errorf("%q is %s %d, want %s %d", revision, family, number, want.family, want.number)
		}
	}
	if got := (Location{"1", "ap-south-1", "blue", "app"}).String(); got != "ap-south-1/blue/app" {
		t.Errorf("a location reads %s", got)
	}
}

func TestMessagesAreCutBetweenCharacters(t *testing.T) {
	for _, c := range []struct {
		limit    int
		in, want string
	}{
		{20, "as it is", "as it is"},
		{8, "as it is", "as it is"},
		{7, "as it is", "as i…"[:4] + "…"},
		{6, "öööö", "ö…"},
		{2, "abc", ""},
		{0, "abc", ""},
	} {
		if got := shorten(c.in, c.limit); got != c.want {
			t.Errorf("%q in %d bytes is %q, want %q", c.in, c.limit, got, c.want)
		}
	}
}
