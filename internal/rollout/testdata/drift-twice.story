09:00:00 mumbai/backend: 1 OutOfSync: runs mumbai-backend:1, which does not carry the image; registering one that does
09:00:00 mumbai/backend: 2 registers app:v2+env1 as mumbai-backend:2
09:00:00 => Ready=False Progressing: 0/1 services run app:v2; mumbai/backend: OutOfSync, runs mumbai-backend:1, which does not carry the image; registering one that does
09:00:15 mumbai/backend: 2 updates to mumbai-backend:2
09:00:45 mumbai/backend: 1 InSync: runs mumbai-backend:2
09:00:45 => Ready=True Released: 1/1 services run app:v2

-- somebody deploys app:v1 with env2
09:05:00 mumbai/backend: 1 OutOfSync: somebody else deployed mumbai-backend:3 (deployment ecs-svc/3, registered by terraform), which does not carry the image; registering one that does
09:05:00 mumbai/backend: 1 drift mumbai-backend:3 by ecs-svc/3
09:05:00 mumbai/backend: 2 registers app:v2+env2 as mumbai-backend:4
09:05:00 => Ready=False Progressing: 0/1 services run app:v2; mumbai/backend: OutOfSync, somebody else deployed mumbai-backend:3 (deployment ecs-svc/3, registered by terraform), which does not carry the image; registering one that does
09:05:15 mumbai/backend: 2 updates to mumbai-backend:4
09:05:45 mumbai/backend: 1 InSync: runs mumbai-backend:4
09:05:45 => Ready=True Released: 1/1 services run app:v2

-- two hours pass

-- somebody deploys app:v1 with env3
11:10:00 mumbai/backend: 1 OutOfSync: somebody else deployed mumbai-backend:5 (deployment ecs-svc/5, registered by terraform), which does not carry the image; registering one that does
11:10:00 mumbai/backend: 1 drift mumbai-backend:5 by ecs-svc/5
11:10:00 mumbai/backend: 2 registers app:v2+env3 as mumbai-backend:6
11:10:00 => Ready=False Progressing: 0/1 services run app:v2; mumbai/backend: OutOfSync, somebody else deployed mumbai-backend:5 (deployment ecs-svc/5, registered by terraform), which does not carry the image; registering one that does
11:10:15 mumbai/backend: 2 updates to mumbai-backend:6
11:10:45 mumbai/backend: 1 InSync: runs mumbai-backend:6
11:10:45 => Ready=True Released: 1/1 services run app:v2

-- somebody deploys app:v1 with env4
11:15:00 mumbai/backend: 1 OutOfSync (Drifted): somebody else deployed mumbai-backend:7 (deployment ecs-svc/7, registered by terraform), which does not carry the image; the deployment before it was corrected less than an hour earlier, and whoever deploys would only do it again: find out who, then retry
11:15:00 mumbai/backend: 1 drift left standing: mumbai-backend:7 by ecs-svc/7
11:15:00 => Ready=False Drifted: 0/1 services run app:v2; mumbai/backend: OutOfSync (Drifted), somebody else deployed mumbai-backend:7 (deployment ecs-svc/7, registered by terraform), which does not carry the image; the deployment before it was corrected less than an hour earlier, and whoever deploys would only do it again: find out who, then retry

-- two hours pass

-- somebody deploys app:v1 with env5
13:20:00 mumbai/backend: 1 drift left standing: mumbai-backend:8 by ecs-svc/8

-- retry: 1
13:25:00 ! retry: trying once more: 0 failed, 1 drifted
13:25:00 mumbai/backend: 1 OutOfSync: somebody else deployed mumbai-backend:8 (deployment ecs-svc/8, registered by terraform), which does not carry the image; registering one that does
13:25:00 mumbai/backend: 1 drift mumbai-backend:8 by ecs-svc/8
13:25:00 mumbai/backend: 2 registers app:v2+env5 as mumbai-backend:9
13:25:00 => Ready=False Progressing: 0/1 services run app:v2; mumbai/backend: OutOfSync, somebody else deployed mumbai-backend:8 (deployment ecs-svc/8, registered by terraform), which does not carry the image; registering one that does
13:25:15 mumbai/backend: 2 updates to mumbai-backend:9
13:25:45 mumbai/backend: 1 InSync: runs mumbai-backend:9
13:25:45 => Ready=True Released: 1/1 services run app:v2

4 registrations, 4 updates
history 1: app:v2 Released mumbai-backend:2 mumbai-backend:4 mumbai-backend:6 mumbai-backend:9
