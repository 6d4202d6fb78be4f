"""Loads a PEFT folder of the trainer's with the Python library, on the published layout of the same weights, and compares
token log-probabilities: without and with the adapter. Status 1 when one of them differs by more than 1e-3 nat, or when the
adapter moves too little to tell.

    python3 bench/peft_folder.py MODEL-f32.gguf FOLDER        (needs torch, transformers, peft, gguf, numpy)

MODEL-f32.gguf is a llama, qwen2 or qwen3 (of a transformers that has it), best in F32 (`valence model tune` makes one, or
llama-quantize). Not taken: gemma3, fused query, key and value, scaled rope. FOLDER is peft_folder's.
"""
import argparse
import json
import sys

import torch
from peft import PeftModel

from gguf_llama import load

LARGEST = 1e-3  # nats


def logprobs(model, tokens):
    with torch.no_grad():
        logits = model(torch.tensor([tokens])).logits[0].double()
    return torch.log_softmax(logits, -1)[:-1].gather(1, torch.tensor(tokens[1:])[:, None])[:, 0].numpy()


def agree(gguf, folder):
    model = load(gguf).eval()
    with open(f"{folder}/trainer.json", encoding="utf-8") as file:
        trainer = json.load(file)
    base = logprobs(model, trainer["tokens"])
    adapted = logprobs(PeftModel.from_pretrained(model, folder).eval(), trainer["tokens"])
    of_base, of_adapted = abs(base - trainer["base"]).max(), abs(adapted - trainer["adapted"]).max()
    moved = abs(adapted - base).max()
    print(f"base:    largest difference {of_base:.2e} nats")
    print(f"adapter: largest difference {of_adapted:.2e} nats; it moves {moved:.2f}")
    return of_base <= LARGEST and of_adapted <= LARGEST and moved > 10 * LARGEST


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("gguf", metavar="MODEL-f32.gguf")
    parser.add_argument("folder", metavar="FOLDER")
    arguments = parser.parse_args()
    if not agree(arguments.gguf, arguments.folder):
        sys.exit(f"peft_folder.py: the two differ by more than {LARGEST} nats, or the adapter moves less than {10 * LARGEST}")
