//! A primary that is lost and a standby that takes over.

use turnstile_tests::{Replicas, connect};

#[tokio::test]
async fn what_was_committed_is_on_the_promoted_standby_and_on_the_next_one() {
    let mut replicas = Replicas::start().await;
    let client = connect(replicas.url()).await;
    let committed = "CREATE TABLE t (n integer); INSERT INTO t SELECT generate_series(1, 1000)";
    client.batch_execute(committed).await.expect("committed");
    for round in 0..2 {
        replicas.kill_primary();
        replicas.promote().await;
        let client = connect(replicas.url()).await;
        let count = client.query_one("SELECT count(*) FROM t", &[]).await;
        let count: i64 = count.expect("it answers").get(0);
        assert_eq!(count, 1000 + round);
        replicas.rejoin().await;
        let more = client.execute("INSERT INTO t VALUES (0)", &[]).await;
        more.expect("committed");
    }
}
