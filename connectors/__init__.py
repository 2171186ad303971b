"""One folder per mall; nothing outside a folder names its mall."""
