09:00:00 mumbai/backend: 1 OutOfSync: runs mumbai-backend:1, which does not carry the image; registering one that does
09:00:00 mumbai/backend: 2 registers app:v2+env1 as mumbai-backend:2
09:00:00 => Ready=False Progressing: 0/1 services run app:v2; mumbai/backend: OutOfSync, runs mumbai-backend:1, which does not carry the image; registering one that does
09:00:15 mumbai/backend: 2 updates to mumbai-backend:2

-- its environment is deleted
09:10:45 mumbai/backend: 1 Failed (ContainerExited): container app exited with code 3; the deployment of mumbai-backend:2 made no progress for 10m0s, the progress deadline: 0/2 tasks run (deployment ecs-svc/2), 2 of other revisions, 42 failed; the service now has mumbai-backend:2; not tried again until another image is asked for, or a retry
09:10:45 => Ready=False NoEnvironment: no EcsEnvironment selects the namespace; 0/1 services run app:v2
09:11:00 mumbai/backend: 1 RollingBack: going back to mumbai-backend:1; stopping the deployment of mumbai-backend:2, so that ECS rolls it back; waits: no EcsEnvironment selects the namespace

-- its environment is back
09:15:45 mumbai/backend: 2 stops sd-2
09:15:45 => Ready=False RollingBack: failed (ContainerExited) at mumbai/backend: container app exited with code 3; the deployment of mumbai-backend:2 made no progress for 10m0s, the progress deadline: 0/2 tasks run (deployment ecs-svc/2), 2 of other revisions, 42 failed; 0/1 services run app:v2; mumbai/backend: RollingBack, going back to mumbai-backend:1; stopping the deployment of mumbai-backend:2, so that ECS rolls it back
09:16:15 mumbai/backend: 1 RolledBack (ContainerExited): back on mumbai-backend:1; container app exited with code 3; the deployment of mumbai-backend:2 made no progress for 10m0s, the progress deadline: 0/2 tasks run (deployment ecs-svc/2), 2 of other revisions, 42 failed; not tried again until another image is asked for, or a retry
09:16:15 => Ready=False ContainerExited: failed (ContainerExited) at mumbai/backend: container app exited with code 3; the deployment of mumbai-backend:2 made no progress for 10m0s, the progress deadline: 0/2 tasks run (deployment ecs-svc/2), 2 of other revisions, 42 failed; 0/1 services run app:v2; mumbai/backend: RolledBack (ContainerExited), back on mumbai-backend:1; not tried again until another image is asked for, or a retry

1 registrations, 1 updates
history 1: app:v2 RolledBack 
