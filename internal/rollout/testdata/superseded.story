09:00:00 mumbai/backend: 1 OutOfSync: runs mumbai-backend:1, which does not carry the image; registering one that does
09:00:00 mumbai/backend: 2 registers app:v2+env1 as mumbai-backend:2
09:00:00 => Ready=False Progressing: 0/1 services run app:v2; mumbai/backend: OutOfSync, runs mumbai-backend:1, which does not carry the image; registering one that does
09:00:15 mumbai/backend: 2 updates to mumbai-backend:2

-- v3 is asked for
09:00:45 mumbai/backend: 1 OutOfSync: runs mumbai-backend:2, which does not carry the image; registering one that does
09:00:45 mumbai/backend: 2 registers app:v3+env1 as mumbai-backend:3
09:01:00 mumbai/backend: 2 updates to mumbai-backend:3
09:01:30 mumbai/backend: 1 InSync: runs mumbai-backend:3
09:01:30 => Ready=True Released: 1/1 services run app:v3

-- v2 is asked for again
09:05:45 mumbai/backend: 1 OutOfSync: runs mumbai-backend:3, which does not carry the image; updating it to mumbai-backend:2
09:05:45 mumbai/backend: 2 updates to mumbai-backend:2
09:05:45 => Ready=False Progressing: 0/1 services run app:v2; mumbai/backend: Deploying, ECS took the update to mumbai-backend:2 (deployment ecs-svc/4)
09:06:15 mumbai/backend: 1 InSync: runs mumbai-backend:2
09:06:15 => Ready=True Released: 1/1 services run app:v2

2 registrations, 3 updates
history 3: app:v2 Released mumbai-backend:2
history 2: app:v3 Released mumbai-backend:3
history 1: app:v2 Superseded 
