"""The segment language: conditions over profiles and their events, and what they mean."""
