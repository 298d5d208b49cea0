"""ArangoDB as the store of profiles and of the admin service, through python-arango and a few threads."""
