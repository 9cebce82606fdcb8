09:00:00 mumbai/backend: 1 OutOfSync: runs mumbai-backend:1, which does not carry the image; waits: virginia/backend: there is no service backend in virginia
09:00:00 virginia/backend: 1 Missing (ServiceNotFound): there is no service backend in virginia
09:00:00 => Ready=False ServiceNotFound: 0/2 services run app:v2; virginia/backend: Missing (ServiceNotFound), there is no service backend in virginia; mumbai/backend: OutOfSync

-- the service is created

-- virginia throttles
09:05:00 mumbai/backend: 2 registers app:v2+env1 as mumbai-backend:2
09:05:00 virginia/backend: 1 Unknown (ObservationFailed): DescribeServices: Rate exceeded
09:05:00 => Ready=False Progressing: 0/2 services run app:v2; mumbai/backend: OutOfSync, runs mumbai-backend:1, which does not carry the image; registering one that does; virginia/backend: Unknown (ObservationFailed)
09:05:15 mumbai/backend: 2 updates to mumbai-backend:2
09:05:45 mumbai/backend: 1 InSync: runs mumbai-backend:2
09:05:45 => Ready=Unknown ObservationFailed: 1/2 services run app:v2; virginia/backend: Unknown (ObservationFailed), DescribeServices: Rate exceeded

-- virginia answers
09:10:00 virginia/backend: 1 OutOfSync: runs virginia-backend:1, which does not carry the image; registering one that does
09:10:00 virginia/backend: 2 registers app:v2+env1 as virginia-backend:2
09:10:00 => Ready=False Progressing: 1/2 services run app:v2; virginia/backend: OutOfSync, runs virginia-backend:1, which does not carry the image; registering one that does
09:10:15 virginia/backend: 2 updates to virginia-backend:2
09:10:45 virginia/backend: 1 InSync: runs virginia-backend:2
09:10:45 => Ready=True Released: 2/2 services run app:v2

-- virginia throttles again

2 registrations, 2 updates
history 1: app:v2 Released mumbai-backend:2 virginia-backend:2
