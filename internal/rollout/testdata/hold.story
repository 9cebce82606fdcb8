09:00:00 mumbai/backend: 1 OutOfSync: runs mumbai-backend:1, which does not carry the image; registering one that does
09:00:00 mumbai/backend: 2 registers app:v2+env1 as mumbai-backend:2
09:00:00 => Ready=False Progressing: 0/1 services run app:v2; mumbai/backend: OutOfSync, runs mumbai-backend:1, which does not carry the image; registering one that does
09:00:15 mumbai/backend: 2 updates to mumbai-backend:2
09:00:45 mumbai/backend: 1 InSync: runs mumbai-backend:2
09:00:45 => Ready=True Released: 1/1 services run app:v2

-- v3 is asked for
09:05:00 mumbai/backend: 1 OutOfSync: runs mumbai-backend:2, which does not carry the image; registering one that does
09:05:00 mumbai/backend: 2 registers app:v3+env1 as mumbai-backend:3
09:05:00 => Ready=False Progressing: 0/1 services run app:v3; mumbai/backend: OutOfSync, runs mumbai-backend:2, which does not carry the image; registering one that does
09:05:15 mumbai/backend: 2 updates to mumbai-backend:3
09:05:45 mumbai/backend: 1 InSync: runs mumbai-backend:3
09:05:45 => Ready=True Released: 1/1 services run app:v3

-- hold: 1/previous
09:10:00 ! hold: going to release 1 (app:v2) and staying there until ecs.heliumai.space/release-hold or another image
09:10:00 mumbai/backend: 1 OutOfSync: runs mumbai-backend:3, which does not carry the image; updating it to mumbai-backend:2
09:10:00 mumbai/backend: 2 updates to mumbai-backend:2
09:10:00 => Ready=False Progressing: 0/1 services run app:v2; mumbai/backend: Deploying, ECS took the update to mumbai-backend:2 (deployment ecs-svc/4)
09:10:30 mumbai/backend: 1 InSync: runs mumbai-backend:2
09:10:30 => Ready=False Held: release 1 (app:v2) is held since 2026-11-23T09:10:00Z against app:v3: end it with ecs.heliumai.space/release-hold, or with another image; 1/1 services run app:v2

-- somebody deploys app:v1
09:15:00 mumbai/backend: 1 OutOfSync (Drifted): somebody else deployed mumbai-backend:4 (deployment ecs-svc/5, registered by terraform), which does not carry the image; reported only, since a release of the past is held
09:15:00 mumbai/backend: 1 drift left standing: mumbai-backend:4 by ecs-svc/5
09:15:00 => Ready=False Drifted: 0/1 services run app:v2; mumbai/backend: OutOfSync (Drifted), somebody else deployed mumbai-backend:4 (deployment ecs-svc/5, registered by terraform), which does not carry the image; reported only, since a release of the past is held

-- release-hold: 1
09:20:00 ! release-hold: release 1 is not held any more: going to what the spec asks for
09:20:00 mumbai/backend: 1 OutOfSync: runs mumbai-backend:4, which does not carry the image; registering one that does
09:20:00 mumbai/backend: 1 drift none
09:20:00 mumbai/backend: 2 registers app:v3+env2 as mumbai-backend:5
09:20:00 => Ready=False Progressing: 0/1 services run app:v3; mumbai/backend: OutOfSync, runs mumbai-backend:4, which does not carry the image; registering one that does
09:20:15 mumbai/backend: 2 updates to mumbai-backend:5
09:20:45 mumbai/backend: 1 InSync: runs mumbai-backend:5
09:20:45 => Ready=True Released: 1/1 services run app:v3

3 registrations, 4 updates
history 4: app:v3 Released mumbai-backend:5
history 3: app:v2 Released mumbai-backend:2
history 2: app:v3 Released mumbai-backend:3
history 1: app:v2 Released mumbai-backend:2
