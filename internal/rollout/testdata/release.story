09:00:00 mumbai/backend: 1 OutOfSync: runs mumbai-backend:1, which does not carry the image; registering one that does
09:00:00 mumbai/backend: 2 registers app:v2+env1 as mumbai-backend:2
09:00:00 mumbai/worker: 1 OutOfSync: runs mumbai-worker:1, which does not carry the image; registering one that does
09:00:00 mumbai/worker: 2 registers app:v2+env1 as mumbai-worker:2
09:00:00 virginia/backend: 1 OutOfSync: runs virginia-backend:1, which does not carry the image; registering one that does
09:00:00 virginia/backend: 2 registers app:v2+env1 as virginia-backend:2
09:00:00 virginia/worker: 1 OutOfSync: runs virginia-worker:1, which does not carry the image; registering one that does
09:00:00 virginia/worker: 2 registers app:v2+env1 as virginia-worker:2
09:00:00 => Ready=False Progressing: 0/4 services run app:v2; mumbai/backend: OutOfSync, runs mumbai-backend:1, which does not carry the image; registering one that does; mumbai/worker: OutOfSync; virginia/backend: OutOfSync; virginia/worker: OutOfSync
09:00:15 mumbai/backend: 2 updates to mumbai-backend:2
09:00:15 mumbai/worker: 2 updates to mumbai-worker:2
09:00:15 virginia/backend: 2 updates to virginia-backend:2
09:00:15 virginia/worker: 2 updates to virginia-worker:2
09:00:45 mumbai/backend: 1 InSync: runs mumbai-backend:2
09:00:45 mumbai/worker: 1 InSync: runs mumbai-worker:2
09:00:45 virginia/backend: 1 InSync: runs virginia-backend:2
09:00:45 virginia/worker: 1 InSync: runs virginia-worker:2
09:00:45 => Ready=True Released: 4/4 services run app:v2

-- autoscaling and churn

4 registrations, 4 updates
history 1: app:v2 Released mumbai-backend:2 mumbai-worker:2 virginia-backend:2 virginia-worker:2
