"""Settings: workspace, users, API keys, system status, audit log, one's own account."""
