"""Real output of OmniSafe: `python omnisafe_logs.py TRPO|PPO FOLDER [tiny]` (Python 3.10, omnisafe 0.5).

`tiny` asks for a KL of at most 1e-9: steps that rounding swallows.
"""

import sys

import omnisafe

if __name__ == "__main__":
    omnisafe.Agent(
        sys.argv[1],
        "Hopper-v4",
        custom_cfgs={
            "seed": 1,
            "train_cfgs": {"total_steps": 24_000, "torch_threads": 1},
            "algo_cfgs": {
                "steps_per_epoch": 2000,
                "target_kl": 1e-9 if "tiny" in sys.argv else 0.01,
            },
            "logger_cfgs": {"log_dir": sys.argv[2], "save_model_freq": 1000},
        },
    ).learn()
