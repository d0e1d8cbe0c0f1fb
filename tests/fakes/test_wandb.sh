#!/usr/bin/env bash
# The fake of W&B's server takes what is right and refuses the rest, and misbehaves as ordered.
exec python3 -B "$(dirname "$0")/wandb_cases.py"
