09:00:00 mumbai/backend: 1 OutOfSync: runs mumbai-backend:1, which does not carry the image; registering one that does
09:00:00 mumbai/backend: 2 registers app:v2+env1 as mumbai-backend:2
09:00:00 => Ready=False Progressing: 0/1 services run app:v2; mumbai/backend: OutOfSync, runs mumbai-backend:1, which does not carry the image; registering one that does
09:00:15 mumbai/backend: 2 updates to mumbai-backend:2
09:00:30 mumbai/backend: 1 stage PRE_SCALE_UP with 0% of the traffic
09:00:45 mumbai/backend: 1 stage SCALE_UP with 0% of the traffic
09:01:00 mumbai/backend: 1 AwaitingAction: the deployment of mumbai-backend:2 waits at stage POST_SCALE_UP (service deployment sd-2); let it go on with the annotation ecs.heliumai.space/approve=hook-pause2, or roll it back with ecs.heliumai.space/abort; at 2026-11-24T09:01:00Z ECS decides by itself
09:01:00 mumbai/backend: 1 stage POST_SCALE_UP with 0% of the traffic
09:01:00 => Ready=False AwaitingAction: 0/1 services run app:v2; mumbai/backend: AwaitingAction, the deployment of mumbai-backend:2 waits at stage POST_SCALE_UP (service deployment sd-2); let it go on with the annotation ecs.heliumai.space/approve=hook-pause2, or roll it back with ecs.heliumai.space/abort; at 2026-11-24T09:01:00Z ECS decides by itself

-- approve: hook-pause2

-- abort: 1
09:05:00 ! abort: what was in flight counts as failed
09:05:00 ! approve: nothing awaits hook-pause2: approve an id of status.awaiting
09:05:00 mumbai/backend: 2 rolls sd-2 back at hook pause2
09:05:15 mumbai/backend: 1 Failed (Aborted): aborted by ecs.heliumai.space/abort=1; the service now has mumbai-backend:1; not tried again until another image is asked for, or a retry
09:05:15 => Ready=False Aborted: 0/1 services run app:v2; mumbai/backend: Failed (Aborted), aborted by ecs.heliumai.space/abort=1; the service now has mumbai-backend:1; not tried again until another image is asked for, or a retry

1 registrations, 1 updates
history 1: app:v2 Failed 
