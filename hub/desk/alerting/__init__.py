"""What is wrong with the hub, and telling whoever looks after it."""
