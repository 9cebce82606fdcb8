09:00:00 mumbai/backend: 1 OutOfSync (WaveNotOpen): runs mumbai-backend:1, which does not carry the image; waits: wave 1 opens after wave 0: 0/1 services run the image
09:00:00 singapore/backend: 1 OutOfSync: runs singapore-backend:1, which does not carry the image; registering one that does
09:00:00 singapore/backend: 2 registers app:v2+env1 as singapore-backend:2
09:00:00 virginia/backend: 1 OutOfSync (WaveNotOpen): runs virginia-backend:1, which does not carry the image; waits: wave 1 opens after wave 0: 0/1 services run the image
09:00:00 => Ready=False Progressing: 0/3 services run app:v2; singapore/backend: OutOfSync, runs singapore-backend:1, which does not carry the image; registering one that does; mumbai/backend: OutOfSync (WaveNotOpen); virginia/backend: OutOfSync (WaveNotOpen)
09:00:15 singapore/backend: 2 updates to singapore-backend:2
09:00:45 singapore/backend: 1 InSync: runs singapore-backend:2
09:00:45 => Ready=False Baking: wave 0 bakes until 2026-11-23T09:01:45Z; 1/3 services run app:v2; mumbai/backend: OutOfSync (WaveNotOpen), runs mumbai-backend:1, which does not carry the image; waits: wave 1 opens after wave 0: it bakes; virginia/backend: OutOfSync (WaveNotOpen)
09:01:45 => Ready=False Progressing: 1/3 services run app:v2; mumbai/backend: OutOfSync (WaveNotOpen), runs mumbai-backend:1, which does not carry the image; waits: wave 1 opens after wave 0: it bakes; virginia/backend: OutOfSync (WaveNotOpen)
09:02:00 mumbai/backend: 1 OutOfSync: runs mumbai-backend:1, which does not carry the image; registering one that does
09:02:00 mumbai/backend: 2 registers app:v2+env1 as mumbai-backend:2
09:02:00 virginia/backend: 1 OutOfSync: runs virginia-backend:1, which does not carry the image; registering one that does
09:02:00 virginia/backend: 2 registers app:v2+env1 as virginia-backend:2
09:02:15 mumbai/backend: 2 updates to mumbai-backend:2
09:02:15 virginia/backend: 2 updates to virginia-backend:2
09:02:45 mumbai/backend: 1 InSync: runs mumbai-backend:2
09:02:45 virginia/backend: 1 InSync: runs virginia-backend:2
09:02:45 => Ready=False Baking: wave 1 bakes until 2026-11-23T09:03:45Z; 3/3 services run app:v2
09:03:45 => Ready=True Released: 3/3 services run app:v2

3 registrations, 3 updates
history 1: app:v2 Released mumbai-backend:2 singapore-backend:2 virginia-backend:2
