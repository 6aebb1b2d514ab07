#!/usr/bin/env python3
"""The factors of the daily strategy (docs/strategy.md), vectorised with Polars, for one day.

    strategy_polars.py --data DIR [--day DAY] [--repeat N] [--out FILE]

DIR holds the tables as CSV: bars.csv, fundamentals.csv, flows.csv, disclosures.csv. `scripts/bench-polars`
makes one, and a Python that has Polars, and runs this; by hand:

    cargo run --release -p benches -- market DIR
    python3 -m venv polars && polars/bin/pip install polars==2.1.0
    polars/bin/python benches/python/strategy_polars.py --data DIR

Prints one JSON object: seconds of loading, and the least and all seconds of computing all factors of all
symbols from frames in memory. FILE gets symbol and factors, to be compared with factor_scores.csv of
tests/strategy/reference.py.
"""

import argparse
import json
import time
from pathlib import Path

import polars as pl

FACTORS = ["momentum", "technical", "value", "quality", "flow", "event"]
#: Kinds of docs/strategy.md in order: all of these patterns are in the title; impact.
KINDS = [
    (["감사의견", "거절|부적정|한정"], -0.9),
    (["리콜|회수"], -0.8),
    (["소송|피소"], -0.7),
    (["제재|과징금|벌금|영업정지|불성실공시"], -0.7),
    (["합병", "철회|취소|무산|부결"], -0.8),
    (["합병|인수"], 0.9),
    (["자기주식", "취득"], 0.8),
    (["자사주", "매입|취득"], 0.8),
    (["배당", "감소|축소|미실시|무배당"], -0.6),
    (["배당", "증가|확대|인상"], 0.6),
    (["적자|손실"], -1.0),
    (["실적|영업이익|매출", "감소|악화|하락"], -1.0),
    (["흑자"], 1.0),
    (["실적|영업이익|매출", "증가|개선|상승|호조"], 1.0),
    (["신제품|출시"], 0.7),
    (["제휴|공급계약|업무협약|MOU"], 0.6),
    (["시설투자|신규시설|증설"], 0.5),
    (["특허"], 0.5),
    (["대표이사|최대주주", "변경"], -0.5),
]


def load(folder):
    """The frames, with the types of the tables. Disclosures have their day at Seoul and their impact."""
    bars = pl.read_csv(
        folder / "bars.csv",
        columns=["symbol", "trade_date", "close", "volume"],
        schema_overrides={"symbol": pl.String, "trade_date": pl.Date, "close": pl.Float64,
                          "volume": pl.Int64},
    ).sort("symbol", "trade_date")
    figures = ["per", "pbr", "psr", "roe", "debt_ratio"]
    fundamentals = pl.read_csv(
        folder / "fundamentals.csv",
        columns=["symbol", "report_date", *figures],
        schema_overrides={"symbol": pl.String, "report_date": pl.Date,
                          **{figure: pl.Float64 for figure in figures}},
    ).sort("symbol", "report_date")
    flows = pl.read_csv(
        folder / "flows.csv",
        columns=["symbol", "trade_date", "foreign_net", "institution_net"],
        schema_overrides={"symbol": pl.String, "trade_date": pl.Date, "foreign_net": pl.Int64,
                          "institution_net": pl.Int64},
    ).sort("symbol", "trade_date")
    disclosures = pl.read_csv(
        folder / "disclosures.csv",
        columns=["symbol", "disclosed_ts", "title"],
        schema_overrides={"symbol": pl.String},
    ).with_columns(
        # An offset as PostgreSQL writes it (+09) or as RFC 3339 does (+09:00).
        pl.col("disclosed_ts").str.replace(r"([+-]\d\d)$", "$1:00")
        .str.to_datetime(time_zone="UTC").dt.convert_time_zone("Asia/Seoul").dt.date().alias("day"),
    )
    return bars, fundamentals, flows, disclosures


def clamp(x):
    return x.clip(-1.0, 1.0)


def ago(column, bars):
    """The value of so many bars before the newest, null where there are not as many."""
    return pl.col(column).reverse().get(bars, null_on_oob=True)


def of_bars(bars, day):
    """Momentum and technical, by symbol."""
    newest = bars.lazy().filter(pl.col("trade_date") <= day).group_by("symbol", maintain_order=True)
    frame = newest.agg(pl.all().tail(120), pl.len().alias("count"))
    frame = frame.explode("trade_date", "close", "volume").group_by("symbol", maintain_order=True)
    change = pl.col("close").diff().tail(14)
    frame = frame.agg(
        pl.len().alias("count"),
        pl.col("close").last().alias("c0"),
        ago("close", 20).alias("c20"),
        ago("close", 60).alias("c60"),
        pl.col("volume").tail(20).sum().alias("v0"),
        pl.col("volume").tail(40).head(20).sum().alias("v20"),
        change.filter(change > 0).sum().alias("gain"),
        (-change.filter(change < 0).sum()).alias("loss"),
        pl.col("close").tail(20).sum().alias("sum20"),
        ema(12).alias("ema12"),
        ema(26).alias("ema26"),
    )
    rise = 0.4 * (pl.col("c0") / pl.col("c20") - 1) + 0.4 * (pl.col("c0") / pl.col("c60") - 1)
    growth = pl.col("v0") / pl.col("v20") - 1
    momentum = pl.when(pl.col("v20") > 0).then(2 * (rise + 0.2 * growth)).otherwise(2 * rise / 0.8)
    rsi = (
        pl.when((pl.col("loss") == 0) & (pl.col("gain") == 0)).then(50.0)
        .when(pl.col("loss") == 0).then(100.0)
        .otherwise(100 - 100 / (1 + pl.col("gain") / pl.col("loss")))
    )
    macd = (100 * (pl.col("ema12") - pl.col("ema26")) / pl.col("c0")).tanh()
    above = (
        pl.when(pl.col("c0") * 1000 > 51 * pl.col("sum20")).then(1.0)
        .when(pl.col("c0") * 1000 < 49 * pl.col("sum20")).then(-1.0)
        .otherwise(0.0)
    )
    return frame.select(
        "symbol",
        pl.when(pl.col("count") >= 61).then(momentum.tanh()).alias("momentum"),
        pl.when(pl.col("count") >= 120)
        .then(0.4 * clamp((50 - rsi) / 20) + 0.4 * macd + 0.2 * above).alias("technical"),
    )


def ema(count):
    """Of 120 closes, begun with the mean of the first ones."""
    close = pl.col("close")
    seeded = close.head(count).mean().append(close.slice(count))
    return seeded.ewm_mean(alpha=2 / (count + 1), adjust=False).last()


def steps(x, *cases, otherwise):
    """The first case that holds, null where x is."""
    chain = pl.when(x.is_null()).then(None)
    for condition, score in cases:
        chain = chain.when(condition).then(score)
    return chain.otherwise(otherwise)


def weighted(parts):
    """The mean of what is there of (weight, score)."""
    above = sum(pl.when(score.is_not_null()).then(weight * score).otherwise(0.0)
                for weight, score in parts)
    below = sum(pl.when(score.is_not_null()).then(weight).otherwise(0.0) for weight, score in parts)
    return pl.when(below > 0).then(above / below)


def value_and_quality(fundamentals, day):
    def newest(columns):
        told = pl.any_horizontal(pl.col(column).is_not_null() for column in columns)
        frame = fundamentals.lazy().filter((pl.col("report_date") <= day) & told)
        frame = frame.group_by("symbol").agg(pl.all().last())
        return frame.filter((pl.lit(day) - pl.col("report_date")).dt.total_days() <= 450)

    x = pl.col("per")
    per = steps(x, ((x <= 0) | (x > 100), 0.0), (x < 5, 1.0), (x < 10, 0.5 + (10 - x) / 10),
                (x < 20, (20 - x) / 20), otherwise=(-(x - 20) / 40).tanh())
    x = pl.col("pbr")
    pbr = steps(x, ((x <= 0) | (x > 10), 0.0), (x < 0.5, 1.0), (x < 1, 0.5 + (1 - x)),
                (x < 2, (2 - x) / 2), otherwise=(-(x - 2) / 4).tanh())
    x = pl.col("psr")
    psr = steps(x, ((x <= 0) | (x > 20), 0.0), (x < 0.5, 1.0), (x < 1, 0.5 + (1 - x)),
                (x < 3, (3 - x) / 4), otherwise=(-(x - 3) / 6).tanh())
    x = pl.col("roe")
    roe = steps(x, (x < 0, (5 * x).tanh()), (x <= 0.05, 10 * (x - 0.05)),
                (x <= 0.15, 5 * (x - 0.05)), (x <= 0.20, 0.5 + 10 * (x - 0.15)), otherwise=1.0)
    x = pl.col("debt_ratio")
    debt = steps(x, (x < 0, 0.0), (x < 0.5, 1.0), (x < 1, 1 - (x - 0.5)), (x < 1.5, 0.5 - (x - 1)),
                 (x < 3, (-(x - 1.5)).tanh()), otherwise=-1.0)
    value = newest(["per", "pbr", "psr"]).select(
        "symbol", weighted([(0.5, per), (0.3, pbr), (0.2, psr)]).alias("value"))
    quality = newest(["roe", "debt_ratio"]).select(
        "symbol", weighted([(0.6, roe), (0.4, debt)]).alias("quality"))
    return value, quality


def flow(flows, sessions, day):
    """Of 20 rows, the newest of D or of one of the four sessions before it."""
    oldest = sessions.filter(sessions < day).tail(4).min() or day

    def side(column):
        net = pl.col(column)
        score = (0.7 * (net.tail(5).sum() / 500_000).tanh()
                 + 0.3 * (net.tail(20).sum() / 2_000_000).tanh())
        return pl.when(net.tail(20).null_count() == 0).then(score).alias(column)

    frame = flows.lazy().filter(pl.col("trade_date") <= day).group_by("symbol").agg(
        pl.len().alias("count"), pl.col("trade_date").last(), side("foreign_net"),
        side("institution_net"))
    frame = frame.filter((pl.col("count") >= 20) & (pl.col("trade_date") >= oldest))
    sides = [(0.6, pl.col("foreign_net")), (0.4, pl.col("institution_net"))]
    return frame.select("symbol", weighted(sides).alias("flow"))


def event(disclosures, day):
    title = pl.col("title").str.replace_all(r"\s", "")
    impact = pl.when(False).then(0.0)
    for patterns, of_kind in KINDS:
        has = pl.all_horizontal(title.str.contains(pattern) for pattern in patterns)
        impact = impact.when(has).then(of_kind)
    days = (pl.lit(day) - pl.col("day")).dt.total_days()
    weight = pl.max_horizontal((-0.023 * days).exp(), 0.1)
    frame = disclosures.lazy().filter(days.is_between(0, 90)).with_columns(
        impact.otherwise(0.0).alias("impact"), weight.alias("weight")).filter(pl.col("impact") != 0)
    mean = (pl.col("impact") * pl.col("weight")).sum() / pl.col("weight").sum()
    return frame.group_by("symbol").agg((1.5 * mean).tanh().alias("event"))


def compute(frames, sessions, day):
    bars, fundamentals, flows, disclosures = frames
    table = of_bars(bars, day)
    for part in (*value_and_quality(fundamentals, day), flow(flows, sessions, day),
                 event(disclosures, day)):
        table = table.join(part, on="symbol", how="left")
    return table.select("symbol", *FACTORS).collect()


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--day", help="the newest session without it")
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--engine", type=Path,
                        help="what `turnstile-benches strategy --json` printed, for the ratios")
    args = parser.parse_args()
    begin = time.perf_counter()
    frames = load(args.data)
    bars = frames[0]
    sessions = bars.filter(pl.col("volume") > 0).get_column("trade_date").unique().sort()
    day = pl.Series([args.day]).str.to_date().item() if args.day else sessions.max()
    loaded = time.perf_counter() - begin
    seconds = []
    for _ in range(args.repeat):
        begin = time.perf_counter()
        factors = compute(frames, sessions, day)
        seconds.append(time.perf_counter() - begin)
    if args.out:
        factors.sort("symbol").write_csv(args.out, float_precision=10)
    report = {"day": str(day), "symbols": factors.height, "bars": bars.height,
              "threads": pl.thread_pool_size(), "load_seconds": loaded,
              "compute_seconds": min(seconds), "compute_seconds_all": seconds,
              "polars": pl.__version__}
    if args.engine:
        engine = json.loads(args.engine.read_text())
        # The engine's whole run has universe, signals, ranking and portfolio, too.
        report["engine_full_over_polars"] = engine["full_seconds"] / min(seconds)
        report["polars_over_engine_changed_bar"] = min(seconds) * 1e6 / engine["changed_bar_us"]
    print(json.dumps(report))


if __name__ == "__main__":
    main()
