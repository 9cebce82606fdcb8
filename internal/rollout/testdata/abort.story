09:00:00 mumbai/backend: 1 OutOfSync: runs mumbai-backend:1, which does not carry the image; registering one that does
09:00:00 mumbai/backend: 2 registers app:v2+env1 as mumbai-backend:2
09:00:00 => Ready=False Progressing: 0/1 services run app:v2; mumbai/backend: OutOfSync, runs mumbai-backend:1, which does not carry the image; registering one that does
09:00:15 mumbai/backend: 2 updates to mumbai-backend:2

-- abort: 1
09:01:00 ! abort: what was in flight counts as failed
09:01:00 mumbai/backend: 1 RollingBack: going back to mumbai-backend:1; stopping the deployment of mumbai-backend:2, so that ECS rolls it back
09:01:00 mumbai/backend: 2 stops sd-2
09:01:00 => Ready=False RollingBack: failed (Aborted) at mumbai/backend: aborted by ecs.heliumai.space/abort=1; 0/1 services run app:v2; mumbai/backend: RollingBack, going back to mumbai-backend:1; stopping the deployment of mumbai-backend:2, so that ECS rolls it back
09:03:15 mumbai/backend: 1 RolledBack (Aborted): back on mumbai-backend:1; aborted by ecs.heliumai.space/abort=1; not tried again until another image is asked for, or a retry
09:03:15 => Ready=False Aborted: failed (Aborted) at mumbai/backend: aborted by ecs.heliumai.space/abort=1; 0/1 services run app:v2; mumbai/backend: RolledBack (Aborted), back on mumbai-backend:1; not tried again until another image is asked for, or a retry

-- retry: 1
09:06:00 ! retry: trying once more: 1 failed, 0 drifted
09:06:00 mumbai/backend: 1 OutOfSync: runs mumbai-backend:1, which does not carry the image; updating it to mumbai-backend:2
09:06:00 mumbai/backend: 2 updates to mumbai-backend:2
09:06:00 => Ready=False Progressing: 0/1 services run app:v2; mumbai/backend: Deploying, ECS took the update to mumbai-backend:2 (deployment ecs-svc/4)
09:08:15 mumbai/backend: 1 InSync: runs mumbai-backend:2
09:08:15 => Ready=True Released: 1/1 services run app:v2

1 registrations, 2 updates
history 1: app:v2 Released mumbai-backend:2
