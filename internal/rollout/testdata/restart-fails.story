09:00:00 mumbai/backend: 1 OutOfSync: runs mumbai-backend:1, which does not carry the image; registering one that does
09:00:00 mumbai/backend: 2 registers app:v2+env1 as mumbai-backend:2
09:00:00 virginia/backend: 1 OutOfSync (WaveNotOpen): runs virginia-backend:1, which does not carry the image; waits: wave 1 opens after wave 0: 0/1 services run the image
09:00:00 => Ready=False Progressing: 0/2 services run app:v2; mumbai/backend: OutOfSync, runs mumbai-backend:1, which does not carry the image; registering one that does; virginia/backend: OutOfSync (WaveNotOpen)
09:00:15 mumbai/backend: 2 updates to mumbai-backend:2
09:00:45 mumbai/backend: 1 InSync: runs mumbai-backend:2
09:01:00 virginia/backend: 1 OutOfSync: runs virginia-backend:1, which does not carry the image; registering one that does
09:01:00 virginia/backend: 2 registers app:v2+env1 as virginia-backend:2
09:01:15 virginia/backend: 2 updates to virginia-backend:2
09:01:45 virginia/backend: 1 InSync: runs virginia-backend:2
09:01:45 => Ready=True Released: 2/2 services run app:v2

-- tasks that start crash, and there is no breaker

-- restart: 1
09:05:00 ! restart: restarting every service, wave by wave
09:05:00 mumbai/backend: 1 Deploying (Restarting): restarting mumbai-backend:2
09:05:00 mumbai/backend: 2 restarts mumbai-backend:2
09:05:00 => Ready=False Progressing: 0/2 services run app:v2; mumbai/backend: Deploying (Restarting), ECS took the restart of mumbai-backend:2 (deployment ecs-svc/3); virginia/backend: InSync
09:15:30 mumbai/backend: 1 Failed (ContainerExited): container app exited with code 3; the deployment of mumbai-backend:2 made no progress for 10m0s, the progress deadline: 0/2 tasks run (deployment ecs-svc/3), 2 of other revisions, 42 failed; the service now has mumbai-backend:2; not tried again until another image is asked for, or a retry
09:15:30 => Ready=False RollingBack: failed (ContainerExited) at mumbai/backend: container app exited with code 3; the deployment of mumbai-backend:2 made no progress for 10m0s, the progress deadline: 0/2 tasks run (deployment ecs-svc/3), 2 of other revisions, 42 failed; 0/2 services run app:v2; mumbai/backend: Failed (ContainerExited), the service now has mumbai-backend:2; not tried again until another image is asked for, or a retry; virginia/backend: InSync
09:15:45 mumbai/backend: 1 RollingBack: going back to mumbai-backend:2; stopping the deployment of mumbai-backend:2, so that ECS rolls it back
09:15:45 mumbai/backend: 2 stops sd-3

-- they do not crash any more

-- retry: 2
09:22:30 ! retry: trying once more: 1 failed, 0 drifted
09:22:30 mumbai/backend: 1 Deploying: deployment ecs-svc/4, which this release did not start, brings mumbai-backend:2, which carries the image; waiting for ECS to complete it, 0/2 tasks run; ECS deployment circuit breaker: rolling back to deploymentId ecs-svc/4
09:22:30 => Ready=False Progressing: 0/2 services run app:v2; mumbai/backend: Deploying, deployment ecs-svc/4, which this release did not start, brings mumbai-backend:2, which carries the image; waiting for ECS to complete it, 0/2 tasks run; ECS deployment circuit breaker: rolling back to deploymentId ecs-svc/4; virginia/backend: InSync
09:23:00 mumbai/backend: 1 Deploying (Restarting): restarting mumbai-backend:2
09:23:00 mumbai/backend: 2 restarts mumbai-backend:2
09:23:30 mumbai/backend: 1 InSync: runs mumbai-backend:2
09:23:45 virginia/backend: 1 Deploying (Restarting): restarting virginia-backend:2
09:23:45 virginia/backend: 2 restarts virginia-backend:2
09:24:15 virginia/backend: 1 InSync: runs virginia-backend:2
09:24:15 => Ready=True Released: 2/2 services run app:v2

2 registrations, 5 updates
history 1: app:v2 Released mumbai-backend:2 virginia-backend:2
