09:00:00 mumbai/backend: 1 OutOfSync: runs mumbai-backend:1, which does not carry the image; registering one that does
09:00:00 mumbai/backend: 2 registers app:v2+env1 as mumbai-backend:2
09:00:00 => Ready=False Progressing: 0/1 services run app:v2; mumbai/backend: OutOfSync, runs mumbai-backend:1, which does not carry the image; registering one that does
09:00:15 mumbai/backend: 2 updates to mumbai-backend:2

-- abort: 1
09:01:00 ! abort: what was in flight counts as failed
09:01:00 mumbai/backend: 1 Failed (Aborted): aborted by ecs.heliumai.space/abort=1; the service now has mumbai-backend:2; not tried again until another image is asked for, or a retry
09:01:00 => Ready=False Aborted: failed (Aborted) at mumbai/backend: aborted by ecs.heliumai.space/abort=1; 0/1 services run app:v2; mumbai/backend: Failed (Aborted), the service now has mumbai-backend:2; not tried again until another image is asked for, or a retry

-- retry: 0
09:01:30 ! retry: trying once more: 1 failed, 0 drifted
09:01:30 mumbai/backend: 1 Deploying: mumbai-backend:2: 5/9 tasks run (deployment ecs-svc/2), 4 of other revisions
09:01:30 => Ready=False Progressing: 0/1 services run app:v2; mumbai/backend: Deploying, mumbai-backend:2: 5/9 tasks run (deployment ecs-svc/2), 4 of other revisions

-- abort: 2
09:02:00 ! abort: what was in flight counts as failed
09:02:00 mumbai/backend: 1 Failed (Aborted): aborted by ecs.heliumai.space/abort=2; the service now has mumbai-backend:2; not tried again until another image is asked for, or a retry
09:02:00 => Ready=False Aborted: failed (Aborted) at mumbai/backend: aborted by ecs.heliumai.space/abort=2; 0/1 services run app:v2; mumbai/backend: Failed (Aborted), the service now has mumbai-backend:2; not tried again until another image is asked for, or a retry

-- retry: 1
09:07:00 ! retry: trying once more: 1 failed, 0 drifted
09:07:00 mumbai/backend: 1 InSync: runs mumbai-backend:2
09:07:00 => Ready=True Released: 1/1 services run app:v2

1 registrations, 1 updates
history 1: app:v2 Released mumbai-backend:2
