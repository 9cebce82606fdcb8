09:00:00 mumbai/backend: 1 OutOfSync (WaveNotOpen): runs mumbai-backend:1, which does not carry the image; waits: wave 1 opens after wave 0: 0/1 services run the image
09:00:00 singapore/backend: 1 OutOfSync: runs singapore-backend:1, which does not carry the image; registering one that does
09:00:00 singapore/backend: 2 registers app:v2+env1 as singapore-backend:2
09:00:00 virginia/backend: 1 OutOfSync (WaveNotOpen): runs virginia-backend:1, which does not carry the image; waits: wave 2 opens after wave 0: 0/1 services run the image
09:00:00 => Ready=False Progressing: 0/3 services run app:v2; singapore/backend: OutOfSync, runs singapore-backend:1, which does not carry the image; registering one that does; mumbai/backend: OutOfSync (WaveNotOpen); virginia/backend: OutOfSync (WaveNotOpen)
09:00:15 singapore/backend: 2 updates to singapore-backend:2
09:00:45 singapore/backend: 1 InSync: runs singapore-backend:2
09:01:00 mumbai/backend: 1 OutOfSync: runs mumbai-backend:1, which does not carry the image; registering one that does
09:01:00 mumbai/backend: 2 registers app:v2+env1 as mumbai-backend:2
09:01:15 mumbai/backend: 2 updates to mumbai-backend:2
09:01:45 mumbai/backend: 1 InSync: runs mumbai-backend:2
09:02:00 virginia/backend: 1 OutOfSync: runs virginia-backend:1, which does not carry the image; registering one that does
09:02:00 virginia/backend: 2 registers app:v2+env1 as virginia-backend:2
09:02:15 virginia/backend: 2 updates to virginia-backend:2
09:02:45 virginia/backend: 1 InSync: runs virginia-backend:2
09:02:45 => Ready=True Released: 3/3 services run app:v2

-- v3 is asked for, which breaks in mumbai
09:07:30 mumbai/backend: 1 OutOfSync: runs mumbai-backend:2, which does not carry the image; registering one that does
09:07:30 mumbai/backend: 2 registers app:v3+env1 as mumbai-backend:3
09:07:30 singapore/backend: 1 OutOfSync (WaveNotOpen): runs singapore-backend:2, which does not carry the image; waits: wave 1 opens after wave 0: 0/1 services run the image
09:07:30 virginia/backend: 1 OutOfSync (WaveNotOpen): runs virginia-backend:2, which does not carry the image; waits: wave 2 opens after wave 0: 0/1 services run the image
09:07:30 => Ready=False Progressing: 0/3 services run app:v3; mumbai/backend: OutOfSync, runs mumbai-backend:2, which does not carry the image; registering one that does; singapore/backend: OutOfSync (WaveNotOpen); virginia/backend: OutOfSync (WaveNotOpen)
09:07:45 mumbai/backend: 2 updates to mumbai-backend:3
09:08:30 mumbai/backend: 1 Failed (ContainerExited): container app exited with code 3; ECS gave the deployment of mumbai-backend:3 up and began to roll it back (service deployment sd-3); 3 tasks failed, the circuit breaker's threshold is 3; Service deployment rolled back because the circuit breaker threshold was exceeded; the service now has mumbai-backend:2; not tried again until another image is asked for, or a retry
09:08:30 singapore/backend: 1 OutOfSync: runs singapore-backend:2, which does not carry the image; waits: mumbai/backend: container app exited with code 3; ECS gave the deployment of mumbai-backend:3 up and began to roll it back (service deployment sd-3); 3 tasks failed, the circuit breaker's threshold is 3; Service deployment rolled back because the circuit breaker threshold was exceeded; the service now has mumbai-backend:2; not tried again until another image is asked for, or a retry
09:08:30 virginia/backend: 1 OutOfSync: runs virginia-backend:2, which does not carry the image; waits: mumbai/backend: container app exited with code 3; ECS gave the deployment of mumbai-backend:3 up and began to roll it back (service deployment sd-3); 3 tasks failed, the circuit breaker's threshold is 3; Service deployment rolled back because the circuit breaker threshold was exceeded; the service now has mumbai-backend:2; not tried again until another image is asked for, or a retry
09:08:30 => Ready=False RollingBack: failed (ContainerExited) at mumbai/backend: container app exited with code 3; ECS gave the deployment of mumbai-backend:3 up and began to roll it back (service deployment sd-3); 3 tasks failed, the circuit breaker's threshold is 3; Service deployment rolled back because the circuit breaker threshold was exceeded; 0/3 services run app:v3; mumbai/backend: Failed (ContainerExited), the service now has mumbai-backend:2; not tried again until another image is asked for, or a retry; singapore/backend: OutOfSync; virginia/backend: OutOfSync
09:08:45 mumbai/backend: 1 RollingBack: going back to mumbai-backend:2; ECS rolls the service back, it has mumbai-backend:2 now; ECS deployment circuit breaker: rolling back to deploymentId ecs-svc/4
09:09:00 mumbai/backend: 1 RolledBack (ContainerExited): back on mumbai-backend:2; container app exited with code 3; ECS gave the deployment of mumbai-backend:3 up and began to roll it back (service deployment sd-3); 3 tasks failed, the circuit breaker's threshold is 3; Service deployment rolled back because the circuit breaker threshold was exceeded; not tried again until another image is asked for, or a retry
09:09:00 => Ready=False ContainerExited: failed (ContainerExited) at mumbai/backend: container app exited with code 3; ECS gave the deployment of mumbai-backend:3 up and began to roll it back (service deployment sd-3); 3 tasks failed, the circuit breaker's threshold is 3; Service deployment rolled back because the circuit breaker threshold was exceeded; 0/3 services run app:v3; mumbai/backend: RolledBack (ContainerExited), back on mumbai-backend:2; not tried again until another image is asked for, or a retry; singapore/backend: OutOfSync; virginia/backend: OutOfSync

-- v4 is asked for
09:12:30 mumbai/backend: 1 OutOfSync: runs mumbai-backend:2, which does not carry the image; registering one that does
09:12:30 mumbai/backend: 2 registers app:v4+env1 as mumbai-backend:4
09:12:30 singapore/backend: 1 OutOfSync (WaveNotOpen): runs singapore-backend:2, which does not carry the image; waits: wave 1 opens after wave 0: 0/1 services run the image
09:12:30 virginia/backend: 1 OutOfSync (WaveNotOpen): runs virginia-backend:2, which does not carry the image; waits: wave 2 opens after wave 0: 0/1 services run the image
09:12:30 => Ready=False Progressing: 0/3 services run app:v4; mumbai/backend: OutOfSync, runs mumbai-backend:2, which does not carry the image; registering one that does; singapore/backend: OutOfSync (WaveNotOpen); virginia/backend: OutOfSync (WaveNotOpen)
09:12:45 mumbai/backend: 2 updates to mumbai-backend:4
09:13:15 mumbai/backend: 1 InSync: runs mumbai-backend:4
09:13:30 singapore/backend: 1 OutOfSync: runs singapore-backend:2, which does not carry the image; registering one that does
09:13:30 singapore/backend: 2 registers app:v4+env1 as singapore-backend:3
09:13:45 singapore/backend: 2 updates to singapore-backend:3
09:14:15 singapore/backend: 1 InSync: runs singapore-backend:3
09:14:30 virginia/backend: 1 OutOfSync: runs virginia-backend:2, which does not carry the image; registering one that does
09:14:30 virginia/backend: 2 registers app:v4+env1 as virginia-backend:3
09:14:45 virginia/backend: 2 updates to virginia-backend:3
09:15:15 virginia/backend: 1 InSync: runs virginia-backend:3
09:15:15 => Ready=True Released: 3/3 services run app:v4

7 registrations, 7 updates
history 3: app:v4 Released mumbai-backend:4 singapore-backend:3 virginia-backend:3
history 2: app:v3 RolledBack 
history 1: app:v2 Released mumbai-backend:2 singapore-backend:2 virginia-backend:2
