09:00:00 mumbai/backend: 1 OutOfSync: runs mumbai-backend:1, which does not carry the image; registering one that does
09:00:00 mumbai/backend: 2 Register never arrives
09:00:00 => Ready=False Progressing: 0/1 services run app:v2; mumbai/backend: OutOfSync, runs mumbai-backend:1, which does not carry the image; registering one that does
09:00:15 mumbai/backend: 1 OutOfSync: the answer to the registration of a revision of mumbai-backend was lost, or the controller was restarted meanwhile; looking whether it was made, and counting it as not made if nothing of it shows by 2026-11-23T09:00:45Z

-- calls arrive again
09:00:45 mumbai/backend: 1 OutOfSync: runs mumbai-backend:1, which does not carry the image; registering one that does
09:00:45 mumbai/backend: 2 registers app:v2+env1 as mumbai-backend:2

-- calls never arrive
09:01:00 mumbai/backend: 2 Update never arrives

-- calls arrive again
09:01:15 mumbai/backend: 1 OutOfSync: the answer to the update to mumbai-backend:2 was lost, or the controller was restarted meanwhile; looking whether it was made, and counting it as not made if nothing of it shows by 2026-11-23T09:01:45Z
09:01:45 mumbai/backend: 1 OutOfSync: runs mumbai-backend:1, which does not carry the image; updating it to mumbai-backend:2
09:01:45 mumbai/backend: 2 updates to mumbai-backend:2
09:02:15 mumbai/backend: 1 InSync: runs mumbai-backend:2
09:02:15 => Ready=True Released: 1/1 services run app:v2

1 registrations, 1 updates
history 1: app:v2 Released mumbai-backend:2
