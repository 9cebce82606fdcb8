09:00:00 mumbai/backend: 1 OutOfSync: runs mumbai-backend:1, which does not carry the image; registering one that does
09:00:00 mumbai/backend: 2 registers app:v2+env1 as mumbai-backend:2
09:00:00 => Ready=False Progressing: 0/1 services run app:v2; mumbai/backend: OutOfSync, runs mumbai-backend:1, which does not carry the image; registering one that does
09:00:15 mumbai/backend: 2 updates to mumbai-backend:2
09:01:00 mumbai/backend: 1 Failed (ContainerExited): container app exited with code 3; ECS gave the deployment of mumbai-backend:2 up and began to roll it back (service deployment sd-2); 3 tasks failed, the circuit breaker's threshold is 3; Service deployment rolled back because the circuit breaker threshold was exceeded; the service now has mumbai-backend:1; not tried again until another image is asked for, or a retry
09:01:00 => Ready=False RollingBack: failed (ContainerExited) at mumbai/backend: container app exited with code 3; ECS gave the deployment of mumbai-backend:2 up and began to roll it back (service deployment sd-2); 3 tasks failed, the circuit breaker's threshold is 3; Service deployment rolled back because the circuit breaker threshold was exceeded; 0/1 services run app:v2; mumbai/backend: Failed (ContainerExited), the service now has mumbai-backend:1; not tried again until another image is asked for, or a retry
09:01:15 mumbai/backend: 1 RollingBack: going back to mumbai-backend:1; ECS rolls the service back, it has mumbai-backend:1 now; ECS deployment circuit breaker: rolling back to deploymentId ecs-svc/3
09:01:30 mumbai/backend: 1 RolledBack (ContainerExited): back on mumbai-backend:1; container app exited with code 3; ECS gave the deployment of mumbai-backend:2 up and began to roll it back (service deployment sd-2); 3 tasks failed, the circuit breaker's threshold is 3; Service deployment rolled back because the circuit breaker threshold was exceeded; not tried again until another image is asked for, or a retry
09:01:30 => Ready=False ContainerExited: failed (ContainerExited) at mumbai/backend: container app exited with code 3; ECS gave the deployment of mumbai-backend:2 up and began to roll it back (service deployment sd-2); 3 tasks failed, the circuit breaker's threshold is 3; Service deployment rolled back because the circuit breaker threshold was exceeded; 0/1 services run app:v2; mumbai/backend: RolledBack (ContainerExited), back on mumbai-backend:1; not tried again until another image is asked for, or a retry

-- v3

-- retry: 1
09:05:00 ! retry: nothing failed, and nothing that somebody else deployed is left standing
09:05:00 mumbai/backend: 1 OutOfSync: runs mumbai-backend:1, which does not carry the image; registering one that does
09:05:00 mumbai/backend: 2 registers app:v3+env1 as mumbai-backend:3
09:05:00 => Ready=False Progressing: 0/1 services run app:v3; mumbai/backend: OutOfSync, runs mumbai-backend:1, which does not carry the image; registering one that does
09:05:15 mumbai/backend: 2 updates to mumbai-backend:3
09:05:45 mumbai/backend: 1 InSync: runs mumbai-backend:3
09:05:45 => Ready=True Released: 1/1 services run app:v3

2 registrations, 2 updates
history 2: app:v3 Released mumbai-backend:3
history 1: app:v2 RolledBack 
