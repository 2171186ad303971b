"""The hub: many malls' orders, claims, inquiries and calls as one model on one screen."""
