09:00:00 mumbai/backend: 1 OutOfSync (AwaitingApproval): runs mumbai-backend:1, which does not carry the image; waits: wave 0 waits for approval
09:00:00 => Ready=False AwaitingApproval: wave 0 waits for approval: annotate the release with ecs.heliumai.space/approve=r1-wave-0-y6c0; 0/1 services run app:v2; mumbai/backend: OutOfSync (AwaitingApproval), runs mumbai-backend:1, which does not carry the image

-- approve: r1-wave-0-y6c0
09:05:00 ! approve: approved r1-wave-0-y6c0
09:05:00 mumbai/backend: 1 OutOfSync: runs mumbai-backend:1, which does not carry the image; registering one that does
09:05:00 mumbai/backend: 2 registers app:v2+env1 as mumbai-backend:2
09:05:00 => Ready=False Progressing: 0/1 services run app:v2; mumbai/backend: OutOfSync, runs mumbai-backend:1, which does not carry the image; registering one that does
09:05:15 mumbai/backend: 2 updates to mumbai-backend:2
09:05:45 mumbai/backend: 1 InSync: runs mumbai-backend:2
09:05:45 => Ready=True Released: 1/1 services run app:v2

-- v3
09:10:00 mumbai/backend: 1 OutOfSync (AwaitingApproval): runs mumbai-backend:2, which does not carry the image; waits: wave 0 waits for approval
09:10:00 => Ready=False AwaitingApproval: wave 0 waits for approval: annotate the release with ecs.heliumai.space/approve=r2-wave-0-y6so; 0/1 services run app:v3; mumbai/backend: OutOfSync (AwaitingApproval), runs mumbai-backend:2, which does not carry the image

-- approve: r2-wave-0-y6so
09:15:00 ! approve: approved r2-wave-0-y6so
09:15:00 mumbai/backend: 1 OutOfSync: runs mumbai-backend:2, which does not carry the image; registering one that does
09:15:00 mumbai/backend: 2 registers app:v3+env1 as mumbai-backend:3
09:15:00 => Ready=False Progressing: 0/1 services run app:v3; mumbai/backend: OutOfSync, runs mumbai-backend:2, which does not carry the image; registering one that does
09:15:15 mumbai/backend: 2 updates to mumbai-backend:3
09:15:45 mumbai/backend: 1 InSync: runs mumbai-backend:3
09:15:45 => Ready=True Released: 1/1 services run app:v3

-- v2 again, in other settings
09:20:00 mumbai/backend: 1 OutOfSync (AwaitingApproval): runs mumbai-backend:4, which does not carry the image; waits: wave 0 waits for approval
09:20:00 => Ready=False AwaitingApproval: wave 0 waits for approval: annotate the release with ecs.heliumai.space/approve=r3-wave-0-y79c; 0/1 services run app:v2; mumbai/backend: OutOfSync (AwaitingApproval), runs mumbai-backend:4, which does not carry the image

-- approve: r3-wave-0-y79c
09:25:00 ! approve: approved r3-wave-0-y79c
09:25:00 mumbai/backend: 1 OutOfSync: runs mumbai-backend:4, which does not carry the image; registering one that does
09:25:00 mumbai/backend: 2 registers app:v2+env2 as mumbai-backend:5
09:25:00 => Ready=False Progressing: 0/1 services run app:v2; mumbai/backend: OutOfSync, runs mumbai-backend:4, which does not carry the image; registering one that does
09:25:15 mumbai/backend: 2 updates to mumbai-backend:5
09:25:45 mumbai/backend: 1 InSync: runs mumbai-backend:5
09:25:45 => Ready=True Released: 1/1 services run app:v2

-- hold: 1/1
09:30:00 ! hold: going to release 1 (app:v2) and staying there until ecs.heliumai.space/release-hold or another image
09:30:00 mumbai/backend: 1 OutOfSync: runs mumbai-backend:5, which does not carry the image; updating it to mumbai-backend:2
09:30:00 mumbai/backend: 2 updates to mumbai-backend:2
09:30:00 => Ready=False Progressing: 0/1 services run app:v2; mumbai/backend: Deploying, ECS took the update to mumbai-backend:2 (deployment ecs-svc/6)
09:30:30 mumbai/backend: 1 InSync: runs mumbai-backend:2
09:30:30 => Ready=False Held: release 1 (app:v2) is held since 2026-11-23T09:30:00Z against app:v2: end it with ecs.heliumai.space/release-hold, or with another image; 1/1 services run app:v2

-- release-hold: 1
09:35:00 ! release-hold: release 1 is not held any more: going to what the spec asks for
09:35:00 => Ready=True Released: 1/1 services run app:v2

3 registrations, 4 updates
history 5: app:v2 Released mumbai-backend:2
history 4: app:v2 Released mumbai-backend:2
history 3: app:v2 Released mumbai-backend:5
history 2: app:v3 Released mumbai-backend:3
history 1: app:v2 Released mumbai-backend:2
