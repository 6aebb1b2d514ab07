#!/usr/bin/env python3
"""Computes the performance of an account from scratch, by domain section 10.

    reference.py FOLDER

reads equity.csv (day,equity: the last of each day), flows.csv (day,amount: paid in, below 0 out), sessions.csv
(day: those with a session) and bars.csv (day,close: of the benchmark) of FOLDER and prints the figures as
JSON. It shares no code with what it checks.
"""

import csv
import json
import math
import statistics
import sys
from fractions import Fraction
from pathlib import Path

YEAR = 252
RISK_FREE = 0.03


def read(file):
    with open(file, encoding="utf-8", newline="") as opened:
        return list(csv.DictReader(opened))


def table(file, column):
    return {row["day"]: Fraction(row[column]) for row in read(file)}


def day_returns(equity, flows, sessions):
    """A session whose own evening and that of the session before are known has a return."""
    for before, day in zip(sessions, sessions[1:]):
        if day not in equity or equity.get(before, 0) <= 0:
            continue
        paid = sum(amount for paid_on, amount in flows if before < paid_on <= day)
        yield day, float((equity[day] - paid - equity[before]) / equity[before])


def growth(ratios):
    return math.prod(1 + ratio for ratio in ratios) - 1


def fraction(part, whole):
    return part / whole if whole else 0


def figures(ratios):
    total = growth(ratios)
    annual = (1 + total) ** (YEAR / len(ratios)) - 1
    volatility = statistics.stdev(ratios) * math.sqrt(YEAR) if len(ratios) > 1 else 0
    wins = [ratio for ratio in ratios if ratio > 0]
    losses = [ratio for ratio in ratios if ratio < 0]
    downside = math.sqrt(fraction(math.fsum(loss**2 for loss in losses), len(losses)) * YEAR)
    courses = [1 + growth(ratios[:days]) for days in range(len(ratios) + 1)]
    drawdown = min(course / max(courses[: place + 1]) - 1 for place, course in enumerate(courses))
    worst = sorted(ratios)[: math.floor(0.05 * len(ratios) + 1e-9) + 1]
    if not losses:
        factor = 999.99 if wins else 0
    else:
        factor = math.fsum(wins) / -math.fsum(losses)
    return {
        "total_return": total,
        "annual_return": annual,
        "volatility": volatility,
        "sharpe": fraction(annual - RISK_FREE, volatility),
        "sortino": fraction(annual - RISK_FREE, downside),
        "max_drawdown": drawdown,
        "var_95": max(0, -worst[-1]),
        "cvar_95": max(0, -statistics.fmean(worst)),
        "win_rate": len(wins) / len(ratios),
        "profit_factor": factor,
        "average_win": statistics.fmean(wins) if wins else 0,
        "average_loss": statistics.fmean(losses) if losses else 0,
    }


def comparison(pairs):
    own = [mine for mine, _ in pairs]
    other = [theirs for _, theirs in pairs]
    variance = statistics.variance(other) if len(pairs) > 1 else 0
    return {
        "days": len(pairs),
        "total_return": growth(other),
        "alpha": growth(own) - growth(other),
        "beta": statistics.covariance(own, other) / variance if variance else 0,
    }


def main(folder):
    equity = table(folder / "equity.csv", "equity")
    flows = [(row["day"], Fraction(row["amount"])) for row in read(folder / "flows.csv")]
    sessions = sorted(row["day"] for row in read(folder / "sessions.csv"))
    bars = table(folder / "bars.csv", "close")
    own = dict(day_returns(equity, flows, sessions))
    other = dict(day_returns(bars, [], sessions))
    pairs = [(own[day], other[day]) for day in sorted(own) if day in other]
    result = {
        "days": len(own),
        "from": min(own, default=None),
        "to": max(own, default=None),
        "returns": figures([own[day] for day in sorted(own)]) if own else None,
        "benchmark": comparison(pairs) if pairs else None,
    }
    json.dump(result, sys.stdout, indent=1)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
