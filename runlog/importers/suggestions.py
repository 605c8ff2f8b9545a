"""What a foreign key most likely is: a ready `--map` for keys nobody understood."""

import difflib
import re
import shlex
from collections.abc import Iterable, Mapping
from types import MappingProxyType

from runlog.schema import BY_NAME

_WORDS: Mapping[str, str] = MappingProxyType(
    {
        "advantage": "advantage_raw_mean",
        "ev": "explained_variance",
        "explained variance": "explained_variance",
        "grad norm": "gradient_norm",
        "kl": "kl",
        "learning rate": "vf_lr",
        "mean kl": "kl",
        "mean reward": "episode_return_mean",
        "reward": "episode_return_mean",
        "return": "episode_return_mean",
        "steps": "timesteps",
        "total steps": "timesteps",
        "std": "log_std_mean",
    }
)


def suggested_column(key: str) -> str | None:
    """The column a foreign key most likely is; None when nothing comes near."""
    plain = re.sub(r"[\W_]+", " ", key.lower()).strip()
    if plain in _WORDS:
        return _WORDS[plain]
    near = difflib.get_close_matches(plain.replace(" ", "_"), BY_NAME, n=1, cutoff=0.75)
    return near[0] if near and not BY_NAME[near[0]].is_list else None


def suggested_map(keys: Iterable[str]) -> tuple[str, ...]:
    """A ready `--map` for each key, quoted for a shell; COLUMN stands where no column comes near."""
    return tuple(
        f"--map {shlex.quote(key + '=' + (suggested_column(key) or 'COLUMN'))}" for key in keys
    )
