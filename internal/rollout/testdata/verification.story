09:00:00 mumbai/backend: 1 OutOfSync (WaveNotOpen): runs mumbai-backend:1, which does not carry the image; waits: wave 1 opens after wave 0: 0/1 services run the image
09:00:00 singapore/backend: 1 OutOfSync: runs singapore-backend:1, which does not carry the image; registering one that does
09:00:00 singapore/backend: 2 registers app:v2+env1 as singapore-backend:2
09:00:00 => Ready=False Progressing: 0/2 services run app:v2; singapore/backend: OutOfSync, runs singapore-backend:1, which does not carry the image; registering one that does; mumbai/backend: OutOfSync (WaveNotOpen)
09:00:15 singapore/backend: 2 updates to singapore-backend:2
09:00:45 singapore/backend: 1 InSync: runs singapore-backend:2
09:00:45 => Ready=False Verifying: wave 0 is being verified: singapore: https://heliumai.space/healthz answered 503, wanted 200; 1/2 services run app:v2; mumbai/backend: OutOfSync (WaveNotOpen), runs mumbai-backend:1, which does not carry the image; waits: wave 1 opens after wave 0: it is being verified

-- it answers in singapore
09:05:00 => Ready=False Progressing: 1/2 services run app:v2; mumbai/backend: OutOfSync (WaveNotOpen), runs mumbai-backend:1, which does not carry the image; waits: wave 1 opens after wave 0: it is being verified
09:05:15 mumbai/backend: 1 OutOfSync: runs mumbai-backend:1, which does not carry the image; registering one that does
09:05:15 mumbai/backend: 2 registers app:v2+env1 as mumbai-backend:2
09:05:30 mumbai/backend: 2 updates to mumbai-backend:2
09:06:00 mumbai/backend: 1 InSync: runs mumbai-backend:2
09:06:00 => Ready=False Verifying: wave 1 is being verified: mumbai: not checked yet; 2/2 services run app:v2

-- it answers in mumbai
09:10:00 => Ready=True Released: 2/2 services run app:v2

2 registrations, 2 updates
history 1: app:v2 Released mumbai-backend:2 singapore-backend:2
