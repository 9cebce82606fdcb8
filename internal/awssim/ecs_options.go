package awssim

import "time"

// ECSOptions is how ECS behaves where AWS's documents leave it open or where a test wants it
// otherwise. The zero value is the ECS that is known. Durations are AWS's time, so that
// Speed shortens them; negative ones mean none.
type ECSOptions struct {
	// ServiceLag is how far DescribeServices is behind; 0 means 2 s. A service is visible
	// from its creation on.
	ServiceLag time.Duration
	// ServiceDeploymentLag is how far ListServiceDeployments is behind; 0 means 4 s.
	ServiceDeploymentLag time.Duration
	// TaskDefinitionLag is how far ListTaskDefinitions and ListTaskDefinitionFamilies are
	// behind; 0 means 3 s. DescribeTaskDefinition is never behind.
	TaskDefinitionLag time.Duration
	// RefuseTagAndDigest refuses container images that carry both a tag and a digest. The
	// documents name only one or the other.
	RefuseTagAndDigest bool
	// PlatformDigests records the digest of the platform's manifest where the image is an
	// index. Which of the two ECS records differs by runtime and is not documented.
	PlatformDigests bool
	// FreshRollbackDeployment gives the deployment that a rollback makes PRIMARY an
	// identifier of its own, instead of the one it had when it completed.
	FreshRollbackDeployment bool
	// CurrentServiceDeployment shows Service.currentServiceDeployment, which real answers
	// were seen to omit.
	CurrentServiceDeployment bool
	// PassRoleClientException answers a denied iam:PassRole with ClientException, as ECS did
	// for years, instead of AccessDeniedException. The text is the same.
	PassRoleClientException bool
	// ContainerInstances is how many instances a cluster has, which is how many tasks a
	// DAEMON service runs; 0 means 2.
	ContainerInstances int
	// AbortStopsDeployment takes StopServiceDeployment's stop type ABORT, which the enumeration
	// has and the documents don't: the deployment stops where it is, without a rollback.
	// Otherwise it is refused.
	AbortStopsDeployment bool
	// OptionalBakeTime takes the BLUE_GREEN strategy without bakeTimeInMinutes, which the
	// documents require.
	OptionalBakeTime bool
	// HeadlessTrafficShifts takes the CANARY and LINEAR strategies for a service without load
	// balancer and Service Connect, which the documents require.
	HeadlessTrafficShifts bool
	// TrafficHooksOnRolling takes lifecycle hooks at stages that a ROLLING deployment does not
	// go through; they never run.
	TrafficHooksOnRolling bool
	// HidePreProductionStage shows PRODUCTION_TRAFFIC_SHIFT as the lifecycle stage in
	// PRE_PRODUCTION_TRAFFIC_SHIFT, which the documents list and the enumeration of the
	// answer lacks.
	HidePreProductionStage bool
	// AlarmBakeTime is how long the alarms of a ROLLING deployment are watched after its last
	// step where bakeTimeInMinutes was never set; 0 means 3 min. ECS computes it from the
	// alarms, less than 5 min.
	AlarmBakeTime time.Duration
}

func lagOr(set, otherwise time.Duration) time.Duration {
	switch {
	case set < 0:
		return 0
	case set == 0:
		return otherwise
	default:
		return set
	}
}

func (o ECSOptions) serviceLag() time.Duration { return lagOr(o.ServiceLag, 2*time.Second) }

func (o ECSOptions) serviceDeploymentLag() time.Duration {
	return lagOr(o.ServiceDeploymentLag, 4*time.Second)
}

func (o ECSOptions) taskDefinitionLag() time.Duration {
	return lagOr(o.TaskDefinitionLag, 3*time.Second)
}

func (o ECSOptions) alarmBakeTime() time.Duration { return lagOr(o.AlarmBakeTime, 3*time.Minute) }

func (o ECSOptions) containerInstances() int {
	if o.ContainerInstances <= 0 {
		return 2
	}
	return o.ContainerInstances
}
