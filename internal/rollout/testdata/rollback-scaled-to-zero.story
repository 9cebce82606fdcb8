09:00:00 mumbai/backend: 1 InSync: ran the image already, with mumbai-backend:1: adopted as it is
09:00:00 virginia/worker: 1 InSync: ran the image already, with virginia-worker:1: adopted as it is
09:00:00 => Ready=True Released: 2/2 services run app:v1

-- virginia/worker is scaled to zero
09:05:00 virginia/worker: 1 InSync (ScaledToZero): virginia-worker:1 is in place, but the service wants 0 tasks: nothing is proven by it
09:05:00 => Ready=True ScaledToZero: 2/2 services run app:v1; scaled to zero, so nothing is proven there: virginia/worker

-- v2
09:10:00 mumbai/backend: 1 OutOfSync: runs mumbai-backend:1, which does not carry the image; registering one that does
09:10:00 mumbai/backend: 2 registers app:v2+env1 as mumbai-backend:2
09:10:00 virginia/worker: 1 OutOfSync (WaveNotOpen): runs virginia-worker:1, which does not carry the image; waits: wave 1 opens after wave 0: 0/1 services run the image
09:10:00 => Ready=False Progressing: 0/2 services run app:v2; mumbai/backend: OutOfSync, runs mumbai-backend:1, which does not carry the image; registering one that does; virginia/worker: OutOfSync (WaveNotOpen)
09:10:15 mumbai/backend: 2 updates to mumbai-backend:2
09:10:45 mumbai/backend: 1 InSync: runs mumbai-backend:2
09:11:00 virginia/worker: 1 OutOfSync: runs virginia-worker:1, which does not carry the image; registering one that does
09:11:00 virginia/worker: 2 registers app:v2+env1 as virginia-worker:2
09:11:15 virginia/worker: 2 updates to virginia-worker:2
09:11:30 virginia/worker: 1 InSync (ScaledToZero): virginia-worker:2 is in place, but the service wants 0 tasks: nothing is proven by it
09:11:30 => Ready=True ScaledToZero: 2/2 services run app:v2; scaled to zero, so nothing is proven there: virginia/worker

-- abort: 1
09:15:00 ! abort: nothing is in flight

-- v3 is broken
09:20:00 mumbai/backend: 1 OutOfSync: runs mumbai-backend:2, which does not carry the image; registering one that does
09:20:00 mumbai/backend: 2 registers app:v3+env1 as mumbai-backend:3
09:20:00 virginia/worker: 1 OutOfSync (WaveNotOpen): runs virginia-worker:2, which does not carry the image; waits: wave 1 opens after wave 0: 0/1 services run the image
09:20:00 => Ready=False Progressing: 0/2 services run app:v3; mumbai/backend: OutOfSync, runs mumbai-backend:2, which does not carry the image; registering one that does; virginia/worker: OutOfSync (WaveNotOpen)
09:20:15 mumbai/backend: 2 updates to mumbai-backend:3
09:21:00 mumbai/backend: 1 Failed (ContainerExited): container app exited with code 3; ECS gave the deployment of mumbai-backend:3 up and began to roll it back (service deployment sd-3); 3 tasks failed, the circuit breaker's threshold is 3; Service deployment rolled back because the circuit breaker threshold was exceeded; the service now has mumbai-backend:2; not tried again until another image is asked for, or a retry
09:21:00 virginia/worker: 1 OutOfSync: runs virginia-worker:2, which does not carry the image; waits: mumbai/backend: container app exited with code 3; ECS gave the deployment of mumbai-backend:3 up and began to roll it back (service deployment sd-3); 3 tasks failed, the circuit breaker's threshold is 3; Service deployment rolled back because the circuit breaker threshold was exceeded; the service now has mumbai-backend:2; not tried again until another image is asked for, or a retry
09:21:00 => Ready=False RollingBack: failed (ContainerExited) at mumbai/backend: container app exited with code 3; ECS gave the deployment of mumbai-backend:3 up and began to roll it back (service deployment sd-3); 3 tasks failed, the circuit breaker's threshold is 3; Service deployment rolled back because the circuit breaker threshold was exceeded; 0/2 services run app:v3; mumbai/backend: Failed (ContainerExited), the service now has mumbai-backend:2; not tried again until another image is asked for, or a retry; virginia/worker: OutOfSync
09:21:15 mumbai/backend: 1 RollingBack: going back to mumbai-backend:2; ECS rolls the service back, it has mumbai-backend:2 now; ECS deployment circuit breaker: rolling back to deploymentId ecs-svc/4
09:21:30 mumbai/backend: 1 RolledBack (ContainerExited): back on mumbai-backend:2; container app exited with code 3; ECS gave the deployment of mumbai-backend:3 up and began to roll it back (service deployment sd-3); 3 tasks failed, the circuit breaker's threshold is 3; Service deployment rolled back because the circuit breaker threshold was exceeded; not tried again until another image is asked for, or a retry
09:21:30 => Ready=False ContainerExited: failed (ContainerExited) at mumbai/backend: container app exited with code 3; ECS gave the deployment of mumbai-backend:3 up and began to roll it back (service deployment sd-3); 3 tasks failed, the circuit breaker's threshold is 3; Service deployment rolled back because the circuit breaker threshold was exceeded; 0/2 services run app:v3; mumbai/backend: RolledBack (ContainerExited), back on mumbai-backend:2; not tried again until another image is asked for, or a retry; virginia/worker: OutOfSync

3 registrations, 3 updates
history 3: app:v3 RolledBack 
history 2: app:v2 Released mumbai-backend:2 virginia-worker:2
history 1: app:v1 Adopted mumbai-backend:1 virginia-worker:1
