"""The formats known, one literal each, by family."""

from runlog.importers.formats.baselines import BASELINES, BASELINES_TRPO, PPO1
from runlog.importers.formats.format import Format
from runlog.importers.formats.guide import GUIDE
from runlog.importers.formats.omnisafe import OMNISAFE
from runlog.importers.formats.one_line import A2C_PPO, COACH, ML_AGENTS
from runlog.importers.formats.rllab import GARAGE, RLLAB
from runlog.importers.formats.robotics import RLINF, RSL_RL
from runlog.importers.formats.schulman import MODULAR_RL, PYTORCH_TRPO, WOJZAREMBA
from runlog.importers.formats.single_files import (
    MJACAR,
    MJRL,
    MUSHROOM_RL,
    PAT_COADY,
    RL_REPLICAS,
)
from runlog.importers.formats.spinning_up import SPINNING_UP
from runlog.importers.formats.stable_baselines import SB3

FORMATS: tuple[Format, ...] = (
    GUIDE,
    SB3,
    BASELINES_TRPO,
    PPO1,
    BASELINES,
    SPINNING_UP,
    GARAGE,
    RLLAB,
    MODULAR_RL,
    PYTORCH_TRPO,
    WOJZAREMBA,
    MJACAR,
    PAT_COADY,
    MJRL,
    OMNISAFE,
    RSL_RL,
    A2C_PPO,
    ML_AGENTS,
    COACH,
    RLINF,
    RL_REPLICAS,
    MUSHROOM_RL,
)
"""In the order asked; of those that know equally many keys the first is taken."""

TEXT = Format(name="text")
"""Any `key: value` text whose keys the user names with --map."""

TEXT_FORMATS = FORMATS
TABLE_FORMATS = ("csv", "jsonl")
NAMES = (*(f.name for f in TEXT_FORMATS), TEXT.name, *TABLE_FORMATS)
"""What `--from` accepts."""
