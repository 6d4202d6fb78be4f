"""A llama of a GGUF file in the published layout of transformers, in F32. Used by the benchmarks (needs torch, transformers, gguf)."""
import numpy
import torch
from gguf import GGUFReader, dequantize
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
        rope_theta=field(reader, "rope.freq_base", 10000.0), tie_word_embeddings="output.weight" not in {t.name for t in reader.tensors},
        max_position_embeddings=field(reader, "context_length", 2048), pad_token_id=0, bos_token_id=1, eos_token_id=2)


def published(name, value, config):
    if name in PLAIN:
        return PLAIN[name], value
    _, block, kind, _ = name.split(".")
    if kind in ("attn_q", "attn_k"):  # rows (k, half) of each head become (half, k)
        heads = config.num_attention_heads if kind == "attn_q" else config.num_key_value_heads
        value = value.reshape(heads, value.shape[0] // heads // 2, 2, -1).swapaxes(1, 2).reshape(value.shape)
    return f"model.layers.{block}.{NAMES[kind]}.weight", value


def load(gguf):
    reader = GGUFReader(gguf)
    weights = {t.name: torch.from_numpy(numpy.array(dequantize(t.data, t.tensor_type), dtype=numpy.float32)) for t in reader.tensors}
    config = config_of(reader, weights["token_embd.weight"].shape[0])
    model = LlamaForCausalLM(config).float()
    missing = model.load_state_dict(dict(published(n, v, config) for n, v in weights.items()), strict=False).missing_keys
    assert set(missing) <= {"lm_head.weight"}, missing
    model.tie_weights()
    return model
