09:00:00 mumbai/backend: 1 OutOfSync: runs mumbai-backend:1, which does not carry the image; registering one that does
09:00:00 mumbai/backend: 2 registers app:v2+env1 as mumbai-backend:2
09:00:00 => Ready=False Progressing: 0/1 services run app:v2; mumbai/backend: OutOfSync, runs mumbai-backend:1, which does not carry the image; registering one that does
09:00:15 mumbai/backend: 2 updates to mumbai-backend:2

-- v1 is asked for again
09:00:45 mumbai/backend: 1 OutOfSync: runs mumbai-backend:2, which does not carry the image; updating it to mumbai-backend:1
09:00:45 mumbai/backend: 2 updates to mumbai-backend:1
09:01:15 mumbai/backend: 1 InSync: runs mumbai-backend:1
09:01:15 => Ready=True Released: 1/1 services run app:v1

1 registrations, 2 updates
history 2: app:v1 Released mumbai-backend:1
history 1: app:v2 Superseded 
