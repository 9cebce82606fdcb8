09:00:00 mumbai/backend: 1 OutOfSync: runs mumbai-backend:1, which does not carry the image; registering one that does
09:00:00 mumbai/backend: 2 registers app:v2+env1 as mumbai-backend:2
09:00:00 => Ready=False Progressing: 0/1 services run app:v2; mumbai/backend: OutOfSync, runs mumbai-backend:1, which does not carry the image; registering one that does
09:00:15 mumbai/backend: 2 updates to mumbai-backend:2
09:01:00 mumbai/backend: 1 Failed (ContainerExited): container app exited with code 3; ECS gave the deployment of mumbai-backend:2 up and began to roll it back (service deployment sd-2); 3 tasks failed, the circuit breaker's threshold is 3; Service deployment rolled back because the circuit breaker threshold was exceeded; the service now has mumbai-backend:1; not tried again until another image is asked for, or a retry
09:01:00 => Ready=False RollingBack: failed (ContainerExited) at mumbai/backend: container app exited with code 3; ECS gave the deployment of mumbai-backend:2 up and began to roll it back (service deployment sd-2); 3 tasks failed, the circuit breaker's threshold is 3; Service deployment rolled back because the circuit breaker threshold was exceeded; 0/1 services run app:v2; mumbai/backend: Failed (ContainerExited), the service now has mumbai-backend:1; not tried again until another image is asked for, or a retry
09:01:15 mumbai/backend: 1 RollingBack: going back to mumbai-backend:1; ECS rolls the service back, it has mumbai-backend:1 now; ECS deployment circuit breaker: rolling back to deploymentId ecs-svc/3
09:01:30 mumbai/backend: 1 RolledBack (ContainerExited): back on mumbai-backend:1; container app exited with code 3; ECS gave the deployment of mumbai-backend:2 up and began to roll it back (service deployment sd-2); 3 tasks failed, the circuit breaker's threshold is 3; Service deployment rolled back because the circuit breaker threshold was exceeded; not tried again until another image is asked for, or a retry
09:01:30 => Ready=False ContainerExited: failed (ContainerExited) at mumbai/backend: container app exited with code 3; ECS gave the deployment of mumbai-backend:2 up and began to roll it back (service deployment sd-2); 3 tasks failed, the circuit breaker's threshold is 3; Service deployment rolled back because the circuit breaker threshold was exceeded; 0/1 services run app:v2; mumbai/backend: RolledBack (ContainerExited), back on mumbai-backend:1; not tried again until another image is asked for, or a retry

-- v1 is asked for
09:05:00 mumbai/backend: 1 InSync: ran the image already, with mumbai-backend:1: adopted as it is
09:05:00 => Ready=True Released: 1/1 services run app:v1

-- v2 is asked for again
09:10:00 mumbai/backend: 1 Failed (ContainerExited): container app exited with code 3; ECS gave the deployment of mumbai-backend:2 up and began to roll it back (service deployment sd-2); 3 tasks failed, the circuit breaker's threshold is 3; Service deployment rolled back because the circuit breaker threshold was exceeded; the service now has mumbai-backend:1; not tried again until another image is asked for, or a retry
09:10:00 => Ready=False RollingBack: 0/1 services run app:v2; mumbai/backend: Failed (ContainerExited), container app exited with code 3; ECS gave the deployment of mumbai-backend:2 up and began to roll it back (service deployment sd-2); 3 tasks failed, the circuit breaker's threshold is 3; Service deployment rolled back because the circuit breaker threshold was exceeded; the service now has mumbai-backend:1; not tried again until another image is asked for, or a retry
09:10:15 mumbai/backend: 1 RolledBack (ContainerExited): back on mumbai-backend:1; container app exited with code 3; ECS gave the deployment of mumbai-backend:2 up and began to roll it back (service deployment sd-2); 3 tasks failed, the circuit breaker's threshold is 3; Service deployment rolled back because the circuit breaker threshold was exceeded; not tried again until another image is asked for, or a retry
09:10:15 => Ready=False ContainerExited: failed (ContainerExited) at mumbai/backend: container app exited with code 3; ECS gave the deployment of mumbai-backend:2 up and began to roll it back (service deployment sd-2); 3 tasks failed, the circuit breaker's threshold is 3; Service deployment rolled back because the circuit breaker threshold was exceeded; 0/1 services run app:v2; mumbai/backend: RolledBack (ContainerExited), back on mumbai-backend:1; not tried again until another image is asked for, or a retry

-- v1 is asked for, and somebody deploys it with other settings
09:15:00 mumbai/backend: 1 Deploying: deployment ecs-svc/4, which this release did not start, brings mumbai-backend:3, which carries the image; waiting for ECS to complete it, 0/2 tasks run
09:15:00 => Ready=False Progressing: 0/1 services run app:v1; mumbai/backend: Deploying, deployment ecs-svc/4, which this release did not start, brings mumbai-backend:3, which carries the image; waiting for ECS to complete it, 0/2 tasks run
09:15:30 mumbai/backend: 1 InSync: ran the image already, with mumbai-backend:3: adopted as it is
09:15:30 => Ready=True Released: 1/1 services run app:v1

-- v2 is asked for once more
09:20:00 mumbai/backend: 1 OutOfSync: runs mumbai-backend:3, which does not carry the image; registering one that does
09:20:00 mumbai/backend: 2 registers app:v2+env2 as mumbai-backend:4
09:20:00 => Ready=False Progressing: 0/1 services run app:v2; mumbai/backend: OutOfSync, runs mumbai-backend:3, which does not carry the image; registering one that does
09:20:15 mumbai/backend: 2 updates to mumbai-backend:4
09:20:45 mumbai/backend: 1 InSync: runs mumbai-backend:4
09:20:45 => Ready=True Released: 1/1 services run app:v2

2 registrations, 2 updates
history 5: app:v2 Released mumbai-backend:4
history 4: app:v1 Adopted mumbai-backend:3
history 3: app:v2 RolledBack 
history 2: app:v1 Adopted mumbai-backend:1
history 1: app:v2 RolledBack 
