09:00:00 mumbai/backend: 1 OutOfSync: runs mumbai-backend:1, which does not carry the image; registering one that does
09:00:00 mumbai/backend: 2 registers app:v2+env1 as mumbai-backend:2
09:00:00 => Ready=False Progressing: 0/1 services run app:v2; mumbai/backend: OutOfSync, runs mumbai-backend:1, which does not carry the image; registering one that does
09:00:15 mumbai/backend: 2 updates to mumbai-backend:2
09:00:30 mumbai/backend: 1 stage PRE_SCALE_UP with 0% of the traffic
09:00:45 mumbai/backend: 1 stage SCALE_UP with 0% of the traffic
09:01:00 mumbai/backend: 1 AwaitingAction: the deployment of mumbai-backend:2 waits at stage POST_SCALE_UP (service deployment sd-2); let it go on with the annotation ecs.heliumai.space/approve=hook-pause2, or roll it back with ecs.heliumai.space/abort; at 2026-11-24T09:01:00Z ECS decides by itself
09:01:00 mumbai/backend: 1 stage POST_SCALE_UP with 0% of the traffic
09:01:00 => Ready=False AwaitingAction: 0/1 services run app:v2; mumbai/backend: AwaitingAction, the deployment of mumbai-backend:2 waits at stage POST_SCALE_UP (service deployment sd-2); let it go on with the annotation ecs.heliumai.space/approve=hook-pause2, or roll it back with ecs.heliumai.space/abort; at 2026-11-24T09:01:00Z ECS decides by itself

-- two hours pass

-- approve: hook-pause1
11:05:00 ! approve: nothing awaits hook-pause1: approve an id of status.awaiting

-- approve: hook-pause2
11:05:15 ! approve: approved hook-pause2
11:05:15 mumbai/backend: 2 lets sd-2 go on after hook pause2
11:05:30 mumbai/backend: 1 Deploying: mumbai-backend:2: 2/2 tasks run (deployment ecs-svc/2), 2 of other revisions, stage PRODUCTION_TRAFFIC_SHIFT, 5% of the traffic
11:05:30 mumbai/backend: 1 stage PRODUCTION_TRAFFIC_SHIFT with 5% of the traffic
11:05:30 => Ready=False Progressing: 0/1 services run app:v2; mumbai/backend: Deploying, mumbai-backend:2: 2/2 tasks run (deployment ecs-svc/2), 2 of other revisions, stage PRODUCTION_TRAFFIC_SHIFT, 5% of the traffic
11:05:45 mumbai/backend: 1 stage PRODUCTION_TRAFFIC_SHIFT with 100% of the traffic
11:06:00 mumbai/backend: 1 stage POST_PRODUCTION_TRAFFIC_SHIFT with 100% of the traffic
11:06:15 mumbai/backend: 1 stage BAKE_TIME with 100% of the traffic
11:06:30 mumbai/backend: 1 stage CLEAN_UP with 100% of the traffic
11:06:45 mumbai/backend: 1 InSync: runs mumbai-backend:2
11:06:45 => Ready=True Released: 1/1 services run app:v2

1 registrations, 1 updates
history 1: app:v2 Released mumbai-backend:2
