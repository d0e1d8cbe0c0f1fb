"""A run that lasts until the server has got system metrics of it."""
import json
import os
import time
import urllib.request

import wandb

settings = wandb.Settings(x_stats_sampling_interval=0.1, x_file_stream_transmit_interval=0.1)
with wandb.init(project="digits", id="measured", settings=settings) as run:
    end = time.monotonic() + 60
    while True:
        with urllib.request.urlopen(os.environ["WANDB_BASE_URL"] + "/_fake/state") as answer:
            held = json.load(answer)["runs"][run.path]
        if len(held["events"]) > 1:
            break
        assert time.monotonic() < end, held
        time.sleep(0.05)
