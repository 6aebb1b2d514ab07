//! The watchlist: what is added, changed and removed, by whom and from which version.

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::fixture::ROWS;
use crate::world::{World, answer};

const LIST: &str = "/api/v1/watchlist";

fn one(category: &str, symbol: &str) -> String {
    format!("{LIST}/{category}/{symbol}")
}

async fn put(world: &World, path: &str, body: &Value) -> (StatusCode, Value) {
    answer(world.http.put(world.url(path)).json(body)).await
}

fn alert(symbol: &str, category: &str) -> Value {
    json!({ "symbol": symbol, "category": category, "memo": "earnings", "target_price": 90_000,
        "alert_price": 71_000.5, "alert_condition": "ABOVE", "reason": "strong", "updated_by": "kim" })
}

async fn watched(world: &World, query: &str) -> Vec<String> {
    let rows = world.data(&format!("{LIST}{query}")).await;
    let text = |row: &Value, key: &str| row[key].as_str().unwrap().to_owned();
    let rows = rows.as_array().unwrap().iter();
    rows.map(|row| format!("{}/{}", text(row, "category"), text(row, "symbol")))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_symbol_is_added_changed_and_removed_and_the_audit_has_who_and_why() {
    let world = World::start().await;
    world.sql(ROWS).await;
    let (status, body) = world.post(LIST, &alert("005930", "watch")).await;
    assert_eq!(status, 200, "{body}");
    let added = &body["data"];
    let of =
        |row: &Value, keys: &[&str]| -> Value { keys.iter().map(|key| row[key].clone()).collect() };
    assert_eq!(
        of(
            added,
            &[
                "symbol",
                "name",
                "category",
                "memo",
                "target_price",
                "version",
                "updated_by"
            ]
        ),
        json!(["005930", "삼성전자", "watch", "earnings", 90_000, 1, "kim"])
    );
    assert_eq!(
        of(
            added,
            &[
                "alert_enabled",
                "alert_price",
                "alert_condition",
                "last_price",
                "change_rate"
            ]
        ),
        json!([true, 71_000.5, "ABOVE", 70_100, 0])
    );
    assert_eq!(world.data(LIST).await[0], *added);
    let (status, body) = world.post(LIST, &alert("005930", "watch")).await;
    assert_eq!(
        (status.as_u16(), &body["error"]["details"]),
        (409, &json!({ "symbol": "005930", "category": "watch" }))
    );
    let (status, body) = world.post(LIST, &alert("999999", "watch")).await;
    assert_eq!(
        (status.as_u16(), &body["error"]["details"]["resource"]),
        (404, &json!("stock"))
    );

    let change = |version: i32| json!({ "memo": "later", "version": version, "updated_by": "lee" });
    let path = one("watch", "005930");
    let (status, body) = put(&world, &path, &change(1)).await;
    assert_eq!(status, 200, "{body}");
    assert_eq!(
        of(
            &body["data"],
            &[
                "memo",
                "target_price",
                "alert_enabled",
                "alert_price",
                "version"
            ]
        ),
        json!(["later", null, false, null, 2])
    );
    let (status, body) = put(&world, &path, &change(1)).await;
    assert_eq!(
        (status.as_u16(), &body["error"]["details"]),
        (409, &json!({ "version": 2 }))
    );
    assert_eq!(
        put(&world, &one("candidate", "005930"), &change(1)).await.0,
        404
    );

    let removal = json!({ "reason": "sold", "asked_by": "park" });
    let remove = format!("{path}/remove");
    let (status, body) = world.post(&remove, &removal).await;
    assert_eq!(
        (status.as_u16(), &body["data"]["memo"]),
        (200, &json!("later")),
        "{body}"
    );
    assert_eq!(world.post(&remove, &removal).await.0, 404);
    assert_eq!(watched(&world, "").await, [""; 0]);
    let audit =
        "SELECT string_agg(format('%s by %s: %s', op, on_behalf_of, reason), ', ' ORDER BY id)
        FROM system.audit_log WHERE table_name = 'strategy.watchlist'";
    assert_eq!(
        world.value(audit).await.unwrap(),
        "INSERT by kim: strong, UPDATE by lee: , UPDATE by park: sold, DELETE by park: sold"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_lists_go_on_by_category_and_symbol() {
    let world = World::start().await;
    world.sql(ROWS).await;
    for (symbol, category) in [
        ("005930", "watch"),
        ("000660", "watch"),
        ("005930", "candidate"),
        ("0001A0", "candidate"),
    ] {
        let (status, body) = world.post(LIST, &alert(symbol, category)).await;
        assert_eq!(status, 200, "{body}");
    }
    // By SQL, of a symbol that nobody knows.
    world
        .sql("INSERT INTO strategy.watchlist (symbol) VALUES ('999999')")
        .await;
    let all = [
        "candidate/0001A0",
        "candidate/005930",
        "watch/000660",
        "watch/005930",
        "watch/999999",
    ];
    assert_eq!(watched(&world, "").await, all);
    assert_eq!(watched(&world, "?category=candidate").await, all[..2]);
    assert_eq!(watched(&world, "?category=watch").await, all[2..]);
    let (mut paged, mut cursor) = (Vec::new(), String::new());
    loop {
        let query = format!("?limit=2{cursor}");
        paged.extend(watched(&world, &query).await);
        let (_, body) = world.get(&format!("{LIST}{query}")).await;
        match body["pagination"]["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(paged, all);
    let rows = world.data(LIST).await;
    assert_eq!(
        (&rows[4]["name"], &rows[4]["last_price"]),
        (&Value::Null, &Value::Null)
    );
    assert_eq!(
        rows[4]["updated_by"], "postgres",
        "the role of the database"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_is_named_and_nothing_is_half_applied() {
    let world = World::start().await;
    world.sql(ROWS).await;
    let with = |key: &str, value: Value| {
        let mut body = alert("005930", "watch");
        body[key] = value;
        body
    };
    for (body, field) in [
        (json!({}), "symbol"),
        (json!({}), "category"),
        (json!({}), "updated_by"),
        (with("symbol", json!("00-1")), "symbol"),
        (with("category", json!("mine")), "category"),
        (with("memo", json!("x".repeat(501))), "memo"),
        (with("target_price", json!(0)), "target_price"),
        (with("alert_price", json!(-1)), "alert_price"),
        (with("alert_price", json!(0.00001)), "alert_price"),
        (with("alert_price", json!("71000")), "alert_price"),
        (with("alert_price", Value::Null), "alert_price"),
        (with("alert_condition", Value::Null), "alert_condition"),
        (with("alert_condition", json!("above")), "alert_condition"),
        (with("alert_enabled", json!(1)), "alert_enabled"),
        (with("more", json!(1)), "more"),
    ] {
        let (status, answer) = world.post(LIST, &body).await;
        assert_eq!(status, 400, "{body}: {answer}");
        assert!(
            answer["error"]["fields"][field].is_string(),
            "{field}: {answer}"
        );
    }
    let wanted = json!({ "symbol": "005930", "category": "watch", "alert_enabled": true, "updated_by": "kim" });
    let (status, body) = world.post(LIST, &wanted).await;
    assert_eq!(status, 400, "{body}");
    assert!(body["error"]["fields"]["alert_price"].is_string(), "{body}");
    assert_eq!(watched(&world, "").await, [""; 0]);
    for (path, field) in [
        (one("mine", "005930"), "category"),
        (one("watch", "00-1"), "symbol"),
    ] {
        let (status, body) = put(&world, &path, &json!({})).await;
        assert_eq!(status, 400);
        assert!(body["error"]["fields"][field].is_string(), "{path}: {body}");
    }
    let off = with("alert_enabled", json!(false));
    let (_, body) = world.post(LIST, &off).await;
    assert_eq!(body["data"]["alert_enabled"], false, "{body}");
    assert_eq!(body["data"]["alert_price"], 71_000.5);
    let (status, body) = put(
        &world,
        &one("watch", "005930"),
        &json!({ "updated_by": "kim" }),
    )
    .await;
    assert_eq!(status, 400);
    assert!(body["error"]["fields"]["version"].is_string(), "{body}");
}
