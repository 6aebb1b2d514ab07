//! The web app's files.

use std::fs;

use reqwest::header::{CACHE_CONTROL, CONTENT_TYPE, IF_MODIFIED_SINCE, LAST_MODIFIED};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use turnstile_bff::BffConfig;

use crate::world::World;

#[tokio::test(flavor = "multi_thread")]
async fn files_are_served_with_type_and_caching() {
    let folder = tempfile::tempdir().unwrap();
    let put = |path: &str, text: &str| {
        let path = folder.path().join("out").join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    put("index.html", "home");
    put("404.html", "nothing here");
    put("help.html", "help");
    put("icon.svg", "<svg/>");
    put("_next/static/chunk.js", "1");
    fs::write(folder.path().join("secret"), "secret").unwrap();
    let config = BffConfig {
        web_dir: Some(folder.path().join("out")),
        ..BffConfig::default()
    };
    let world = World::start_with(config).await;
    let for_ever = "public, max-age=31536000, immutable";
    for (path, status, body, kind, caching) in [
        ("/", 200, "home", "text/html", "no-cache"),
        ("/help", 200, "help", "text/html", "no-cache"),
        ("/icon.svg", 200, "<svg/>", "image/svg+xml", "no-cache"),
        (
            "/_next/static/chunk.js",
            200,
            "1",
            "text/javascript",
            for_ever,
        ),
        (
            "/_next/static/gone.js",
            404,
            "nothing here",
            "text/html",
            "no-cache",
        ),
        ("/gone", 404, "nothing here", "text/html", "no-cache"),
    ] {
        let response = world.http.get(world.url(path)).send().await.unwrap();
        assert_eq!(response.status(), status, "{path}");
        assert_eq!(response.headers()[CONTENT_TYPE], kind, "{path}");
        assert_eq!(response.headers()[CACHE_CONTROL], caching, "{path}");
        assert_eq!(response.headers()["x-content-type-options"], "nosniff");
        assert_eq!(response.headers()["x-frame-options"], "DENY");
        assert_eq!(response.text().await.unwrap(), body, "{path}");
    }
    let first = world.http.get(world.url("/")).send().await.unwrap();
    let modified = first.headers()[LAST_MODIFIED].clone();
    let again = world
        .http
        .get(world.url("/"))
        .header(IF_MODIFIED_SINCE, modified);
    assert_eq!(again.send().await.unwrap().status(), 304);
    // A client library would tidy these paths up before sending them.
    for path in [
        "/../secret",
        "/%2e%2e/secret",
        "/..%2fsecret",
        "/_next/../../secret",
        "//secret",
    ] {
        let answer = raw(&world, path).await;
        assert!(!answer.contains("secret"), "{path}: {answer}");
        assert!(answer.starts_with("HTTP/1.1 4"), "{path}: {answer}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_web_app_a_page_says_so() {
    let config = BffConfig {
        web_dir: Some("/nonexistent".into()),
        ..BffConfig::default()
    };
    let world = World::start_with(config).await;
    let request = world
        .http
        .get(world.url("/"))
        .header("accept", "text/html,*/*");
    let response = request.send().await.unwrap();
    assert_eq!(response.status(), 404);
    assert!(
        response
            .text()
            .await
            .unwrap()
            .contains("The web app is not here")
    );
    let (status, body) = world.get("/").await;
    assert_eq!(
        (status.as_u16(), body["error"]["code"].as_str()),
        (404, Some("NOT_FOUND"))
    );
}

async fn raw(world: &World, path: &str) -> String {
    let mut stream = TcpStream::connect(world.bff.local_addr()).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}
