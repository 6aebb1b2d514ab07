//! The universe of a morning.

use std::sync::Arc;
use std::time::Duration;

use turnstile_connectors::jobs::Job;
use turnstile_connectors::strategy::{
    Asked, Days, MorningUniverse, Scope, Trigger, run, run_of_day,
};

use crate::rig::Rig;
use crate::world::{LAST, STRATEGY, config, date, make_market};

fn morning(rig: &Rig) -> Vec<Arc<dyn Job>> {
    vec![Arc::new(MorningUniverse {
        postgres: rig.postgres.clone(),
        calendar: rig.calendar.clone(),
        config: config(),
        turn: Arc::default(),
    })]
}

#[tokio::test(flavor = "multi_thread")]
async fn the_universe_of_a_morning_is_stored_alone_and_once() {
    // The Monday after the last session.
    let mut rig = Rig::start(date("2026-08-03").at(7, 59, 59, 0)).await;
    make_market(&rig.postgres).await;
    rig.run(morning(&rig)).await;
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    assert_eq!(rig.runs("universe").await, "", "a second early");
    // A start later in the day makes up for it.
    rig.kill().await;
    rig.at(date("2026-08-03").at(11, 0, 0, 0));
    rig.run(morning(&rig)).await;
    rig.until_runs("universe", "2026-08-03 DONE").await;
    rig.run(morning(&rig)).await;
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    assert_eq!(rig.runs("universe").await, "2026-08-03 DONE");
    let stored = "SELECT concat_ws(' ',
        (SELECT string_agg(as_of::text, ',') FROM strategy.universe_snapshots),
        (SELECT count(*) FROM strategy.universe_daily),
        (SELECT count(*) FROM strategy.signal_snapshots),
        (SELECT string_agg(state || ' ' || trigger, ',') FROM strategy.runs))";
    assert_eq!(rig.text(stored).await, "2026-07-31 62 0 DONE SCHEDULE");

    // It does not count as a run of all stages; that one counts as the universe of a morning.
    let none = run_of_day(&rig.postgres, STRATEGY, None).await.unwrap();
    assert_eq!(none, None);
    let asked = Asked {
        strategy_id: STRATEGY.to_owned(),
        trigger: Trigger::Cli,
        asked_by: "kim".to_owned(),
        days: Days::One(date(LAST)),
        scope: Scope::All,
        again: false,
    };
    let done = run(&rig.postgres, &config().limits, &asked, &|_told| {}).await;
    assert!(!done.unwrap()[0].is_known);
    let both = "2026-07-31,2026-07-31 124 1 DONE SCHEDULE,DONE CLI";
    assert_eq!(rig.text(stored).await, both);
    rig.sql("DELETE FROM system.job_runs").await;
    rig.run(morning(&rig)).await;
    rig.until_runs("universe", "2026-08-03 DONE").await;
    assert_eq!(rig.text(stored).await, both);
    rig.stop().await;
}
