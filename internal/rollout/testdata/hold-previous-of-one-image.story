09:00:00 mumbai/backend: 1 OutOfSync: runs mumbai-backend:1, which does not carry the image; registering one that does
09:00:00 mumbai/backend: 2 registers app:v2+env1 as mumbai-backend:2
09:00:00 => Ready=False Progressing: 0/1 services run app:v2; mumbai/backend: OutOfSync, runs mumbai-backend:1, which does not carry the image; registering one that does
09:00:15 mumbai/backend: 2 updates to mumbai-backend:2
09:00:45 mumbai/backend: 1 InSync: runs mumbai-backend:2
09:00:45 => Ready=True Released: 1/1 services run app:v2

-- v3
09:05:00 mumbai/backend: 1 OutOfSync: runs mumbai-backend:2, which does not carry the image; registering one that does
09:05:00 mumbai/backend: 2 registers app:v3+env1 as mumbai-backend:3
09:05:00 => Ready=False Progressing: 0/1 services run app:v3; mumbai/backend: OutOfSync, runs mumbai-backend:2, which does not carry the image; registering one that does
09:05:15 mumbai/backend: 2 updates to mumbai-backend:3
09:05:45 mumbai/backend: 1 InSync: runs mumbai-backend:3
09:05:45 => Ready=True Released: 1/1 services run app:v3

-- somebody deploys other settings
09:10:00 mumbai/backend: 1 OutOfSync: somebody else deployed mumbai-backend:4 (deployment ecs-svc/4, registered by terraform), which does not carry the image; registering one that does
09:10:00 mumbai/backend: 1 drift mumbai-backend:4 by ecs-svc/4
09:10:00 mumbai/backend: 2 registers app:v3+env2 as mumbai-backend:5
09:10:00 => Ready=False Progressing: 0/1 services run app:v3; mumbai/backend: OutOfSync, somebody else deployed mumbai-backend:4 (deployment ecs-svc/4, registered by terraform), which does not carry the image; registering one that does
09:10:15 mumbai/backend: 2 updates to mumbai-backend:5
09:10:45 mumbai/backend: 1 InSync: runs mumbai-backend:5
09:10:45 => Ready=True Released: 1/1 services run app:v3

-- v4 is broken
09:15:00 mumbai/backend: 1 OutOfSync: runs mumbai-backend:5, which does not carry the image; registering one that does
09:15:00 mumbai/backend: 1 drift none
09:15:00 mumbai/backend: 2 registers app:v4+env2 as mumbai-backend:6
09:15:00 => Ready=False Progressing: 0/1 services run app:v4; mumbai/backend: OutOfSync, runs mumbai-backend:5, which does not carry the image; registering one that does
09:15:15 mumbai/backend: 2 updates to mumbai-backend:6
09:16:00 mumbai/backend: 1 Failed (ContainerExited): container app exited with code 3; ECS gave the deployment of mumbai-backend:6 up and began to roll it back (service deployment sd-6); 3 tasks failed, the circuit breaker's threshold is 3; Service deployment rolled back because the circuit breaker threshold was exceeded; the service now has mumbai-backend:5; not tried again until another image is asked for, or a retry
09:16:00 => Ready=False RollingBack: failed (ContainerExited) at mumbai/backend: container app exited with code 3; ECS gave the deployment of mumbai-backend:6 up and began to roll it back (service deployment sd-6); 3 tasks failed, the circuit breaker's threshold is 3; Service deployment rolled back because the circuit breaker threshold was exceeded; 0/1 services run app:v4; mumbai/backend: Failed (ContainerExited), the service now has mumbai-backend:5; not tried again until another image is asked for, or a retry
09:16:15 mumbai/backend: 1 RollingBack: going back to mumbai-backend:5; ECS rolls the service back, it has mumbai-backend:5 now; ECS deployment circuit breaker: rolling back to deploymentId ecs-svc/7
09:16:30 mumbai/backend: 1 RolledBack (ContainerExited): back on mumbai-backend:5; container app exited with code 3; ECS gave the deployment of mumbai-backend:6 up and began to roll it back (service deployment sd-6); 3 tasks failed, the circuit breaker's threshold is 3; Service deployment rolled back because the circuit breaker threshold was exceeded; not tried again until another image is asked for, or a retry
09:16:30 => Ready=False ContainerExited: failed (ContainerExited) at mumbai/backend: container app exited with code 3; ECS gave the deployment of mumbai-backend:6 up and began to roll it back (service deployment sd-6); 3 tasks failed, the circuit breaker's threshold is 3; Service deployment rolled back because the circuit breaker threshold was exceeded; 0/1 services run app:v4; mumbai/backend: RolledBack (ContainerExited), back on mumbai-backend:5; not tried again until another image is asked for, or a retry

-- back to v3 by the spec
09:20:00 mumbai/backend: 1 InSync: runs mumbai-backend:5
09:20:00 => Ready=True Released: 1/1 services run app:v3

-- hold: 1/previous
09:25:00 ! hold: going to release 1 (app:v2) and staying there until ecs.heliumai.space/release-hold or another image
09:25:00 mumbai/backend: 1 OutOfSync: runs mumbai-backend:5, which does not carry the image; updating it to mumbai-backend:2
09:25:00 mumbai/backend: 2 updates to mumbai-backend:2
09:25:00 => Ready=False Progressing: 0/1 services run app:v2; mumbai/backend: Deploying, ECS took the update to mumbai-backend:2 (deployment ecs-svc/8)
09:25:30 mumbai/backend: 1 InSync: runs mumbai-backend:2
09:25:30 => Ready=False Held: release 1 (app:v2) is held since 2026-11-23T09:25:00Z against app:v3: end it with ecs.heliumai.space/release-hold, or with another image; 1/1 services run app:v2

4 registrations, 5 updates
history 5: app:v2 Released mumbai-backend:2
history 4: app:v3 Released mumbai-backend:5
history 3: app:v4 RolledBack 
history 2: app:v3 Released mumbai-backend:3 mumbai-backend:5
history 1: app:v2 Released mumbai-backend:2
