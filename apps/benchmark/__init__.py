"""Times the training step, the data and what stands around them: `python -m apps.benchmark`."""
