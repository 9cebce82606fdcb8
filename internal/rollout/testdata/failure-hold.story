09:00:00 mumbai/backend: 1 OutOfSync: runs mumbai-backend:1, which does not carry the image; registering one that does
09:00:00 mumbai/backend: 2 registers app:v2+env1 as mumbai-backend:2
09:00:00 virginia/backend: 1 OutOfSync (WaveNotOpen): runs virginia-backend:1, which does not carry the image; waits: wave 1 opens after wave 0: 0/1 services run the image
09:00:00 => Ready=False Progressing: 0/2 services run app:v2; mumbai/backend: OutOfSync, runs mumbai-backend:1, which does not carry the image; registering one that does; virginia/backend: OutOfSync (WaveNotOpen)
09:00:15 mumbai/backend: 2 updates to mumbai-backend:2
09:10:45 mumbai/backend: 1 Failed (ContainerExited): container app exited with code 3; the deployment of mumbai-backend:2 made no progress for 10m0s, the progress deadline: 0/2 tasks run (deployment ecs-svc/2), 2 of other revisions, 42 failed; the service now has mumbai-backend:2; not tried again until another image is asked for, or a retry
09:10:45 virginia/backend: 1 OutOfSync: runs virginia-backend:1, which does not carry the image; waits: mumbai/backend: container app exited with code 3; the deployment of mumbai-backend:2 made no progress for 10m0s, the progress deadline: 0/2 tasks run (deployment ecs-svc/2), 2 of other revisions, 42 failed; the service now has mumbai-backend:2; not tried again until another image is asked for, or a retry
09:10:45 => Ready=False ContainerExited: failed (ContainerExited) at mumbai/backend: container app exited with code 3; the deployment of mumbai-backend:2 made no progress for 10m0s, the progress deadline: 0/2 tasks run (deployment ecs-svc/2), 2 of other revisions, 42 failed; 0/2 services run app:v2; mumbai/backend: Failed (ContainerExited), the service now has mumbai-backend:2; not tried again until another image is asked for, or a retry; virginia/backend: OutOfSync

-- the image is fixed where it is
09:15:30 mumbai/backend: 1 InSync: runs mumbai-backend:2
09:15:45 virginia/backend: 1 OutOfSync (WaveNotOpen): runs virginia-backend:1, which does not carry the image; waits: release 1 failed (ContainerExited): nothing more of it is started until another image is asked for, or a retry

1 registrations, 1 updates
history 1: app:v2 Failed mumbai-backend:2
