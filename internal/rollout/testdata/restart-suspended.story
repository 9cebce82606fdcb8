09:00:00 mumbai/backend: 1 OutOfSync: runs mumbai-backend:1, which does not carry the image; registering one that does
09:00:00 mumbai/backend: 2 registers app:v2+env1 as mumbai-backend:2
09:00:00 => Ready=False Progressing: 0/1 services run app:v2; mumbai/backend: OutOfSync, runs mumbai-backend:1, which does not carry the image; registering one that does
09:00:15 mumbai/backend: 2 updates to mumbai-backend:2
09:00:45 mumbai/backend: 1 InSync: runs mumbai-backend:2
09:00:45 => Ready=True Released: 1/1 services run app:v2

-- it is suspended

-- restart: 1
09:05:00 ! restart: restarting every service, wave by wave
09:05:00 => Ready=False Suspended: the release is suspended; 0/1 services run app:v2; mumbai/backend: InSync, runs mumbai-backend:2; restarting mumbai-backend:2

-- it is resumed
09:10:00 mumbai/backend: 1 Deploying (Restarting): restarting mumbai-backend:2
09:10:00 mumbai/backend: 2 restarts mumbai-backend:2
09:10:00 => Ready=False Progressing: 0/1 services run app:v2; mumbai/backend: Deploying (Restarting), ECS took the restart of mumbai-backend:2 (deployment ecs-svc/3)
09:10:30 mumbai/backend: 1 InSync: runs mumbai-backend:2
09:10:30 => Ready=True Released: 1/1 services run app:v2

1 registrations, 2 updates
history 1: app:v2 Released mumbai-backend:2
