#!/usr/bin/env python3
"""Compares two folders of what the strategy decided (see reference.py).

    compare.py A B

Scores and figures may differ by 1e-9, everything else by nothing. Prints how many rows of each kind
were compared and the first differences; ends with status 1 on any.
"""

import csv
import sys
from decimal import Decimal
from pathlib import Path

FACTORS = ["momentum", "technical", "value", "quality", "flow", "event"]
#: What names a row of each file, and which columns are figures.
KINDS = {
    "universe": (["day", "symbol"], []),
    "factor_scores": (["day", "symbol"], FACTORS + ["total", "strength", "conviction"]),
    "signals": (["day", "kind", "rank"], ["strength", "conviction", "total"]),
    "rankings": (["day", "rank"], ["total", "score", "strength", "risk", "volatility"]),
    "portfolios": (["day", "rank"], []),
}
TOLERANCE = Decimal("1e-9")
SHOWN_MAX = 20


def read(file, keys):
    with open(file, encoding="utf-8", newline="") as opened:
        reader = csv.DictReader(opened)
        rows = {}
        for row in reader:
            key = tuple(row[key] for key in keys)
            if key in rows:
                sys.exit(f"compare.py: {file}: two rows of {' '.join(key)}")
            rows[key] = row
        return reader.fieldnames, rows


def is_same(left, right, is_figure):
    if not is_figure or left == "" or right == "":
        return left == right
    return abs(Decimal(left) - Decimal(right)) <= TOLERANCE


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    left_folder, right_folder = map(Path, sys.argv[1:])
    differences = 0

    def tell(text):
        nonlocal differences
        differences += 1
        if differences <= SHOWN_MAX:
            print(text)

    for kind, (keys, figures) in KINDS.items():
        left_columns, left = read(left_folder / f"{kind}.csv", keys)
        right_columns, right = read(right_folder / f"{kind}.csv", keys)
        if sorted(left_columns) != sorted(right_columns):
            tell(f"{kind}: columns {left_columns} against {right_columns}")
        columns = [column for column in left_columns if column in right_columns]
        widest = Decimal(0)
        for key in sorted(set(left) | set(right)):
            name = f"{kind} {' '.join(key)}"
            if key not in left or key not in right:
                tell(f"{name}: only in {left_folder if key in left else right_folder}")
                continue
            for column in columns:
                one, other = left[key][column], right[key][column]
                if not is_same(one, other, column in figures):
                    tell(f"{name}: {column} is {one!r} against {other!r}")
                elif column in figures and one:
                    widest = max(widest, abs(Decimal(one) - Decimal(other)))
        both = len(set(left) & set(right))
        print(f"{kind}: {both} rows compared, figures differ by at most {widest}")
    print(f"{differences} differences")
    sys.exit(1 if differences else 0)


if __name__ == "__main__":
    main()
