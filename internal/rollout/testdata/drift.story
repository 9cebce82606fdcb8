09:00:00 mumbai/backend: 1 OutOfSync: runs mumbai-backend:1, which does not carry the image; registering one that does
09:00:00 mumbai/backend: 2 registers app:v2+env1 as mumbai-backend:2
09:00:00 => Ready=False Progressing: 0/1 services run app:v2; mumbai/backend: OutOfSync, runs mumbai-backend:1, which does not carry the image; registering one that does
09:00:15 mumbai/backend: 2 updates to mumbai-backend:2
09:00:45 mumbai/backend: 1 InSync: runs mumbai-backend:2
09:00:45 => Ready=True Released: 1/1 services run app:v2

-- somebody deploys app:v1 with other settings
09:05:00 mumbai/backend: 1 OutOfSync: somebody else deployed mumbai-backend:3 (deployment ecs-svc/3, registered by terraform), which does not carry the image; registering one that does
09:05:00 mumbai/backend: 1 drift mumbai-backend:3 by ecs-svc/3
09:05:00 mumbai/backend: 2 registers app:v2+env2 as mumbai-backend:4
09:05:00 => Ready=False Progressing: 0/1 services run app:v2; mumbai/backend: OutOfSync, somebody else deployed mumbai-backend:3 (deployment ecs-svc/3, registered by terraform), which does not carry the image; registering one that does
09:05:15 mumbai/backend: 2 updates to mumbai-backend:4
09:05:45 mumbai/backend: 1 InSync: runs mumbai-backend:4
09:05:45 => Ready=True Released: 1/1 services run app:v2

-- somebody deploys app:v2 with yet other settings
09:10:00 mumbai/backend: 1 Deploying: deployment ecs-svc/5, which this release did not start, brings mumbai-backend:5, which carries the image; waiting for ECS to complete it, 0/2 tasks run
09:10:00 => Ready=False Progressing: 0/1 services run app:v2; mumbai/backend: Deploying, deployment ecs-svc/5, which this release did not start, brings mumbai-backend:5, which carries the image; waiting for ECS to complete it, 0/2 tasks run
09:10:30 mumbai/backend: 1 InSync: ran the image already, with mumbai-backend:5: adopted as it is
09:10:30 => Ready=True Released: 1/1 services run app:v2

-- somebody deploys the first revision again
09:15:00 mumbai/backend: 1 OutOfSync (Drifted): somebody else deployed mumbai-backend:1 (deployment ecs-svc/6, registered by terraform), which does not carry the image; the deployment before it was corrected less than an hour earlier, and whoever deploys would only do it again: find out who, then retry
09:15:00 mumbai/backend: 1 drift left standing: mumbai-backend:1 by ecs-svc/6
09:15:00 => Ready=False Drifted: 0/1 services run app:v2; mumbai/backend: OutOfSync (Drifted), somebody else deployed mumbai-backend:1 (deployment ecs-svc/6, registered by terraform), which does not carry the image; the deployment before it was corrected less than an hour earlier, and whoever deploys would only do it again: find out who, then retry

2 registrations, 2 updates
history 1: app:v2 Released mumbai-backend:2 mumbai-backend:4 mumbai-backend:5
