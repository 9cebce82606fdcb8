09:00:00 mumbai/backend: 1 OutOfSync: runs mumbai-backend:1, which does not carry the image; registering one that does
09:00:00 mumbai/backend: 2 registers app:v2+env1 as mumbai-backend:2
09:00:00 => Ready=False Progressing: 0/1 services run app:v2; mumbai/backend: OutOfSync, runs mumbai-backend:1, which does not carry the image; registering one that does
09:00:15 mumbai/backend: 2 updates to mumbai-backend:2
09:00:45 mumbai/backend: 1 InSync: runs mumbai-backend:2
09:00:45 => Ready=True Released: 1/1 services run app:v2

-- v3 does not run, and neither does what it goes back to
09:05:00 mumbai/backend: 1 OutOfSync: runs mumbai-backend:2, which does not carry the image; registering one that does
09:05:00 mumbai/backend: 2 registers app:v3+env1 as mumbai-backend:3
09:05:00 => Ready=False Progressing: 0/1 services run app:v3; mumbai/backend: OutOfSync, runs mumbai-backend:2, which does not carry the image; registering one that does
09:05:15 mumbai/backend: 2 updates to mumbai-backend:3
09:06:00 mumbai/backend: 1 Failed (ContainerExited): container app exited with code 3; ECS gave the deployment of mumbai-backend:3 up and began to roll it back (service deployment sd-3); 3 tasks failed, the circuit breaker's threshold is 3; Service deployment rolled back because the circuit breaker threshold was exceeded; the service now has mumbai-backend:1; not tried again until another image is asked for, or a retry
09:06:00 => Ready=False RollingBack: failed (ContainerExited) at mumbai/backend: container app exited with code 3; ECS gave the deployment of mumbai-backend:3 up and began to roll it back (service deployment sd-3); 3 tasks failed, the circuit breaker's threshold is 3; Service deployment rolled back because the circuit breaker threshold was exceeded; 0/1 services run app:v3; mumbai/backend: Failed (ContainerExited), the service now has mumbai-backend:1; not tried again until another image is asked for, or a retry
09:06:15 mumbai/backend: 1 RollingBack: going back to mumbai-backend:2; ECS rolls the service back, it has mumbai-backend:1 now; ECS deployment circuit breaker: rolling back to deploymentId ecs-svc/4
09:06:30 mumbai/backend: 2 updates to mumbai-backend:2
09:07:15 mumbai/backend: 1 RollbackFailed: the rollback failed: container app exited with code 3; ECS gave the deployment of mumbai-backend:2 up and began to roll it back (service deployment sd-5); 3 tasks failed, the circuit breaker's threshold is 3; Service deployment rolled back because the circuit breaker threshold was exceeded; container app exited with code 3; ECS gave the deployment of mumbai-backend:3 up and began to roll it back (service deployment sd-3); 3 tasks failed, the circuit breaker's threshold is 3; Service deployment rolled back because the circuit breaker threshold was exceeded; the service now has mumbai-backend:1; nothing more is done by itself: see to it, then retry
09:07:15 => Ready=False RollbackFailed: failed (ContainerExited) at mumbai/backend: container app exited with code 3; ECS gave the deployment of mumbai-backend:3 up and began to roll it back (service deployment sd-3); 3 tasks failed, the circuit breaker's threshold is 3; Service deployment rolled back because the circuit breaker threshold was exceeded; 0/1 services run app:v3; mumbai/backend: RollbackFailed, the rollback failed: container app exited with code 3; ECS gave the deployment of mumbai-backend:2 up and began to roll it back (service deployment sd-5); the service now has mumbai-backend:1; nothing more is done by itself: see to it, then retry

-- somebody fixes v2 and asks once more

-- retry: 1
09:10:00 ! retry: trying once more: 1 failed, 0 drifted
09:10:00 mumbai/backend: 1 OutOfSync: runs mumbai-backend:1, which does not carry the image; updating it to mumbai-backend:3
09:10:00 mumbai/backend: 2 updates to mumbai-backend:3
09:10:00 => Ready=False Progressing: 0/1 services run app:v3; mumbai/backend: Deploying, ECS took the update to mumbai-backend:3 (deployment ecs-svc/7)
09:10:30 mumbai/backend: 1 InSync: runs mumbai-backend:3
09:10:30 => Ready=True Released: 1/1 services run app:v3

2 registrations, 4 updates
history 2: app:v3 Released mumbai-backend:3
history 1: app:v2 Released mumbai-backend:2
