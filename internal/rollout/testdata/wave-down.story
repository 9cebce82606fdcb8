09:00:00 mumbai/backend: 1 OutOfSync: runs mumbai-backend:1, which does not carry the image; registering one that does
09:00:00 mumbai/backend: 2 registers app:v2+env1 as mumbai-backend:2
09:00:00 singapore/backend: 1 OutOfSync: runs singapore-backend:1, which does not carry the image; registering one that does
09:00:00 singapore/backend: 2 registers app:v2+env1 as singapore-backend:2
09:00:00 virginia/backend: 1 OutOfSync (WaveNotOpen): runs virginia-backend:1, which does not carry the image; waits: wave 1 opens after wave 0: 0/2 services run the image
09:00:00 => Ready=False Progressing: 0/3 services run app:v2; singapore/backend: OutOfSync, runs singapore-backend:1, which does not carry the image; registering one that does; mumbai/backend: OutOfSync; virginia/backend: OutOfSync (WaveNotOpen)

-- mumbai is down
09:00:15 mumbai/backend: 1 Unknown (ObservationFailed): DescribeServices: timed out
09:00:15 singapore/backend: 2 updates to singapore-backend:2
09:00:45 singapore/backend: 1 InSync: runs singapore-backend:2

-- mumbai is back
09:05:15 mumbai/backend: 1 OutOfSync: runs mumbai-backend:1, which does not carry the image; updating it to mumbai-backend:2
09:05:15 mumbai/backend: 2 updates to mumbai-backend:2
09:05:45 mumbai/backend: 1 InSync: runs mumbai-backend:2
09:06:00 virginia/backend: 1 OutOfSync: runs virginia-backend:1, which does not carry the image; registering one that does
09:06:00 virginia/backend: 2 registers app:v2+env1 as virginia-backend:2
09:06:15 virginia/backend: 2 updates to virginia-backend:2
09:06:45 virginia/backend: 1 InSync: runs virginia-backend:2
09:06:45 => Ready=True Released: 3/3 services run app:v2

3 registrations, 3 updates
history 1: app:v2 Released mumbai-backend:2 singapore-backend:2 virginia-backend:2
