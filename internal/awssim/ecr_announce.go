package awssim

// What ECR tells EventBridge ("Amazon ECR events and EventBridge"): images that were pushed or
// deleted, and those that have arrived by replication.

// imageAction is the detail of "ECR Image Action".
type imageAction struct {
	Result     string `json:"result"`
	Repository string `json:"repository-name"`
	Digest     string `json:"image-digest"`
	Action     string `json:"action-type"` // PUSH or DELETE
	Tag        string `json:"image-tag,omitempty"`
}

// replicationAction is the detail of "ECR Replication Action".
type replicationAction struct {
	imageAction
	SourceAccount string `json:"source-account"`
	SourceRegion  string `json:"source-region"`
}

// announceImage tells the default bus of the repository's account and region.
func (s *Simulator) announceImage(r *ecrRepository, action imageAction) {
	s.registryOf(r).region.events.announce(s.world, announcement{source: "aws.ecr", detailType: "ECR Image Action", detail: func() any {
		action.Result, action.Repository = "SUCCESS", r.name
		return action
	}})
}

// announceArrival tells the destination that an image has arrived: it was pushed there, and it
// was replicated.
func (s *Simulator) announceArrival(source, target *ecrRepository, digest, tag string) {
	s.announceImage(target, imageAction{Action: "PUSH", Digest: digest, Tag: tag})
	s.registryOf(target).region.events.announce(s.world, announcement{
		source: "aws.ecr", detailType: "ECR Replication Action", resources: []string{target.arn()},
		detail: func() any {
			return replicationAction{
				imageAction:   imageAction{Result: "SUCCESS", Repository: target.name, Digest: digest, Action: "REPLICATE", Tag: tag},
				SourceAccount: source.registryID, SourceRegion: source.region,
			}
		},
	})
}
