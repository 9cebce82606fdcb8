09:00:00 mumbai/backend: 1 OutOfSync: runs mumbai-backend:1, which does not carry the image; registering one that does
09:00:00 mumbai/backend: 2 registers app:v2+env1 as mumbai-backend:2, and the answer is lost
09:00:00 virginia/backend: 1 OutOfSync: runs virginia-backend:1, which does not carry the image; registering one that does
09:00:00 virginia/backend: 2 registers app:v2+env1 as virginia-backend:2, and the answer is lost
09:00:00 => Ready=False Progressing: 0/2 services run app:v2; mumbai/backend: OutOfSync, runs mumbai-backend:1, which does not carry the image; registering one that does; virginia/backend: OutOfSync
09:00:15 mumbai/backend: 2 updates to mumbai-backend:2, and the answer is lost
09:00:15 virginia/backend: 2 updates to virginia-backend:2, and the answer is lost
09:00:30 mumbai/backend: 1 Deploying: mumbai-backend:2: 1/2 tasks run (deployment ecs-svc/2), 1 of other revisions
09:00:30 virginia/backend: 1 Deploying: virginia-backend:2: 1/2 tasks run (deployment ecs-svc/2), 1 of other revisions
09:00:45 mumbai/backend: 1 InSync: runs mumbai-backend:2
09:00:45 virginia/backend: 1 InSync: runs virginia-backend:2
09:00:45 => Ready=True Released: 2/2 services run app:v2

2 registrations, 2 updates
history 1: app:v2 Released mumbai-backend:2 virginia-backend:2
