09:00:00 mumbai/backend: 1 OutOfSync: runs mumbai-backend:1, which does not carry the image; registering one that does
09:00:00 mumbai/backend: 2 registers app:v2+env1 as mumbai-backend:2
09:00:00 => Ready=False Progressing: 0/1 services run app:v2; mumbai/backend: OutOfSync, runs mumbai-backend:1, which does not carry the image; registering one that does
09:00:15 mumbai/backend: 2 updates to mumbai-backend:2

-- it is suspended just before its deadline
09:10:45 => Ready=False Suspended: the release is suspended; 0/1 services run app:v2; mumbai/backend: Deploying, mumbai-backend:2: 0/2 tasks run (deployment ecs-svc/2), 2 of other revisions, 42 failed

-- it is resumed
09:30:45 => Ready=False Progressing: 0/1 services run app:v2; mumbai/backend: Deploying, mumbai-backend:2: 0/2 tasks run (deployment ecs-svc/2), 2 of other revisions, 122 failed
09:40:00 mumbai/backend: 1 Failed (ContainerExited): container app exited with code 3; the deployment of mumbai-backend:2 made no progress for 10m0s, the progress deadline: 0/2 tasks run (deployment ecs-svc/2), 2 of other revisions, 159 failed; the service now has mumbai-backend:2; not tried again until another image is asked for, or a retry
09:40:00 => Ready=False RollingBack: failed (ContainerExited) at mumbai/backend: container app exited with code 3; the deployment of mumbai-backend:2 made no progress for 10m0s, the progress deadline: 0/2 tasks run (deployment ecs-svc/2), 2 of other revisions, 159 failed; 0/1 services run app:v2; mumbai/backend: Failed (ContainerExited), the service now has mumbai-backend:2; not tried again until another image is asked for, or a retry

-- it is suspended right after it failed
09:40:15 mumbai/backend: 1 RollingBack (Suspended): going back to mumbai-backend:1; stopping the deployment of mumbai-backend:2, so that ECS rolls it back; waits: the release is suspended
09:40:15 => Ready=False ContainerExited: failed (ContainerExited) at mumbai/backend: container app exited with code 3; the deployment of mumbai-backend:2 made no progress for 10m0s, the progress deadline: 0/2 tasks run (deployment ecs-svc/2), 2 of other revisions, 159 failed; 0/1 services run app:v2; mumbai/backend: RollingBack (Suspended), going back to mumbai-backend:1; stopping the deployment of mumbai-backend:2, so that ECS rolls it back; waits: the release is suspended

-- it is resumed
10:00:15 mumbai/backend: 1 RollingBack: going back to mumbai-backend:1; stopping the deployment of mumbai-backend:2, so that ECS rolls it back
10:00:15 mumbai/backend: 2 stops sd-2
10:00:15 => Ready=False RollingBack: failed (ContainerExited) at mumbai/backend: container app exited with code 3; the deployment of mumbai-backend:2 made no progress for 10m0s, the progress deadline: 0/2 tasks run (deployment ecs-svc/2), 2 of other revisions, 159 failed; 0/1 services run app:v2; mumbai/backend: RollingBack, going back to mumbai-backend:1; stopping the deployment of mumbai-backend:2, so that ECS rolls it back
10:00:45 mumbai/backend: 1 RolledBack (ContainerExited): back on mumbai-backend:1; container app exited with code 3; the deployment of mumbai-backend:2 made no progress for 10m0s, the progress deadline: 0/2 tasks run (deployment ecs-svc/2), 2 of other revisions, 159 failed; not tried again until another image is asked for, or a retry
10:00:45 => Ready=False ContainerExited: failed (ContainerExited) at mumbai/backend: container app exited with code 3; the deployment of mumbai-backend:2 made no progress for 10m0s, the progress deadline: 0/2 tasks run (deployment ecs-svc/2), 2 of other revisions, 159 failed; 0/1 services run app:v2; mumbai/backend: RolledBack (ContainerExited), back on mumbai-backend:1; not tried again until another image is asked for, or a retry

1 registrations, 1 updates
history 1: app:v2 RolledBack 
