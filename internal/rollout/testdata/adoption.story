09:00:00 mumbai/backend: 1 InSync: ran the image already, with mumbai-backend:1: adopted as it is
09:00:00 virginia/backend: 1 InSync: ran the image already, with virginia-backend:1: adopted as it is
09:00:00 => Ready=True Released: 2/2 services run app:v1

0 registrations, 0 updates
history 1: app:v1 Adopted mumbai-backend:1 virginia-backend:1
