"""Loads a PEFT folder of the trainer's with the Python library, on the published layout of the same weights, and compares
token log-probabilities: without and with the adapter.

    python3 bench/peft_folder.py MODEL-f32.gguf FOLDER        (needs torch, transformers, peft, gguf, numpy)

MODEL-f32.gguf is a llama in F32 (`valence model tune` makes one, or llama-quantize). FOLDER is peft_folder's.
"""
import json
import sys

import numpy
import torch
from gguf import GGUFReader
from peft import PeftModel
from transformers import LlamaConfig, LlamaForCausalLM

NAMES = {"attn_q": "self_attn.q_proj", "attn_k": "self_attn.k_proj", "attn_v": "self_attn.v_proj", "attn_output": "self_attn.o_proj",
         "ffn_gate": "mlp.gate_proj", "ffn_up": "mlp.up_proj", "ffn_down": "mlp.down_proj", "attn_norm": "input_layernorm",
         "ffn_norm": "post_attention_layernorm"}
PLAIN = {"token_embd.weight": "model.embed_tokens.weight", "output_norm.weight": "model.norm.weight", "output.weight": "lm_head.weight"}


def field(reader, key, default=None):
    found = reader.fields.get("llama." + key)
    return default if found is None else found.parts[found.data[0]][0].item()


def config_of(reader, vocabulary):
    heads = field(reader, "attention.head_count")
    return LlamaConfig(
        vocab_size=vocabulary, hidden_size=field(reader, "embedding_length"), num_hidden_layers=field(reader, "block_count"),
        intermediate_size=field(reader, "feed_forward_length"), num_attention_heads=heads,
        num_key_value_heads=field(reader, "attention.head_count_kv", heads), rms_norm_eps=field(reader, "attention.layer_norm_rms_epsilon"),
        rope_theta=field(reader, "rope.freq_base", 10000.0), tie_word_embeddings="output.weight" not in {t.name for t in reader.tensors})


def published(name, value, config):
    if name in PLAIN:
        return PLAIN[name], value
    _, block, kind, _ = name.split(".")
    if kind in ("attn_q", "attn_k"):  # rows (k, half) of each head become (half, k)
        heads = config.num_attention_heads if kind == "attn_q" else config.num_key_value_heads
        value = value.reshape(heads, value.shape[0] // heads // 2, 2, -1).swapaxes(1, 2).reshape(value.shape)
    return f"model.layers.{block}.{NAMES[kind]}.weight", value


def logprobs(model, tokens):
    with torch.no_grad():
        logits = model(torch.tensor([tokens])).logits[0].double()
    return torch.log_softmax(logits, -1)[:-1].gather(1, torch.tensor(tokens[1:])[:, None])[:, 0].numpy()


def main(gguf, folder):
    reader = GGUFReader(gguf)
    weights = {t.name: torch.tensor(numpy.array(t.data, dtype=numpy.float32)) for t in reader.tensors}
    config = config_of(reader, weights["token_embd.weight"].shape[0])
    model = LlamaForCausalLM(config).float().eval()
    missing = model.load_state_dict(dict(published(n, v, config) for n, v in weights.items()), strict=False).missing_keys
    assert set(missing) <= {"lm_head.weight"}, missing
    model.tie_weights()
    with open(f"{folder}/trainer.json", encoding="utf-8") as file:
        trainer = json.load(file)
    base = logprobs(model, trainer["tokens"])
    adapted = logprobs(PeftModel.from_pretrained(model, folder).eval(), trainer["tokens"])
    print(f"base:    largest difference {abs(base - trainer['base']).max():.2e} nats")
    print(f"adapter: largest difference {abs(adapted - trainer['adapted']).max():.2e} nats; it moves {abs(adapted - base).max():.2f}")


main(*sys.argv[1:])
