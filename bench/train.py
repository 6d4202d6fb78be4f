"""Training and rollouts of Valence against TRL, PEFT and transformers: one command, one machine, the same weights, tokens and steps, in turns.

    python3 bench/train.py --work FOLDER [--build build/release] [--model smollm2] [--hh harmless-base_test.jsonl.gz]
                           [--only sft,dpo,choice,loop,rollouts] [--turns 7] [--batch 8] [--trl-batch 4] [--products f32]

FOLDER takes a Python environment of its own (5.6 GB of packages from PyPI, pinned in scripts/lock/pip-bench-train.txt) and what the runs
leave. Both sides are programs that wait for their turn; a turn is one optimiser step on the same examples (or one set of rollouts), the
other side's follows, and who begins changes. What is printed: `ratio <name> <median> <low> <high>` of their time over ours, with 95 %
intervals of the median (bootstrap over the pairs of turns), the count, and the settings. Needs an idle machine.

    sft        FULCRA's dialogues (data/evaluate/fulcra), the answer learned, the prompt not
    dpo        HH-RLHF's harmless test pairs (--hh; MIT, not shipped) whose prompts are about half of the tokens, reference log-probabilities
               computed before the first step on both sides
    choice     MoralChoice's clear-cut scenarios by cross-entropy over options, against TRL's DPO on the same questions: each layout a pair
    loop       the same against a plain PyTorch loop with PEFT: cross-entropy at the answer's place, all layouts of a question in one step
    rollouts   4 answers to each of 8 prompts, llama.cpp in the format tuned for this machine against transformers' generate in F32 at batch 8

--products auto lets our side compute products with frozen weights in bf16 where that pays (as the shipped studies do); otherwise both compute in F32.
--trl-batch: examples of one forward pass of TRL's (pairs count once); the rest of a step is accumulated. TRL: F32, sdpa attention, dynamic padding, no gradient checkpointing, no packing (it needs a GPU's attention on a CPU it would mix texts),
AdamW, LoRA of rank 8 on all seven projections without dropout on both sides.
"""
import argparse
import gzip
import json
import os
import pathlib
import platform
import random
import statistics
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
LOCK = ROOT / "scripts" / "lock" / "pip-bench-train.txt"
RANK, ALPHA, RATE, SEED = 8, 16, 1e-4, 1
PROMPTS, SAMPLES, NEW_TOKENS = 8, 4, 48
CHOICES = ("choice", "loop")  # learned from the options of questions
LOSSES_APART = {"f32": 0.01, "auto": 0.02}  # adapters begin from different random numbers; bf16 rounds to 8 bits


# ---- their side: this file again, as a worker inside the environment

def say(**values):
    print(json.dumps(values), flush=True)


def await_turn():
    return bool(sys.stdin.readline())


def peak_megabytes():
    with open("/proc/self/status", encoding="ascii") as status:
        return next(int(line.split()[1]) / 1024 for line in status if line.startswith("VmHWM"))


def finish():
    say(peak_mb=peak_megabytes())
    os._exit(0)


def read_lines(path):
    with open(path, encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def word_tokenizer(vocabulary):
    """Text "<12> <7>" is tokens 12 and 7: TRL gets the very tokens that the engine's tokenizer made. No name may hold another: special
    tokens are looked for inside words."""
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast
    words = Tokenizer(models.WordLevel({f"<{i}>": i for i in range(vocabulary)}, unk_token="<0>"))
    words.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    return PreTrainedTokenizerFast(tokenizer_object=words, pad_token="<0>", eos_token="<2>", unk_token="<0>")


def text_of(tokens):
    return "".join(f" <{token}>" for token in tokens)


def pairs_of(example):
    """(prompt, better, worse) of each layout."""
    groups = {}
    for path in example["paths"]:
        groups.setdefault(path.get("group", 0), []).append(path)
    for paths in groups.values():
        better, worse = (paths[0], paths[1]) if len(paths) == 2 and paths[0]["value"] == paths[1]["value"] else sorted(paths, key=lambda p: -p["value"])[:2]
        begin = better["learned_from"]
        yield better["tokens"][:begin], better["tokens"][begin:], worse["tokens"][begin:]


class Turns:
    """Waits before each optimiser step and tells how long it took."""

    def __new__(cls):
        from transformers import TrainerCallback

        class Callback(TrainerCallback):
            loss, begin = None, 0.0

            def on_step_begin(self, *_, **__):
                if not await_turn():
                    finish()
                self.begin = time.perf_counter()

            def on_step_end(self, *_, **__):
                self.took = time.perf_counter() - self.begin

            def on_log(self, _, __, ___, logs=None, **____):
                if "loss" in logs:
                    say(seconds=self.took, loss=logs["loss"])
        return Callback()


def common_settings(folder, batch, trl_batch, steps):
    return dict(output_dir=str(folder), per_device_train_batch_size=trl_batch, gradient_accumulation_steps=batch // trl_batch, max_steps=steps,
                learning_rate=RATE, lr_scheduler_type="constant", optim="adamw_torch", max_grad_norm=1.0, logging_steps=1, save_strategy="no",
                report_to=[], disable_tqdm=True, use_cpu=True, bf16=False, fp16=False, gradient_checkpointing=False, max_length=None,
                dataloader_pin_memory=False, seed=SEED, train_sampling_strategy="sequential")


def worker(kind, gguf, folder, batch, trl_batch):
    sys.path.insert(0, str(ROOT / "bench"))
    import gguf_llama
    import torch
    from datasets import Dataset
    from peft import LoraConfig
    model = gguf_llama.load(gguf)
    examples = read_lines(folder / "examples.jsonl")
    if kind == "rollouts":
        return generate(model.eval(), examples, torch)
    order = json.loads((folder / "order.json").read_text())
    steps = len(order)
    lora = LoraConfig(r=RANK, lora_alpha=ALPHA, lora_dropout=0.0, task_type="CAUSAL_LM",
                      target_modules=["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"])
    if kind == "loop":
        return plain_loop(model, lora, [[examples[i] for i in step] for step in order], trl_batch, torch)
    import trl
    chosen = [examples[i] for step in order for i in step]
    settings = common_settings(folder / "trl", batch, trl_batch, steps)
    if kind == "sft":
        rows = [{"input_ids": path["tokens"], "labels": [-100] * path["learned_from"] + path["tokens"][path["learned_from"]:]}
                for example in chosen for path in example["paths"]]
        arguments, trainer = trl.SFTConfig(**settings, packing=False, padding_free=False), trl.SFTTrainer
    else:
        rows = [dict(zip(("prompt", "chosen", "rejected"), map(text_of, pair))) for example in chosen for pair in pairs_of(example)]
        scale = len(rows) // len(chosen)  # a question's layouts stay in one step
        settings["per_device_train_batch_size"] *= scale
        arguments, trainer = trl.DPOConfig(**settings, beta=0.1, precompute_ref_log_probs=True), trl.DPOTrainer
    run = trainer(model=model, args=arguments, train_dataset=Dataset.from_list(rows), peft_config=lora, callbacks=[Turns()],
                  processing_class=word_tokenizer(model.config.vocab_size))
    say(ready=f"torch {torch.__version__} ({torch.get_num_threads()} threads), trl {trl.__version__}")
    run.train()
    if not await_turn():
        finish()
    sys.exit("more turns were asked for than there are steps")


def plain_loop(model, lora, steps, questions_a_pass, torch):
    """What one would write by hand: padded rows, logits of the last place only, cross-entropy to the better option's token."""
    from peft import get_peft_model
    model = get_peft_model(model, lora).train()
    weights = [weight for weight in model.parameters() if weight.requires_grad]
    optimiser = torch.optim.AdamW(weights, lr=RATE, weight_decay=0.0)
    say(ready=f"torch {torch.__version__} ({torch.get_num_threads()} threads)")
    for step in steps:
        if not await_turn():
            finish()
        begin, total = time.perf_counter(), 0.0
        layouts = sum(1 for example in step for _ in pairs_of(example))
        for first in range(0, len(step), questions_a_pass):
            rows = [pair for example in step[first:first + questions_a_pass] for pair in pairs_of(example)]
            width = max(len(prompt) for prompt, _, _ in rows)
            ids = torch.tensor([[0] * (width - len(prompt)) + prompt for prompt, _, _ in rows])
            mask = torch.tensor([[0] * (width - len(prompt)) + [1] * len(prompt) for prompt, _, _ in rows])
            logits = model(input_ids=ids, attention_mask=mask, position_ids=(mask.cumsum(1) - 1).clamp(min=0), logits_to_keep=1).logits[:, -1]
            loss = torch.nn.functional.cross_entropy(logits, torch.tensor([better[0] for _, better, _ in rows]), reduction="sum") / layouts
            loss.backward()
            total += loss.item()
        torch.nn.utils.clip_grad_norm_(weights, 1.0)
        optimiser.step()
        optimiser.zero_grad()
        say(seconds=time.perf_counter() - begin, loss=total)
    if not await_turn():
        finish()
    sys.exit("more turns were asked for than there are steps")


def generate(model, examples, torch):
    prompts = [example["paths"][0]["tokens"][:example["paths"][0]["learned_from"]] for example in examples[:PROMPTS]]
    rows = [prompt for prompt in prompts for _ in range(SAMPLES)]
    say(ready=f"torch {torch.__version__} ({torch.get_num_threads()} threads)")
    torch.manual_seed(SEED)
    while await_turn():
        begin, made = time.perf_counter(), 0
        for first in range(0, len(rows), 8):
            batch = rows[first:first + 8]
            width = max(map(len, batch))
            ids = torch.tensor([[0] * (width - len(row)) + row for row in batch])
            mask = torch.tensor([[0] * (width - len(row)) + [1] * len(row) for row in batch])
            with torch.inference_mode():
                out = model.generate(input_ids=ids, attention_mask=mask, do_sample=True, temperature=1.0, top_k=0, top_p=1.0, max_new_tokens=NEW_TOKENS)
            for answer in out[:, width:].tolist():
                made += answer.index(2) + 1 if 2 in answer else len(answer)
        say(seconds=time.perf_counter() - begin, tokens=made)
    finish()


# ---- the driver

class Side:
    def __init__(self, command, log, environment=None):
        self.process = subprocess.Popen([str(part) for part in command], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, stderr=open(log, "w"),
                                        env={**os.environ, **(environment or {})})
        self.log = log
        self.about = self.read("ready")

    def read(self, key):
        for line in self.process.stdout:
            if line.startswith('{"'):
                answer = json.loads(line)
                if key in answer:
                    return answer
        sys.exit(f"train.py: {self.process.args[0]} ended before its time; see {self.log}")

    def turn(self):
        self.process.stdin.write("go\n")
        self.process.stdin.flush()
        return self.read("seconds")

    def end(self):
        self.process.stdin.close()
        return self.read("peak_mb")["peak_mb"]


def bootstrap(values, draws=2000):
    stream = random.Random(SEED)
    medians = sorted(statistics.median(stream.choices(values, k=len(values))) for _ in range(draws))
    return medians[int(0.025 * draws)], medians[int(0.975 * draws)]


def report(name, ratios):
    low, high = bootstrap(ratios)
    print(f"ratio {name} {statistics.median(ratios):.2f} {low:.2f} {high:.2f}   ({len(ratios)} pairs of turns)", flush=True)


def take_turns(ours, theirs, turns):
    """The first turn of each warms up and is not counted."""
    pairs = []
    for turn in range(turns + 1):
        if turn % 2 == 0:
            mine, other = ours.turn(), theirs.turn()
        else:
            other, mine = theirs.turn(), ours.turn()
        pairs.append((mine, other))
        print(f"  turn {turn}: ours {mine['seconds']:.2f} s, theirs {other['seconds']:.2f} s", flush=True)
    return pairs


def require_same_losses(pairs, most):
    """The same steps on the same tokens leave nearly the same losses; otherwise times compare different work."""
    apart = max(abs(mine["loss"] - other["loss"]) for mine, other in pairs)
    if apart > most:
        sys.exit(f"train.py: losses differ by {apart:.3f}, more than {most}: the two sides do not learn the same")


def compare(name, ours, theirs, turns, amount, rate, losses_apart=None):
    """`losses_apart`: how far losses may differ; None where the sides learn by different losses."""
    pairs = take_turns(ours, theirs, turns)
    memory = ours.end(), theirs.end()
    if "loss" in pairs[0][0]:
        print("  losses " + "; ".join(f"{mine['loss']:.4f} | {other['loss']:.4f}" for mine, other in pairs))
        if losses_apart is not None:
            require_same_losses(pairs, losses_apart)
    work = [(amount(i, mine), amount(i, other)) for i, (mine, other) in enumerate(pairs)][1:]
    speeds = [(a / mine["seconds"], b / other["seconds"]) for (a, b), (mine, other) in zip(work, pairs[1:])]
    print(f"  {rate}: ours {statistics.median(s for s, _ in speeds):.1f}, theirs {statistics.median(s for _, s in speeds):.1f}; "
          f"peak memory: ours {memory[0]:.0f} MB, theirs {memory[1]:.0f} MB")
    for phase in pairs[-1][0].get("phases", {}):
        print(f"    our {phase}: {statistics.median(mine['phases'][phase] for mine, _ in pairs[1:]):.2f} s a step")
    report(name, [mine / other for mine, other in speeds])
    print(f"ratio {name}_memory {memory[1] / memory[0]:.2f}")


def prompt_share(pair):
    """Of both dialogues' characters, those before the last answer."""
    prompt = pair["chosen"].rindex("\n\nAssistant:")
    return 2 * prompt / (len(pair["chosen"]) + len(pair["rejected"]))


def hh_lines(path, count):
    with gzip.open(path, "rt", encoding="utf-8") as file:
        lines = [line for line in file if 0.3 <= prompt_share(json.loads(line)) <= 0.5]  # templates add to the prompt
    return random.Random(SEED).sample(lines, count)


def fulcra_lines(count):
    lines = []
    for row in read_lines(ROOT / "data" / "evaluate" / "fulcra" / "trustworthy.jsonl"):
        human, found, answer = row["dialogue"].partition("\nBob: ")
        if found and human.startswith("Human: ") and answer.strip():
            lines.append(json.dumps({"prompt": human.removeprefix("Human: "), "completion": answer}) + "\n")
    return random.Random(SEED).sample(lines, count)


def write_job(options, kind, folder, steps):
    """`valence align` renders the data and writes the job; nothing is trained yet: `false` stands in the trainer's place."""
    folder.mkdir(parents=True, exist_ok=True)
    data = folder / "data.jsonl"
    count = options.batch * steps
    training = {"rank": RANK, "alpha": ALPHA, "learning-rate": RATE, "warmup": 0, "batch": options.batch, "steps": steps, "products": options.products}
    flags = [flag for name, value in training.items() for flag in (f"--{name}", value)]
    command = [options.build / "apps" / "valence" / "valence", "align"]
    if kind in CHOICES:
        command += ["choice", "moralchoice", "--toward", "scripted:ideal", "--set", "low"]
    else:
        lines = hh_lines(options.hh, count) if kind == "dpo" else fulcra_lines(count)
        data.write_text("".join(lines), encoding="utf-8")
        command += [kind, "--data", data, "--leave-out-unreadable"]
    command += ["--model", options.model, "--out", folder, "--store", folder / "bench.db", "--seed", SEED, *flags]
    done = subprocess.run([str(part) for part in command], env={**os.environ, "VALENCE_TRAIN": "false"}, capture_output=True, text=True, check=False)
    if not (folder / "job.json").exists():
        sys.exit("train.py: no job was written: " + done.stderr)
    if kind in CHOICES:  # as many questions as are needed, whole
        keep_some(folder, count)
    return json.loads((folder / "job.json").read_text())


def keep_some(folder, count):
    import hashlib
    lines = (folder / "examples.jsonl").read_text(encoding="utf-8").splitlines(keepends=True)
    text = "".join(random.Random(SEED).sample(lines, min(count, len(lines))))
    (folder / "examples.jsonl").write_text(text, encoding="utf-8")
    job = json.loads((folder / "job.json").read_text())
    job["examples_sha256"] = hashlib.sha256(text.encode()).hexdigest()
    (folder / "job.json").write_text(json.dumps(job))


def run_training(options, kind):
    folder, steps = options.work / kind, options.turns + 1
    for left in ("checkpoint.bin", "job.json"):
        (folder / left).unlink(missing_ok=True)
    job = write_job(options, kind, folder, steps)
    ours = Side([options.build / "bench" / "bench_train", "train", folder / "job.json"], folder / "ours.log")
    order = ours.about["order"]
    (folder / "order.json").write_text(json.dumps(order))
    theirs = Side([sys.executable, __file__, "--worker", kind, "--model", job["model"], "--work", folder, "--batch", options.batch,
                   "--trl-batch", options.trl_batch], folder / "theirs.log")
    examples = read_lines(folder / "examples.jsonl")
    paths = [path for example in examples for path in example["paths"]]
    tokens = sum(len(path["tokens"]) for path in paths)
    learned = sum(len(path["tokens"]) - path["learned_from"] for path in paths)
    print(f"{kind}: {len(examples)} examples of {tokens / len(examples):.0f} tokens, {1 - learned / tokens:.0%} of them prompt; {options.batch} a step, "
          f"TRL {options.trl_batch} a pass; {theirs.about['ready']}; our products with frozen weights in {ours.about['products']}")
    size = [sum(len(path["tokens"]) for i in step for path in examples[i]["paths"]) for step in order]
    if kind in CHOICES:
        compare(f"train_{kind}", ours, theirs, options.turns, lambda i, _: len(order[i]), "questions/s",
                LOSSES_APART[options.products] if kind == "loop" else None)
    else:
        compare(f"train_{kind}", ours, theirs, options.turns, lambda i, _: size[i], "tokens/s", LOSSES_APART[options.products])


def run_rollouts(options):
    folder = options.work / "sft"
    job = write_job(options, "sft", folder, options.turns + 1)
    examples = folder / "examples.jsonl"
    ours = Side([options.build / "bench" / "bench_train", "generate", job["model"], examples, PROMPTS, SAMPLES, NEW_TOKENS], folder / "ours.log")
    theirs = Side([sys.executable, __file__, "--worker", "rollouts", "--model", job["model"], "--work", folder], folder / "theirs.log")
    print(f"rollouts: {PROMPTS} prompts × {SAMPLES} answers of at most {NEW_TOKENS} tokens; {theirs.about['ready']}; ours {ours.about['ready'].get('format', '')}")
    compare("rollouts", ours, theirs, options.turns, lambda _, answer: answer["tokens"], "tokens/s")


def enter_environment(options):
    """Makes the environment if it is missing, and goes on inside it."""
    python = options.work / "venv" / "bin" / "python"
    stamp = options.work / "venv" / "lock.txt"
    if not stamp.exists() or stamp.read_text() != LOCK.read_text():
        subprocess.run([sys.executable, "-m", "venv", options.work / "venv"], check=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", "--no-deps", "--only-binary=:all:", "--require-hashes", "--requirement", LOCK], check=True)
        stamp.write_text(LOCK.read_text())
    if pathlib.Path(sys.prefix).resolve() != (options.work / "venv").resolve():
        os.execv(python, [str(python), __file__, *sys.argv[1:]])


def machine():
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        name = next((line.split(":")[1].strip() for line in file if line.startswith("model name")), platform.machine())
    return f"{name}, {len(os.sched_getaffinity(0))} cores"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=pathlib.Path, required=True)
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build" / "release")
    parser.add_argument("--model", default="smollm2")
    parser.add_argument("--hh", type=pathlib.Path, default=ROOT.parent / "shared" / "data" / "hh_rlhf" / "harmless-base_test.jsonl.gz")
    parser.add_argument("--only", default="sft,dpo,choice,loop,rollouts")
    parser.add_argument("--turns", type=int, default=7)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--trl-batch", type=int, default=4)
    parser.add_argument("--products", choices=["f32", "auto"], default="f32")
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        return worker(options.worker, options.model, options.work, options.batch, options.trl_batch)
    options.work, options.build = options.work.resolve(), options.build.resolve()
    enter_environment(options)
    print(machine(), flush=True)
    for kind in options.only.split(","):
        if kind == "rollouts":
            run_rollouts(options)
        else:
            run_training(options, kind)
    return None


main()
