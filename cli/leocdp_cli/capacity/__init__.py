"""What an installation needs, from people and events: arithmetic over measured figures."""
