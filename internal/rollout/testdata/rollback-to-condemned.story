09:00:00 mumbai/backend: 1 InSync: ran the image already, with mumbai-backend:1: adopted as it is
09:00:00 virginia/backend: 1 InSync: ran the image already, with virginia-backend:1: adopted as it is
09:00:00 => Ready=True Released: 2/2 services run app:v1

-- v1 fails its check, some time later
09:05:00 mumbai/backend: 1 Failed (Verification): it answered 503; the service now has mumbai-backend:1; not tried again until another image is asked for, or a retry
09:05:00 => Ready=False Verification: 1/2 services run app:v1; mumbai/backend: Failed (Verification), it answered 503; the service now has mumbai-backend:1; not tried again until another image is asked for, or a retry

-- v2
09:10:00 mumbai/backend: 1 OutOfSync: runs mumbai-backend:1, which does not carry the image; registering one that does
09:10:00 mumbai/backend: 2 registers app:v2+env1 as mumbai-backend:2
09:10:00 virginia/backend: 1 OutOfSync (WaveNotOpen): runs virginia-backend:1, which does not carry the image; waits: wave 1 opens after wave 0: 0/1 services run the image
09:10:00 => Ready=False Progressing: 0/2 services run app:v2; mumbai/backend: OutOfSync, runs mumbai-backend:1, which does not carry the image; registering one that does; virginia/backend: OutOfSync (WaveNotOpen)
09:10:15 mumbai/backend: 2 updates to mumbai-backend:2
09:12:30 mumbai/backend: 1 InSync: runs mumbai-backend:2
09:12:45 virginia/backend: 1 OutOfSync: runs virginia-backend:1, which does not carry the image; registering one that does
09:12:45 virginia/backend: 2 registers app:v2+env1 as virginia-backend:2
09:13:00 virginia/backend: 2 updates to virginia-backend:2

-- virginia/backend crashes
09:13:15 virginia/backend: 1 Failed (CircuitBreaker): ECS gave the deployment of virginia-backend:2 up and began to roll it back (service deployment sd-2); 3 tasks failed, the circuit breaker's threshold is 3; Service deployment rolled back because the circuit breaker threshold was exceeded; the service now has virginia-backend:1; not tried again until another image is asked for, or a retry
09:13:15 => Ready=False RollingBack: failed (CircuitBreaker) at virginia/backend: ECS gave the deployment of virginia-backend:2 up and began to roll it back (service deployment sd-2); 3 tasks failed, the circuit breaker's threshold is 3; Service deployment rolled back because the circuit breaker threshold was exceeded; 1/2 services run app:v2; still to go back: mumbai/backend; virginia/backend: Failed (CircuitBreaker), the service now has virginia-backend:1; not tried again until another image is asked for, or a retry
09:13:30 mumbai/backend: 1 RollingBack: going back to mumbai-backend:1; has mumbai-backend:2; updating it to mumbai-backend:1
09:13:30 mumbai/backend: 2 updates to mumbai-backend:1
09:13:30 virginia/backend: 1 RollingBack: going back to virginia-backend:1; ECS rolls the service back, it has virginia-backend:1 now; ECS deployment circuit breaker: rolling back to deploymentId ecs-svc/3
09:13:45 virginia/backend: 1 RolledBack (CircuitBreaker): back on virginia-backend:1; ECS gave the deployment of virginia-backend:2 up and began to roll it back (service deployment sd-2); 3 tasks failed, the circuit breaker's threshold is 3; Service deployment rolled back because the circuit breaker threshold was exceeded; not tried again until another image is asked for, or a retry
09:15:45 mumbai/backend: 1 RolledBack: back on mumbai-backend:1
09:15:45 => Ready=False CircuitBreaker: failed (CircuitBreaker) at virginia/backend: ECS gave the deployment of virginia-backend:2 up and began to roll it back (service deployment sd-2); 3 tasks failed, the circuit breaker's threshold is 3; Service deployment rolled back because the circuit breaker threshold was exceeded; 0/2 services run app:v2; mumbai/backend: RolledBack, back on mumbai-backend:1; virginia/backend: RolledBack (CircuitBreaker)

2 registrations, 3 updates
history 2: app:v2 RolledBack mumbai-backend:2
history 1: app:v1 Adopted mumbai-backend:1 virginia-backend:1
