"""Logs as trainers that cannot be installed any more print them; the numbers are made up.

Written from the trainers' sources; each has three iterations.
"""

SPINNING_UP = """\
\x1b[32;1mLogging data to /tmp/x/progress.txt\x1b[0m
\x1b[32;1mAccepting new params at step 0 of line search.\x1b[0m
---------------------------------------
|             Epoch |               0 |
|      AverageEpRet |            16.2 |
|          StdEpRet |            8.06 |
|          MaxEpRet |            53.1 |
|          MinEpRet |            5.44 |
|             EpLen |            19.8 |
|      AverageVVals |          -0.021 |
|          StdVVals |           0.134 |
|          MaxVVals |           0.421 |
|          MinVVals |          -0.373 |
|  TotalEnvInteracts |            4000 |
|            LossPi |        2.31e-08 |
|             LossV |             218 |
|       DeltaLossPi |         -0.0337 |
|        DeltaLossV |           -35.9 |
|           Entropy |            1.42 |
|                KL |         0.00921 |
|    BacktrackIters |               0 |
|              Time |             3.9 |
---------------------------------------
Warning: trajectory cut off by epoch at 14 steps.
\x1b[32;1mAccepting new params at step 2 of line search.\x1b[0m
---------------------------------------
|             Epoch |               1 |
|      AverageEpRet |            18.9 |
|  TotalEnvInteracts |            8000 |
|            LossPi |       -1.07e-08 |
|             LossV |             244 |
|       DeltaLossPi |         -0.0208 |
|           Entropy |            1.41 |
|                KL |         0.00638 |
|    BacktrackIters |               2 |
|              Time |             7.7 |
---------------------------------------
\x1b[32;1mLine search failed! Keeping old params.\x1b[0m
---------------------------------------
|             Epoch |               2 |
|      AverageEpRet |            18.7 |
|  TotalEnvInteracts |           12000 |
|            LossPi |        4.17e-09 |
|             LossV |             251 |
|       DeltaLossPi |               0 |
|           Entropy |            1.41 |
|                KL |               0 |
|    BacktrackIters |               9 |
|              Time |            11.4 |
---------------------------------------
"""

RLLAB = """\
2016-09-01 10:11:12.131415 UTC | [trpo_cartpole] itr #0 | fitting baseline...
2016-09-01 10:11:12.131415 UTC | [trpo_cartpole] itr #0 | computing loss before
2016-09-01 10:11:12.131415 UTC | [trpo_cartpole] itr #0 | backtrack iters: 0
2016-09-01 10:11:12.131415 UTC | [trpo_cartpole] itr #0 | saving snapshot...
2016-09-01 10:11:12.131415 UTC | -----------------------  ------------
2016-09-01 10:11:12.131415 UTC | AverageDiscountedReturn    66.1932
2016-09-01 10:11:12.131415 UTC | AverageReturn              88.025
2016-09-01 10:11:12.131415 UTC | ExplainedVariance           0.134502
2016-09-01 10:11:12.131415 UTC | NumTrajs                   51
2016-09-01 10:11:12.131415 UTC | Entropy                     1.41894
2016-09-01 10:11:12.131415 UTC | Perplexity                  4.13273
2016-09-01 10:11:12.131415 UTC | StdReturn                  42.1063
2016-09-01 10:11:12.131415 UTC | MaxReturn                 241.4
2016-09-01 10:11:12.131415 UTC | MinReturn                  30.2
2016-09-01 10:11:12.131415 UTC | AveragePolicyStd            1
2016-09-01 10:11:12.131415 UTC | LossBefore                 -2.1e-10
2016-09-01 10:11:12.131415 UTC | LossAfter                  -0.0214
2016-09-01 10:11:12.131415 UTC | MeanKLBefore                0
2016-09-01 10:11:12.131415 UTC | MeanKL                      0.00971
2016-09-01 10:11:12.131415 UTC | dLoss                       0.0214
2016-09-01 10:11:12.131415 UTC | -----------------------  ------------
2016-09-01 10:11:13.131415 UTC | [trpo_cartpole] itr #1 | backtrack iters: 3
2016-09-01 10:11:13.131415 UTC | -----------------------  ------------
2016-09-01 10:11:13.131415 UTC | AverageReturn             102.5
2016-09-01 10:11:13.131415 UTC | Entropy                     1.35
2016-09-01 10:11:13.131415 UTC | AveragePolicyStd            0.9332
2016-09-01 10:11:13.131415 UTC | LossBefore                  3.1e-10
2016-09-01 10:11:13.131415 UTC | LossAfter                  -0.0131
2016-09-01 10:11:13.131415 UTC | MeanKL                      0.0088
2016-09-01 10:11:13.131415 UTC | dLoss                       0.0131
2016-09-01 10:11:13.131415 UTC | -----------------------  ------------
2016-09-01 10:11:14.131415 UTC | [trpo_cartpole] itr #2 | backtrack iters: 14
2016-09-01 10:11:14.131415 UTC | [trpo_cartpole] itr #2 | Line search condition violated. Rejecting the step!
2016-09-01 10:11:14.131415 UTC | [trpo_cartpole] itr #2 | Violated because loss not improving
2016-09-01 10:11:14.131415 UTC | -----------------------  ------------
2016-09-01 10:11:14.131415 UTC | AverageReturn              99.1
2016-09-01 10:11:14.131415 UTC | Entropy                     1.35
2016-09-01 10:11:14.131415 UTC | LossBefore                  1.1e-10
2016-09-01 10:11:14.131415 UTC | LossAfter                   1.1e-10
2016-09-01 10:11:14.131415 UTC | MeanKL                      0
2016-09-01 10:11:14.131415 UTC | dLoss                       0
2016-09-01 10:11:14.131415 UTC | -----------------------  ------------
"""


def _modular(iteration: int, text: str, values: str) -> str:
    return f"{text}*********** Iteration {iteration} ****************\n-----------------  -----------\n{values}-----------------  -----------\n"


_MODULAR_VALUES = """\
NumEpBatch         21
EpRewMean          31.0471
EpRewSEM            2.91
EpRewMax           71
EpLenMean          31.0471
EpLenMax           71
RewPerStep          1
vf_mse_before     412.7
vf_mse_after      180.1
vf_PredStdevBefore  0.1
vf_TargStdev       14.2
vf_EV_before        0.113
vf_EV_after         0.577
pol_surr_before    -1.2e-09
pol_surr_after     -0.0312
pol_kl_before       0
pol_kl_after        0.00931
pol_ent_before      0.6921
pol_ent_after       0.6870
TimeElapsed         4.1
"""
MODULAR_RL = (
    _modular(
        1,
        "lagrange multiplier: 5.713 gnorm: 0.4127\nfval before -1.2e-09\n"
        "a/e/r 0.0312 0.0344 0.907\nfval after -0.0312\nsuccess True\n",
        _MODULAR_VALUES,
    )
    + _modular(
        2,
        "lagrange multiplier: 3.1 gnorm: 0.21\nfval before 2e-09\na/e/r -0.01 0.02 -0.5\n"
        "a/e/r 0.004 0.01 0.4\nfval after -0.004\nsuccess True\n",
        _MODULAR_VALUES.replace("0.00931", "0.01107").replace("-0.0312", "0.01"),
    )
    + _modular(
        3,
        "got zero gradient. not updating\n",
        _MODULAR_VALUES.replace("0.00931", "0").replace("-0.0312", "-1.2e-09"),
    )
)

PYTORCH_TRPO = (
    """\
('lagrange multiplier:', tensor(3.2104), 'grad_norm:', tensor(0.0971))
fval before 1.5521e-17
a/e/r 0.0087 0.0098 0.8877
fval after -0.0087
Episode 1\tLast reward: -10.21\tAverage reward -43.17
('lagrange multiplier:', tensor(2.9), 'grad_norm:', tensor(0.11))
fval before -3.1e-17
a/e/r -0.0021 0.0094 -0.2234
a/e/r 0.0009 0.0047 0.1914
fval after -0.0009
Episode 2\tLast reward: -11.5\tAverage reward -41.02
lagrange multiplier: 0.7 grad_norm: 0.02
fval before 2.2e-17
"""
    + "a/e/r -0.0021 0.0094 -0.2234\n" * 10
    + "Episode 3\tLast reward: -9.4\tAverage reward -42.80\n"
)

WOJZAREMBA = """\
Rollout

********** Iteration 0 ************
Total number of episodes:                 24
Average sum of rewards per episode:       21.5
Entropy:                                  0.6871
Baseline explained:                       -0.0021
Time elapsed:                             0.05 mins
KL between old and new distribution:      0.00912
Surrogate loss:                           -0.0311
Rollout

********** Iteration 1 ************
Total number of episodes:                 47
Average sum of rewards per episode:       24.25
Entropy:                                  0.6799
Baseline explained:                       0.1204
Time elapsed:                             0.09 mins
KL between old and new distribution:      0.00874
Surrogate loss:                           -0.0250
Rollout

********** Iteration 2 ************
Total number of episodes:                 70
Average sum of rewards per episode:       23.0
Entropy:                                  0.5101
Baseline explained:                       0.2011
Time elapsed:                             0.14 mins
KL between old and new distribution:      0.0417
Surrogate loss:                           -0.0902
"""

MJACAR = """\
Evaluation avg reward = 21.450000
KL_Old_New: 0.00821
Entropy: 0.6912
EV_Before: -0.012
EV_After: 0.341
Evaluation avg reward = 25.170000
KL_Old_New: 0.00908
Entropy: 0.6841
EV_Before: 0.204
EV_After: 0.512
Evaluation avg reward = 31.900000
KL_Old_New: 0.00411
Entropy: 0.6730
EV_Before: 0.298
EV_After: 0.561
"""

PAT_COADY = """\
***** Episode 20, Mean R = 18 *****
Beta: 0.667
ExplainedVarNew: 0.315
ExplainedVarOld: -0.00207
KL: 0.00134
PolicyEntropy: 4.26
PolicyLoss: -0.0215
Steps: 412
ValFuncLoss: 0.0191


***** Episode 40, Mean R = 22 *****
Beta: 0.444
ExplainedVarNew: 0.402
ExplainedVarOld: 0.211
KL: 0.00207
PolicyEntropy: 4.25
PolicyLoss: -0.0198
Steps: 448
ValFuncLoss: 0.0166


***** Episode 60, Mean R = 27 *****
Beta: 0.444
ExplainedVarNew: 0.511
ExplainedVarOld: 0.377
KL: 0.00311
PolicyEntropy: 4.22
PolicyLoss: -0.0241
Steps: 530
ValFuncLoss: 0.0141
"""


def _mjrl(iteration: int, kl: str, search: str = "") -> str:
    return f"""\
......................................................................................
ITERATION : {iteration}
{search}[ Sun Nov 22 10:11:12 2026 ]    {iteration} {31.2 + iteration:.2f}  0.00 31.20
----------------  -----------
VF_error_after     0.412
VF_error_before    0.873
alpha              0.0712
delta              0.05
kl_dist            {kl}
num_samples     4871
running_score     31.9
stoc_pol_max      57.1
stoc_pol_mean     {31.2 + iteration}
stoc_pol_min      12.4
stoc_pol_std       9.13
surr_improvement   0.0319
time_VF            0.81
time_npg           0.22
time_sampling      3.9
time_vpg           0.05
----------------  -----------
"""


MJRL = (
    _mjrl(0, "0.0241")
    + _mjrl(1, "0.0248", "Step size too high. Backtracking. | kl = 0.031 | surr diff = 0.040\n")
    + _mjrl(2, "0.0239")
)


def _rl_replicas(epoch: int) -> str:
    return f"""\
2022-08-10 10:11:12,131 — rl_replicas.metrics_manager — INFO — epoch: {epoch}
2022-08-10 10:11:12,131 — rl_replicas.metrics_manager — INFO — total_steps: {4 * epoch}e+03
2022-08-10 10:11:12,131 — rl_replicas.metrics_manager — INFO — total_episodes: {4 * epoch}
2022-08-10 10:11:12,131 — rl_replicas.metrics_manager — INFO — training/average_episode_return: -{400 - epoch}
2022-08-10 10:11:12,131 — rl_replicas.metrics_manager — INFO — training/episode_return_std: 88.6
2022-08-10 10:11:12,131 — rl_replicas.metrics_manager — INFO — training/average_episode_length: 1e+03
2022-08-10 10:11:12,131 — rl_replicas.metrics_manager — INFO — policy/loss: 5.6e-09
2022-08-10 10:11:12,131 — rl_replicas.metrics_manager — INFO — policy/avarage_entropy: 5.51
2022-08-10 10:11:12,131 — rl_replicas.metrics_manager — INFO — policy/log_prob_std: 1.75
2022-08-10 10:11:12,131 — rl_replicas.metrics_manager — INFO — value_function/average_loss: 1.48e+03
2022-08-10 10:11:12,131 — rl_replicas.metrics_manager — INFO — training/time: 5.34
"""


RL_REPLICAS = "".join(map(_rl_replicas, (1, 2, 3)))

A2C_PPO = """\
Updates 0, num timesteps 80, FPS 142, mean/median reward -612.4/-598.1, min/max reward -801.5/-402.2, entropy 1.41893, value loss 311.20145, policy loss -0.01204
Updates 10, num timesteps 880, FPS 391, mean/median reward -602.1/-577.3, min/max reward -798.0/-401.9, entropy 1.41021, value loss 280.01921, policy loss -0.00911
Updates 20, num timesteps 1680, FPS 402
 Last 10 training episodes: mean/median reward -590.7/-570.2, min/max reward -771.1/-399.3
"""

ML_AGENTS = """\
[INFO] Hyperparameters for behavior name 3DBall:
[INFO] 3DBall. Step: 12000. Time Elapsed: 40.689 s. Mean Reward: 1.188. Std of Reward: 0.670. Training.
[INFO] 3DBall. Step: 24000. Time Elapsed: 47.145 s. No episode was completed since last summary. Training.
[INFO] 3DBall. Step: 36000. Time Elapsed: 53.720 s. Mean Reward: 1.741. Std of Reward: 1.063. Training.
"""

COACH = """\
Training - Name: main_level/agent Worker: 0 Episode: 8 Total reward: 17.0 Exploration: 0.95 Steps: 201 Training iteration: 0
Policy training - Surrogate loss: -0.0021 KL divergence: 0.0004 Entropy: 0.6912 training epoch: 0 learning_rate: 0.0003
Policy training - Surrogate loss: -0.0143 KL divergence: 0.0031 Entropy: 0.6901 training epoch: 1 learning_rate: 0.0003
Policy training - Surrogate loss: -0.0207 KL divergence: 0.0058 Entropy: 0.6888 training epoch: 2 learning_rate: 0.0003
"""


def _rlinf(step: int) -> str:
    return f"""\
╭─────────────────────────── Global Step: {step}/100 ───────────────────────────╮
│ env/episode_len=78.5           │ rollout/advantages_max=2.11    │ train/actor/approx_kl=0.00{step}1   │
│ env/return=0.{step}25          │ rollout/advantages_mean=0.013  │ train/actor/policy_loss=-0.0041     │
│ env/success_once=0.25          │ rollout/returns_mean=0.41      │ train/critic/value_loss=0.118       │
╰───────────────────────────────────────────────────────────────────────────────╯
"""


RLINF = "".join(map(_rlinf, (1, 2, 3)))


def _legged_gym(iteration: int) -> str:
    return f"""\
################################################################################
                      \x1b[1m Learning iteration {iteration}/1500 \x1b[0m

                       Computation: 41721 steps/s (collection: 2.105s, learning 0.251s)
               Value function loss: 0.0113
                    Surrogate loss: -0.0064
             Mean action noise std: 0.99
                       Mean reward: -0.4{iteration}
               Mean episode length: 54.31
      Mean episode rew_action_rate: -0.0311
--------------------------------------------------------------------------------
                   Total timesteps: {98304 * (iteration + 1)}
                    Iteration time: 2.36s
                        Total time: 2.36s
                               ETA: 3537.4s

"""


LEGGED_GYM = "".join(map(_legged_gym, (0, 1, 2)))

SAMPLES = {
    "spinning-up": SPINNING_UP,
    "rllab": RLLAB,
    "modular-rl": MODULAR_RL,
    "pytorch-trpo": PYTORCH_TRPO,
    "wojzaremba": WOJZAREMBA,
    "mjacar": MJACAR,
    "pat-coady": PAT_COADY,
    "mjrl": MJRL,
    "rl-replicas": RL_REPLICAS,
    "a2c-ppo": A2C_PPO,
    "ml-agents": ML_AGENTS,
    "coach": COACH,
    "rlinf": RLINF,
    "rsl-rl": LEGGED_GYM,
}
"""By the format's name."""
