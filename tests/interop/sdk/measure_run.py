"""A run that lasts until system metrics of it were taken."""
import time

import wandb

with wandb.init(project="digits", id="measured",
                settings=wandb.Settings(x_stats_sampling_interval=0.1, x_stats_buffer_size=10)) as run:
    end = time.monotonic() + 60
    while not run._system_metrics:
        assert time.monotonic() < end, "no system metrics"
        time.sleep(0.05)
