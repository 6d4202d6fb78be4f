"""Loads a PEFT folder of the trainer's with the Python library, on the published layout of the same weights, and compares
token log-probabilities: without and with the adapter.

    python3 bench/peft_folder.py MODEL-f32.gguf FOLDER        (needs torch, transformers, peft, gguf, numpy)

MODEL-f32.gguf is a llama, best in F32 (`valence model tune` makes one, or llama-quantize). FOLDER is peft_folder's.
"""
import json
import sys

import torch
from peft import PeftModel

from gguf_llama import load


def logprobs(model, tokens):
    with torch.no_grad():
        logits = model(torch.tensor([tokens])).logits[0].double()
    return torch.log_softmax(logits, -1)[:-1].gather(1, torch.tensor(tokens[1:])[:, None])[:, 0].numpy()


def main(gguf, folder):
    model = load(gguf).eval()
    with open(f"{folder}/trainer.json", encoding="utf-8") as file:
        trainer = json.load(file)
    base = logprobs(model, trainer["tokens"])
    adapted = logprobs(PeftModel.from_pretrained(model, folder).eval(), trainer["tokens"])
    print(f"base:    largest difference {abs(base - trainer['base']).max():.2e} nats")
    print(f"adapter: largest difference {abs(adapted - trainer['adapted']).max():.2e} nats; it moves {abs(adapted - base).max():.2f}")


main(*sys.argv[1:])
