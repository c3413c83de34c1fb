"""The command: measure, print a table, write JSON and a picture."""

import argparse
import gc
import json
import platform
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks import commits, reading, results, sequences
from benchmarks.measure import Measured
from benchmarks.picture import draw

WORKS = [*commits.ALL, *results.ALL, *reading.ALL, *sequences.ALL]


def main() -> None:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--only", nargs="+", metavar="NAME", help="the work to measure")
    parser.add_argument("--list", action="store_true", help="name the kinds of work, and end")
    parser.add_argument(
        "--scale", type=float, default=1, help="more or less work, which is less exact"
    )
    parser.add_argument("--directory", type=Path, default=Path.cwd(), help="on the disk to measure")
    parser.add_argument("--output", type=Path, default=Path("benchmark-results"))
    arguments = parser.parse_args()
    chosen = {work.__name__: work for work in WORKS}
    if arguments.list:
        for name, work in chosen.items():
            print(f"{name:28} {(work.__doc__ or '').splitlines()[0]}")
        return
    if unknown := set(arguments.only or ()) - set(chosen):
        parser.error(f"no such work: {', '.join(sorted(unknown))}; --list names them")
    found: list[Measured] = []
    for name in arguments.only or chosen:
        print(f"{name} ...", file=sys.stderr, flush=True)
        directory = Path(tempfile.mkdtemp(prefix="benchmark-", dir=arguments.directory))
        # What the ones before have left in memory is not looked through in the midst of this one.
        gc.collect()
        gc.freeze()
        try:
            found.append(chosen[name](directory, arguments.scale))
        finally:
            shutil.rmtree(directory, ignore_errors=True)
        print(table(found[-1:]), file=sys.stderr, flush=True)
    arguments.output.mkdir(parents=True, exist_ok=True)
    (arguments.output / "results.json").write_text(json.dumps(as_json(found), indent=1))
    draw(found, arguments.output / "ratios.png")
    print(table(found))
    print(f"\nMore in {arguments.output}/results.json and ratios.png.")


def table(found: Sequence[Measured]) -> str:
    """The results as a table in Markdown."""
    lines = [
        "| work | who | median | p95 | ratio | goal |",
        "| --- | --- | ---: | ---: | ---: | ---: |",
    ]
    for measured in found:
        for who in measured.times:
            goals = [goal for goal in measured.goals if goal.to == who]
            sign = {goal: "≥" if goal.at_least else "≤" for goal in goals}
            lines.append(
                f"| {measured.what if who == 'shotstore' else ''} | {who} "
                f"| {in_units(measured.median(who))} | {in_units(measured.percentile(who, 95))} | "
                + ", ".join(
                    f"{measured.ratio(goal):.2f}{'' if measured.is_reached(goal) else ' ✗'}"
                    for goal in goals
                )
                + " | "
                + ", ".join(
                    f"{sign[goal]} {goal.ratio:g}"
                    + (f" (p{goal.percentile})" if goal.percentile != 50 else "")
                    for goal in goals
                )
                + " |"
            )
        if measured.note:
            lines.append(f"| | {measured.note} | | | | |")
    return "\n".join(lines)


def in_units(seconds: float) -> str:
    """A time as people read it."""
    for factor, unit in ((1, "s"), (1e3, "ms"), (1e6, "µs")):
        if seconds * factor >= 1:
            return f"{seconds * factor:.3g} {unit}"
    return f"{seconds * 1e6:.2g} µs"


def as_json(found: Sequence[Measured]) -> dict[str, object]:
    """The results with every time, and what they were measured on."""
    return {
        "machine": platform.platform(),
        "python": platform.python_version(),
        "works": [
            {
                "work": measured.what,
                "note": measured.note,
                "seconds": dict(measured.times),
                "ratios": [
                    {
                        "to": goal.to,
                        "percentile": goal.percentile,
                        "ratio": measured.ratio(goal),
                        "goal": goal.ratio,
                        "reached": measured.is_reached(goal),
                    }
                    for goal in measured.goals
                ],
            }
            for measured in found
        ],
    }


if __name__ == "__main__":
    main()
