09:00:00 mumbai/backend: 1 OutOfSync: runs mumbai-backend:1, which does not carry the image; registering one that does
09:00:00 mumbai/backend: 2 registers app:v2+env1 as mumbai-backend:2
09:00:00 => Ready=False Progressing: 0/1 services run app:v2; mumbai/backend: OutOfSync, runs mumbai-backend:1, which does not carry the image; registering one that does
09:00:15 mumbai/backend: 2 updates to mumbai-backend:2

-- abort: 1
09:00:30 ! abort: what was in flight counts as failed
09:00:30 mumbai/backend: 1 RollingBack: going back to mumbai-backend:1; stopping the deployment of mumbai-backend:2, so that ECS rolls it back
09:00:30 mumbai/backend: 2 stops sd-2
09:00:30 => Ready=False RollingBack: failed (Aborted) at mumbai/backend: aborted by ecs.heliumai.space/abort=1; 0/1 services run app:v2; mumbai/backend: RollingBack, going back to mumbai-backend:1; stopping the deployment of mumbai-backend:2, so that ECS rolls it back

-- v3, while looks lag behind
09:00:45 mumbai/backend: 1 OutOfSync (RollbackInProgress): ECS rolls mumbai-backend:2 back (service deployment sd-2); starting when it has ended
09:00:45 => Ready=False RollbackInProgress: 0/1 services run app:v3; mumbai/backend: OutOfSync (RollbackInProgress), ECS rolls mumbai-backend:2 back (service deployment sd-2); starting when it has ended
09:02:45 mumbai/backend: 1 OutOfSync: runs mumbai-backend:1, which does not carry the image; registering one that does
09:02:45 mumbai/backend: 2 registers app:v3+env1 as mumbai-backend:3
09:02:45 => Ready=False Progressing: 0/1 services run app:v3; mumbai/backend: OutOfSync, runs mumbai-backend:1, which does not carry the image; registering one that does
09:03:00 mumbai/backend: 2 updates to mumbai-backend:3
09:05:15 mumbai/backend: 1 InSync: runs mumbai-backend:3
09:05:15 => Ready=True Released: 1/1 services run app:v3

2 registrations, 2 updates
history 2: app:v3 Released mumbai-backend:3
history 1: app:v2 Failed 
