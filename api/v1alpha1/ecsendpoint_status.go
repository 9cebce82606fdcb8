package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// EcsEndpointStatus is the chain as it was last seen.
type EcsEndpointStatus struct {
	// observedGeneration is the generation of the spec that this status is about; -1 while no
	// controller has seen it.
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`

	// conditions are Ready always, and Reconciling or Stalled only when True, never both.
	// +optional
	// +listType=map
	// +listMapKey=type
	// +kubebuilder:validation:MaxItems=8
	Conditions []metav1.Condition `json:"conditions,omitempty"`

	// hop is the hop that Ready is about when it is not True, with its region where it has one:
	// "Certificate in ap-south-1". Absent while every hop leads on.
	// +optional
	// +kubebuilder:validation:MaxLength=128
	Hop string `json:"hop,omitempty"`

	// wired is since when the chain is known to have led from end to end once: what is missing
	// from then on is a break, and no step that is yet to come. Absent: it never did.
	// +optional
	Wired *metav1.Time `json:"wired,omitempty"`

	// hops are the hops from the outside in, each for every region that it is about.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=160
	Hops []Hop `json:"hops,omitempty"`
}

// HopName is a hop of the way in.
//
// +kubebuilder:validation:Enum=Record;Accelerator;AcceleratorListener;EndpointGroup;AcceleratorEndpoint;LoadBalancer;Listener;Certificate;Rule;Targets;Probe
type HopName string

// The hops, from the outside in.
const (
	// HopRecord is the record of the host name in Route 53.
	HopRecord HopName = "Record"
	// HopAccelerator is the accelerator of AWS Global Accelerator.
	HopAccelerator HopName = "Accelerator"
	// HopAcceleratorListener is its listener for the port.
	HopAcceleratorListener HopName = "AcceleratorListener"
	// HopEndpointGroup is the endpoint group of a region and its traffic dial.
	HopEndpointGroup HopName = "EndpointGroup"
	// HopAcceleratorEndpoint is the load balancer as an endpoint of that group.
	HopAcceleratorEndpoint HopName = "AcceleratorEndpoint"
	// HopLoadBalancer is the application load balancer itself.
	HopLoadBalancer HopName = "LoadBalancer"
	// HopListener is its listener on the port.
	HopListener HopName = "Listener"
	// HopCertificate is the certificate that the listener has for the host name.
	HopCertificate HopName = "Certificate"
	// HopRule is the rule of the listener that leads to the services' target groups.
	HopRule HopName = "Rule"
	// HopTargets are the tasks in those target groups.
	HopTargets HopName = "Targets"
	// HopProbe is an answer.
	HopProbe HopName = "Probe"
)

// HopState is whether a hop leads on.
//
// +kubebuilder:validation:Enum=Well;Warning;Pending;Missing;Broken;Unknown;Unreached
type HopState string

const (
	// HopWell leads on.
	HopWell HopState = "Well"
	// HopWarning leads on, and somebody should look at it.
	HopWarning HopState = "Warning"
	// HopPending does not lead on yet, and AWS is working on it.
	HopPending HopState = "Pending"
	// HopMissing is not there.
	HopMissing HopState = "Missing"
	// HopBroken is there and does not lead on.
	HopBroken HopState = "Broken"
	// HopUnknown could not be looked at: throttled, denied, down.
	HopUnknown HopState = "Unknown"
	// HopUnreached is not looked at while another hop is not there.
	HopUnreached HopState = "Unreached"
)

// Hop is one hop of the way in, in one region or for all of them.
type Hop struct {
	// name is which hop it is.
	// +required
	Name HopName `json:"name"`

	// region is the region that it is about. Absent: all.
	// +optional
	// +kubebuilder:validation:MaxLength=32
	Region string `json:"region,omitempty"`

	// state is whether it leads on.
	// +required
	State HopState `json:"state"`

	// seen is what was seen.
	// +optional
	// +kubebuilder:validation:MaxLength=512
	Seen string `json:"seen,omitempty"`

	// wanted is what was wanted instead. Absent where the hop leads on.
	// +optional
	// +kubebuilder:validation:MaxLength=512
	Wanted string `json:"wanted,omitempty"`

	// action is what to do about it. Absent where the hop leads on.
	// +optional
	// +kubebuilder:validation:MaxLength=512
	Action string `json:"action,omitempty"`

	// since is since when it is in this state.
	// +required
	Since metav1.Time `json:"since"`
}
