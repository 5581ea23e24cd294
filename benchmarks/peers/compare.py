#!/usr/bin/env python3
"""Runs Cornu and its peers on the same workloads in one go, and prints the figures side by side.

    python benchmarks/peers/compare.py [--peers keras-jax,torch] [--workloads mlp,tabular] [--rounds 3]

README.md tells what is timed and how. Only the standard library is used here; the Python peers run under
`--python`, or this interpreter.
"""

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
WORKLOADS = ["mlp", "tabular", "convnet", "lstm", "gru", "transformer", "resnet20"]
PYTHON_PEERS = {
    "keras-tensorflow": (["keras_peer.py", "--backend", "tensorflow"], ["keras", "tensorflow"]),
    "keras-jax": (["keras_peer.py", "--backend", "jax"], ["keras", "jax"]),
    "keras-torch": (["keras_peer.py", "--backend", "torch"], ["keras", "torch"]),
    "torch": (["torch_peer.py"], ["torch", "numpy"]),
    "jax": (["jax_peer.py"], ["jax", "numpy"]),
}
RUST_PEERS = {"burn": "peer-burn", "candle": "peer-candle"}
PEERS = [*PYTHON_PEERS, *RUST_PEERS]
# Field, heading, whether less is better.
FIGURES = [
    ("epoch_s", "epoch s", True),
    ("first_epoch_s", "first epoch s", True),
    ("fit_s", "fit s", True),
    ("samples_per_s", "samples/s", False),
    ("predict_per_s", "predict rows/s", False),
    ("predict1_us", "predict 1 row µs", True),
    ("call1_us", "call 1 row µs", True),
    ("rss_mb", "peak RSS MB", True),
    ("start_s", "start s", True),
    ("test_loss", "test loss", None),
    ("test_accuracy", "test accuracy", None),
    ("test_mae", "test MAE", None),
]


def environment(threads):
    """The environment every engine runs in: its threads bounded in every library's own way."""
    env = dict(os.environ)
    names = ("CORNU", "OMP", "MKL", "OPENBLAS", "RAYON")
    return env | {f"{name}_NUM_THREADS": str(threads) for name in names}


def cargo(folder, *words, target=None):
    """`cargo build --release`; returns the path of the program it made, or None with the reason printed."""
    target = ["--target-dir", str(target)] if target else []
    command = ["cargo", "build", "--release", "--message-format=json-render-diagnostics", *target, *words]
    done = subprocess.run(command, cwd=folder, stdout=subprocess.PIPE, text=True)
    if done.returncode != 0:
        print(f"skipped {folder.name}: `{' '.join(command)}` failed in {folder}", file=sys.stderr)
        return None
    messages = (json.loads(line) for line in done.stdout.splitlines() if line.startswith("{"))
    programs = [m["executable"] for m in messages if m.get("executable")]
    if not programs:
        print(f"skipped {folder.name}: `{' '.join(command)}` made no program in {folder}", file=sys.stderr)
        return None
    return programs[-1]


def commands(args):
    """For each engine that can run here, the function from a workload to its command line."""
    ready = {}
    extra = ["--data", str(args.data.resolve())] if args.data else []
    threads = ["--threads", str(args.threads)]
    if not args.without_cornu:
        program = cargo(ROOT, "-p", "cornu-benchmarks")
        if program:
            ready["cornu"] = lambda workload, program=program: [program, workload]
    for name in args.peers:
        if name in PYTHON_PEERS:
            script, modules = PYTHON_PEERS[name]
            probe = "import importlib.util as u, sys; sys.exit(not all(map(u.find_spec, sys.argv[1:])))"
            if subprocess.run([args.python, "-c", probe, *modules]).returncode != 0:
                print(f"skipped {name}: {args.python} -m pip install -r {HERE}/requirements.txt", file=sys.stderr)
                continue
            command = [args.python, str(HERE / script[0]), *script[1:], *threads, *extra]
        else:
            target = args.target_dir / name if args.target_dir else None
            program = cargo(HERE / name, target=target)
            if not program:
                continue
            command = [program, *threads, *extra]
        ready[name] = lambda workload, command=command: [*command, "--workload", workload]
    return ready


def run(name, command, args):
    """One run of an engine; its JSON line, or None with the reason printed."""
    cores = sorted(os.sched_getaffinity(0))[: args.threads]
    done = subprocess.run(
        command,
        cwd=ROOT,
        env=environment(args.threads),
        preexec_fn=lambda: os.sched_setaffinity(0, cores),
        capture_output=True,
        text=True,
    )
    lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
    if done.returncode != 0 or not lines:
        tail = (done.stderr.strip().splitlines() or ["it printed nothing"])[-1]
        print(f"failed: {name}: {tail}", file=sys.stderr)
        return None
    return json.loads(lines[-1])


def rounds(ready, args, label=""):
    """Runs every engine in turn, `args.rounds` times over; the raw lines, each with its round."""
    lines = []
    for workload in args.workloads:
        for turn in range(args.rounds):
            for name, command in ready.items():
                line = run(name, command(workload), args)
                if line:
                    lines.append(line | {"w": workload, "engine": name, "round": turn, "load": os.getloadavg()[0]})
                    print(f"{label}{workload} {turn} {name}: {line['epoch_s']} s/epoch", file=sys.stderr)
    return lines


def pick(lines, workload, engine, field, how):
    """The engine's figure: the best of its rounds (or their median); None if it has none."""
    values = [x[field] for x in lines if x["w"] == workload and x["engine"] == engine and field in x]
    if not values:
        return None
    less = next((less for name, _, less in FIGURES if name == field), False)
    if how == "median" or less is None:
        return statistics.median(values)
    return min(values) if less else max(values)


def shown(value):
    """A figure with three to four digits that count."""
    if value is None:
        return "–"
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.4g}"


def table(lines, args):
    """Prints, per workload, every engine's figures, and the ratios to Cornu's where Cornu ran."""
    for workload in args.workloads:
        engines = list(dict.fromkeys(x["engine"] for x in lines if x["w"] == workload))
        if not engines:
            continue
        used = [f for f in FIGURES if any(pick(lines, workload, e, f[0], "best") is not None for e in engines)]
        heads = " | ".join(head for _, head, _ in used)
        rule = "| --- |" + " ---: |" * len(used)
        for how in ("best", "median"):
            print(f"\n### {workload}: {how} of {args.rounds}, {args.threads} threads\n\n| engine | {heads} |\n{rule}")
            for engine in engines:
                cells = [shown(pick(lines, workload, engine, field, how)) for field, _, _ in used]
                print(f"| {engine} | {' | '.join(cells)} |")
        limit = pick(lines, workload, "cornu", "limit_samples_per_s", "best")
        if limit:
            reached = pick(lines, workload, "cornu", "samples_per_s", "best") / limit
            print(f"\nThe machine's limit is {shown(limit)} samples/s; Cornu reaches {reached:.0%} of it.")
        if "cornu" in engines and len(engines) > 1:
            timed = [f for f in used if f[2] is not None]
            heads = " | ".join(head for _, head, _ in timed)
            print(f"\nTimes better than the peer (above 1: Cornu is better)\n\n| peer | {heads} |")
            print("| --- |" + " ---: |" * len(timed))
            for engine in engines:
                if engine == "cornu":
                    continue
                cells = []
                for field, _, less in timed:
                    theirs = pick(lines, workload, engine, field, "best")
                    ours = pick(lines, workload, "cornu", field, "best")
                    ratio = None
                    if theirs and ours:
                        ratio = theirs / ours if less else ours / theirs
                    cells.append(shown(ratio) if ratio is None else f"{ratio:.2f}")
                print(f"| {engine} | {' | '.join(cells)} |")


def neighbour(ready, args):
    """Every workload alone and beside one busy process on the same cores: the slow-down of an epoch."""
    cores = sorted(os.sched_getaffinity(0))[: args.threads]
    alone = rounds(ready, args)
    spinner = subprocess.Popen(
        [sys.executable, "-c", "while True: pass"], preexec_fn=lambda: os.sched_setaffinity(0, cores)
    )
    try:
        beside = rounds(ready, args, "neighbour: ")
    finally:
        spinner.kill()
        spinner.wait()
    fair = (args.threads + 1) / args.threads
    for workload in args.workloads:
        print(f"\n### {workload}: beside one busy process (a fair share of the cores alone gives {fair:.2f})\n")
        print("| engine | epoch s alone | epoch s beside | slow-down |\n| --- | ---: | ---: | ---: |")
        for engine in ready:
            a = pick(alone, workload, engine, "epoch_s", "best")
            b = pick(beside, workload, engine, "epoch_s", "best")
            if a and b:
                print(f"| {engine} | {shown(a)} | {shown(b)} | {b / a:.2f} |")
    return alone + [x | {"neighbour": True} for x in beside]


# What a user's `cargo build --release` does, whatever the profiles of these folders say; only stripped.
PLAIN_RELEASE = ["lto=false", "codegen-units=16", 'strip="symbols"']


def build_costs(args):
    """Crates, CPU seconds of a clean release build and size of the stripped program, for each Rust engine."""
    profile = [word for setting in PLAIN_RELEASE for word in ("--config", f"profile.release.{setting}")]
    packages = {"cornu": (ROOT, ["-p", "cornu-benchmarks"])} if not args.without_cornu else {}
    packages |= {name: (HERE / name, []) for name in args.peers if name in RUST_PEERS}
    lines = []
    for name, (folder, words) in packages.items():
        tree = subprocess.run(
            ["cargo", "tree", *words, "-e", "normal", "--prefix", "none"], cwd=folder, capture_output=True, text=True
        )
        crates = len({line.removesuffix(" (*)") for line in tree.stdout.splitlines() if line.strip()})
        subprocess.run(["cargo", "fetch"], cwd=folder, capture_output=True)
        with tempfile.TemporaryDirectory() as target:
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            program = cargo(folder, *words, *profile, target=target)
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            if not program:
                continue
            cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
            size = os.path.getsize(program) / 1e6
        lines.append({"build": name, "crates": crates, "cpu_s": round(cpu, 1), "program_mb": round(size, 2)})
    print("\n### Building\n\n| engine | crates | CPU s, clean release build | stripped program MB |")
    print("| --- | ---: | ---: | ---: |")
    for x in lines:
        print(f"| {x['build']} | {x['crates']} | {x['cpu_s']} | {x['program_mb']} |")
    return lines


def words(choices):
    """An argument type: a comma-separated list of some of `choices`."""

    def parse(text):
        names = [name for name in text.split(",") if name]
        for name in names:
            if name not in choices:
                raise argparse.ArgumentTypeError(f"{name!r} is none of {', '.join(choices)}")
        return names

    return parse


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peers", type=words(PEERS), default=PEERS, help=f"some of {','.join(PEERS)}")
    parser.add_argument("--workloads", type=words(WORKLOADS), default=WORKLOADS, help="some of mlp,tabular,convnet,lstm,gru")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--python", default=sys.executable, help="interpreter that has the Python peers")
    parser.add_argument("--data", type=Path, help="folder of the MNIST files, if not the repository's")
    parser.add_argument("--target-dir", type=Path, help="where Burn and Candle are built, if not beside them")
    parser.add_argument("--without-cornu", action="store_true", help="the peers alone")
    parser.add_argument("--neighbour", action="store_true", help="compare with runs beside one busy process")
    parser.add_argument("--build", action="store_true", help="measure what building the Rust engines costs")
    parser.add_argument("--save", type=Path, metavar="FILE", help="write the raw lines as JSON")
    args = parser.parse_args()

    if args.build:
        lines = build_costs(args)
    else:
        ready = commands(args)
        if not ready:
            sys.exit("nothing to run")
        if args.neighbour:
            lines = neighbour(ready, args)
        else:
            lines = rounds(ready, args)
            table(lines, args)
    if args.save:
        args.save.write_text(json.dumps(lines, indent=1) + "\n")


if __name__ == "__main__":
    main()
