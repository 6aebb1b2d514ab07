//! Performance: figures of known rows, to the won.

#![expect(
    clippy::float_arithmetic,
    reason = "statistics are compared up to rounding"
)]

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::fixture;
use crate::world::World;

const FIGURES: &str = "/api/v1/performance";
const DAILY: &str = "/api/v1/performance/daily";
const TRADES: &str = "/api/v1/performance/trades";
const ATTRIBUTION: &str = "/api/v1/performance/attribution";
pub(crate) const FLOWS: &str = "/api/v1/performance/cash-flows";

/// Sessions on the weekdays of two weeks; the account was not asked on Thursday the 19th. The benchmark has
/// a bar of each session.
const MARKET: &str = "
INSERT INTO market.calendar (day, source, is_open)
SELECT day, 'CONFIG', extract(isodow FROM day) < 6
FROM generate_series('2026-11-16'::date, '2026-11-29', interval '1 day') day;
INSERT INTO market.stocks (symbol, name, market) VALUES ('069500', 'KODEX 200', 'KOSPI');
INSERT INTO market.daily_bars (symbol, trade_date, open, high, low, close, volume, value, source)
SELECT '069500', day::date, close, close, close, close, 1, close, 'IMPORT' FROM (VALUES
    ('2026-11-16', 100), ('2026-11-17', 101), ('2026-11-18', 101), ('2026-11-19', 103),
    ('2026-11-20', 100), ('2026-11-23', 98), ('2026-11-24', 99.96)) AS bars (day, close);
";

/// What the broker said of the account, in the order in which it was stored.
const TOLD: [(&str, &str); 9] = [
    ("2026-11-16 15:40:00+09", "100000000"),
    ("2026-11-17 09:00:00+09", "99000000"),
    ("2026-11-17 15:40:00+09", "101000000"),
    // In Seoul it is the next day.
    ("2026-11-17 16:00:00+00", "112010000"),
    ("2026-11-20 15:40:00+09", "112000000"),
    ("2026-11-21 12:00:00+09", "117000000"),
    ("2026-11-23 15:40:00+09", "114760000"),
    ("2026-11-24 15:40:00+09", "102295200"),
    // An answer that was long under way says nothing new of its day.
    ("2026-11-24 15:30:00+09", "1"),
];

/// Paid in on Wednesday and on a Saturday, paid out on Tuesday.
const PAID: [(&str, i64); 3] = [
    ("2026-11-18", 10_000_000),
    ("2026-11-21", 5_000_000),
    ("2026-11-24", -14_760_000),
];

/// Beside the closed position of the fixture: one that was sold in two parts, one that was gone, and one of
/// another account.
const CLOSED: &str = r#"
INSERT INTO trade.positions (position_id, account_id, symbol, qty, original_qty, avg_price, entry_ts,
    status, strategy_id, closed_ts)
SELECT ('aaaaaaaa-0000-4000-8000-00000000000' || n)::uuid, account, symbol, 0, 10, avg_price, entry_ts::timestamptz,
    'CLOSED', strategy, '2026-11-20 15:00:00+09' FROM (VALUES
    (1, 'A', '005930', 65000, '2026-11-18 15:00:00+09', 'MOMENTUM'),
    (2, 'A', '000660', 200000, '2026-11-20 14:59:59+09', 'MOMENTUM'),
    (3, 'B', '005930', 65000, '2026-11-20 14:00:00+09', 'MOMENTUM'))
    AS closed (n, account, symbol, avg_price, entry_ts, strategy);
INSERT INTO trade.orders (order_id, action_key, account_id, position_id, symbol, side, intent_type, qty,
    order_type, reason_code, price, level, decided_us, explanation)
SELECT ('bbbbbbbb-0000-4000-8000-00000000000' || n)::uuid, 'k' || n, 'A', 'aaaaaaaa-0000-4000-8000-000000000001',
    '005930', side, intent, qty, 'MKT', 'TP1', 1, 1, n, '{}' FROM (VALUES
    (1, 'BUY', 'ENTRY', 10), (2, 'SELL', 'EXIT_PARTIAL', 6), (3, 'SELL', 'EXIT_FULL', 4))
    AS orders (n, side, intent, qty);
INSERT INTO trade.executions (fill_id, order_id, exec_key, ts, qty, price, fee, tax, source)
SELECT ('cccccccc-0000-4000-8000-00000000000' || n)::uuid, ('bbbbbbbb-0000-4000-8000-00000000000' || n)::uuid,
    'NOTICE', '2026-11-20 15:00:00+09', qty, price, fee, tax, 'NOTICE' FROM (VALUES
    (1, 10, 64990, 97, 0), (2, 6, 70000, 60, 840), (3, 4, 71000, 40, 560)) AS fills (n, qty, price, fee, tax);
INSERT INTO trade.exit_events (exit_event_id, position_id, account_id, symbol, exit_ts, exit_qty,
    original_qty, exit_avg_price, exit_reason_code, source, realized_pnl, realized_pnl_pct)
SELECT ('dddddddd-0000-4000-8000-00000000000' || n)::uuid, ('aaaaaaaa-0000-4000-8000-00000000000' || n)::uuid,
    account, symbol, '2026-11-20 15:00:00+09', 10, 10, price, reason, source, pnl, pct FROM (VALUES
    (1, 'A', '005930', 70400, 'TP1', 'AUTO_EXIT', 52500, 8.076923),
    (2, 'A', '000660', 200000, 'BROKER', 'BROKER', 0, 0),
    (3, 'B', '005930', 70400, 'TP1', 'AUTO_EXIT', 54000, 8.307692))
    AS events (n, account, symbol, price, reason, source, pnl, pct);
"#;

pub(crate) fn flow(day: &str, amount: i64, key: &str) -> Value {
    json!({"account_id": "A", "day": day, "amount": amount, "note": "transfer", "asked_by": "kim",
        "idempotency_key": key})
}

/// A world with the account A of the two weeks.
pub(crate) async fn two_weeks() -> World {
    let world = World::start().await;
    world.sql(fixture::ROWS).await;
    world.sql(MARKET).await;
    world.sql(CLOSED).await;
    for (ts, equity) in TOLD {
        world
            .sql(&format!(
                "INSERT INTO trade.account_equity (account_id, equity, asof_ts) VALUES ('A', {equity}, '{ts}')
                 ON CONFLICT (account_id) DO UPDATE SET equity = excluded.equity, asof_ts = excluded.asof_ts"
            ))
            .await;
    }
    for (day, amount) in PAID {
        let (status, body) = world.post(FLOWS, &flow(day, amount, day)).await;
        assert_eq!(status, 200, "{body}");
    }
    world
}

fn rows(list: &Value) -> &[Value] {
    list.as_array().unwrap()
}

/// Returns the values of `keys` in each row.
pub(crate) fn columns(list: &Value, keys: &[&str]) -> Value {
    let of_row = |row: &Value| keys.iter().map(|key| row[*key].clone()).collect::<Value>();
    rows(list).iter().map(of_row).collect()
}

fn near(found: &Value, expected: f64) {
    let number = found.as_f64().unwrap_or(f64::NAN);
    assert!((number - expected).abs() < 1e-11, "{found} {expected}");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_known_is_a_normal_answer() {
    let world = World::start().await;
    let none = json!({"account_id": null, "period": "3M", "from": null, "to": null, "days": 0,
        "equity": null, "flows": 0, "realized_pnl": 0, "returns": null, "benchmark": null,
        "trades": null});
    assert_eq!(world.data(FIGURES).await, none);
    for list in [DAILY, TRADES, FLOWS] {
        assert_eq!(world.data(list).await, json!([]), "{list}");
    }
    let none =
        json!({"account_id": null, "by_exit_reason": [], "by_strategy": [], "by_symbol": []});
    assert_eq!(world.data(ATTRIBUTION).await, none);
    // One day has no day before it: an equity, and nothing more.
    world
        .sql(
            "INSERT INTO trade.account_equity (account_id, equity, asof_ts) VALUES ('A', 5, now())",
        )
        .await;
    let first = world.data(FIGURES).await;
    let said = [
        &first["account_id"],
        &first["days"],
        &first["equity"],
        &first["returns"],
    ];
    assert_eq!(said, [&json!("A"), &json!(0), &json!(5), &Value::Null]);
    let other = world.data(&format!("{FIGURES}?account_id=B")).await;
    assert_eq!(
        (&other["account_id"], &other["equity"]),
        (&json!("B"), &Value::Null)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn deposits_and_days_without_a_session_are_no_returns() {
    let world = two_weeks().await;
    let days = world.data(&format!("{DAILY}?period=ALL")).await;
    let keys = ["day", "equity", "flows", "return", "realized_pnl"];
    let expected = json!([
        ["2026-11-16", 100_000_000, 0, null, 0],
        ["2026-11-17", 101_000_000, 0, 0.01, 0],
        ["2026-11-18", 112_010_000, 10_000_000, 0.01, 0],
        // Thursday is missing, so Friday has nothing to be measured against.
        ["2026-11-20", 112_000_000, 0, null, 52_500],
        ["2026-11-21", 117_000_000, 5_000_000, null, 0],
        // What came in on Saturday counts on Monday.
        ["2026-11-23", 114_760_000, 0, -0.02, 0],
        ["2026-11-24", 102_295_200, -14_760_000, 0.02, -64_282.025],
    ]);
    assert_eq!(columns(&days, &keys), expected);
    let course = [0.0, 0.01, 0.0201, 0.0201, 0.0201, -0.000_302, 0.019_691_96];
    let fallen = [0.0, 0.0, 0.0, 0.0, 0.0, -0.02, -0.000_4];
    for (day, (cumulative, drawdown)) in rows(&days).iter().zip(course.iter().zip(fallen)) {
        near(&day["cumulative_return"], *cumulative);
        near(&day["drawdown"], drawdown);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn figures_are_those_of_the_days_and_trades() {
    let world = two_weeks().await;
    let found = world
        .data(&format!("{FIGURES}?period=ALL&account_id=A"))
        .await;
    let said = [
        "period",
        "from",
        "to",
        "days",
        "equity",
        "flows",
        "realized_pnl",
    ];
    assert_eq!(
        columns(&json!([found]), &said),
        json!([[
            "ALL",
            "2026-11-17",
            "2026-11-24",
            4,
            102_295_200,
            240_000,
            -11_782.025
        ]])
    );
    let returns = &found["returns"];
    near(&returns["total_return"], 0.019_691_96);
    near(&returns["annual_return"], 1.019_691_96_f64.powi(63) - 1.0);
    // Mean 0.005; squares 2 · 0.000025 + 0.000625 + 0.000225 = 0.0009, of three.
    let volatility = (0.000_3_f64 * 252.0).sqrt();
    near(&returns["volatility"], volatility);
    let excess = 1.019_691_96_f64.powi(63) - 1.0 - 0.03;
    near(&returns["sharpe"], excess / volatility);
    near(&returns["sortino"], excess / (0.000_4_f64 * 252.0).sqrt());
    near(&returns["max_drawdown"], -0.02);
    let exact = [
        "win_rate",
        "profit_factor",
        "average_loss",
        "var_95",
        "cvar_95",
    ];
    assert_eq!(
        columns(&json!([returns]), &exact),
        json!([[0.75, 2, -0.02, 0.02, 0.02]])
    );
    near(&returns["average_win"], 0.04 / 3.0);

    let benchmark = &found["benchmark"];
    assert_eq!(
        (&benchmark["symbol"], &benchmark["days"]),
        (&json!("069500"), &json!(4))
    );
    near(&benchmark["total_return"], 0.009_596);
    near(&benchmark["alpha"], 0.010_095_96);
    near(&benchmark["beta"], 0.000_85 / 0.000_875);
    let beside = format!("{FIGURES}?period=ALL&benchmark=005930");
    assert_eq!(world.data(&beside).await["benchmark"], Value::Null);

    let trades = &found["trades"];
    assert_eq!(
        (
            &trades["trades"],
            &trades["average_win"],
            &trades["average_loss"]
        ),
        (&json!(3), &json!(52_500), &json!(-64_282.025))
    );
    near(&trades["win_rate"], 1.0 / 3.0);
    near(&trades["profit_factor"], 52_500.0 / 64_282.025);
}

#[tokio::test(flavor = "multi_thread")]
async fn trades_are_shown_with_what_they_cost() {
    let world = two_weeks().await;
    let trades = world.data(&format!("{TRADES}?period=ALL")).await;
    let keys = [
        "symbol",
        "strategy_id",
        "exit_reason_code",
        "qty",
        "entry_avg_price",
        "exit_avg_price",
        "fee",
        "tax",
        "realized_pnl",
        "realized_pnl_pct",
    ];
    let expected = json!([
        [
            "000660",
            "MANUAL",
            "SL1",
            10,
            200_000,
            193_950,
            290.925,
            3_491.1,
            -64_282.025,
            -3.214_101
        ],
        [
            "000660", "MOMENTUM", "BROKER", 10, 200_000, 200_000, 0, 0, 0, 0
        ],
        // The fee of the purchase is in the average price.
        [
            "005930", "MOMENTUM", "TP1", 10, 65_000, 70_400, 100, 1_400, 52_500, 8.076_923
        ],
    ]);
    assert_eq!(columns(&trades, &keys), expected);
    assert_eq!(
        columns(&trades, &["entry_ts", "exit_ts", "name"])[2],
        json!([
            "2026-11-18T15:00:00+09:00",
            "2026-11-20T15:00:00+09:00",
            "삼성전자"
        ])
    );
    let (_, first) = world.get(&format!("{TRADES}?period=ALL&limit=2")).await;
    assert_eq!(rows(&first["data"]), &rows(&trades)[..2]);
    let next = first["pagination"]["next_cursor"].as_str().unwrap();
    let second = world
        .data(&format!("{TRADES}?period=ALL&limit=2&cursor={next}"))
        .await;
    assert_eq!(rows(&second), &rows(&trades)[2..]);

    let attribution = world.data(&format!("{ATTRIBUTION}?period=ALL")).await;
    let keys = [
        "key",
        "trades",
        "wins",
        "realized_pnl",
        "fee",
        "tax",
        "average_holding_seconds",
    ];
    let two_days = 172_800;
    let fixture_days = 4 * 86_400 + 4 * 3_600;
    for (way, expected) in [
        (
            "by_exit_reason",
            json!([
                ["TP1", 1, 1, 52_500, 100, 1_400, two_days],
                ["BROKER", 1, 0, 0, 0, 0, 1],
                ["SL1", 1, 0, -64_282.025, 290.925, 3_491.1, fixture_days],
            ]),
        ),
        (
            "by_strategy",
            json!([
                ["MOMENTUM", 2, 1, 52_500, 100, 1_400, (two_days + 1) / 2 + 1],
                ["MANUAL", 1, 0, -64_282.025, 290.925, 3_491.1, fixture_days],
            ]),
        ),
        (
            "by_symbol",
            json!([
                ["005930", 1, 1, 52_500, 100, 1_400, two_days],
                [
                    "000660",
                    2,
                    0,
                    -64_282.025,
                    290.925,
                    3_491.1,
                    (fixture_days + 1) / 2 + 1
                ],
            ]),
        ),
    ] {
        assert_eq!(columns(&attribution[way], &keys), expected, "{way}");
    }
    assert_eq!(attribution["by_symbol"][1]["name"], "SK하이닉스");
    let other = world
        .data(&format!("{TRADES}?period=ALL&account_id=B"))
        .await;
    assert_eq!(columns(&other, &["realized_pnl"]), json!([[54_000]]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_period_ends_today() {
    let world = World::start().await;
    world
        .sql(
            "INSERT INTO trade.equity_days (account_id, day, equity, asof_ts)
             SELECT 'A', (now() AT TIME ZONE 'Asia/Seoul')::date - age, 1, now()
             FROM unnest(ARRAY[0, 20, 80, 170, 360, 400]) age;
             INSERT INTO trade.account_equity (account_id, equity, asof_ts) VALUES ('A', 1, now())",
        )
        .await;
    for (period, days) in [("1M", 2), ("3M", 3), ("6M", 4), ("1Y", 5), ("ALL", 6)] {
        let found = world.data(&format!("{DAILY}?period={period}")).await;
        assert_eq!(rows(&found).len(), days, "{period}");
    }
    let this_year = "SELECT count(*)::text FROM trade.equity_days
        WHERE day >= date_trunc('year', now() AT TIME ZONE 'Asia/Seoul')";
    let expected = world.value(this_year).await.unwrap();
    let found = world.data(&format!("{DAILY}?period=YTD")).await;
    assert_eq!(rows(&found).len().to_string(), expected);
    for (path, field) in [
        (format!("{FIGURES}?period=2M"), "period"),
        (format!("{FIGURES}?period="), "period"),
        (format!("{FIGURES}?benchmark=a-b"), "benchmark"),
        (format!("{DAILY}?benchmark=069500"), "benchmark"),
        (
            format!("{DAILY}?account_id={}", "x".repeat(65)),
            "account_id",
        ),
        (format!("{TRADES}?cursor=x"), "cursor"),
        (format!("{ATTRIBUTION}?limit=1"), "limit"),
        (format!("{FLOWS}?period=1M"), "period"),
    ] {
        let (status, body) = world.get(&path).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{path}");
        assert!(body["error"]["fields"][field].is_string(), "{path}: {body}");
    }
}
