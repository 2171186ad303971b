"""Files of shops without an API, in and out."""
