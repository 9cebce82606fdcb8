09:00:00 mumbai/backend: 1 OutOfSync (WaveNotOpen): runs mumbai-backend:1, which does not carry the image; waits: wave 1 opens after wave 0: 0/1 services run the image
09:00:00 singapore/backend: 1 OutOfSync: runs singapore-backend:1, which does not carry the image; registering one that does
09:00:00 singapore/backend: 2 registers app:v2+env1 as singapore-backend:2
09:00:00 => Ready=False Progressing: 0/2 services run app:v2; singapore/backend: OutOfSync, runs singapore-backend:1, which does not carry the image; registering one that does; mumbai/backend: OutOfSync (WaveNotOpen)
09:00:15 singapore/backend: 2 updates to singapore-backend:2
09:01:00 mumbai/backend: 1 OutOfSync: runs mumbai-backend:1, which does not carry the image; waits: singapore/backend: container app exited with code 3; ECS gave the deployment of singapore-backend:2 up and began to roll it back (service deployment sd-2); 3 tasks failed, the circuit breaker's threshold is 3; Service deployment rolled back because the circuit breaker threshold was exceeded; the service now has singapore-backend:1; not tried again until another image is asked for, or a retry
09:01:00 singapore/backend: 1 Failed (ContainerExited): container app exited with code 3; ECS gave the deployment of singapore-backend:2 up and began to roll it back (service deployment sd-2); 3 tasks failed, the circuit breaker's threshold is 3; Service deployment rolled back because the circuit breaker threshold was exceeded; the service now has singapore-backend:1; not tried again until another image is asked for, or a retry
09:01:00 => Ready=False RollingBack: failed (ContainerExited) at singapore/backend: container app exited with code 3; ECS gave the deployment of singapore-backend:2 up and began to roll it back (service deployment sd-2); 3 tasks failed, the circuit breaker's threshold is 3; Service deployment rolled back because the circuit breaker threshold was exceeded; 0/2 services run app:v2; singapore/backend: Failed (ContainerExited), the service now has singapore-backend:1; not tried again until another image is asked for, or a retry; mumbai/backend: OutOfSync
09:01:15 singapore/backend: 1 RollingBack: going back to singapore-backend:1; ECS rolls the service back, it has singapore-backend:1 now; ECS deployment circuit breaker: rolling back to deploymentId ecs-svc/3
09:01:30 singapore/backend: 1 RolledBack (ContainerExited): back on singapore-backend:1; container app exited with code 3; ECS gave the deployment of singapore-backend:2 up and began to roll it back (service deployment sd-2); 3 tasks failed, the circuit breaker's threshold is 3; Service deployment rolled back because the circuit breaker threshold was exceeded; not tried again until another image is asked for, or a retry
09:01:30 => Ready=False ContainerExited: failed (ContainerExited) at singapore/backend: container app exited with code 3; ECS gave the deployment of singapore-backend:2 up and began to roll it back (service deployment sd-2); 3 tasks failed, the circuit breaker's threshold is 3; Service deployment rolled back because the circuit breaker threshold was exceeded; 0/2 services run app:v2; singapore/backend: RolledBack (ContainerExited), back on singapore-backend:1; not tried again until another image is asked for, or a retry; mumbai/backend: OutOfSync

-- singapore is taken out of the release
09:05:00 mumbai/backend: 1 OutOfSync (WaveNotOpen): runs mumbai-backend:1, which does not carry the image; waits: release 1 failed (ContainerExited): nothing more of it is started until another image is asked for, or a retry

-- v2 would run

-- retry: 1
09:10:00 ! retry: trying once more: 0 failed, 0 drifted
09:10:00 mumbai/backend: 1 OutOfSync: runs mumbai-backend:1, which does not carry the image; registering one that does
09:10:00 mumbai/backend: 2 registers app:v2+env1 as mumbai-backend:2
09:10:00 => Ready=False Progressing: 0/1 services run app:v2; mumbai/backend: OutOfSync, runs mumbai-backend:1, which does not carry the image; registering one that does
09:10:15 mumbai/backend: 2 updates to mumbai-backend:2
09:10:45 mumbai/backend: 1 InSync: runs mumbai-backend:2
09:10:45 => Ready=True Released: 1/1 services run app:v2

2 registrations, 2 updates
history 1: app:v2 Released mumbai-backend:2
