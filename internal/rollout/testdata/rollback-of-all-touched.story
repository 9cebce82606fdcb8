09:00:00 mumbai/backend: 1 OutOfSync: runs mumbai-backend:1, which does not carry the image; registering one that does
09:00:00 mumbai/backend: 2 registers app:v2+env1 as mumbai-backend:2
09:00:00 tokyo/backend: 1 OutOfSync (WaveNotOpen): runs tokyo-backend:1, which does not carry the image; waits: wave 2 opens after wave 0: 0/1 services run the image
09:00:00 virginia/backend: 1 OutOfSync (WaveNotOpen): runs virginia-backend:1, which does not carry the image; waits: wave 1 opens after wave 0: 0/1 services run the image
09:00:00 => Ready=False Progressing: 0/3 services run app:v2; mumbai/backend: OutOfSync, runs mumbai-backend:1, which does not carry the image; registering one that does; virginia/backend: OutOfSync (WaveNotOpen); tokyo/backend: OutOfSync (WaveNotOpen)
09:00:15 mumbai/backend: 2 updates to mumbai-backend:2
09:00:45 mumbai/backend: 1 InSync: runs mumbai-backend:2

-- virginia cannot run v2
09:01:00 virginia/backend: 1 OutOfSync: runs virginia-backend:1, which does not carry the image; registering one that does
09:01:00 virginia/backend: 2 registers app:v2+env1 as virginia-backend:2
09:01:15 virginia/backend: 2 updates to virginia-backend:2
09:02:00 tokyo/backend: 1 OutOfSync: runs tokyo-backend:1, which does not carry the image; waits: virginia/backend: container app exited with code 3; ECS gave the deployment of virginia-backend:2 up and began to roll it back (service deployment sd-2); 3 tasks failed, the circuit breaker's threshold is 3; Service deployment rolled back because the circuit breaker threshold was exceeded; the service now has virginia-backend:1; not tried again until another image is asked for, or a retry
09:02:00 virginia/backend: 1 Failed (ContainerExited): container app exited with code 3; ECS gave the deployment of virginia-backend:2 up and began to roll it back (service deployment sd-2); 3 tasks failed, the circuit breaker's threshold is 3; Service deployment rolled back because the circuit breaker threshold was exceeded; the service now has virginia-backend:1; not tried again until another image is asked for, or a retry
09:02:00 => Ready=False RollingBack: failed (ContainerExited) at virginia/backend: container app exited with code 3; ECS gave the deployment of virginia-backend:2 up and began to roll it back (service deployment sd-2); 3 tasks failed, the circuit breaker's threshold is 3; Service deployment rolled back because the circuit breaker threshold was exceeded; 1/3 services run app:v2; still to go back: mumbai/backend; virginia/backend: Failed (ContainerExited), the service now has virginia-backend:1; not tried again until another image is asked for, or a retry; tokyo/backend: OutOfSync
09:02:15 mumbai/backend: 1 RollingBack: going back to mumbai-backend:1; has mumbai-backend:2; updating it to mumbai-backend:1
09:02:15 mumbai/backend: 2 updates to mumbai-backend:1
09:02:15 virginia/backend: 1 RollingBack: going back to virginia-backend:1; ECS rolls the service back, it has virginia-backend:1 now; ECS deployment circuit breaker: rolling back to deploymentId ecs-svc/3
09:02:30 virginia/backend: 1 RolledBack (ContainerExited): back on virginia-backend:1; container app exited with code 3; ECS gave the deployment of virginia-backend:2 up and began to roll it back (service deployment sd-2); 3 tasks failed, the circuit breaker's threshold is 3; Service deployment rolled back because the circuit breaker threshold was exceeded; not tried again until another image is asked for, or a retry
09:02:45 mumbai/backend: 1 RolledBack: back on mumbai-backend:1
09:02:45 => Ready=False ContainerExited: failed (ContainerExited) at virginia/backend: container app exited with code 3; ECS gave the deployment of virginia-backend:2 up and began to roll it back (service deployment sd-2); 3 tasks failed, the circuit breaker's threshold is 3; Service deployment rolled back because the circuit breaker threshold was exceeded; 0/3 services run app:v2; mumbai/backend: RolledBack, back on mumbai-backend:1; virginia/backend: RolledBack (ContainerExited); tokyo/backend: OutOfSync

2 registrations, 3 updates
history 1: app:v2 RolledBack mumbai-backend:2
