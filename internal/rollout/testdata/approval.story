09:00:00 mumbai/backend: 1 OutOfSync (WaveNotOpen): runs mumbai-backend:1, which does not carry the image; waits: wave 1 opens after wave 0: 0/1 services run the image
09:00:00 singapore/backend: 1 OutOfSync (AwaitingApproval): runs singapore-backend:1, which does not carry the image; waits: wave 0 waits for approval
09:00:00 => Ready=False AwaitingApproval: wave 0 waits for approval: annotate the release with ecs.heliumai.space/approve=r1-wave-0-y6c0; 0/2 services run app:v2; singapore/backend: OutOfSync (AwaitingApproval), runs singapore-backend:1, which does not carry the image; mumbai/backend: OutOfSync (WaveNotOpen)

-- approve: r1-wave-1-0000
09:05:00 ! approve: nothing awaits r1-wave-1-0000: approve an id of status.awaiting

-- approve: r1-wave-0-y6c0
09:10:00 ! approve: approved r1-wave-0-y6c0
09:10:00 singapore/backend: 1 OutOfSync: runs singapore-backend:1, which does not carry the image; registering one that does
09:10:00 singapore/backend: 2 registers app:v2+env1 as singapore-backend:2
09:10:00 => Ready=False Progressing: 0/2 services run app:v2; singapore/backend: OutOfSync, runs singapore-backend:1, which does not carry the image; registering one that does; mumbai/backend: OutOfSync (WaveNotOpen)
09:10:15 singapore/backend: 2 updates to singapore-backend:2
09:10:45 singapore/backend: 1 InSync: runs singapore-backend:2
09:10:45 => Ready=False AwaitingApproval: wave 1 waits for approval: annotate the release with ecs.heliumai.space/approve=r1-wave-1-y6tx; 1/2 services run app:v2; mumbai/backend: OutOfSync (WaveNotOpen), runs mumbai-backend:1, which does not carry the image; waits: wave 1 opens after wave 0: it bakes
09:11:00 mumbai/backend: 1 OutOfSync (AwaitingApproval): runs mumbai-backend:1, which does not carry the image; waits: wave 1 waits for approval: annotate the release with ecs.heliumai.space/approve=r1-wave-1-y6tx

-- v3 is asked for before the second wave is approved
09:15:00 mumbai/backend: 1 OutOfSync (WaveNotOpen): runs mumbai-backend:1, which does not carry the image; waits: wave 1 opens after wave 0: 0/1 services run the image
09:15:00 singapore/backend: 1 OutOfSync (AwaitingApproval): runs singapore-backend:2, which does not carry the image; waits: wave 0 waits for approval

-- approve: r1-wave-1-y6tx
09:20:00 ! approve: nothing awaits r1-wave-1-y6tx: approve an id of status.awaiting

-- approve: r2-wave-0-y710
09:25:00 ! approve: approved r2-wave-0-y710
09:25:00 singapore/backend: 1 OutOfSync: runs singapore-backend:2, which does not carry the image; registering one that does
09:25:00 singapore/backend: 2 registers app:v3+env1 as singapore-backend:3
09:25:00 => Ready=False Progressing: 0/2 services run app:v3; singapore/backend: OutOfSync, runs singapore-backend:2, which does not carry the image; registering one that does; mumbai/backend: OutOfSync (WaveNotOpen)
09:25:15 singapore/backend: 2 updates to singapore-backend:3
09:25:45 singapore/backend: 1 InSync: runs singapore-backend:3
09:25:45 => Ready=False AwaitingApproval: wave 1 waits for approval: annotate the release with ecs.heliumai.space/approve=r2-wave-1-y7ix; 1/2 services run app:v3; mumbai/backend: OutOfSync (WaveNotOpen), runs mumbai-backend:1, which does not carry the image; waits: wave 1 opens after wave 0: it bakes
09:26:00 mumbai/backend: 1 OutOfSync (AwaitingApproval): runs mumbai-backend:1, which does not carry the image; waits: wave 1 waits for approval: annotate the release with ecs.heliumai.space/approve=r2-wave-1-y7ix

-- approve: r2-wave-1-y7ix
09:30:00 ! approve: approved r2-wave-1-y7ix
09:30:00 mumbai/backend: 1 OutOfSync: runs mumbai-backend:1, which does not carry the image; registering one that does
09:30:00 mumbai/backend: 2 registers app:v3+env1 as mumbai-backend:2
09:30:00 => Ready=False Progressing: 1/2 services run app:v3; mumbai/backend: OutOfSync, runs mumbai-backend:1, which does not carry the image; registering one that does
09:30:15 mumbai/backend: 2 updates to mumbai-backend:2
09:30:45 mumbai/backend: 1 InSync: runs mumbai-backend:2
09:30:45 => Ready=True Released: 2/2 services run app:v3

3 registrations, 3 updates
history 2: app:v3 Released mumbai-backend:2 singapore-backend:3
history 1: app:v2 Superseded singapore-backend:2
