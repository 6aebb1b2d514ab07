//! `turnstile run`: everything of one machine, with its own servers and market.

use nix::sys::signal::Signal;
use turnstile_tests::{Program, connect, eventually};

/// An issue that the simulated exchange does not list.
const UNLISTED: &str = "035720";

/// Starts the whole in `folder` and returns it with a connection to its database.
async fn start(folder: &tempfile::TempDir) -> (Program, tokio_postgres::Client) {
    let data = folder.path().join("data").display().to_string();
    let arguments = ["run", "--data-dir", &data, "--listen", "127.0.0.1:0"];
    let mut run = Program::start(&arguments, &[], &folder.path().join("run.log"));
    let addresses = run.says("Addresses:").await;
    run.says("Turnstile:").await;
    let addresses = std::fs::read_to_string(addresses).expect("addresses");
    let url = addresses
        .lines()
        .find_map(|line| line.strip_prefix("DATABASE_URL="))
        .expect("a database");
    (run, connect(url.trim_matches('\'')).await)
}

async fn streamed(client: &tokio_postgres::Client) -> i64 {
    let query = "SELECT count(*) FROM market.prices WHERE source = 'KIS_WS'";
    let row = client.query_one(query, &[]).await.expect("a count");
    row.get(0)
}

/// The market of the demonstration moves once every symbol is subscribed; one that the broker refuses
/// must not keep it still.
#[tokio::test(flavor = "multi_thread")]
async fn the_market_moves_also_where_a_watched_issue_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(folder.path(), mode).expect("mode");
    for is_first in [true, false] {
        let (run, client) = start(&folder).await;
        let before = streamed(&client).await;
        eventually("many prices come", async || {
            streamed(&client).await >= before + 100
        })
        .await;
        if is_first {
            let watch =
                "INSERT INTO strategy.watchlist (symbol, category) VALUES ($1, 'candidate')";
            client.execute(watch, &[&UNLISTED]).await.expect("a row");
        } else {
            assert!(run.log().contains("subscription refused"), "{}", run.log());
        }
        run.signal(Signal::SIGINT);
        assert!(run.ended().await, "it ends in order");
    }
}
