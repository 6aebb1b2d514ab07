//! Picks: what is sent is stored once, and what became of it is shown.

use serde_json::{Value, json};

use crate::world::World;

const PICKS: &str = "/api/v1/picks";
const DECISIONS: &str = "/api/v1/pick_decisions";
const STOCKS: &str = "INSERT INTO market.stocks (symbol, name, market) VALUES
    ('005930', '삼성전자', 'KOSPI'), ('000660', 'SK하이닉스', 'KOSPI')";

fn pick(symbol: &str, score: Value, rank: i64) -> Value {
    json!({"symbol": symbol, "side": "LONG", "score": score, "confidence": "HIGH", "rank": rank})
}

fn run(run_id: &str, picks: &[Value]) -> Value {
    json!({"producer_id": 3002, "run_id": run_id, "asof": "2026-02-20T10:00:00.5+09:00", "picks": picks})
}

/// Returns the body with another value under `key`.
fn with(body: &Value, key: &str, value: Value) -> Value {
    let mut body = body.clone();
    body[key] = value;
    body
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_is_stored_once_and_shown() {
    let world = World::start().await;
    world.sql(STOCKS).await;
    let mut first = pick("005930", json!(0.123456), 2);
    first["reasons"] = json!(["공시", "volume"]);
    first["constraints"] = json!({"price_max": 71000, "valid_until": "2026-02-20T11:00:00Z"});
    let second = pick("000660", json!(1), 1);
    let body = run("r-1", &[first.clone(), second.clone()]);

    let (status, answer) = world.post(PICKS, &body).await;
    assert_eq!(status, 200, "{answer}");
    let stored = &answer["data"];
    assert_eq!(
        (&stored["producer"], &stored["sent_by"], &stored["asof"]),
        (
            &json!("event"),
            &json!("event"),
            &json!("2026-02-20T10:00:00.5+09:00")
        )
    );
    let shown = json!([
        {"symbol": "000660", "name": "SK하이닉스", "side": "LONG", "score": 1, "confidence": "HIGH",
         "rank": 1, "reasons": [], "constraints": {"price_max": null, "valid_until": null}},
        {"symbol": "005930", "name": "삼성전자", "side": "LONG", "score": 0.123456, "confidence": "HIGH",
         "rank": 2, "reasons": ["공시", "volume"],
         "constraints": {"price_max": 71000, "valid_until": "2026-02-20T20:00:00+09:00"}},
    ]);
    assert_eq!(stored["picks"], shown);

    // The same again, by somebody else, in another order and another spelling: the same run.
    let mut again = run("r-1", &[second, first.clone()]);
    again["sent_by"] = json!("kim");
    again["asof"] = json!("2026-02-20T01:00:00.500Z");
    again["picks"][0]["score"] = json!(1.0);
    let (status, known) = world.post(PICKS, &again).await;
    assert_eq!((status.as_u16(), &known["data"]), (200, stored));
    // Another body under its name is none.
    let other = run("r-1", &[first]);
    let (status, answer) = world.post(PICKS, &other).await;
    assert_eq!(status, 409, "{answer}");
    let details = &answer["error"]["details"];
    assert_eq!(
        (&details["id"], &details["body_digest"]),
        (&stored["id"], &stored["body_digest"])
    );
    // The run id is that of its producer.
    let news = with(&body, "producer_id", json!(3001));
    assert_eq!(world.post(PICKS, &news).await.0, 200);

    // A run may be empty.
    assert_eq!(world.post(PICKS, &run("r-2", &[])).await.0, 200);
    let (_, page) = world.get(&format!("{PICKS}?limit=2")).await;
    let names = |page: &Value| -> Vec<String> {
        let runs = page["data"].as_array().unwrap().iter();
        runs.map(|run| format!("{} {}", run["producer_id"], run["run_id"]))
            .collect()
    };
    assert_eq!(names(&page), ["3002 \"r-2\"", "3001 \"r-1\""]);
    assert_eq!(page["data"][0]["picks"], json!([]));
    assert_eq!(page["data"][1]["picks"], shown);
    let cursor = page["pagination"]["next_cursor"].as_str().unwrap();
    let (_, page) = world.get(&format!("{PICKS}?limit=2&cursor={cursor}")).await;
    assert_eq!(names(&page), ["3002 \"r-1\""]);
    assert!(page["pagination"]["next_cursor"].is_null(), "{page}");
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_stores_a_run_rings_for_it() {
    let world = World::start().await;
    world.sql(STOCKS).await;
    let mut listener = turnstile_connectors::postgres::Listener::new(&world.db, "turnstile_picks");
    listener.heard().await.unwrap(); // It is connected now.
    // The least score there is; it is written with an exponent.
    let body = run("a", &[pick("005930", json!(0.000001), 1)]);
    let (heard, (status, answer)) = tokio::join!(listener.heard(), world.post(PICKS, &body));
    heard.unwrap();
    assert_eq!(status, 200, "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_fault_of_a_body_is_named() {
    let world = World::start().await;
    world.sql(STOCKS).await;
    let good = run("a", &[pick("005930", json!(0.5), 1)]);
    let item = |key: &str, value: Value| {
        let item = with(&good["picks"][0], key, value);
        with(&good, "picks", json!([good["picks"][0], item]))
    };
    let second = |key: &str, value: Value| {
        let mut body = item(key, value);
        if key != "symbol" {
            body["picks"][1]["symbol"] = json!("000660");
        }
        body
    };
    let in_an_hour = jiff::Timestamp::now() + jiff::Span::new().hours(1);
    for (body, field) in [
        (with(&good, "producer_id", json!("event")), "producer_id"),
        (with(&good, "producer_id", json!(1)), "producer_id"),
        (with(&good, "run_id", json!("a:b")), "run_id"),
        (with(&good, "run_id", json!("")), "run_id"),
        (with(&good, "run_id", json!("x".repeat(65))), "run_id"),
        (with(&good, "asof", json!("yesterday")), "asof"),
        (with(&good, "asof", Value::Null), "asof"),
        (with(&good, "asof", json!(in_an_hour.to_string())), "asof"),
        (with(&good, "asof", json!("1969-12-31T23:59:59Z")), "asof"),
        (with(&good, "picks", Value::Null), "picks"),
        (with(&good, "picks", json!(vec![json!({}); 101])), "picks"),
        (with(&good, "picks", json!(["005930"])), "picks[0]"),
        (with(&good, "more", json!(1)), "more"),
        (second("symbol", json!("00-30")), "picks[1].symbol"),
        (second("symbol", Value::Null), "picks[1].symbol"),
        (second("symbol", json!("005930")), "picks[1].symbol"),
        (second("symbol", json!("999999")), "picks[1].symbol"),
        (second("side", json!("SHORT")), "picks[1].side"),
        (second("score", json!(1.000001)), "picks[1].score"),
        (second("score", json!(-0.1)), "picks[1].score"),
        (second("score", json!(0.1234567)), "picks[1].score"),
        (second("score", json!("0.5")), "picks[1].score"),
        (second("score", Value::Null), "picks[1].score"),
        (second("confidence", json!("high")), "picks[1].confidence"),
        (second("rank", json!(0)), "picks[1].rank"),
        (second("reasons", json!(vec!["a"; 11])), "picks[1].reasons"),
        (
            second("reasons", json!(["x".repeat(201)])),
            "picks[1].reasons",
        ),
        (second("more", json!(1)), "picks[1].more"),
        (second("constraints", json!(3)), "picks[1].constraints"),
        (
            second("constraints", json!({"price_max": 0})),
            "picks[1].constraints.price_max",
        ),
        (
            second("constraints", json!({"price_max": 100_000_000_001_i64})),
            "picks[1].constraints.price_max",
        ),
        (
            second("constraints", json!({"valid_until": " "})),
            "picks[1].constraints.valid_until",
        ),
        (
            second(
                "constraints",
                json!({"valid_until": "0000-01-01T00:00:00Z"}),
            ),
            "picks[1].constraints.valid_until",
        ),
        (
            second("constraints", json!({"valid_until": "soon"})),
            "picks[1].constraints.valid_until",
        ),
        (
            second("constraints", json!({"price_min": 1})),
            "picks[1].constraints.price_min",
        ),
    ] {
        let (status, answer) = world.post(PICKS, &body).await;
        assert_eq!(status, 400, "{body}: {answer}");
        let fields = answer["error"]["fields"].as_object().unwrap();
        assert_eq!(Vec::from_iter(fields.keys()), [field], "{body}: {answer}");
    }
    // A hundred picks with all their reasons are no body too large; nobody lists these.
    let mut full = good.clone();
    let reasons = vec!["가".repeat(200); 10];
    let picks = (0..100).map(|n| {
        let mut pick = good["picks"][0].clone();
        (pick["symbol"], pick["reasons"]) = (json!(format!("9{n:05}")), json!(reasons));
        pick
    });
    full["picks"] = picks.collect();
    let (status, answer) = world.post(PICKS, &full).await;
    assert_eq!(status, 400, "{answer}");
    let fields = answer["error"]["fields"].as_object().unwrap();
    assert_eq!(fields.len(), 100, "{answer}");
    world
        .sql("UPDATE trade.pick_producers SET is_enabled = false WHERE producer_id = 3002")
        .await;
    assert_eq!(world.post(PICKS, &good).await.0, 409);
    let stored = world.value("SELECT count(*)::text FROM trade.pick_runs");
    assert_eq!(
        stored.await.as_deref(),
        Some("0"),
        "nothing is stored in part"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_became_of_picks_is_shown() {
    let world = World::start().await;
    world.sql(STOCKS).await;
    let rows = "INSERT INTO trade.manual_entries
            (request_id, symbol, qty, asked_by, state, message, strategy_id, action_key, reason_code)
        VALUES ('aaaaaaaa-0000-4000-8000-000000000001', '005930', 29, 'picks', 'REFUSED', 'no room', 'picks',
            'ENTRY:20260220:005930:3002:a', 'PICK');
        INSERT INTO trade.pick_decisions (account_id, day, symbol, decision, gate, reason, mode, score,
            confidence, producers, action_key, qty, limit_price, equity, request_id)
        VALUES ('50123456-01', '2026-02-20', '005930', 'PLACED', NULL, NULL, 'WEIGHTED', 0.7, 'HIGH',
            '[{\"producer_id\": 3002, \"run_id\": \"a\", \"score\": 0.123456}]',
            'ENTRY:20260220:005930:3002:a', 29, 100500, 100000000, 'aaaaaaaa-0000-4000-8000-000000000001'),
            ('50123456-01', '2026-02-20', '000660', 'REFUSED', 'DUPLICATE', 'it is held', 'WEIGHTED', 0.6,
            'HIGH', '[]', 'ENTRY:20260220:000660:3002:a', NULL, NULL, 100000000, NULL);
        INSERT INTO trade.pick_holds (account_id, day, symbol, gate, reason, mode, score, confidence,
            producers, action_key)
        VALUES ('50123456-01', '2026-02-20', '005930', 'PRICE', 'there is no fresh price', 'WEIGHTED', 0.7,
            'HIGH', '[]', 'ENTRY:20260220:005930:3002:a')";
    world.sql(rows).await;
    let decisions = world.data(DECISIONS).await;
    let told = |row: &Value| {
        [
            "symbol",
            "decision",
            "gate",
            "qty",
            "limit_price",
            "request_state",
        ]
        .map(|key| row[key].clone())
    };
    let refused = [
        json!("000660"),
        json!("REFUSED"),
        json!("DUPLICATE"),
        Value::Null,
        Value::Null,
        Value::Null,
    ];
    assert_eq!(told(&decisions[0]), refused);
    let placed = [
        json!("005930"),
        json!("PLACED"),
        Value::Null,
        json!(29),
        json!(100_500),
        json!("REFUSED"),
    ];
    assert_eq!(told(&decisions[1]), placed);
    assert_eq!(decisions[1]["request_message"], "no room");
    assert_eq!(decisions[1]["producers"][0]["score"], json!(0.123456));
    assert_eq!(decisions[1]["day"], "2026-02-20");

    let held = world.data(&format!("{DECISIONS}?which=held")).await;
    assert_eq!(held.as_array().unwrap().len(), 1);
    assert_eq!(
        (&held[0]["decision"], &held[0]["gate"], &held[0]["qty"]),
        (&json!("HELD"), &json!("PRICE"), &Value::Null)
    );
    let (_, page) = world.get(&format!("{DECISIONS}?limit=1")).await;
    let cursor = page["pagination"]["next_cursor"].as_str().unwrap();
    let next = world
        .data(&format!("{DECISIONS}?limit=1&cursor={cursor}"))
        .await;
    assert_eq!(next[0]["symbol"], "005930");
    for (query, field) in [
        ("which=all", "which"),
        ("cursor=x", "cursor"),
        ("page=1", "page"),
    ] {
        let (status, body) = world.get(&format!("{DECISIONS}?{query}")).await;
        assert_eq!(status, 400, "{query}: {body}");
        assert!(
            body["error"]["fields"][field].is_string(),
            "{query}: {body}"
        );
    }
}
