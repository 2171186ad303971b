"""The JSON API: what the desk does, for programs. Ids are strings, times ISO 8601 UTC."""
