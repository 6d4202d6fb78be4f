"""A llama, qwen2 or qwen3 of a GGUF file in the published layout of transformers, in F32. Used by the benchmarks (needs torch,
transformers, gguf)."""
import sys

import numpy
import torch
import transformers
from gguf import GGUFReader, dequantize

CLASSES = {"llama": "Llama", "qwen2": "Qwen2", "qwen3": "Qwen3"}
NAMES = {"attn_q": "self_attn.q_proj", "attn_k": "self_attn.k_proj", "attn_v": "self_attn.v_proj", "attn_output": "self_attn.o_proj",
         "attn_q_norm": "self_attn.q_norm", "attn_k_norm": "self_attn.k_norm", "ffn_gate": "mlp.gate_proj", "ffn_up": "mlp.up_proj",
         "ffn_down": "mlp.down_proj", "attn_norm": "input_layernorm", "ffn_norm": "post_attention_layernorm"}
PLAIN = {"token_embd.weight": "model.embed_tokens.weight", "output_norm.weight": "model.norm.weight", "output.weight": "lm_head.weight"}


def architecture_of(reader):
    found = reader.fields["general.architecture"]
    return bytes(found.parts[found.data[0]]).decode()


def field(reader, key, default=None):
    found = reader.fields.get(architecture_of(reader) + "." + key)
    return default if found is None else found.parts[found.data[0]][0].item()


def config_of(reader, vocabulary):
    heads, width = field(reader, "attention.head_count"), field(reader, "embedding_length")
    settings = dict(
        vocab_size=vocabulary, hidden_size=width, num_hidden_layers=field(reader, "block_count"),
        intermediate_size=field(reader, "feed_forward_length"), num_attention_heads=heads,
        num_key_value_heads=field(reader, "attention.head_count_kv", heads), rms_norm_eps=field(reader, "attention.layer_norm_rms_epsilon"),
        rope_theta=field(reader, "rope.freq_base", 10000.0), tie_word_embeddings="output.weight" not in {t.name for t in reader.tensors},
        max_position_embeddings=field(reader, "context_length", 2048), pad_token_id=0, bos_token_id=1, eos_token_id=2)
    if architecture_of(reader) == "qwen3":  # its heads may be wider than its width divided by their number
        settings["head_dim"] = field(reader, "attention.key_length", width // heads)
    return getattr(transformers, CLASSES[architecture_of(reader)] + "Config")(**settings)


def published(name, value, config, architecture):
    if name in PLAIN:
        return PLAIN[name], value
    _, block, kind, ending = name.split(".")
    if architecture == "llama" and kind in ("attn_q", "attn_k"):  # rows (k, half) of each head become (half, k)
        heads = config.num_attention_heads if kind == "attn_q" else config.num_key_value_heads
        value = value.reshape(heads, value.shape[0] // heads // 2, 2, -1).swapaxes(1, 2).reshape(value.shape)
    return f"model.layers.{block}.{NAMES[kind]}.{ending}", value


def load(gguf):
    reader = GGUFReader(gguf)
    architecture = architecture_of(reader)
    if architecture not in CLASSES:
        sys.exit(f"{gguf}: the architecture \"{architecture}\" is not laid out here; take one of {', '.join(CLASSES)}")
    weights = {t.name: torch.from_numpy(numpy.array(dequantize(t.data, t.tensor_type), dtype=numpy.float32)) for t in reader.tensors}
    config = config_of(reader, weights["token_embd.weight"].shape[0])
    model = getattr(transformers, CLASSES[architecture] + "ForCausalLM")(config).float()
    loaded = model.load_state_dict(dict(published(n, v, config, architecture) for n, v in weights.items()), strict=False)
    assert set(loaded.missing_keys) <= {"lm_head.weight"} and not loaded.unexpected_keys, loaded
    model.tie_weights()
    return model
