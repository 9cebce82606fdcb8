09:00:00 mumbai/backend: 1 OutOfSync: runs mumbai-backend:1, which does not carry the image; registering one that does
09:00:00 mumbai/backend: 2 registers app:v2+env1 as mumbai-backend:2
09:00:00 virginia/backend: 1 OutOfSync: runs virginia-backend:1, which does not carry the image; registering one that does
09:00:00 virginia/backend: 2 registers app:v2+env1 as virginia-backend:2
09:00:00 => Ready=False Progressing: 0/2 services run app:v2; mumbai/backend: OutOfSync, runs mumbai-backend:1, which does not carry the image; registering one that does; virginia/backend: OutOfSync
09:00:15 mumbai/backend: 2 updates to mumbai-backend:2
09:00:15 virginia/backend: 2 updates to virginia-backend:2
09:01:00 mumbai/backend: 1 Failed (CircuitBreaker): ECS gave the deployment of mumbai-backend:2 up and began to roll it back (service deployment sd-2); 3 tasks failed, the circuit breaker's threshold is 3; Service deployment rolled back because the circuit breaker threshold was exceeded; the service now has mumbai-backend:1; not tried again until the image or the service's task definition changes
09:01:00 virginia/backend: 1 Failed (CircuitBreaker): ECS gave the deployment of virginia-backend:2 up and began to roll it back (service deployment sd-2); 3 tasks failed, the circuit breaker's threshold is 3; Service deployment rolled back because the circuit breaker threshold was exceeded; the service now has virginia-backend:1; not tried again until the image or the service's task definition changes
09:01:00 => Ready=False CircuitBreaker: 0/2 services run app:v2; mumbai/backend: Failed (CircuitBreaker), ECS gave the deployment of mumbai-backend:2 up and began to roll it back (service deployment sd-2); 3 tasks failed, the circuit breaker's threshold is 3; Service deployment rolled back because the circuit breaker threshold was exceeded; the service now has mumbai-backend:1; not tried again until the image or the service's task definition changes; virginia/backend: Failed (CircuitBreaker)

-- the image is fixed
09:05:00 mumbai/backend: 1 OutOfSync: runs mumbai-backend:1, which does not carry the image; registering one that does
09:05:00 mumbai/backend: 2 registers app:v3+env1 as mumbai-backend:3
09:05:00 virginia/backend: 1 OutOfSync: runs virginia-backend:1, which does not carry the image; registering one that does
09:05:00 virginia/backend: 2 registers app:v3+env1 as virginia-backend:3
09:05:00 => Ready=False Progressing: 0/2 services run app:v3; mumbai/backend: OutOfSync, runs mumbai-backend:1, which does not carry the image; registering one that does; virginia/backend: OutOfSync
09:05:15 mumbai/backend: 2 updates to mumbai-backend:3
09:05:15 virginia/backend: 2 updates to virginia-backend:3
09:05:45 mumbai/backend: 1 InSync: runs mumbai-backend:3
09:05:45 virginia/backend: 1 InSync: runs virginia-backend:3
09:05:45 => Ready=True Released: 2/2 services run app:v3

4 registrations, 4 updates
history 2: app:v3 Released mumbai-backend:3 virginia-backend:3
history 1: app:v2 Failed 
