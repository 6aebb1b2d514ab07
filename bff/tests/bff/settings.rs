//! The configuration in the database.

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::servers::eventually;
use crate::world::{World, answer};

const LIST: &str = "/api/v1/config";
const KEY: &str = "alarms.db_query_time";
const ONE: &str = "/api/v1/config/alarms.db_query_time";

async fn put(world: &World, path: &str, body: &Value) -> (StatusCode, Value) {
    answer(world.http.put(world.url(path)).json(body)).await
}

fn change(warning: f64, version: i32) -> Value {
    json!({ "value": { "warning": warning, "critical": 0.5 }, "version": version, "reason": "slow disk",
        "updated_by": "kim" })
}

#[tokio::test(flavor = "multi_thread")]
async fn every_known_key_is_shown_and_set_from_the_version_that_was_read() {
    let world = World::start().await;
    let all = world.data(LIST).await;
    let all = all.as_array().unwrap();
    assert!(all.len() > 30, "{}", all.len());
    let keys: Vec<_> = all.iter().map(|row| row["key"].as_str().unwrap()).collect();
    assert!(keys.is_sorted(), "{keys:?}");
    let find = |all: &[Value]| all.iter().find(|row| row["key"] == KEY).cloned().unwrap();
    let first = find(all);
    let default = json!({ "warning": 0.1, "critical": 0.5 });
    assert_eq!((&first["value"], &first["default"]), (&default, &default));
    assert_eq!(
        (&first["version"], &first["updated_by"]),
        (&json!(0), &Value::Null)
    );
    assert_eq!(first["unit"], "SECONDS");
    assert_eq!(world.data(ONE).await, first);

    let (status, body) = put(&world, ONE, &change(0.2, 1)).await;
    assert_eq!(
        (status.as_u16(), &body["error"]["details"]),
        (409, &json!({ "version": 0 }))
    );
    let (status, body) = put(&world, ONE, &change(0.2, 0)).await;
    assert_eq!(status, 200, "{body}");
    let now = &body["data"];
    assert_eq!(now["value"], json!({ "warning": 0.2, "critical": 0.5 }));
    assert_eq!(now["default"], default);
    assert_eq!(
        [&now["version"], &now["reason"], &now["updated_by"]],
        [&json!(1), &json!("slow disk"), &json!("kim")]
    );
    assert_eq!(world.data(ONE).await, *now, "not the cached one");
    assert_eq!(find(world.data(LIST).await.as_array().unwrap()), *now);
    for version in [0, 2] {
        let (status, body) = put(&world, ONE, &change(0.3, version)).await;
        assert_eq!(
            (status.as_u16(), &body["error"]["details"]),
            (409, &json!({ "version": 1 }))
        );
    }
    let (status, body) = put(&world, ONE, &change(0.3, 1)).await;
    assert_eq!(
        (status.as_u16(), &body["data"]["version"]),
        (200, &json!(2)),
        "{body}"
    );
    let audit =
        "SELECT string_agg(format('%s by %s: %s', op, on_behalf_of, reason), ', ' ORDER BY id)
        FROM system.audit_log WHERE table_name = 'system.config'";
    assert_eq!(
        world.value(audit).await.unwrap(),
        "INSERT by kim: slow disk, UPDATE by kim: slow disk"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn one_key_comes_from_the_cache_for_ten_minutes_and_never_old() {
    let world = World::start().await;
    world.data(ONE).await;
    let key = format!("config:{KEY}");
    let cached = eventually("it is cached", async || {
        world.data(ONE).await;
        let ttl = world.redis.ask(&["TTL", &key]).parse::<i64>().ok()?;
        (ttl > 0).then_some(ttl)
    })
    .await;
    assert!((590..=600).contains(&cached), "{cached}");
    world
        .redis
        .ask(&["SET", &key, "{\"version\": 7}", "EX", "600"]);
    assert_eq!(world.data(ONE).await["version"], 7, "from the cache");
    let (status, _) = put(&world, ONE, &change(0.2, 0)).await;
    assert_eq!(status, 200);
    assert_eq!(
        world.data(ONE).await["value"]["warning"],
        0.2,
        "deleted on commit"
    );
    // A change behind the server is seen by the change feed.
    let update = |value: &str| {
        format!(
            "UPDATE system.config SET value = '{value}', version = version + 1 WHERE key = '{KEY}'"
        )
    };
    world
        .sql(&update(r#"{"warning": 0.3, "critical": 0.5}"#))
        .await;
    eventually("the new value", async || {
        (world.data(ONE).await["value"]["warning"] == 0.3).then_some(())
    })
    .await;
    // One that cannot be taken leaves the default in force, and says so.
    world
        .sql(&update(r#"{"warning": 0.9, "critical": 0.5}"#))
        .await;
    let faulty = eventually("the fault", async || {
        let row = world.data(ONE).await;
        row["fault"].is_string().then_some(row)
    })
    .await;
    assert_eq!(faulty["value"], json!({ "warning": 0.1, "critical": 0.5 }));
    assert!(
        faulty["fault"].as_str().unwrap().starts_with("critical "),
        "{faulty}"
    );
    assert_eq!(faulty["version"], 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn unknown_keys_and_faulty_values_are_named() {
    let world = World::start().await;
    for key in ["alarms.nothing", "db_query_time", "exit_control", "alarms."] {
        let path = format!("{LIST}/{key}");
        for (status, body) in [
            world.get(&path).await,
            put(&world, &path, &change(0.2, 0)).await,
        ] {
            let details = json!({ "resource": "configuration key", "id": key });
            assert_eq!(
                (status.as_u16(), &body["error"]["details"]),
                (404, &details)
            );
        }
    }
    let with = |key: &str, value: Value| {
        let mut body = change(0.2, 0);
        body[key] = value;
        body
    };
    for (body, field) in [
        (json!({}), "value"),
        (json!({}), "version"),
        (json!({}), "reason"),
        (json!({}), "updated_by"),
        (with("value", json!(1)), "value"),
        (with("value", json!({ "warning": 0.1 })), "value.critical"),
        (
            with("value", json!({ "warning": "x", "critical": 1 })),
            "value.warning",
        ),
        (
            with("value", json!({ "warning": 0.6, "critical": 0.5 })),
            "value.critical",
        ),
        (
            with("value", json!({ "warning": 0.1, "critical": 1, "info": 1 })),
            "value.info",
        ),
        (with("version", json!(-1)), "version"),
        (with("more", json!(1)), "more"),
    ] {
        let (status, answer) = put(&world, ONE, &body).await;
        assert_eq!(status, 400, "{body}: {answer}");
        assert!(
            answer["error"]["fields"][field].is_string(),
            "{field}: {answer}"
        );
    }
    assert_eq!(world.data(ONE).await["version"], 0, "nothing was set");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_client_has_is_not_sent_again_until_it_changes() {
    let world = World::start().await;
    let get = async |path: &str, known: Option<&str>| {
        let mut request = world.http.get(world.url(path));
        if let Some(known) = known {
            request = request.header("if-none-match", known);
        }
        let response = request.send().await.unwrap();
        let name = response.headers()["etag"].to_str().unwrap().to_owned();
        let status = response.status().as_u16();
        (status, name, response.text().await.unwrap())
    };
    for path in [ONE, "/api/openapi.json", "/api/v1/risk/emergency-stop"] {
        let (status, name, body) = get(path, None).await;
        assert_eq!((status, body.is_empty()), (200, false), "{path}");
        let again = get(path, Some(&name)).await;
        assert_eq!(again, (304, name, String::new()), "{path}");
    }
    let (_, before, _) = get(ONE, None).await;
    let (status, body) = put(&world, ONE, &change(0.2, 0)).await;
    assert_eq!(status, 200, "{body}");
    let (status, after, body) = get(ONE, Some(&before)).await;
    assert_eq!((status, after == before), (200, false));
    assert!(body.contains("slow disk"), "{body}");
}
