"""Every rule, in the order of the update's links."""

from analyzer.diagnosis import LINKS
from analyzer.rule import Rule
from analyzer.rules import (
    advantage,
    alignment,
    applied,
    critic,
    direction,
    episode,
    gradient,
    gradient_size,
    log,
    noise,
    observation,
    outcome,
    policy,
    reward,
    reward_signal,
    saturation,
    search,
    step,
)

RULES: tuple[Rule, ...] = tuple(
    sorted(
        (
            rule
            for family in (
                log,
                applied,
                alignment,
                episode,
                observation,
                reward,
                reward_signal,
                critic,
                advantage,
                gradient,
                gradient_size,
                noise,
                direction,
                step,
                search,
                outcome,
                policy,
                saturation,
            )
            for rule in family.RULES
        ),
        key=lambda rule: (LINKS.index(rule.link), rule.code),
    )
)
BY_CODE = {rule.code: rule for rule in RULES}
