09:00:00 mumbai/backend: 1 InSync: ran the image already, with mumbai-backend:1: adopted as it is
09:00:00 virginia/backend: 1 InSync: ran the image already, with virginia-backend:1: adopted as it is
09:00:00 => Ready=True Released: 2/2 services run app:v1

-- v2
09:05:00 mumbai/backend: 1 OutOfSync: runs mumbai-backend:1, which does not carry the image; registering one that does
09:05:00 mumbai/backend: 2 registers app:v2+env1 as mumbai-backend:2
09:05:00 virginia/backend: 1 OutOfSync (WaveNotOpen): runs virginia-backend:1, which does not carry the image; waits: wave 1 opens after wave 0: 0/1 services run the image
09:05:00 => Ready=False Progressing: 0/2 services run app:v2; mumbai/backend: OutOfSync, runs mumbai-backend:1, which does not carry the image; registering one that does; virginia/backend: OutOfSync (WaveNotOpen)
09:05:15 mumbai/backend: 2 updates to mumbai-backend:2
09:07:30 mumbai/backend: 1 InSync: runs mumbai-backend:2
09:07:45 virginia/backend: 1 OutOfSync: runs virginia-backend:1, which does not carry the image; registering one that does
09:07:45 virginia/backend: 2 registers app:v2+env1 as virginia-backend:2
09:08:00 virginia/backend: 2 updates to virginia-backend:2

-- virginia/backend crashes
09:08:45 virginia/backend: 1 Failed (CircuitBreaker): ECS gave the deployment of virginia-backend:2 up and began to roll it back (service deployment sd-2); 3 tasks failed, the circuit breaker's threshold is 3; Service deployment rolled back because the circuit breaker threshold was exceeded; the service now has virginia-backend:1; not tried again until another image is asked for, or a retry
09:08:45 => Ready=False RollingBack: failed (CircuitBreaker) at virginia/backend: ECS gave the deployment of virginia-backend:2 up and began to roll it back (service deployment sd-2); 3 tasks failed, the circuit breaker's threshold is 3; Service deployment rolled back because the circuit breaker threshold was exceeded; 1/2 services run app:v2; still to go back: mumbai/backend; virginia/backend: Failed (CircuitBreaker), the service now has virginia-backend:1; not tried again until another image is asked for, or a retry
09:09:00 mumbai/backend: 1 RollingBack: going back to mumbai-backend:1; has mumbai-backend:2; updating it to mumbai-backend:1
09:09:00 mumbai/backend: 2 updates to mumbai-backend:1
09:09:00 virginia/backend: 1 RollingBack: going back to virginia-backend:1; ECS rolls the service back, it has virginia-backend:1 now; ECS deployment circuit breaker: rolling back to deploymentId ecs-svc/3

-- v3, which has to be approved
09:09:15 mumbai/backend: 1 OutOfSync (AwaitingApproval): runs mumbai-backend:1, which does not carry the image; waits: wave 0 waits for approval
09:09:15 virginia/backend: 1 OutOfSync (WaveNotOpen): runs virginia-backend:1, which does not carry the image; waits: wave 1 opens after wave 0: 0/1 services run the image
09:09:15 => Ready=False AwaitingApproval: wave 0 waits for approval: annotate the release with ecs.heliumai.space/approve=r3-wave-0-y6rf; 0/2 services run app:v3; mumbai/backend: OutOfSync (AwaitingApproval), runs mumbai-backend:1, which does not carry the image; virginia/backend: OutOfSync (WaveNotOpen)

-- abort: 1
09:09:45 ! abort: what was in flight counts as failed
09:09:45 mumbai/backend: 1 RollingBack: going back to mumbai-backend:1; mumbai-backend:1: 3/9 tasks run (deployment ecs-svc/3), 6 of other revisions
09:09:45 virginia/backend: 1 RollingBack: going back to virginia-backend:1; ECS rolls the service back, it has virginia-backend:1 now; ECS deployment circuit breaker: rolling back to deploymentId ecs-svc/3
09:09:45 => Ready=False RollingBack: failed (Aborted) at mumbai/backend: aborted by ecs.heliumai.space/abort=1; 0/2 services run app:v3; mumbai/backend: RollingBack, going back to mumbai-backend:1; mumbai-backend:1: 3/9 tasks run (deployment ecs-svc/3), 6 of other revisions; virginia/backend: RollingBack
09:11:00 virginia/backend: 1 RolledBack (Aborted): back on virginia-backend:1; aborted by ecs.heliumai.space/abort=1; not tried again until another image is asked for, or a retry
09:11:15 mumbai/backend: 1 RolledBack (Aborted): back on mumbai-backend:1; aborted by ecs.heliumai.space/abort=1; not tried again until another image is asked for, or a retry
09:11:15 => Ready=False Aborted: failed (Aborted) at mumbai/backend: aborted by ecs.heliumai.space/abort=1; 0/2 services run app:v3; mumbai/backend: RolledBack (Aborted), back on mumbai-backend:1; not tried again until another image is asked for, or a retry; virginia/backend: RolledBack (Aborted)

-- v1, which runs
09:14:45 mumbai/backend: 1 InSync: ran the image already, with mumbai-backend:1: adopted as it is
09:14:45 virginia/backend: 1 InSync: ran the image already, with virginia-backend:1: adopted as it is
09:14:45 => Ready=True Released: 2/2 services run app:v1

2 registrations, 3 updates
history 4: app:v1 Adopted mumbai-backend:1 virginia-backend:1
history 3: app:v3 RolledBack 
history 2: app:v2 Failed mumbai-backend:2
history 1: app:v1 Adopted mumbai-backend:1 virginia-backend:1
