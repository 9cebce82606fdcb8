09:00:00 mumbai/backend: 1 OutOfSync: runs mumbai-backend:1, which does not carry the image; registering one that does
09:00:00 mumbai/backend: 2 registers app:v2+env1 as mumbai-backend:3, and the answer is lost
09:00:00 => Ready=False Progressing: 0/1 services run app:v2; mumbai/backend: OutOfSync, runs mumbai-backend:1, which does not carry the image; registering one that does
09:00:15 mumbai/backend: 2 updates to mumbai-backend:3, and the answer is lost
09:00:30 mumbai/backend: 1 Deploying: mumbai-backend:3: 0/2 tasks run (deployment ecs-svc/2), 2 of other revisions, 1 failed
09:10:45 mumbai/backend: 1 Failed (ContainerExited): container app exited with code 3; the deployment of mumbai-backend:3 made no progress for 10m0s, the progress deadline: 0/2 tasks run (deployment ecs-svc/2), 2 of other revisions, 42 failed; the service now has mumbai-backend:3; not tried again until another image is asked for, or a retry
09:10:45 => Ready=False RollingBack: failed (ContainerExited) at mumbai/backend: container app exited with code 3; the deployment of mumbai-backend:3 made no progress for 10m0s, the progress deadline: 0/2 tasks run (deployment ecs-svc/2), 2 of other revisions, 42 failed; 0/1 services run app:v2; mumbai/backend: Failed (ContainerExited), the service now has mumbai-backend:3; not tried again until another image is asked for, or a retry
09:11:00 mumbai/backend: 1 RollingBack: going back to mumbai-backend:1; stopping the deployment of mumbai-backend:3, so that ECS rolls it back
09:11:00 mumbai/backend: 2 stops sd-2, and the answer is lost
09:11:30 mumbai/backend: 2 registers app:v1+env1 as mumbai-backend:4, and the answer is lost
09:11:45 mumbai/backend: 2 updates to mumbai-backend:4, and the answer is lost
09:12:15 mumbai/backend: 1 RolledBack (ContainerExited): back on mumbai-backend:4; container app exited with code 3; the deployment of mumbai-backend:3 made no progress for 10m0s, the progress deadline: 0/2 tasks run (deployment ecs-svc/2), 2 of other revisions, 42 failed; not tried again until another image is asked for, or a retry
09:12:15 => Ready=False ContainerExited: failed (ContainerExited) at mumbai/backend: container app exited with code 3; the deployment of mumbai-backend:3 made no progress for 10m0s, the progress deadline: 0/2 tasks run (deployment ecs-svc/2), 2 of other revisions, 42 failed; 0/1 services run app:v2; mumbai/backend: RolledBack (ContainerExited), back on mumbai-backend:4; not tried again until another image is asked for, or a retry

2 registrations, 2 updates
history 1: app:v2 RolledBack 
