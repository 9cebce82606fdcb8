09:00:00 mumbai/backend: 1 OutOfSync (Suspended): runs mumbai-backend:1, which does not carry the image; the release is suspended
09:00:00 => Ready=False Suspended: the release is suspended; 0/1 services run app:v2; mumbai/backend: OutOfSync (Suspended), runs mumbai-backend:1, which does not carry the image

-- it is resumed
09:05:00 mumbai/backend: 1 OutOfSync: runs mumbai-backend:1, which does not carry the image; registering one that does
09:05:00 mumbai/backend: 2 registers app:v2+env1 as mumbai-backend:2
09:05:00 => Ready=False Progressing: 0/1 services run app:v2; mumbai/backend: OutOfSync, runs mumbai-backend:1, which does not carry the image; registering one that does
09:05:15 mumbai/backend: 2 updates to mumbai-backend:2

-- it is suspended while it is under way
09:05:30 => Ready=False Suspended: the release is suspended; 0/1 services run app:v2; mumbai/backend: Deploying, mumbai-backend:2: 1/2 tasks run (deployment ecs-svc/2), 1 of other revisions
09:05:45 mumbai/backend: 1 InSync: runs mumbai-backend:2
09:05:45 => Ready=True Released: 1/1 services run app:v2

1 registrations, 1 updates
history 1: app:v2 Released mumbai-backend:2
