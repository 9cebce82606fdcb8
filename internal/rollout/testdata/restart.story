09:00:00 mumbai/backend: 1 OutOfSync: runs mumbai-backend:1, which does not carry the image; registering one that does
09:00:00 mumbai/backend: 2 registers app:v2+env1 as mumbai-backend:2
09:00:00 => Ready=False Progressing: 0/1 services run app:v2; mumbai/backend: OutOfSync, runs mumbai-backend:1, which does not carry the image; registering one that does
09:00:15 mumbai/backend: 2 updates to mumbai-backend:2
09:00:45 mumbai/backend: 1 InSync: runs mumbai-backend:2
09:00:45 => Ready=True Released: 1/1 services run app:v2

-- restart: 1
09:05:00 ! restart: restarting every service, wave by wave
09:05:00 mumbai/backend: 1 Deploying (Restarting): restarting mumbai-backend:2
09:05:00 mumbai/backend: 2 restarts mumbai-backend:2
09:05:00 => Ready=False Progressing: 0/1 services run app:v2; mumbai/backend: Deploying (Restarting), ECS took the restart of mumbai-backend:2 (deployment ecs-svc/3)
09:05:30 mumbai/backend: 1 InSync: runs mumbai-backend:2
09:05:30 => Ready=True Released: 1/1 services run app:v2

-- answers get lost

-- restart: 2
09:10:00 ! restart: restarting every service, wave by wave
09:10:00 mumbai/backend: 1 Deploying (Restarting): restarting mumbai-backend:2
09:10:00 mumbai/backend: 2 restarts mumbai-backend:2, and the answer is lost
09:10:00 => Ready=False Progressing: 0/1 services run app:v2; mumbai/backend: Deploying (Restarting), restarting mumbai-backend:2
09:10:30 mumbai/backend: 1 InSync: runs mumbai-backend:2
09:10:30 => Ready=True Released: 1/1 services run app:v2

-- the tasks crash after the restart

-- restart: 3
09:15:00 ! restart: restarting every service, wave by wave
09:15:00 mumbai/backend: 1 Deploying (Restarting): restarting mumbai-backend:2
09:15:00 mumbai/backend: 2 restarts mumbai-backend:2
09:15:00 => Ready=False Progressing: 0/1 services run app:v2; mumbai/backend: Deploying (Restarting), ECS took the restart of mumbai-backend:2 (deployment ecs-svc/5)
09:15:45 mumbai/backend: 1 Failed (ContainerExited): container app exited with code 3; ECS gave the deployment of mumbai-backend:2 up and began to roll it back (service deployment sd-5); 3 tasks failed, the circuit breaker's threshold is 3; Service deployment rolled back because the circuit breaker threshold was exceeded; the service now has mumbai-backend:2; not tried again until another image is asked for, or a retry
09:15:45 => Ready=False RollingBack: failed (ContainerExited) at mumbai/backend: container app exited with code 3; ECS gave the deployment of mumbai-backend:2 up and began to roll it back (service deployment sd-5); 3 tasks failed, the circuit breaker's threshold is 3; Service deployment rolled back because the circuit breaker threshold was exceeded; 0/1 services run app:v2; mumbai/backend: Failed (ContainerExited), the service now has mumbai-backend:2; not tried again until another image is asked for, or a retry
09:16:00 mumbai/backend: 1 RollingBack: going back to mumbai-backend:2; ECS rolls the service back, it has mumbai-backend:2 now; ECS deployment circuit breaker: rolling back to deploymentId ecs-svc/6

-- they would run again
09:20:45 mumbai/backend: 1 RolledBack (ContainerExited): back on mumbai-backend:2; container app exited with code 3; ECS gave the deployment of mumbai-backend:2 up and began to roll it back (service deployment sd-5); 3 tasks failed, the circuit breaker's threshold is 3; Service deployment rolled back because the circuit breaker threshold was exceeded; not tried again until another image is asked for, or a retry
09:20:45 => Ready=False ContainerExited: failed (ContainerExited) at mumbai/backend: container app exited with code 3; ECS gave the deployment of mumbai-backend:2 up and began to roll it back (service deployment sd-5); 3 tasks failed, the circuit breaker's threshold is 3; Service deployment rolled back because the circuit breaker threshold was exceeded; 0/1 services run app:v2; mumbai/backend: RolledBack (ContainerExited), back on mumbai-backend:2; not tried again until another image is asked for, or a retry

-- retry: 4
09:25:00 ! retry: trying once more: 1 failed, 0 drifted
09:25:00 mumbai/backend: 1 Deploying (Restarting): restarting mumbai-backend:2
09:25:00 mumbai/backend: 2 restarts mumbai-backend:2
09:25:00 => Ready=False Progressing: 0/1 services run app:v2; mumbai/backend: Deploying (Restarting), ECS took the restart of mumbai-backend:2 (deployment ecs-svc/12)
09:25:30 mumbai/backend: 1 InSync: runs mumbai-backend:2
09:25:30 => Ready=True Released: 1/1 services run app:v2

1 registrations, 5 updates
history 1: app:v2 Released mumbai-backend:2
