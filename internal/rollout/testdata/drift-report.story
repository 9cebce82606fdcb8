09:00:00 mumbai/backend: 1 OutOfSync: runs mumbai-backend:1, which does not carry the image; registering one that does
09:00:00 mumbai/backend: 2 registers app:v2+env1 as mumbai-backend:2
09:00:00 => Ready=False Progressing: 0/1 services run app:v2; mumbai/backend: OutOfSync, runs mumbai-backend:1, which does not carry the image; registering one that does
09:00:15 mumbai/backend: 2 updates to mumbai-backend:2
09:00:45 mumbai/backend: 1 InSync: runs mumbai-backend:2
09:00:45 => Ready=True Released: 1/1 services run app:v2

-- somebody deploys app:v1 with other settings
09:05:00 mumbai/backend: 1 OutOfSync (Drifted): somebody else deployed mumbai-backend:3 (deployment ecs-svc/3, registered by terraform), which does not carry the image; reported only, as spec.drift says
09:05:00 mumbai/backend: 1 drift left standing: mumbai-backend:3 by ecs-svc/3
09:05:00 => Ready=False Drifted: 0/1 services run app:v2; mumbai/backend: OutOfSync (Drifted), somebody else deployed mumbai-backend:3 (deployment ecs-svc/3, registered by terraform), which does not carry the image; reported only, as spec.drift says

-- drift is to be reverted
09:10:00 mumbai/backend: 1 OutOfSync: somebody else deployed mumbai-backend:3 (deployment ecs-svc/3, registered by terraform), which does not carry the image; registering one that does
09:10:00 mumbai/backend: 1 drift mumbai-backend:3 by ecs-svc/3
09:10:00 mumbai/backend: 2 registers app:v2+env2 as mumbai-backend:4
09:10:00 => Ready=False Progressing: 0/1 services run app:v2; mumbai/backend: OutOfSync, somebody else deployed mumbai-backend:3 (deployment ecs-svc/3, registered by terraform), which does not carry the image; registering one that does
09:10:15 mumbai/backend: 2 updates to mumbai-backend:4
09:10:45 mumbai/backend: 1 InSync: runs mumbai-backend:4
09:10:45 => Ready=True Released: 1/1 services run app:v2

2 registrations, 2 updates
history 1: app:v2 Released mumbai-backend:2 mumbai-backend:4
