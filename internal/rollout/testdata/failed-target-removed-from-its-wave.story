09:00:00 mumbai/backend: 1 OutOfSync: runs mumbai-backend:1, which does not carry the image; registering one that does
09:00:00 mumbai/backend: 2 registers app:v2+env1 as mumbai-backend:2
09:00:00 virginia/backend: 1 OutOfSync: runs virginia-backend:1, which does not carry the image; registering one that does
09:00:00 virginia/backend: 2 registers app:v2+env1 as virginia-backend:2
09:00:00 => Ready=False Progressing: 0/2 services run app:v2; mumbai/backend: OutOfSync, runs mumbai-backend:1, which does not carry the image; registering one that does; virginia/backend: OutOfSync
09:00:15 mumbai/backend: 2 updates to mumbai-backend:2
09:00:15 virginia/backend: 2 updates to virginia-backend:2

-- mumbai/backend crashes
09:00:45 mumbai/backend: 1 Failed (CircuitBreaker): ECS gave the deployment of mumbai-backend:2 up and began to roll it back (service deployment sd-2); 3 tasks failed, the circuit breaker's threshold is 3; Service deployment rolled back because the circuit breaker threshold was exceeded; the service now has mumbai-backend:2; not tried again until another image is asked for, or a retry
09:00:45 => Ready=False RollingBack: failed (CircuitBreaker) at mumbai/backend: ECS gave the deployment of mumbai-backend:2 up and began to roll it back (service deployment sd-2); 3 tasks failed, the circuit breaker's threshold is 3; Service deployment rolled back because the circuit breaker threshold was exceeded; 0/2 services run app:v2; still to go back: virginia/backend; mumbai/backend: Failed (CircuitBreaker), the service now has mumbai-backend:2; not tried again until another image is asked for, or a retry; virginia/backend: Deploying
09:01:00 mumbai/backend: 1 RollingBack: going back to mumbai-backend:1; ECS rolls the service back, it has mumbai-backend:2 now; ECS deployment circuit breaker: rolling back to deploymentId ecs-svc/3
09:01:00 virginia/backend: 1 RollingBack: going back to virginia-backend:1; stopping the deployment of virginia-backend:2, so that ECS rolls it back
09:01:00 virginia/backend: 2 stops sd-2
09:02:30 mumbai/backend: 2 updates to mumbai-backend:1
09:03:00 mumbai/backend: 1 RolledBack (CircuitBreaker): back on mumbai-backend:1; ECS gave the deployment of mumbai-backend:2 up and began to roll it back (service deployment sd-2); 3 tasks failed, the circuit breaker's threshold is 3; Service deployment rolled back because the circuit breaker threshold was exceeded; not tried again until another image is asked for, or a retry
09:03:15 virginia/backend: 1 RolledBack: back on virginia-backend:1
09:03:15 => Ready=False CircuitBreaker: failed (CircuitBreaker) at mumbai/backend: ECS gave the deployment of mumbai-backend:2 up and began to roll it back (service deployment sd-2); 3 tasks failed, the circuit breaker's threshold is 3; Service deployment rolled back because the circuit breaker threshold was exceeded; 0/2 services run app:v2; mumbai/backend: RolledBack (CircuitBreaker), back on mumbai-backend:1; not tried again until another image is asked for, or a retry; virginia/backend: RolledBack

-- mumbai is taken out of the release
09:08:15 virginia/backend: 1 OutOfSync (WaveNotOpen): runs virginia-backend:1, which does not carry the image; waits: release 1 failed (CircuitBreaker): nothing more of it is started until another image is asked for, or a retry

-- retry: 1
09:13:15 ! retry: trying once more: 0 failed, 0 drifted
09:13:15 virginia/backend: 1 OutOfSync: runs virginia-backend:1, which does not carry the image; updating it to virginia-backend:2
09:13:15 virginia/backend: 2 updates to virginia-backend:2
09:13:15 => Ready=False Progressing: 0/1 services run app:v2; virginia/backend: Deploying, ECS took the update to virginia-backend:2 (deployment ecs-svc/4)
09:15:30 virginia/backend: 1 InSync: runs virginia-backend:2
09:15:30 => Ready=True Released: 1/1 services run app:v2

2 registrations, 4 updates
history 1: app:v2 Released virginia-backend:2
