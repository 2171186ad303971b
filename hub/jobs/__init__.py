"""Durable jobs and schedules: shops are read by themselves, and what a crash broke off goes on."""
