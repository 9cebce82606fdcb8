
-- virginia/worker is scaled to zero
09:00:00 mumbai/backend: 1 OutOfSync (WaveNotOpen): runs mumbai-backend:1, which does not carry the image; waits: wave 1 opens after wave 0: 0/1 services run the image
09:00:00 virginia/worker: 1 OutOfSync: runs virginia-worker:1, which does not carry the image; registering one that does
09:00:00 virginia/worker: 2 registers app:v2+env1 as virginia-worker:2
09:00:00 => Ready=False Progressing: 0/2 services run app:v2; virginia/worker: OutOfSync, runs virginia-worker:1, which does not carry the image; registering one that does; mumbai/backend: OutOfSync (WaveNotOpen)
09:00:15 virginia/worker: 2 updates to virginia-worker:2
09:00:30 virginia/worker: 1 InSync (ScaledToZero): virginia-worker:2 is in place, but the service wants 0 tasks: nothing is proven by it
09:00:45 mumbai/backend: 1 OutOfSync: runs mumbai-backend:1, which does not carry the image; registering one that does
09:00:45 mumbai/backend: 2 registers app:v2+env1 as mumbai-backend:2

-- v2 crashes where it has tasks
09:01:00 mumbai/backend: 2 updates to mumbai-backend:2
09:01:45 mumbai/backend: 1 Failed (ContainerExited): container app exited with code 3; ECS gave the deployment of mumbai-backend:2 up and began to roll it back (service deployment sd-2); 3 tasks failed, the circuit breaker's threshold is 3; Service deployment rolled back because the circuit breaker threshold was exceeded; the service now has mumbai-backend:1; not tried again until another image is asked for, or a retry
09:01:45 => Ready=False RollingBack: failed (ContainerExited) at mumbai/backend: container app exited with code 3; ECS gave the deployment of mumbai-backend:2 up and began to roll it back (service deployment sd-2); 3 tasks failed, the circuit breaker's threshold is 3; Service deployment rolled back because the circuit breaker threshold was exceeded; 1/2 services run app:v2; mumbai/backend: Failed (ContainerExited), the service now has mumbai-backend:1; not tried again until another image is asked for, or a retry
09:02:00 mumbai/backend: 1 RollingBack: going back to mumbai-backend:1; ECS rolls the service back, it has mumbai-backend:1 now; ECS deployment circuit breaker: rolling back to deploymentId ecs-svc/3
09:02:15 mumbai/backend: 1 RolledBack (ContainerExited): back on mumbai-backend:1; container app exited with code 3; ECS gave the deployment of mumbai-backend:2 up and began to roll it back (service deployment sd-2); 3 tasks failed, the circuit breaker's threshold is 3; Service deployment rolled back because the circuit breaker threshold was exceeded; not tried again until another image is asked for, or a retry
09:02:15 => Ready=False ContainerExited: failed (ContainerExited) at mumbai/backend: container app exited with code 3; ECS gave the deployment of mumbai-backend:2 up and began to roll it back (service deployment sd-2); 3 tasks failed, the circuit breaker's threshold is 3; Service deployment rolled back because the circuit breaker threshold was exceeded; 1/2 services run app:v2; mumbai/backend: RolledBack (ContainerExited), back on mumbai-backend:1; not tried again until another image is asked for, or a retry

2 registrations, 2 updates
history 1: app:v2 Failed virginia-worker:2
