package awssim

// The structures that requests and answers of Elastic Load Balancing have in common, named
// as in its model. State keeps them as they came.

type elbAction struct {
	Type                string
	TargetGroupArn      string            `json:",omitempty"`
	Order               *int              `json:",omitempty"`
	ForwardConfig       *elbForward       `json:",omitempty"`
	RedirectConfig      *elbRedirect      `json:",omitempty"`
	FixedResponseConfig *elbFixedResponse `json:",omitempty"`
}

type elbForward struct {
	TargetGroups                []elbGroupWeight
	TargetGroupStickinessConfig *elbStickiness `json:",omitempty"`
}

type elbGroupWeight struct {
	TargetGroupArn string
	Weight         *int `json:",omitempty"`
}

type elbStickiness struct {
	Enabled         *bool `json:",omitempty"`
	DurationSeconds *int  `json:",omitempty"`
}

type elbRedirect struct {
	Protocol   string `json:",omitempty"`
	Port       string `json:",omitempty"`
	Host       string `json:",omitempty"`
	Path       string `json:",omitempty"`
	Query      string `json:",omitempty"`
	StatusCode string
}

type elbFixedResponse struct {
	MessageBody string `json:",omitempty"`
	StatusCode  string
	ContentType string `json:",omitempty"`
}

type elbCondition struct {
	Field             string
	Values            []string           `json:",omitempty"`
	HostHeaderConfig  *elbPatterns       `json:",omitempty"`
	PathPatternConfig *elbPatterns       `json:",omitempty"`
	HTTPHeaderConfig  *elbHeaderPatterns `json:"HttpHeaderConfig,omitempty"`
}

type elbHeaderPatterns struct {
	HTTPHeaderName string `json:"HttpHeaderName"`
	Values         []string
}

type elbPatterns struct{ Values []string }

type elbCertificate struct {
	CertificateArn string
}

type elbTag struct{ Key, Value string }
