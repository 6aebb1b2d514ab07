#!/usr/bin/env python3
"""What the daily strategy decides, computed from scratch out of docs/strategy.md.

    reference.py --data DIR --from DAY --to DAY --out DIR [--settings FILE]

DIR of the data holds stocks.csv, bars.csv, fundamentals.csv, flows.csv, disclosures.csv, wanted.csv
and rankings.csv, as COPY writes the tables, columns in any order. Every session from DAY to DAY gives
rows in universe.csv, factor_scores.csv, signals.csv, rankings.csv and portfolios.csv of the other DIR.
FILE is a JSON object with settings that differ from the defaults. compare.py compares two such folders.

Plain lists, loops and whole numbers; shares nothing with the program but names.
"""

import argparse
import csv
import json
import math
import sys
from bisect import bisect_right
from collections import defaultdict
from datetime import date, datetime, timedelta, timezone
from pathlib import Path

UNIT = 10**10
SEOUL = timezone(timedelta(hours=9))
SETTINGS = {
    "market_cap_min": 10_000_000_000,
    "value_min": 1_000_000_000,
    "volume_min": 100_000,
    "list_len": 100,
    "universe_min": 100,
    "buy_min": 65,
    "sell_max": 35,
    "conviction_min": 50,
    "signals_max": 30,
    "selected_max": 20,
    "total_min": 60,
    "volatility_max": 60,
    "liquidity_min": 1_000_000_000,
    "names_max": 15,
    "names_min": 10,
    "name_cap": 150_000,
    "sector_cap": 400_000,
    "min_cash": 200_000,
}
FACTORS = ["momentum", "technical", "value", "quality", "flow", "event"]
WEIGHTS = [0.20, 0.15, 0.20, 0.15, 0.20, 0.10]
LISTS = ["VOLUME_SURGE", "VALUE", "GAINERS", "POPULAR", "MARKET_CAP"]
COLUMNS = {
    "universe": "day,symbol,tier,list,exclusion,market,sector,market_cap,avg_volume,avg_value",
    "factor_scores": "day,symbol," + ",".join(FACTORS) + ",total,strength,conviction",
    "signals": "day,kind,rank,symbol,strength,conviction,total",
    "rankings": "day,rank,symbol,market,sector,total,score,strength,risk,volatility,liquidity,"
    "sector_loss,market_loss,selected,reason",
    "portfolios": "day,rank,symbol,sector,weight,reason",
}


# --- numbers ---------------------------------------------------------------------------------------


def rounded(value):
    """A double as units of 1e-10, ties away from zero; None where it is missing or not finite."""
    if value is None or not math.isfinite(value):
        return None
    scaled = abs(value) * 1e10
    units = math.floor(scaled)
    if scaled - units >= 0.5:
        units += 1
    return -units if value < 0 else units


def half_even(numerator, divisor):
    """Whole numbers divided, half to even."""
    quotient, rest = divmod(numerator, divisor)
    if 2 * rest > divisor or (2 * rest == divisor and quotient % 2 == 1):
        quotient += 1
    return quotient


def text_of(units):
    """Units of 1e-10 as a decimal with ten places, empty where missing."""
    if units is None:
        return ""
    whole, rest = divmod(abs(units), UNIT)
    return f"{'-' if units < 0 else ''}{whole}.{rest:010d}"


def whole_or_none(text):
    return None if text == "" else int(text.partition(".")[0])


def price_units(text):
    whole, _, rest = text.partition(".")
    return int(whole) * 10_000 + int((rest + "0000")[:4])


def clamp(x):
    return max(-1.0, min(1.0, x))


# --- input -----------------------------------------------------------------------------------------


def rows_of(folder, name, columns):
    with open(folder / f"{name}.csv", encoding="utf-8", newline="") as file:
        reader = csv.reader(file)
        header = next(reader)
        places = [header.index(column) for column in columns]
        for row in reader:
            yield [row[place] for place in places]


class Series:
    """Rows of a symbol by day."""

    def __init__(self):
        self.days, self.rows = [], []

    def sort(self):
        order = sorted(range(len(self.days)), key=self.days.__getitem__)
        self.days = [self.days[at] for at in order]
        self.rows = [self.rows[at] for at in order]

    def until(self, day):
        """How many rows are of `day` or before."""
        return bisect_right(self.days, day)


class Stock:
    def __init__(self, row):
        self.name, self.market, self.kind, self.status, self.sector = row[:5]
        self.market_cap = whole_or_none(row[5])
        self.is_tradable, self.is_managed, self.is_caution = (flag == "t" for flag in row[6:])


class Data:
    def __init__(self, folder):
        self.stocks = {}
        for symbol, *row in rows_of(folder, "stocks", [
                "symbol", "name", "market", "instrument_type", "status", "sector", "market_cap",
                "is_tradable", "is_managed", "is_caution"]):
            self.stocks[symbol] = Stock(row)
        self.bars = defaultdict(Series)
        sessions = set()
        for symbol, day, *prices, volume, value, cap in rows_of(folder, "bars", [
                "symbol", "trade_date", "open", "high", "low", "close", "volume", "value",
                "market_cap"]):
            series = self.bars[symbol]
            series.days.append(day)
            bar_open, high, low, close = map(price_units, prices)
            is_halted = bar_open == high == low == 0
            volume = int(volume)
            series.rows.append((close, volume, int(value.partition(".")[0]), whole_or_none(cap),
                                is_halted))
            if volume > 0 and self.stocks[symbol].status != "DELISTED":
                sessions.add(day)
        self.sessions = sorted(sessions)
        self.fundamentals = defaultdict(Series)
        for symbol, day, *figures in rows_of(folder, "fundamentals", [
                "symbol", "report_date", "per", "pbr", "psr", "roe", "debt_ratio"]):
            self.fundamentals[symbol].days.append(day)
            self.fundamentals[symbol].rows.append(
                [None if figure == "" else float(figure) for figure in figures])
        self.flows = defaultdict(Series)
        for symbol, day, foreign, institution in rows_of(folder, "flows", [
                "symbol", "trade_date", "foreign_net", "institution_net"]):
            self.flows[symbol].days.append(day)
            self.flows[symbol].rows.append((whole_or_none(foreign), whole_or_none(institution)))
        self.disclosures = defaultdict(list)
        for symbol, stamp, title in rows_of(folder, "disclosures", [
                "symbol", "disclosed_ts", "title"]):
            impact = impact_of(title)
            if impact != 0:
                self.disclosures[symbol].append((seoul_day(stamp), impact))
        self.wanted = defaultdict(set)
        for symbol, kind in rows_of(folder, "wanted", ["symbol", "kind"]):
            self.wanted[symbol].add(kind)
        self.popular = defaultdict(dict)
        for category, market, rank, symbol, day in rows_of(folder, "rankings", [
                "category", "market", "rank", "symbol", "collected_on"]):
            if category == "POPULAR":
                self.popular[market].setdefault(day, []).append((int(rank), symbol))
        for all_series in (self.bars, self.fundamentals, self.flows):
            for series in all_series.values():
                series.sort()


def seoul_day(stamp):
    if len(stamp) > 3 and stamp[-3] in "+-":
        stamp += ":00"  # As PostgreSQL writes an offset of whole hours.
    return datetime.fromisoformat(stamp).astimezone(SEOUL).date()


# --- 1. universe -----------------------------------------------------------------------------------


class Candidate:
    """A listing on a day, with its statistics."""

    def __init__(self, symbol, stock, series, day):
        self.symbol, self.stock = symbol, stock
        self.end = series.until(day) if series else 0
        self.bars = series.rows if series else []
        newest = self.bars[self.end - 1] if self.end else None
        self.bar = newest if self.end and series.days[self.end - 1] == day else None
        self.market_cap = stock.market_cap
        if newest and newest[3] is not None:
            self.market_cap = newest[3]
        self.volume = self.value = None
        if self.end >= 5:
            five = self.bars[self.end - 5:self.end]
            self.volume = sum(bar[1] for bar in five) // 5
            self.value = sum(bar[2] for bar in five) // 5

    def exclusion(self, is_watched, settings):
        stock = self.stock
        if stock.market not in ("KOSPI", "KOSDAQ"):
            return "MARKET"
        if stock.kind != "STOCK" and not (is_watched and stock.kind in ("ETF", "ETN")):
            return "INSTRUMENT"
        if not is_watched and ("스팩" in stock.name or "SPAC" in stock.name.upper()):
            return "NAME"
        if stock.status != "ACTIVE" or not stock.is_tradable:
            return "STATUS"
        if stock.is_managed:
            return "MANAGED"
        if stock.is_caution:
            return "CAUTION"
        if self.bar is None or self.bar[4] or self.bar[1] == 0:
            return "HALTED"
        for name, figure in (("MARKET_CAP", self.market_cap), ("VALUE", self.value),
                             ("VOLUME", self.volume)):
            if figure is None or figure < settings[f"{name.lower()}_min"]:
                return name
        return None


class Ratio:
    """Orders the higher ratio first, then the lower symbol, exactly."""

    def __init__(self, above, below, symbol):
        self.above, self.below, self.symbol = above, below, symbol

    def __lt__(self, other):
        left, right = self.above * other.below, other.above * self.below
        return left > right if left != right else self.symbol < other.symbol


def ranked_lists(passing, day, data, settings):
    """The first list that has each symbol."""
    found = {}
    popular = {}
    for market, lists in data.popular.items():
        # A list counts on its day and the next one.
        eve = (date.fromisoformat(day) - timedelta(days=1)).isoformat()
        days = [collected for collected in lists if eve <= collected <= day]
        for rank, symbol in sorted(lists[max(days)]) if days else []:
            if symbol in data.stocks and data.stocks[symbol].market == market:
                popular.setdefault(symbol, rank)
    for name in LISTS:
        for market in ("KOSPI", "KOSDAQ"):
            keys = []
            for candidate in passing:
                if candidate.stock.market != market:
                    continue
                symbol, bars, end = candidate.symbol, candidate.bars, candidate.end
                if name == "VOLUME_SURGE":
                    before = sum(bar[1] for bar in bars[end - 6:end - 1]) if end >= 6 else 0
                    if before:
                        keys.append(Ratio(candidate.bar[1], before, symbol))
                elif name == "VALUE":
                    keys.append(Ratio(candidate.bar[2], 1, symbol))
                elif name == "GAINERS":
                    if end >= 2:
                        keys.append(Ratio(candidate.bar[0], bars[end - 2][0], symbol))
                elif name == "MARKET_CAP":
                    keys.append(Ratio(candidate.market_cap, 1, symbol))
                elif symbol in popular:
                    keys.append(Ratio(-popular[symbol], 1, symbol))
            for key in sorted(keys)[:settings["list_len"]]:
                found.setdefault(key.symbol, name)
    return found


def universe(day, data, settings):
    """Rows of all candidates, and the reason where the universe is not published."""
    candidates = [Candidate(symbol, stock, data.bars.get(symbol), day)
                  for symbol, stock in sorted(data.stocks.items()) if stock.status != "DELISTED"]
    lists = ranked_lists([c for c in candidates if c.exclusion(False, settings) is None],
                         day, data, settings)
    rows = []
    for candidate in candidates:
        wanted = data.wanted.get(candidate.symbol, ())
        tier, on_list, exclusion = None, None, None
        if "HOLDING" in wanted:
            tier = "HOLDING"
        else:
            is_watched = "WATCHLIST" in wanted
            exclusion = candidate.exclusion(is_watched, settings)
            if exclusion is None:
                on_list = None if is_watched else lists.get(candidate.symbol)
                tier = "WATCHLIST" if is_watched else "RANKING" if on_list else "LISTED"
        rows.append((candidate, tier, on_list, exclusion))
    passed = sum(tier is not None for _, tier, _, _ in rows)
    listed = [c for c in candidates if c.stock.market in ("KOSPI", "KOSDAQ")]
    with_bar = sum(c.bar is not None for c in listed)
    if passed < settings["universe_min"] or 2 * with_bar < len(listed):
        return rows, (f"the universe is not published: {passed} symbols pass, and {with_bar} of "
                      f"{len(listed)} listings have a bar of the day")
    return rows, None


# --- 2. factors ------------------------------------------------------------------------------------


def momentum(bars):
    if len(bars) < 61:
        return None
    r20 = bars[0][0] / bars[20][0] - 1
    r60 = bars[0][0] / bars[60][0] - 1
    before = sum(bar[1] for bar in bars[20:40])
    if before == 0:
        return math.tanh(2 * (0.4 * r20 + 0.4 * r60) / 0.8)
    growth = sum(bar[1] for bar in bars[:20]) / before - 1
    return math.tanh(2 * (0.4 * r20 + 0.4 * r60 + 0.2 * growth))


def ema(closes, count):
    """Of closes from the oldest on, begun with the mean of the first ones."""
    alpha, average = 2 / (count + 1), sum(closes[:count]) / count
    for close in closes[count:]:
        average += alpha * (close - average)
    return average


def technical(bars):
    if len(bars) < 120:
        return None
    closes = [bar[0] for bar in bars[:120]]
    changes = [closes[at] - closes[at + 1] for at in range(14)]
    gain = sum(change for change in changes if change > 0)
    loss = -sum(change for change in changes if change < 0)
    if loss == 0:
        rsi = 100.0 if gain else 50.0
    else:
        rsi = 100 - 100 / (1 + gain / loss)
    oldest_first = closes[::-1]
    macd = math.tanh(100 * (ema(oldest_first, 12) - ema(oldest_first, 26)) / closes[0])
    twenty = sum(closes[:20])
    if closes[0] * 1000 > 51 * twenty:
        above = 1
    elif closes[0] * 1000 < 49 * twenty:
        above = -1
    else:
        above = 0
    return 0.4 * clamp((50 - rsi) / 20) + 0.4 * macd + 0.2 * above


def score_per(x):
    if x <= 0 or x > 100:
        return 0.0
    if x < 5:
        return 1.0
    if x < 10:
        return 0.5 + (10 - x) / 10
    return (20 - x) / 20 if x < 20 else math.tanh(-(x - 20) / 40)


def score_pbr(x):
    if x <= 0 or x > 10:
        return 0.0
    if x < 0.5:
        return 1.0
    if x < 1:
        return 0.5 + (1 - x)
    return (2 - x) / 2 if x < 2 else math.tanh(-(x - 2) / 4)


def score_psr(x):
    if x <= 0 or x > 20:
        return 0.0
    if x < 0.5:
        return 1.0
    if x < 1:
        return 0.5 + (1 - x)
    return (3 - x) / 4 if x < 3 else math.tanh(-(x - 3) / 6)


def score_roe(x):
    if x < 0:
        return max(-1.0, math.tanh(5 * x))
    if x <= 0.05:
        return 10 * (x - 0.05)
    if x <= 0.15:
        return 5 * (x - 0.05)
    return 0.5 + 10 * (x - 0.15) if x <= 0.20 else 1.0


def score_debt(x):
    if x < 0:
        return 0.0
    if x < 0.5:
        return 1.0
    if x < 1:
        return 1 - (x - 0.5)
    if x < 1.5:
        return 0.5 - (x - 1)
    return math.tanh(-(x - 1.5)) if x < 3 else -1.0


def weighted(parts):
    """The mean of what is there of (weight, score, figure)."""
    there = [(weight, score(figure)) for weight, score, figure in parts if figure is not None]
    if not there:
        return None
    return sum(weight * score for weight, score in there) / sum(weight for weight, _ in there)


VALUE_PARTS = [(0.5, score_per, 0), (0.3, score_pbr, 1), (0.2, score_psr, 2)]
QUALITY_PARTS = [(0.6, score_roe, 3), (0.4, score_debt, 4)]


def of_fundamentals(series, day, parts):
    """Of the newest fundamental that has any of the parts."""
    for at in range(series.until(day.isoformat()) - 1, -1, -1) if series else ():
        row = series.rows[at]
        if any(row[place] is not None for _, _, place in parts):
            if (day - date.fromisoformat(series.days[at])).days > 450:
                return None
            return weighted([(weight, score, row[place]) for weight, score, place in parts])
    return None


def flow(series, day, oldest_newest):
    if not series:
        return None
    end = series.until(day.isoformat())
    if end < 20 or series.days[end - 1] < oldest_newest:
        return None
    rows = series.rows[end - 20:end]

    def side(place):
        nets = [row[place] for row in rows]
        if None in nets:
            return None
        return 0.7 * math.tanh(sum(nets[15:]) / 500_000) + 0.3 * math.tanh(sum(nets) / 2_000_000)

    same = lambda score: score
    return weighted([(0.6, same, side(0)), (0.4, same, side(1))])


def impact_of(title):
    """Of the first kind whose words are in the title; 0 of those that decide nothing."""
    title = "".join(title.split())
    has = lambda *words: any(word in title for word in words)
    results = has("실적", "영업이익", "매출")
    if has("감사의견") and has("거절", "부적정", "한정"):
        return -0.9
    if has("리콜", "회수"):
        return -0.8
    if has("소송", "피소"):
        return -0.7
    if has("제재", "과징금", "벌금", "영업정지", "불성실공시"):
        return -0.7
    if has("합병") and has("철회", "취소", "무산", "부결"):
        return -0.8
    if has("합병", "인수"):
        return 0.9
    if (has("자기주식") and has("취득")) or (has("자사주") and has("매입", "취득")):
        return 0.8
    if has("배당") and has("감소", "축소", "미실시", "무배당"):
        return -0.6
    if has("배당") and has("증가", "확대", "인상"):
        return 0.6
    if has("적자", "손실") or (results and has("감소", "악화", "하락")):
        return -1.0
    if has("흑자") or (results and has("증가", "개선", "상승", "호조")):
        return 1.0
    if has("신제품", "출시"):
        return 0.7
    if has("제휴", "공급계약", "업무협약", "MOU"):
        return 0.6
    if has("시설투자", "신규시설", "증설"):
        return 0.5
    if has("특허"):
        return 0.5
    if (has("대표이사") or has("최대주주")) and has("변경"):
        return -0.5
    return 0.0


def event(disclosures, day):
    above = below = 0.0
    for disclosed, impact in disclosures:
        days = (day - disclosed).days
        if 0 <= days <= 90:
            weight = max(math.exp(-0.023 * days), 0.1)
            above += impact * weight
            below += weight
    return math.tanh(1.5 * above / below) if below else None


def judge(factors):
    """Total, strength and conviction of rounded factors; None where fewer than four are there."""
    there = [(weight, units) for weight, units in zip(WEIGHTS, factors) if units is not None]
    if len(there) < 4:
        return None
    x = sum(weight * (units / 1e10) for weight, units in there) / sum(weight for weight, _ in there)
    total = rounded(math.tanh(1.5 * x))
    strength = 50 * (UNIT + total)
    points = [50 * (1 + units / 1e10) for _, units in there]
    mean = sum(points) / len(points)
    spread = rounded(math.sqrt(sum((point - mean) ** 2 for point in points) / len(points)))
    high = sum(50 * (UNIT + units) >= 60 * UNIT for _, units in there)
    count = len(there)
    above = 7 * 100 * UNIT * high + 3 * max(0, 100 * UNIT - spread) * count
    conviction = half_even(above, 10 * count)
    return total, strength, conviction


def evaluate(candidate, day, data, oldest_flow):
    bars = candidate.bars[max(0, candidate.end - 120):candidate.end][::-1]
    symbol = candidate.symbol
    fundamentals = data.fundamentals.get(symbol)
    factors = [rounded(score) for score in (
        momentum(bars),
        technical(bars),
        of_fundamentals(fundamentals, day, VALUE_PARTS),
        of_fundamentals(fundamentals, day, QUALITY_PARTS),
        flow(data.flows.get(symbol), day, oldest_flow),
        event(data.disclosures.get(symbol, ()), day),
    )]
    return factors, judge(factors)


# --- 3. signals ------------------------------------------------------------------------------------


def signals(judged, settings):
    """Signals that are kept, by kind, the first first: (symbol, total, strength, conviction)."""
    kept = {"BUY": [], "SELL": []}
    for symbol, (total, strength, conviction) in judged.items():
        if conviction < settings["conviction_min"] * UNIT:
            continue
        if strength >= settings["buy_min"] * UNIT:
            kept["BUY"].append((-(7 * strength + 3 * conviction), symbol))
        elif strength <= settings["sell_max"] * UNIT:
            kept["SELL"].append((-(7 * (100 * UNIT - strength) + 3 * conviction), symbol))
    return {kind: [(symbol, *judged[symbol]) for _, symbol in sorted(keys)[:settings["signals_max"]]]
            for kind, keys in kept.items()}


# --- 4. ranking ------------------------------------------------------------------------------------


def volatility(bars):
    """Of bars, the newest first, percent a year, in units."""
    if len(bars) < 61:
        return None
    returns = [bars[at][0] / bars[at + 1][0] - 1 for at in range(60)]
    mean = sum(returns) / 60
    spread = math.sqrt(sum((one - mean) ** 2 for one in returns) / 59)
    return rounded(spread * math.sqrt(252) * 100)


def risk_of(vol, liquidity):
    if vol is None or liquidity is None:
        return 50 * UNIT
    if vol <= 20 * UNIT:
        of_vol = half_even(3 * vol, 2)
    elif vol <= 40 * UNIT:
        of_vol = 30 * UNIT + half_even(3 * (vol - 20 * UNIT), 2)
    elif vol <= 60 * UNIT:
        of_vol = 60 * UNIT + 2 * (vol - 40 * UNIT)
    else:
        of_vol = 100 * UNIT
    billions = 1_000_000_000
    of_liquidity = (0 if liquidity >= 10 * billions else 20 if liquidity >= 5 * billions
                    else 50 if liquidity >= billions else 100)
    return half_even(6 * of_vol + 4 * of_liquidity * UNIT, 10)


def rank(buys, candidates, settings):
    rows = []
    for symbol, _total, strength, _conviction in buys:
        candidate = candidates[symbol]
        bars = candidate.bars[max(0, candidate.end - 61):candidate.end][::-1]
        vol = volatility(bars)
        liquidity = sum(bar[2] for bar in bars[:20]) // 20 if len(bars) >= 20 else None
        risk = risk_of(vol, liquidity)
        rows.append({
            "symbol": symbol, "market": candidate.stock.market, "sector": candidate.stock.sector,
            "strength": strength, "volatility": vol, "liquidity": liquidity, "risk": risk,
            "score": half_even(7 * strength + 3 * (100 * UNIT - risk), 10),
        })
    of_sector, of_market = defaultdict(int), defaultdict(int)
    for row in sorted(rows, key=lambda row: (-row["score"], row["symbol"])):
        row["sector_loss"] = 0
        if row["sector"]:
            of_sector[row["sector"]] += 1
            row["sector_loss"] = 5 * max(0, of_sector[row["sector"]] - 5)
        of_market[row["market"]] += 1
        row["market_loss"] = 10 * max(0, of_market[row["market"]] - 15)
        row["total"] = row["score"] - (row["sector_loss"] + row["market_loss"]) * UNIT
    rows.sort(key=lambda row: (-row["total"], row["symbol"]))
    count = 0
    for row in rows:
        vol, liquidity = row["volatility"], row["liquidity"]
        if vol is None or vol > settings["volatility_max"] * UNIT:
            row["reason"] = "VOLATILITY"
        elif liquidity is None or liquidity < settings["liquidity_min"]:
            row["reason"] = "VALUE"
        elif row["total"] < settings["total_min"] * UNIT:
            row["reason"] = "SCORE"
        elif count == settings["selected_max"]:
            row["reason"] = "COUNT"
        else:
            row["reason"] = ""
            count += 1
    return rows


# --- 5. portfolio ----------------------------------------------------------------------------------


def weights(names, settings):
    """Millionths of (symbol, sector) each."""
    group = {symbol: sector or ("alone", symbol) for symbol, sector in names}
    given = {}
    left = 1_000_000 - settings["min_cash"]
    while free := [symbol for symbol, _ in names if symbol not in given]:
        share = left // len(free)
        frozen = {}
        members, room = defaultdict(list), defaultdict(lambda: settings["sector_cap"])
        for symbol in free:
            members[group[symbol]].append(symbol)
        for symbol, weight in given.items():
            room[group[symbol]] -= weight
        for sector, symbols in members.items():
            if min(share, settings["name_cap"]) * len(symbols) > room[sector]:
                frozen.update((symbol, room[sector] // len(symbols)) for symbol in symbols)
        if not frozen and settings["name_cap"] < share:
            frozen = {symbol: settings["name_cap"] for symbol in free}
        if not frozen:
            given.update((symbol, share) for symbol in free)
            break
        given.update(frozen)
        left -= sum(frozen.values())
    return given


# --- output ----------------------------------------------------------------------------------------


def run_day(day, data, settings, out):
    text = day.isoformat()
    rows, reason = universe(text, data, settings)
    if reason:
        out["portfolios"].writerow([text, "", "", "", "", reason])
        return f"{text}: {reason}"
    show = lambda value: "" if value is None else value
    for c, tier, on_list, exclusion in rows:
        out["universe"].writerow([text, c.symbol, show(tier), show(on_list), show(exclusion),
                                  c.stock.market, c.stock.sector, show(c.market_cap),
                                  show(c.volume), show(c.value)])
    going_on = {c.symbol: c for c, tier, _, _ in rows
                if tier and c.stock.kind == "STOCK" and c.stock.market in ("KOSPI", "KOSDAQ")}
    before = [session for session in data.sessions if session < text][-4:]
    oldest_flow = before[0] if before else text
    judged = {}
    for symbol, candidate in going_on.items():
        factors, verdict = evaluate(candidate, day, data, oldest_flow)
        if verdict:
            judged[symbol] = verdict
        total, strength, conviction = verdict or (None, None, None)
        out["factor_scores"].writerow(
            [text, symbol] + [text_of(units) for units in (*factors, total, strength, conviction)])
    kept = signals(judged, settings)
    for kind in ("BUY", "SELL"):
        for place, (symbol, total, strength, conviction) in enumerate(kept[kind], 1):
            out["signals"].writerow([text, kind, place, symbol, text_of(strength),
                                     text_of(conviction), text_of(total)])
    ranking = rank(kept["BUY"], going_on, settings)
    for place, row in enumerate(ranking, 1):
        row["rank"] = place
        out["rankings"].writerow([
            text, place, row["symbol"], row["market"], row["sector"],
            *(text_of(row[key]) for key in ("total", "score", "strength", "risk", "volatility")),
            show(row["liquidity"]), row["sector_loss"], row["market_loss"],
            "f" if row["reason"] else "t", row["reason"]])
    selected = [row for row in ranking if not row["reason"]]
    names = selected[:settings["names_max"]]
    if len(names) < settings["names_min"]:
        reason = f"no portfolio: {len(names)} names are selected, which are too few"
        out["portfolios"].writerow([text, "", "", "", "", reason])
    else:
        given = weights([(row["symbol"], row["sector"]) for row in names], settings)
        for row in names:
            out["portfolios"].writerow([text, row["rank"], row["symbol"], row["sector"],
                                        given[row["symbol"]], ""])
    in_it = sum(tier is not None for _, tier, _, _ in rows)
    return (f"{text}: {in_it} in the universe, {len(going_on)} evaluated, {len(judged)} judged, "
            f"{len(kept['BUY'])} BUY, {len(kept['SELL'])} SELL, {len(selected)} selected, "
            f"{len(names)} names")


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--from", dest="first", type=date.fromisoformat, required=True)
    parser.add_argument("--to", dest="last", type=date.fromisoformat, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--settings", type=Path)
    args = parser.parse_args()
    settings = dict(SETTINGS)
    if args.settings:
        told = json.loads(args.settings.read_text(encoding="utf-8"))
        if unknown := sorted(set(told) - set(settings)):
            sys.exit(f"reference.py: {args.settings}: unknown settings {', '.join(unknown)}")
        settings.update(told)
    data = Data(args.data)
    args.out.mkdir(parents=True, exist_ok=True)
    files = {name: open(args.out / f"{name}.csv", "w", encoding="utf-8", newline="")
             for name in COLUMNS}
    out = {name: csv.writer(file, lineterminator="\n") for name, file in files.items()}
    for name, writer in out.items():
        writer.writerow(COLUMNS[name].split(","))
    for session in data.sessions:
        day = date.fromisoformat(session)
        if args.first <= day <= args.last:
            print(run_day(day, data, settings, out))
    for file in files.values():
        file.close()


if __name__ == "__main__":
    main()
