//! The client against a scripted server: what is sent, what is repeated, what never is.

use std::time::Duration;

use rstest::rstest;
use tokio::net::TcpListener;

use super::server::{NOW_US, Reply, Server, both, sample_body, symbol};
use crate::naver::{
    CallOutcome, FaultReason, NaverAnswer, NaverError, NaverHealth, UnavailableCause,
};

fn sample(_before: usize) -> Reply {
    Reply::Text(200, sample_body().to_owned())
}

#[tokio::test]
async fn one_call_asks_for_all_symbols_as_a_browser_does() {
    let server = Server::start(sample).await;
    let answer = server.client(|_| ()).quotes(&both()).await.unwrap();
    assert_eq!((answer.quotes.len(), answer.faults.len()), (2, 0));
    assert_eq!(answer.received_us, NOW_US);
    assert_eq!(answer.quotes[1].received_us, NOW_US);
    let seen = server.seen();
    assert_eq!(seen.len(), 1);
    assert_eq!(seen[0].path, "/api/realtime/domestic/stock/005930,247540");
    let header = |name: &str| seen[0].headers[name].to_str().unwrap();
    assert!(header("user-agent").starts_with("Mozilla/5.0"));
    assert_eq!(header("referer"), "https://finance.naver.com/");
}

#[tokio::test]
async fn symbols_beyond_a_call_are_left_out_and_said() {
    let server = Server::start(sample).await;
    let client = server.client(|config| config.symbols_per_call = 1);
    let symbols = both();
    let answer = client.quotes(&symbols).await.unwrap();
    assert_eq!(server.seen()[0].path, "/api/realtime/domestic/stock/005930");
    let reasons: Vec<_> = answer.faults.iter().map(|it| &it.reason).collect();
    assert_eq!(reasons, [&FaultReason::NotAsked, &FaultReason::LeftOut]);
    assert_eq!(answer.quotes.len(), 1);
    let groups: Vec<_> = client.groups(&symbols).collect();
    assert_eq!(groups, [[symbol("005930")], [symbol("247540")]]);
}

#[tokio::test]
async fn nothing_asked_is_no_call() {
    let server = Server::start(sample).await;
    let answer = server.client(|_| ()).quotes(&[]).await.unwrap();
    let expected = NaverAnswer {
        received_us: NOW_US,
        ..NaverAnswer::default()
    };
    assert_eq!(answer, expected);
    assert_eq!(server.seen().len(), 0);
}

#[tokio::test]
async fn a_fault_of_the_source_is_repeated_twice_and_no_more() {
    let flaky = Server::start(|before| match before {
        0 => Reply::Text(503, String::new()),
        1 => Reply::Text(500, "<html>".to_owned()),
        _ => sample(before),
    })
    .await;
    let dead = Server::start(|_| Reply::Text(502, String::new())).await;
    let clients = [&flaky, &dead].map(|server| server.client(|_| ()));
    let symbols = both();
    let (recovered, failed) =
        tokio::join!(clients[0].quotes(&symbols), clients[1].quotes(&symbols));
    assert!(recovered.is_ok());
    assert_eq!(
        failed,
        Err(NaverError::Unavailable(UnavailableCause::Status(502)))
    );
    assert_eq!((flaky.seen().len(), dead.seen().len()), (3, 3));
}

#[rstest]
#[case(403)]
#[case(429)]
#[tokio::test]
async fn a_refusal_is_never_repeated(#[case] status: u16) {
    let server = Server::start(move |_| Reply::Text(status, "<html>".to_owned())).await;
    let result = server.client(|_| ()).quotes(&both()).await;
    assert_eq!(result, Err(NaverError::Blocked { status }));
    assert_eq!(server.seen().len(), 1);
    let mut health = NaverHealth::default();
    health.record(NOW_US, CallOutcome::of(&result));
    assert!(health.disabled(NOW_US).is_some());
}

#[rstest]
#[case(Reply::Hang)]
#[case(Reply::Stall)]
#[tokio::test]
async fn silence_times_out_and_is_not_repeated(#[case] reply: Reply) {
    let reply = std::sync::Mutex::new(Some(reply));
    let server = Server::start(move |_| reply.lock().unwrap().take().unwrap()).await;
    let after = Duration::from_millis(200);
    let client = server.client(|config| config.timeout = after);
    let result = client.quotes(&both()).await;
    assert_eq!(result, Err(NaverError::TimedOut { after }));
    assert_eq!(CallOutcome::of(&result), CallOutcome::TimedOut);
    assert_eq!(server.seen().len(), 1);
}

#[tokio::test]
async fn what_is_no_answer_says_where() {
    for (reply, place) in [
        (Reply::Text(200, "<html>".to_owned()), "body"),
        (Reply::Text(200, "[]".to_owned()), "body"),
        (Reply::Text(200, "{\"datas\": null}".to_owned()), "datas"),
        (Reply::Text(302, String::new()), "status"),
        (Reply::Text(404, String::new()), "status"),
        (Reply::Bytes((1 << 20) + 1), "body"),
    ] {
        let reply = std::sync::Mutex::new(Some(reply));
        let server = Server::start(move |_| reply.lock().unwrap().take().unwrap()).await;
        match server.client(|_| ()).quotes(&both()).await {
            Err(NaverError::Malformed { place: where_, .. }) => assert_eq!(where_, place),
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn a_closed_port_is_unavailable_and_not_repeated() {
    let server = Server::start(sample).await;
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", free.local_addr().unwrap());
    drop(free);
    let result = server
        .client(|config| config.url = url)
        .quotes(&both())
        .await;
    assert!(
        matches!(
            result,
            Err(NaverError::Unavailable(UnavailableCause::Transport(_)))
        ),
        "{result:?}"
    );
}

#[tokio::test]
async fn calls_keep_their_distance_also_from_clones() {
    let spacing = Duration::from_millis(60);
    let server = Server::start(sample).await;
    let client = server.client(|config| config.spacing = spacing);
    let (one, other, symbols) = (client.clone(), client, both());
    let (first, second) = tokio::join!(one.quotes(&symbols), other.quotes(&symbols));
    assert!(first.is_ok() && second.is_ok());
    assert!(other.quotes(&symbols).await.is_ok());
    let seen = server.seen();
    // Sent at least so far apart; the way to the server may take a little more or less.
    assert!(seen[2].at - seen[0].at >= spacing, "{seen:?}");
}
