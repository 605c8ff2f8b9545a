"""Makes sample_logs/ anew: healthy runs and one broken run per branch of the guide.

    python benchmarks/samples.py            make what is missing
    python benchmarks/samples.py --again    make all of them again

Every folder is a run as the agent wrote it: run.json and run.parquet, nothing edited. The folder's
name is the code the analyzer is to find, as the cause where it can be a fault, else as a warning or a
note; the command that made it stands in its run.json.
"""

import argparse
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SAMPLES = ROOT / "sample_logs"
LARGEST = 300_000
"""Bytes a sample folder may have."""

CHEETAH = ("--env", "HalfCheetah-v5", "--iterations", "25")
IMITATION = ("--env", "DPEnv-v0", "--iterations", "40", "--env-arg")
LONG_HOPPER = ("--env", "Hopper-v5", "--steps-per-iteration", "1024", "--iterations")
HOPPER = ("--env", "Hopper-v5", "--iterations", "30", "--steps-per-iteration", "1024", "--fault")
DEAF = ("--env", "InvertedPendulum-v5", "--iterations", "105", "--fault", "ignored-actions")
RUNS: dict[str, tuple[str, ...]] = {
    "TRPO001-non-finite-values": (*HOPPER, "nan-reward@11"),
    "TRPO003-stale-old-policy": (*HOPPER, "stale-old-policy"),
    "TRPO004-parameters-not-applied": (*HOPPER, "parameters-not-applied@11"),
    "TRPO005-gae-mismatch": (*HOPPER, "gae-reward-shift"),
    "TRPO006-misaligned-advantages": (*HOPPER, "misaligned-advantages"),
    "TRPO007-broken-step-identity": (*HOPPER, "wrong-step-length"),
    "TRPO008-policy-moved-outside-update": (*HOPPER, "pushed-policy"),
    "TRPO103-oversized-reward": (
        *("--env", "Reacher-v5", "--iterations", "40", "--steps-per-iteration", "1024"),
        *("--fault", "oversized-reward"),
    ),
    "TRPO104-unpredictable-reward": (*HOPPER, "random-reward"),
    "TRPO105-instant-termination": (*HOPPER, "instant-termination@11"),
    "TRPO106-zero-advantages": (*HOPPER, "masked-advantages@11"),
    "TRPO109-observation-blow-up": (*HOPPER, "observation-blow-up@11"),
    "TRPO110-dead-observation": (*LONG_HOPPER, "40", "--fault", "dead-observation@26"),
    "TRPO111-duplicate-environments": (*HOPPER, "duplicate-environments"),
    "TRPO112-reward-scale-drift": (*HOPPER, "reward-scale-drift:1.3"),
    "TRPO202-exploding-gradient": (*HOPPER, "gradient-spikes@11"),
    "TRPO203-vanishing-gradient": (
        *(*LONG_HOPPER, "40", "--fault", "squashed-mean@16"),
        *("--no-learn-std", "--damping", "10", "--max-kl", "0.001"),
    ),
    "TRPO206-partly-dead-gradient": (*HOPPER, "partly-dead-gradient"),
    "TRPO207-noise-dominated-gradient": (*DEAF, "--seed", "1"),
    "TRPO302-negative-curvature": (*HOPPER, "subtracted-damping"),
    "TRPO303-unconverged-cg": (*HOPPER, "unconverged-cg"),
    "TRPO401-zero-full-step": (*HOPPER, "swamped-step@11"),
    "TRPO403-oversized-trust-region": (*HOPPER, "oversized-max-kl"),
    "TRPO404-overdamped": (*HOPPER, "overdamped"),
    "TRPO501-line-search-failure": (*HOPPER, "impossible-search@11"),
    "TRPO502-kl-overshoot": (*HOPPER, "unchecked-kl"),
    "TRPO503-poor-quadratic-model": (*HOPPER, "summed-gradient"),
    "TRPO602-regression": (*LONG_HOPPER, "65", "--fault", "ignored-actions@36"),
    "TRPO603-plateau": ("--env", "Pendulum-v1", "--iterations", "126", "--gamma", "0.95"),
    "TRPO604-no-early-update": (*HOPPER, "absolute-skip"),
    "TRPO605-no-early-improvement": DEAF,
    "TRPO606-throughput-drop": (*LONG_HOPPER, "42", "--fault", "slow-worlds@21"),
    "TRPO701-critic-not-learning": (*HOPPER, "frozen-critic"),
    "TRPO702-negative-explained-variance": (*HOPPER, "negated-targets"),
    "TRPO801-collapsed-exploration": (*HOPPER, "collapsed-sigma"),
    "TRPO802-frozen-exploration": (*LONG_HOPPER, "30", "--no-learn-std"),
    "TRPO803-saturated-units": (*HOPPER, "saturated-policy:1000"),
    "TRPO804-saturated-actions": (*HOPPER, "saturated-actions@11"),
    "TRPO805-low-effective-sample-size": (
        *("--env", "DPEnv-v0", "--iterations", "30"),
        *("--steps-per-iteration", "1024", "--max-kl", "0.5"),
    ),
    "TRPO806-short-discount-horizon": (
        *("--env", "Pendulum-v1", "--iterations", "55"),
        *("--steps-per-iteration", "1024", "--gamma", "0.4"),
    ),
    "healthy-halfcheetah": ("--env", "HalfCheetah-v5", "--iterations", "60", "--seed", "1"),
    "healthy-hopper": ("--env", "Hopper-v5", "--iterations", "50", "--seed", "1"),
    "healthy-walk": (
        *("--env", "DPEnv-v0", "--env-arg", "motion=walk"),
        *("--preset", "tuned", "--iterations", "60"),
    ),
    "TRPO002-self-referential-kl": (*CHEETAH, "--fault", "self-referential-kl"),
    "TRPO101-constant-reward": (*CHEETAH, "--fault", "constant-reward"),
    "TRPO102-vanished-reward": (*IMITATION, "reward=steep"),
    "TRPO108-survival-only-reward": (*IMITATION, "reward=constant"),
    "healthy-imitation-config-raw": (*IMITATION, "reward=config_raw"),
    "TRPO107-critic-absorbs-advantages": (*CHEETAH, "--fault", "critic-first"),
    "TRPO201-zero-gradient": (*CHEETAH, "--fault", "detached-gradient"),
    "TRPO204-deterministic-policy": (*CHEETAH, "--fault", "noiseless-sampling"),
    "TRPO205-flipped-gradient": (*CHEETAH, "--fault", "flipped-line-search"),
    "TRPO301-zero-step-direction": (*CHEETAH, "--fault", "absolute-cg-tolerance"),
    "TRPO304-singular-fisher": (
        "--env",
        "Swimmer-v5",
        "--iterations",
        "25",
        "--fault",
        "singular-fisher",
    ),
    "TRPO402-tiny-trust-region": (*CHEETAH, "--fault", "tiny-max-kl"),
    "TRPO601-solved": ("--env", "InvertedPendulum-v5", "--iterations", "60"),
}


def make(name: str, arguments: tuple[str, ...]) -> None:
    """Train one sample and keep what a finished run consists of."""
    run = SAMPLES / name
    shutil.rmtree(run, ignore_errors=True)
    out = f"sample_logs/{name}"  # relative: the command stands in the run, and no machine's folders
    command = (sys.executable, "-P", "-m", "agent", "train", *arguments, "--out", out)
    subprocess.run(command, env=dict(os.environ, OMP_NUM_THREADS="1"), check=True, cwd=ROOT)
    for path in run.iterdir():
        if path.name not in ("run.json", "run.parquet"):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    size = sum(path.stat().st_size for path in run.iterdir())
    if size > LARGEST:
        raise SystemExit(f"{run}: {size} bytes, more than the {LARGEST} a sample may have")
    print(f"{name}: {size} bytes", flush=True)


def main() -> None:
    """Make the missing samples, or all of them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--again", action="store_true", help="make all of them again")
    options = parser.parse_args()
    for name, arguments in RUNS.items():
        if options.again or not (SAMPLES / name / "run.parquet").exists():
            make(name, arguments)


if __name__ == "__main__":
    main()
