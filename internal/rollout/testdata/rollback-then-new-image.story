09:00:00 mumbai/backend: 1 OutOfSync: runs mumbai-backend:1, which does not carry the image; registering one that does
09:00:00 mumbai/backend: 2 registers app:v2+env1 as mumbai-backend:2
09:00:00 => Ready=False Progressing: 0/1 services run app:v2; mumbai/backend: OutOfSync, runs mumbai-backend:1, which does not carry the image; registering one that does
09:00:15 mumbai/backend: 2 updates to mumbai-backend:2
09:01:00 mumbai/backend: 1 Failed (ContainerExited): container app exited with code 3; ECS gave the deployment of mumbai-backend:2 up and began to roll it back (service deployment sd-2); 3 tasks failed, the circuit breaker's threshold is 3; Service deployment rolled back because the circuit breaker threshold was exceeded; the service now has mumbai-backend:1; not tried again until another image is asked for, or a retry
09:01:00 => Ready=False RollingBack: failed (ContainerExited) at mumbai/backend: container app exited with code 3; ECS gave the deployment of mumbai-backend:2 up and began to roll it back (service deployment sd-2); 3 tasks failed, the circuit breaker's threshold is 3; Service deployment rolled back because the circuit breaker threshold was exceeded; 0/1 services run app:v2; mumbai/backend: Failed (ContainerExited), the service now has mumbai-backend:1; not tried again until another image is asked for, or a retry

-- the image is fixed while ECS rolls back
09:01:15 mumbai/backend: 1 OutOfSync (RollbackInProgress): ECS rolls the service back to mumbai-backend:1; ECS deployment circuit breaker: rolling back to deploymentId ecs-svc/3; starting when it has ended
09:01:15 => Ready=False RollbackInProgress: 0/1 services run app:v3; mumbai/backend: OutOfSync (RollbackInProgress), ECS rolls the service back to mumbai-backend:1; ECS deployment circuit breaker: rolling back to deploymentId ecs-svc/3; starting when it has ended
09:01:30 mumbai/backend: 1 OutOfSync: runs mumbai-backend:1, which does not carry the image; registering one that does
09:01:30 mumbai/backend: 2 registers app:v3+env1 as mumbai-backend:3
09:01:30 => Ready=False Progressing: 0/1 services run app:v3; mumbai/backend: OutOfSync, runs mumbai-backend:1, which does not carry the image; registering one that does
09:01:45 mumbai/backend: 2 updates to mumbai-backend:3
09:02:15 mumbai/backend: 1 InSync: runs mumbai-backend:3
09:02:15 => Ready=True Released: 1/1 services run app:v3

2 registrations, 2 updates
history 2: app:v3 Released mumbai-backend:3
history 1: app:v2 Failed 
