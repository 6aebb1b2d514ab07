//! The limiter, on a paused clock.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::future::join_all;
use proptest::prelude::*;
use tokio::time::Instant;

use crate::kis::limiter::{Lane, LaneFull, Limiter, Rate};

const LANES: [Lane; 5] = [
    Lane::Order,
    Lane::Query,
    Lane::Tier0,
    Lane::Tier1,
    Lane::Tier2,
];

fn rate(per_second: u32, burst: u32) -> Rate {
    Rate {
        interval: Duration::from_secs(1) / per_second,
        burst,
        queue_max: 1_000,
    }
}

/// Starts one call per lane of `lanes` in that order; returns the order and times of service.
async fn serve(limiter: Limiter, lanes: &[Lane]) -> Vec<(usize, Lane, Duration)> {
    let served = Arc::new(Mutex::new(Vec::new()));
    let start = Instant::now();
    // `join_all` polls in order at first, so the arrival order is that of the list.
    join_all(lanes.iter().enumerate().map(|(number, lane)| {
        let (served, limiter) = (Arc::clone(&served), &limiter);
        async move {
            limiter.acquire(*lane).await.unwrap();
            served
                .lock()
                .unwrap()
                .push((number, *lane, start.elapsed()));
        }
    }))
    .await;
    Arc::into_inner(served).unwrap().into_inner().unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_burst_goes_at_once_and_the_rest_at_the_rate() {
    let served = serve(Limiter::new(rate(10, 3)), &[Lane::Query; 6]).await;
    let millis: Vec<u128> = served.iter().map(|(_, _, at)| at.as_millis()).collect();
    for (at, expected) in millis.iter().zip([0, 0, 0, 100, 200, 300]) {
        assert!(at.abs_diff(expected) <= 2, "{millis:?}"); // The timer counts milliseconds.
    }
}

#[tokio::test(start_paused = true)]
async fn an_order_passes_everything_that_waits() {
    let mut lanes = vec![Lane::Tier2; 20];
    lanes.push(Lane::Tier0);
    lanes.push(Lane::Order);
    let served = serve(Limiter::new(rate(10, 1)), &lanes).await;
    // The first call found nobody in line.
    let order: Vec<Lane> = served.iter().map(|(_, lane, _)| *lane).take(4).collect();
    assert_eq!(order, [Lane::Tier2, Lane::Order, Lane::Tier0, Lane::Tier2]);
}

#[tokio::test(start_paused = true)]
async fn a_full_lane_turns_away_and_others_do_not_notice() {
    let limiter = Limiter::new(Rate {
        queue_max: 2,
        ..rate(1, 1)
    });
    limiter.acquire(Lane::Tier2).await.unwrap();
    let waiting = join_all((0..2).map(|_| limiter.acquire(Lane::Tier2)));
    let mut waiting = std::pin::pin!(waiting);
    assert!(futures_util::poll!(&mut waiting).is_pending());
    let full = LaneFull {
        lane: Lane::Tier2,
        waiting: 2,
    };
    assert_eq!(limiter.acquire(Lane::Tier2).await, Err(full));
    assert_eq!(limiter.waiting(Lane::Tier2), 2);
    limiter.acquire(Lane::Order).await.unwrap();
    assert!(waiting.await.iter().all(Result::is_ok));
    assert_eq!(limiter.waiting(Lane::Tier2), 0);
}

#[tokio::test(start_paused = true)]
async fn who_gives_up_leaves_the_line_and_the_next_moves_up() {
    let limiter = Limiter::new(rate(1, 1));
    limiter.acquire(Lane::Order).await.unwrap();
    {
        let mut first = std::pin::pin!(limiter.acquire(Lane::Order));
        assert!(futures_util::poll!(&mut first).is_pending());
        let mut second = std::pin::pin!(limiter.acquire(Lane::Order));
        assert!(futures_util::poll!(&mut second).is_pending());
        assert_eq!(limiter.waiting(Lane::Order), 2);
    }
    assert_eq!(limiter.waiting(Lane::Order), 0);
    let since = Instant::now();
    limiter.acquire(Lane::Tier2).await.unwrap();
    assert!(
        since.elapsed() <= Duration::from_millis(1_002),
        "{:?}",
        since.elapsed()
    );
}

#[tokio::test(start_paused = true)]
async fn a_lifted_limit_never_waits() {
    let limiter = Limiter::new(Rate {
        interval: Duration::ZERO,
        ..rate(1, 1)
    });
    let since = Instant::now();
    for _ in 0..10_000 {
        limiter.acquire(Lane::Tier2).await.unwrap();
    }
    assert_eq!(since.elapsed(), Duration::ZERO);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn service_is_by_lane_then_arrival_and_never_above_the_rate(
        lanes in prop::collection::vec(prop::sample::select(&LANES[..]), 1..60),
        per_second in 1_u32..50,
        burst in 1_u32..6,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap();
        let served = runtime.block_on(async {
            serve(Limiter::new(rate(per_second, burst)), &lanes).await
        });
        prop_assert_eq!(served.len(), lanes.len());
        // The first `burst` find an empty line and go in order of arrival; the rest by lane.
        let at_once = lanes.len().min(usize::try_from(burst).unwrap());
        let mut expected: Vec<(Lane, usize)> =
            lanes.iter().enumerate().skip(at_once).map(|(number, lane)| (*lane, number)).collect();
        expected.sort();
        let rest: Vec<(Lane, usize)> =
            served.iter().skip(at_once).map(|(number, lane, _)| (*lane, *number)).collect();
        prop_assert_eq!(rest, expected);
        let allowed = usize::try_from(per_second + burst).unwrap();
        for (index, (_, _, from)) in served.iter().enumerate() {
            let until = *from + Duration::from_millis(999);
            let within = served[index..].iter().filter(|(_, _, at)| *at <= until).count();
            prop_assert!(within <= allowed, "{within} calls within a second");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_backlog_of_a_lane_is_what_goes_before_it() {
    let limiter = Limiter::new(rate(10, 1));
    assert_eq!(limiter.backlog(Lane::Tier2), Duration::ZERO);
    limiter.acquire(Lane::Query).await.unwrap();
    assert_eq!(limiter.backlog(Lane::Tier2).as_millis(), 100);
    let mut waiting = std::pin::pin!(limiter.acquire(Lane::Tier1));
    assert!(futures_util::poll!(&mut waiting).is_pending());
    assert_eq!(limiter.backlog(Lane::Tier2).as_millis(), 200);
    assert_eq!(limiter.backlog(Lane::Tier0).as_millis(), 100);
    waiting.await.unwrap();
    let turns = LANES.map(|lane| limiter.turns(lane));
    assert_eq!(turns, [0, 1, 0, 1, 0]);
}
