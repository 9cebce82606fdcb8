09:00:00 mumbai/backend: 1 OutOfSync: runs mumbai-backend:1, which does not carry the image; registering one that does
09:00:00 mumbai/backend: 2 registers app:v2+env1 as mumbai-backend:2
09:00:00 => Ready=False Progressing: 0/1 services run app:v2; mumbai/backend: OutOfSync, runs mumbai-backend:1, which does not carry the image; registering one that does
09:00:15 mumbai/backend: 2 updates to mumbai-backend:2
09:00:30 mumbai/backend: 1 stage PRE_SCALE_UP with 0% of the traffic
09:00:45 mumbai/backend: 1 stage SCALE_UP with 0% of the traffic
09:01:00 mumbai/backend: 1 stage POST_SCALE_UP with 0% of the traffic
09:01:15 mumbai/backend: 1 stage PRODUCTION_TRAFFIC_SHIFT with 5% of the traffic
09:01:30 mumbai/backend: 1 stage PRODUCTION_TRAFFIC_SHIFT with 100% of the traffic
09:01:45 mumbai/backend: 1 stage POST_PRODUCTION_TRAFFIC_SHIFT with 100% of the traffic
09:02:00 mumbai/backend: 1 stage BAKE_TIME with 100% of the traffic
09:02:15 mumbai/backend: 1 stage CLEAN_UP with 100% of the traffic
09:02:30 mumbai/backend: 1 InSync: runs mumbai-backend:2
09:02:30 => Ready=True Released: 1/1 services run app:v2

1 registrations, 1 updates
history 1: app:v2 Released mumbai-backend:2
