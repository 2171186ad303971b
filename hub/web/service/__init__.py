"""What machines ask: health, metrics, webhooks."""
