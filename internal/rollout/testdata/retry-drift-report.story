09:00:00 mumbai/backend: 1 OutOfSync: runs mumbai-backend:1, which does not carry the image; registering one that does
09:00:00 mumbai/backend: 2 registers app:v2+env1 as mumbai-backend:2
09:00:00 => Ready=False Progressing: 0/1 services run app:v2; mumbai/backend: OutOfSync, runs mumbai-backend:1, which does not carry the image; registering one that does
09:00:15 mumbai/backend: 2 updates to mumbai-backend:2
09:00:45 mumbai/backend: 1 InSync: runs mumbai-backend:2
09:00:45 => Ready=True Released: 1/1 services run app:v2

-- somebody deploys other settings
09:05:00 mumbai/backend: 1 OutOfSync (Drifted): somebody else deployed mumbai-backend:3 (deployment ecs-svc/3, registered by terraform), which does not carry the image; reported only, as spec.drift says
09:05:00 mumbai/backend: 1 drift left standing: mumbai-backend:3 by ecs-svc/3
09:05:00 => Ready=False Drifted: 0/1 services run app:v2; mumbai/backend: OutOfSync (Drifted), somebody else deployed mumbai-backend:3 (deployment ecs-svc/3, registered by terraform), which does not carry the image; reported only, as spec.drift says

-- retry: 1
09:10:00 ! retry: nothing failed, and what somebody else deployed is only reported: by spec.drift, or since a release of the past is held

1 registrations, 1 updates
history 1: app:v2 Released mumbai-backend:2
