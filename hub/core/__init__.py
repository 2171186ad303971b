"""The kernel: canonical model, connector contract, errors, HTTP base. Imports nothing of ours."""
