//! The performance of an account: what a sale of the running engine comes to, and figures of generated
//! histories beside a reference in Python.

#![expect(
    clippy::float_arithmetic,
    reason = "statistics are compared up to rounding"
)]

use std::collections::BTreeMap;
use std::fs;

use jiff::civil::{Date, date};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};
use turnstile_tests::reference::performance;
use turnstile_tests::{ACCOUNT, Api, Stock, System, clear_of_midnight};

const SYMBOL: &str = "005930";
const QUICK: &str =
    "[execution]\npoll_idle = \"1s\"\nholdings_open = \"1s\"\n[risk]\nreport_every = \"1s\"\n";

async fn api(system: &System) -> Api {
    let (program, url) = system.bff().await;
    Api::new(program, url)
}

async fn data(api: &Api, path: &str) -> Value {
    let (status, mut body) = api.get(path).await;
    assert_eq!(status, 200, "{path}: {body}");
    body["data"].take()
}

/// Returns whether two figures are equal up to 1e-9, of their size where they are above 1.
fn is_near(found: &Value, expected: &Value) -> bool {
    match (found.as_f64(), expected.as_f64()) {
        (Some(found), Some(expected)) => (found - expected).abs() <= 1e-9 * expected.abs().max(1.0),
        _ => found == expected,
    }
}

/// What was sold, from executions alone.
const SOLD: &str = "SELECT jsonb_build_object('symbol', o.symbol, 'qty', sum(x.qty),
        'entry_avg_price', trim_scale(p.avg_price),
        'exit_avg_price', trim_scale(round(sum(x.qty * x.price) / sum(x.qty), 4)),
        'fee', trim_scale(sum(x.fee)), 'tax', trim_scale(sum(x.tax)),
        'realized_pnl', trim_scale(sum(x.qty * (x.price - p.avg_price) - x.fee - x.tax)),
        'exit_reason_code', max(o.reason_code), 'strategy_id', p.strategy_id)
    FROM trade.executions x JOIN trade.orders o USING (order_id) JOIN trade.positions p USING (position_id)
    WHERE o.side = 'SELL' GROUP BY o.symbol, p.position_id";
/// The present day in Seoul, whether it has a session, and what the broker said last.
const TODAY: &str = "SELECT jsonb_build_object('day', day, 'is_open', is_open,
        'equity', (SELECT trim_scale(equity) FROM trade.account_equity))
    FROM market.calendar_days WHERE day = (now() AT TIME ZONE 'Asia/Seoul')::date";
/// Eleven days that the operator opens, which weekends are not, and what the account was worth at the end of
/// the last session before today.
const BEFORE: [&str; 2] = [
    "INSERT INTO market.calendar (day, source, is_open)
     SELECT (now() AT TIME ZONE 'Asia/Seoul')::date - age, 'OPERATOR', true FROM generate_series(0, 10) age",
    "INSERT INTO trade.equity_days (account_id, day, equity, asof_ts)
     SELECT '50123456-01', max(day), 110000000, now() - interval '1 day' FROM market.calendar_days
     WHERE is_open AND day < (now() AT TIME ZONE 'Asia/Seoul')::date",
];

#[tokio::test(flavor = "multi_thread")]
async fn a_sale_of_the_engine_is_a_trade_and_a_result_of_its_day() {
    clear_of_midnight().await;
    let held = Stock {
        symbol: SYMBOL,
        close: 100_000,
        held: 100,
    };
    let system = System::start(&[held], "").await;
    for statement in BEFORE {
        system.execute(statement, &[]).await;
    }
    system.exit_rules(json!({"sl2": {"pnl": -0.05}})).await;
    let stream = system.stream(QUICK).await;
    system.trade(SYMBOL, 94_900).await;
    let told =
        "SELECT count(*) FROM trade.exit_events x JOIN trade.account_equity e USING (account_id)
        WHERE e.asof_ts > x.created_ts";
    system.counts(told, 1).await;
    // The risk desk counts the same result as realised on the day.
    let counted = "SELECT count(*) FROM system.risk_reports r JOIN trade.exit_events x
        ON r.day_result = x.realized_pnl";
    system.counts(counted, 1).await;
    stream.stop().await;
    let sold: Value = system.one(SOLD, &[]).await;
    let today: Value = system.one(TODAY, &[]).await;
    let api = api(&system).await;

    let trades = data(&api, "/performance/trades").await;
    assert_eq!(trades.as_array().map(Vec::len), Some(1), "{trades}");
    for (key, value) in sold.as_object().expect("an object") {
        assert_eq!(&trades[0][key], value, "{key}: {trades} {sold}");
    }
    assert_eq!(
        (&sold["qty"], &sold["exit_reason_code"]),
        (&json!(100), &json!("SL2"))
    );

    let attribution = data(&api, "/performance/attribution").await;
    for (way, key) in [
        ("by_exit_reason", "exit_reason_code"),
        ("by_strategy", "strategy_id"),
        ("by_symbol", "symbol"),
    ] {
        let share = &attribution[way][0];
        let said = [
            &share["key"],
            &share["realized_pnl"],
            &share["fee"],
            &share["tax"],
        ];
        let expected = [
            &sold[key],
            &sold["realized_pnl"],
            &sold["fee"],
            &sold["tax"],
        ];
        assert_eq!(said, expected, "{attribution}");
        assert_eq!((&share["trades"], &share["wins"]), (&json!(1), &json!(0)));
    }

    // The day: what the broker said last of it, against the evening before.
    assert!(sold["realized_pnl"].as_f64() < Some(0.0), "{sold}");
    let day = shown_day(&api, &today).await;
    assert_eq!(
        (&day["equity"], &day["realized_pnl"]),
        (&today["equity"], &sold["realized_pnl"])
    );
    assert!(
        is_near(&day["return"], &day_return(&today, 0.0)),
        "{day} {today}"
    );
    let figures = data(&api, "/performance").await;
    assert_eq!(
        [
            &figures["account_id"],
            &figures["equity"],
            &figures["realized_pnl"],
            &figures["days"]
        ],
        [
            &json!(ACCOUNT),
            &today["equity"],
            &sold["realized_pnl"],
            &json!(i32::from(today["is_open"] == true))
        ],
        "{figures}"
    );
    assert_eq!(figures["trades"]["trades"], 1);

    // What is paid in is no return.
    let paid = json!({"day": today["day"], "amount": 1_000_000, "note": "transfer", "asked_by": "kim",
        "idempotency_key": "a"});
    let (status, body) = api.post("/performance/cash-flows", &paid).await;
    assert_eq!(status, 200, "{body}");
    let day = shown_day(&api, &today).await;
    assert_eq!(day["flows"], 1_000_000);
    assert!(
        is_near(&day["return"], &day_return(&today, 1e6)),
        "{day} {today}"
    );
    api.stop().await;
    system.stop().await;
}

/// Returns today as the API shows it.
async fn shown_day(api: &Api, today: &Value) -> Value {
    let days = data(api, "/performance/daily").await;
    let last = days.as_array().and_then(|days| days.last()).cloned();
    let last = last.unwrap_or_default();
    assert_eq!(last["day"], today["day"], "{days}");
    last
}

/// Returns what today has earned of 110 million, null on a day without a session.
fn day_return(today: &Value, paid: f64) -> Value {
    let equity = today["equity"].as_f64().expect("an equity");
    match today["is_open"] == true {
        true => json!((equity - paid - 110e6) / 110e6),
        false => Value::Null,
    }
}

/// A market with holidays, of which the benchmark lacks some bars.
struct Market {
    days: Vec<Date>,
    sessions: BTreeMap<Date, String>,
    bars: BTreeMap<Date, String>,
}

fn market(rng: &mut ChaCha8Rng) -> Market {
    let days: Vec<Date> = date(2024, 11, 1)
        .series(jiff::Span::new().days(1))
        .take(500)
        .collect();
    let weekdays = days
        .iter()
        .filter(|day| day.weekday().to_monday_one_offset() < 6);
    let sessions: BTreeMap<Date, String> = weekdays
        .filter(|_| rng.random_ratio(97, 100))
        .map(|day| (*day, "1".to_owned()))
        .collect();
    let mut close: i64 = 40_000;
    let mut bars = BTreeMap::new();
    for day in sessions.keys() {
        close += close * rng.random_range(-200..=210) / 10_000;
        if rng.random_ratio(96, 100) {
            bars.insert(*day, close.to_string());
        }
    }
    Market {
        days,
        sessions,
        bars,
    }
}

/// Equity and flows of an account over the last `length` days of a market, as they are stored.
#[derive(Default)]
struct Account {
    equity: BTreeMap<Date, String>,
    flows: BTreeMap<Date, String>,
}

fn account(market: &Market, length: usize, rng: &mut ChaCha8Rng) -> Account {
    let mut account = Account::default();
    let mut won: i64 = 100_000_000;
    for day in &market.days[market.days.len() - length..] {
        // Also on days without a session something may be paid in, or the broker be asked.
        if rng.random_ratio(8, 100) {
            let paid = rng.random_range(-won / 4..=won / 4);
            if paid != 0 {
                won += paid;
                account.flows.insert(*day, paid.to_string());
            }
        }
        if market.sessions.contains_key(day) {
            won += won * rng.random_range(-300..=320) / 10_000;
        }
        let is_asked = match market.sessions.contains_key(day) {
            true => rng.random_ratio(95, 100),
            false => rng.random_ratio(30, 100),
        };
        if is_asked {
            account
                .equity
                .insert(*day, format!("{won}.{:04}", rng.random_range(0..10_000)));
        }
    }
    account
}

/// Statements that store a table of days with a value each, for an account.
const SESSIONS: &str = "INSERT INTO market.calendar (day, source, is_open)
    SELECT day::date, 'KIS', true FROM jsonb_each_text($1) AS rows (day, value) ON CONFLICT DO NOTHING";
const BARS: &str = "INSERT INTO market.daily_bars
        (symbol, trade_date, open, high, low, close, volume, value, source)
    SELECT '069500', day::date, 1, 1, 1, value::numeric, 1, 1, 'IMPORT'
    FROM jsonb_each_text($1) AS rows (day, value) ON CONFLICT DO NOTHING";
const EQUITY: &str = "INSERT INTO trade.equity_days (account_id, day, equity, asof_ts)
    SELECT '{account}', day::date, value::numeric, day::timestamptz
    FROM jsonb_each_text($1) AS rows (day, value)";
const FLOWS: &str =
    "INSERT INTO trade.cash_flows (flow_id, account_id, day, amount, note, asked_by)
    SELECT gen_random_uuid(), '{account}', day::date, value::numeric, 'test', 'test'
    FROM jsonb_each_text($1) AS rows (day, value)";

#[tokio::test(flavor = "multi_thread")]
async fn figures_are_those_of_the_reference() {
    const SEED: u64 = 8;
    let mut rng = ChaCha8Rng::seed_from_u64(SEED);
    let benchmark = Stock {
        symbol: "069500",
        close: 40_000,
        held: 0,
    };
    let system = System::start(&[benchmark], "").await;
    let market = market(&mut rng);
    let api = api(&system).await;
    for length in [500, 400, 120, 40, 20, 8, 6, 5, 4] {
        let account = account(&market, length, &mut rng);
        let name = format!("days-{length}");
        let folder = system.folder().join(&name);
        fs::create_dir(&folder).expect("a folder");
        for (file, column, rows, store) in [
            ("sessions.csv", "open", &market.sessions, SESSIONS),
            ("bars.csv", "close", &market.bars, BARS),
            ("equity.csv", "equity", &account.equity, EQUITY),
            ("flows.csv", "amount", &account.flows, FLOWS),
        ] {
            let lines = rows.iter().map(|(day, value)| format!("{day},{value}\n"));
            let table = format!("day,{column}\n{}", lines.collect::<String>());
            fs::write(folder.join(file), table).expect("a file");
            let store = store.replace("{account}", &name);
            system.execute(&store, &[&json!(rows)]).await;
        }

        let expected = performance(&folder);
        let found = data(&api, &format!("/performance?period=ALL&account_id={name}")).await;
        let about = format!("seed {SEED}, {name}: {found} {expected}");
        for key in ["days", "from", "to"] {
            assert_eq!(found[key], expected[key], "{key}: {about}");
        }
        for part in ["returns", "benchmark"] {
            let Some(figures) = expected[part].as_object() else {
                assert_eq!(found[part], Value::Null, "{about}");
                continue;
            };
            for (key, figure) in figures {
                assert!(is_near(&found[part][key], figure), "{part} {key}: {about}");
            }
        }
        assert!(length < 100 || found["days"].as_u64() > Some(60), "{about}");
    }
    api.stop().await;
    system.stop().await;
}
