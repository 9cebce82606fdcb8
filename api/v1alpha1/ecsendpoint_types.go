package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// DefaultProbePath is what an absent path of an endpoint's probe means.
const DefaultProbePath = "/"

// EcsEndpoint is the way in to ECS services: the chain from a host name to the tasks that answer
// for it. The controller looks at each hop of it and says in status which is the first, from the
// outside in, that does not lead on. It changes nothing in AWS.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:scope=Namespaced,shortName=ecsep,categories=ecs
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Reason",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`
// +kubebuilder:printcolumn:name="Hostname",type=string,JSONPath=`.spec.hostname`
// +kubebuilder:printcolumn:name="Hop",type=string,JSONPath=`.status.hop`
// +kubebuilder:printcolumn:name="Message",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].message`,priority=1
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
type EcsEndpoint struct {
	metav1.TypeMeta `json:",inline"`

	// metadata is the standard object metadata.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// spec is the chain as it is meant to be. The controller never writes it.
	// +required
	Spec EcsEndpointSpec `json:"spec"`

	// status is the chain as it was last seen. An observedGeneration of -1 means that no
	// controller has seen this endpoint yet.
	// +optional
	// +kubebuilder:default={"observedGeneration":-1}
	Status EcsEndpointStatus `json:"status,omitempty"`
}

// EcsEndpointList is a list of EcsEndpoints.
//
// +kubebuilder:object:root=true
type EcsEndpointList struct {
	metav1.TypeMeta `json:",inline"`

	// metadata is the standard list metadata.
	// +optional
	metav1.ListMeta `json:"metadata,omitempty"`

	// items are the endpoints.
	Items []EcsEndpoint `json:"items"`
}

// EcsEndpointSpec says what a host name is meant to lead to.
//
// +kubebuilder:validation:XValidation:rule="self.regions.all(r, !has(r.loadBalancerARN) || r.loadBalancerARN.split(':')[3] == r.region)",message="a load balancer must be in the region that names it: the fourth part of its ARN"
type EcsEndpointSpec struct {
	// hostname is the name that people use, e.g. api.heliumai.space.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:XValidation:rule="self.matches('^([a-z0-9_]([a-z0-9-]{0,61}[a-z0-9])?[.])+[a-z]([a-z0-9-]{0,61}[a-z0-9])?$')",message="hostname is a whole DNS name in lower case, without a final dot, e.g. api.heliumai.space"
	Hostname string `json:"hostname"`

	// hostedZoneID is the hosted zone of Route 53 that the name's records are in. Absent: the
	// public zone with the longest name that the host name ends with.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=32
	// +kubebuilder:validation:XValidation:rule="self.matches('^Z[A-Z0-9]+$')",message="hostedZoneID is the id of a hosted zone, e.g. Z0123456789ABCDEFGHIJ"
	HostedZoneID string `json:"hostedZoneID,omitempty"`

	// acceleratorARN is the accelerator of AWS Global Accelerator that the name points at. Absent:
	// it points at the load balancers.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=255
	// +kubebuilder:validation:XValidation:rule="self.matches('^arn:aws[a-z-]*:globalaccelerator::[0-9]{12}:accelerator/[0-9a-f-]+$')",message="acceleratorARN must be the ARN of an accelerator, arn:aws:globalaccelerator::<account>:accelerator/<id>"
	AcceleratorARN string `json:"acceleratorARN,omitempty"`

	// regions are where the name leads to.
	// +required
	// +listType=map
	// +listMapKey=region
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=16
	Regions []EndpointRegion `json:"regions"`

	// probe asks the name and wants an answer. Absent: nothing is asked.
	// +optional
	Probe *EndpointProbe `json:"probe,omitempty"`
}

// EndpointRegion is what the name leads to in one region.
type EndpointRegion struct {
	// region is the AWS region, e.g. ap-south-1.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=32
	// +kubebuilder:validation:XValidation:rule="self.matches('^[a-z]{2}(-[a-z]+)+-[0-9]+$')",message="region must be the code of an AWS region, e.g. ap-south-1"
	Region string `json:"region"`

	// loadBalancerARN is the application load balancer. Absent: there is none yet, and the status
	// says so when it is its turn.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=255
	// +kubebuilder:validation:XValidation:rule="self.matches('^arn:aws[a-z-]*:elasticloadbalancing:[a-z0-9-]+:[0-9]{12}:loadbalancer/app/[a-zA-Z0-9-]+/[0-9a-f]+$')",message="loadBalancerARN must be the ARN of an application load balancer, arn:aws:elasticloadbalancing:<region>:<account>:loadbalancer/app/<name>/<id>"
	LoadBalancerARN string `json:"loadBalancerARN,omitempty"`

	// certificateARN is the certificate of AWS Certificate Manager that the load balancer must
	// have for the name. Absent: any that covers it will do.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=255
	// +kubebuilder:validation:XValidation:rule="self.matches('^arn:aws[a-z-]*:acm:[a-z0-9-]+:[0-9]{12}:certificate/[0-9a-zA-Z-]+$')",message="certificateARN must be the ARN of a certificate, arn:aws:acm:<region>:<account>:certificate/<id>"
	CertificateARN string `json:"certificateARN,omitempty"`

	// services are those that answer for the name.
	// +required
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=8
	Services []EndpointService `json:"services"`
}

// EndpointService is an ECS service in the region.
type EndpointService struct {
	// cluster is the name of the ECS cluster.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=255
	// +kubebuilder:validation:XValidation:rule="self.matches('^[a-zA-Z0-9_-]+$')",message="a cluster is named by its name, not its ARN: letters, digits, hyphens and underscores"
	Cluster string `json:"cluster"`

	// name is the name of the ECS service.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=255
	// +kubebuilder:validation:XValidation:rule="self.matches('^[a-zA-Z0-9_-]+$')",message="a service is named by its name, not its ARN: letters, digits, hyphens and underscores"
	Name string `json:"name"`
}

// EndpointProbe asks https://<hostname><path> with GET.
type EndpointProbe struct {
	// path is what to ask for, a query included. Absent: /.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=512
	// +kubebuilder:validation:XValidation:rule="self.matches('^/(%[0-9a-fA-F]{2}|[^#%\\\\x00-\\\\x20\\\\x7f])*$')",message="path begins with / and has no fragment and no spaces"
	Path string `json:"path,omitempty"`

	// expectStatus is the HTTP status that counts as well. Absent: 200.
	// +optional
	// +kubebuilder:validation:Minimum=100
	// +kubebuilder:validation:Maximum=599
	ExpectStatus *int32 `json:"expectStatus,omitempty"`

	// via says how to reach it: LoadBalancer asks the load balancer of each region, with the host
	// name as the Host header and as the server name of TLS; Public asks once, whatever the name
	// resolves to where the controller runs. Absent: LoadBalancer.
	// +optional
	Via HTTPVia `json:"via,omitempty"`
}
