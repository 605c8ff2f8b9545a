"""Real output of TRL's GRPO on a tiny random model: `python trl_logs.py FOLDER [constant]` (no download).

`constant`: every completion is paid the same.
"""

import sys

from datasets import Dataset
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import GPT2Config, GPT2LMHeadModel, PreTrainedTokenizerFast
from trl import GRPOConfig, GRPOTrainer

LETTERS = "abcdefghij"


def share_of_a(completions, **_):
    """Paid for every letter a, or always the same."""
    if "constant" in sys.argv:
        return [1.0] * len(completions)
    return [text.count("a") / max(len(text), 1) for text in completions]


if __name__ == "__main__":
    vocabulary = {letter: i for i, letter in enumerate([*LETTERS, "<pad>", "<eos>"])}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="a"))  # noqa: S106
    tokenizer.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, pad_token="<pad>", eos_token="<eos>")  # noqa: S106
    model = GPT2LMHeadModel(
        GPT2Config(vocab_size=12, n_embd=32, n_layer=2, n_head=2, n_positions=64, eos_token_id=11)
    )
    model.save_pretrained(f"{sys.argv[1]}/model")
    settings = GRPOConfig(
        output_dir=sys.argv[1], per_device_train_batch_size=8, num_generations=8, max_completion_length=16,
        max_steps=30, logging_steps=1, learning_rate=1e-3, beta=0.04, report_to=[], use_cpu=True, save_strategy="no",
    )  # fmt: skip
    data = Dataset.from_dict({"prompt": [letter * 3 for letter in LETTERS] * 10})
    GRPOTrainer(f"{sys.argv[1]}/model", share_of_a, settings, data, processing_class=fast).train()
