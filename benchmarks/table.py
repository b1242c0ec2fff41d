"""The figures of a benchmark run as a table.

python benchmarks/table.py benchmarks/results/latest.json
"""

from __future__ import annotations

import json
import sys
from pathlib import Path


def main() -> None:
    report = json.loads(Path(sys.argv[1]).read_text())
    machine = report["machine_info"]
    print(
        f"{machine['cpu'].get('brand_raw', machine['processor'])}, {machine['cpu'].get('count')} processors; "
        f"Python {machine['python_version']}; {report['datetime'][:16]}"
    )
    print(f"{'measured':72}{'goal':>34}{'figure':>14}")
    for bench in report["benchmarks"]:
        info = bench["extra_info"]
        figures = [info[name] for name in ("ratio", "ratio_cold") if name in info]
        text = " and ".join(f"{figure:,.2f}" if figure < 1000 else f"{figure:,.0f}" for figure in figures)
        print(f"{info.get('what', bench['name']):72}{info.get('goal', ''):>34}{text:>14}")
        for name, value in info.items():
            if name not in ("what", "goal", "ratio", "ratio_cold"):
                print(f"    {name}: {_short(value)}")


def _short(value: object) -> object:
    if isinstance(value, float):
        return round(value, 3)
    if isinstance(value, list):
        return [_short(item) for item in value]
    if isinstance(value, dict):
        return {name: _short(item) for name, item in value.items()}
    return value


if __name__ == "__main__":
    main()
