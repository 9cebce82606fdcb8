09:00:00 mumbai/backend: 1 OutOfSync: runs mumbai-backend:1, which does not carry the image; registering one that does
09:00:00 mumbai/backend: 2 registers app:v2+env1 as mumbai-backend:2
09:00:00 => Ready=False Progressing: 0/1 services run app:v2; mumbai/backend: OutOfSync, runs mumbai-backend:1, which does not carry the image; registering one that does
09:00:15 mumbai/backend: 2 updates to mumbai-backend:2
09:00:45 mumbai/backend: 1 InSync: runs mumbai-backend:2
09:00:45 => Ready=True Released: 1/1 services run app:v2

-- terraform registers a revision
09:05:00 mumbai/backend: 1 OutOfSync: runs mumbai-backend:2, which does not carry the image; registering one that does
09:05:00 mumbai/backend: 2 registers app:v2+env2 as mumbai-backend:4
09:05:00 => Ready=False Progressing: 0/1 services run app:v2; mumbai/backend: OutOfSync, runs mumbai-backend:2, which does not carry the image; registering one that does
09:05:15 mumbai/backend: 2 updates to mumbai-backend:4
09:05:45 mumbai/backend: 1 InSync: runs mumbai-backend:4
09:05:45 => Ready=True Released: 1/1 services run app:v2

-- v3 is broken
09:10:00 mumbai/backend: 1 OutOfSync: runs mumbai-backend:4, which does not carry the image; registering one that does
09:10:00 mumbai/backend: 2 registers app:v3+env2 as mumbai-backend:5
09:10:00 => Ready=False Progressing: 0/1 services run app:v3; mumbai/backend: OutOfSync, runs mumbai-backend:4, which does not carry the image; registering one that does
09:10:15 mumbai/backend: 2 updates to mumbai-backend:5
09:11:00 mumbai/backend: 1 Failed (ContainerExited): container app exited with code 3; ECS gave the deployment of mumbai-backend:5 up and began to roll it back (service deployment sd-4); 3 tasks failed, the circuit breaker's threshold is 3; Service deployment rolled back because the circuit breaker threshold was exceeded; the service now has mumbai-backend:4; not tried again until another image is asked for, or a newer task definition is registered, or a retry
09:11:00 => Ready=False RollingBack: failed (ContainerExited) at mumbai/backend: container app exited with code 3; ECS gave the deployment of mumbai-backend:5 up and began to roll it back (service deployment sd-4); 3 tasks failed, the circuit breaker's threshold is 3; Service deployment rolled back because the circuit breaker threshold was exceeded; 0/1 services run app:v3; mumbai/backend: Failed (ContainerExited), the service now has mumbai-backend:4; not tried again until another image is asked for, or a newer task definition is registered, or a retry
09:11:15 mumbai/backend: 1 RollingBack: going back to mumbai-backend:4; ECS rolls the service back, it has mumbai-backend:4 now; ECS deployment circuit breaker: rolling back to deploymentId ecs-svc/5
09:11:30 mumbai/backend: 1 RolledBack (ContainerExited): back on mumbai-backend:4; container app exited with code 3; ECS gave the deployment of mumbai-backend:5 up and began to roll it back (service deployment sd-4); 3 tasks failed, the circuit breaker's threshold is 3; Service deployment rolled back because the circuit breaker threshold was exceeded; not tried again until another image is asked for, or a newer task definition is registered, or a retry
09:11:30 => Ready=False ContainerExited: failed (ContainerExited) at mumbai/backend: container app exited with code 3; ECS gave the deployment of mumbai-backend:5 up and began to roll it back (service deployment sd-4); 3 tasks failed, the circuit breaker's threshold is 3; Service deployment rolled back because the circuit breaker threshold was exceeded; 0/1 services run app:v3; mumbai/backend: RolledBack (ContainerExited), back on mumbai-backend:4; not tried again until another image is asked for, or a newer task definition is registered, or a retry

-- terraform registers one with which it runs
09:15:00 mumbai/backend: 1 OutOfSync: runs mumbai-backend:4, which does not carry the image; it is left as it is, since the release failed
09:15:15 mumbai/backend: 2 registers app:v3+env3 as mumbai-backend:7
09:15:15 => Ready=False Progressing: 0/1 services run app:v3; mumbai/backend: OutOfSync, runs mumbai-backend:4, which does not carry the image; registering one that does
09:15:30 mumbai/backend: 2 updates to mumbai-backend:7
09:16:00 mumbai/backend: 1 InSync: runs mumbai-backend:7
09:16:00 => Ready=True Released: 1/1 services run app:v3

4 registrations, 4 updates
history 3: app:v3 Released mumbai-backend:7
history 2: app:v3 Failed 
history 1: app:v2 Released mumbai-backend:2 mumbai-backend:4
