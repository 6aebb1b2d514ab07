//! What a run stores, and when it stores nothing.

use turnstile_connectors::strategy::{Days, RunState, StrategyError, run_of_day};

use crate::world::{LAST, STRATEGY, World, date};

/// Everything that the last run of a day stored, without ids and times.
const CONTENT: &str = "WITH last AS (SELECT * FROM strategy.run_results
        WHERE as_of = '{DAY}' AND state = 'DONE' ORDER BY created_ts DESC LIMIT 1)
    SELECT md5(concat(
        (SELECT string_agg((to_jsonb(u) - 'snapshot_id')::text, '' ORDER BY symbol)
            FROM strategy.universe_daily u WHERE snapshot_id = last.universe_snapshot_id),
        (SELECT string_agg((to_jsonb(f) - 'snapshot_id')::text, '' ORDER BY symbol)
            FROM strategy.factor_scores f WHERE snapshot_id = last.signal_snapshot_id),
        (SELECT string_agg((to_jsonb(s) - 'snapshot_id')::text, '' ORDER BY kind, rank)
            FROM strategy.signals s WHERE snapshot_id = last.signal_snapshot_id),
        (SELECT string_agg((to_jsonb(r) - 'snapshot_id')::text, '' ORDER BY rank)
            FROM strategy.rankings r WHERE snapshot_id = last.ranking_snapshot_id),
        (SELECT holdings::text FROM strategy.portfolios p WHERE p.portfolio_id = last.portfolio_id)))
    FROM last";

#[tokio::test(flavor = "multi_thread")]
async fn each_stage_is_stored_with_the_id_of_its_input() {
    let world = World::start().await;
    let run = world.day(LAST, false).await;
    assert_eq!(
        (run.state, run.is_known, &run.reason),
        (RunState::Done, false, &None)
    );
    let counts = |name: &str| run.counts[name];
    assert_eq!((counts("candidates"), counts("passed")), (62, 60));
    assert_eq!(counts("evaluated"), 60);
    assert_eq!((counts("buy"), counts("ranked")), (30, 30));
    assert_eq!((counts("selected"), counts("names")), (20, 15));
    for stage in [
        "LOAD",
        "FEED",
        "UNIVERSE",
        "FACTORS",
        "SIGNALS",
        "RANKINGS",
        "PORTFOLIO",
        "STORE",
    ] {
        assert!(
            run.durations.contains_key(stage),
            "{stage}: {:?}",
            run.durations
        );
    }
    let chain = "SELECT format('%s %s %s %s %s %s', r.state, r.stage, r.trigger, r.asked_by,
            r.portfolio_status, (SELECT count(*) FROM strategy.universe_daily u
                WHERE u.snapshot_id = r.universe_snapshot_id AND universe_date = r.as_of))
        FROM strategy.run_results r WHERE portfolio_id IS NOT NULL";
    assert_eq!(world.text(chain).await, "DONE STORE CLI kim DRAFT 62");
    let kept_out = "SELECT string_agg(symbol || ' ' || exclusion, ', ' ORDER BY symbol)
        FROM strategy.universe_daily WHERE exclusion IS NOT NULL";
    assert_eq!(world.text(kept_out).await, "200001 INSTRUMENT, 200002 NAME");
    let stats = "SELECT filter_stats->>'passed' || ' ' || (filter_stats->'excluded')::text
        FROM strategy.universe_snapshots";
    assert_eq!(
        world.text(stats).await,
        r#"60 {"NAME": 1, "INSTRUMENT": 1}"#
    );
    // The factors of a signal are those of its evaluation, and the weights those of the names.
    let differ = "SELECT count(*)::text FROM strategy.signals s JOIN strategy.factor_scores f
        USING (snapshot_id, symbol) WHERE (s.momentum, s.technical, s.value, s.quality, s.flow, s.event,
            s.total_score, s.strength, s.conviction) IS DISTINCT FROM
        (f.momentum, f.technical, f.value, f.quality, f.flow, f.event, f.total_score, f.strength, f.conviction)";
    assert_eq!(world.text(differ).await, "0");
    let weights = "SELECT (sum(weight) = max(total_weight))::text || ' ' || count(*) || ' ' || bool_and(r.selected)
        FROM strategy.portfolio_holdings h JOIN strategy.portfolios p USING (portfolio_id)
        JOIN strategy.rankings r ON r.snapshot_id = p.ranking_snapshot_id AND r.symbol = h.symbol
            AND r.rank = h.rank";
    assert_eq!(world.text(weights).await, "true 15 true");
    let last = run_of_day(&world.postgres, STRATEGY, None)
        .await
        .unwrap()
        .unwrap();
    assert_eq!((last.run_id, last.as_of), (run.run_id, date(LAST)));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_input_is_stored_once_unless_somebody_insists() {
    let world = World::start().await;
    let run = world.day(LAST, false).await;
    let known = world.day(LAST, false).await;
    assert!(known.is_known);
    assert_eq!((known.run_id, known.portfolio), (run.run_id, run.portfolio));
    let content = CONTENT.replace("{DAY}", LAST);
    let first = world.text(&content).await;

    let again = world.day(LAST, true).await;
    assert!(!again.is_known && again.run_id != run.run_id);
    assert_eq!(world.text(&content).await, first);
    assert_eq!(
        world
            .text("SELECT count(DISTINCT input_digest)::text FROM strategy.runs")
            .await,
        "1"
    );

    // What is known after the day changes nothing; what is of the day does.
    world
        .sql("UPDATE market.disclosures SET title = 'x' WHERE symbol = '100004'")
        .await;
    assert!(world.day(LAST, false).await.is_known);
    for change in [
        "UPDATE market.daily_bars SET close = close + 1 WHERE symbol = '100001' AND trade_date = '2026-07-30'",
        "UPDATE market.investor_flows SET foreign_net = 0 WHERE symbol = '100001' AND trade_date = '2026-07-31'",
        "UPDATE market.fundamentals SET per = 9 WHERE symbol = '100001'",
        "UPDATE market.disclosures SET title = 'y' WHERE symbol = '100002'",
        "UPDATE market.stocks SET is_caution = true WHERE symbol = '100001'",
        "INSERT INTO strategy.watchlist (symbol) VALUES ('100005')",
        "INSERT INTO market.stock_rankings (category, market, rank, symbol, collected_on, source)
             VALUES ('POPULAR', 'KOSPI', 1, '100006', '2026-07-31', 'IMPORT')",
        "INSERT INTO trade.positions (position_id, account_id, symbol, qty, original_qty, avg_price, entry_ts)
             VALUES (gen_random_uuid(), 'A', '200001', 1, 1, 1, now())",
    ] {
        world.sql(change).await;
        assert!(!world.day(LAST, false).await.is_known, "{change}");
    }
    let tiers = "SELECT string_agg(symbol || ' ' || coalesce(tier, exclusion), ', ' ORDER BY symbol)
        FROM strategy.universe_daily WHERE symbol IN ('100001', '100005', '200001') AND snapshot_id =
            (SELECT snapshot_id FROM strategy.universe_snapshots ORDER BY created_ts DESC LIMIT 1)";
    assert_eq!(
        world.text(tiers).await,
        "100001 CAUTION, 100005 WATCHLIST, 200001 HOLDING"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn days_of_one_dataflow_are_those_of_a_run_each() {
    let world = World::start().await;
    let days = ["2026-07-27", "2026-07-28", "2026-07-29", "2026-07-30", LAST];
    let alone = world.day(days[2], false).await;
    let content = |day: &str| CONTENT.replace("{DAY}", day);
    let span = Days::Span(date(days[0]), date("2026-08-02"));
    let runs = world.run(span, false).await.unwrap();
    let of: Vec<String> = runs.iter().map(|run| run.as_of.to_string()).collect();
    assert_eq!(of, days, "the sessions");
    let known: Vec<bool> = runs.iter().map(|run| run.is_known).collect();
    assert_eq!(
        known,
        [false, false, true, false, false],
        "the digest does not depend on the way"
    );
    assert_eq!(runs[2].run_id, alone.run_id);
    for day in days {
        let together = world.text(&content(day)).await;
        let alone = world.day(day, true).await;
        assert!(!alone.is_known);
        assert_eq!(world.text(&content(day)).await, together, "{day}");
    }
    let last = world.run(Days::Last, false).await.unwrap();
    assert!(last[0].is_known && last[0].as_of == date(LAST));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_universe_that_is_not_published_is_refused_and_the_last_one_stays() {
    let world = World::start().await;
    let before = world.day(LAST, false).await;
    let saturday = world.day("2026-08-01", false).await;
    assert_eq!(
        (saturday.state, saturday.portfolio),
        (RunState::Refused, None)
    );
    let reason = saturday.reason.unwrap();
    assert!(reason.contains("0 of 62"), "{reason}");
    let logged = "SELECT string_agg(level || ' ' || event || ' ' || message, '|') FROM system.logs";
    let expected = format!("WARNING STRATEGY_REFUSED strategy daily of 2026-08-01: {reason}");
    assert_eq!(world.text(logged).await, expected);
    assert!(
        world.day("2026-08-01", false).await.is_known,
        "it is refused once"
    );
    assert_eq!(world.text(logged).await, expected);
    let stands = "SELECT string_agg(portfolio_id::text, ',') FROM strategy.portfolios";
    assert_eq!(
        world.text(stands).await,
        before.portfolio.unwrap().to_string()
    );
    let universes = "SELECT string_agg(as_of::text, ',') FROM strategy.universe_snapshots";
    assert_eq!(world.text(universes).await, LAST);

    let none = world
        .run(Days::Span(date("2027-01-01"), date("2027-02-01")), false)
        .await;
    let message = none.unwrap_err().to_string();
    assert_eq!(
        message,
        "market.daily_bars holds no session from 2027-01-01 to 2027-02-01"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn too_few_names_are_no_portfolio_and_the_reason_is_stored() {
    let mut world = World::start().await;
    world.config.limits.names_min = 15;
    world.config.limits.names_max = 15;
    world.config.limits.selected_max = 14;
    let run = world.day(LAST, false).await;
    assert_eq!((run.state, run.portfolio), (RunState::Done, None));
    assert_eq!(run.counts["selected"], 14);
    assert!(run.reason.unwrap().contains("14 names"));
    let logged = "SELECT string_agg(event, '|') FROM system.logs";
    assert_eq!(world.text(logged).await, "STRATEGY_NO_PORTFOLIO");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_run_at_a_time_and_what_a_dead_one_left_is_noted() {
    let world = World::start().await;
    let other = world.postgres.connect_alone().await.unwrap();
    let lock = "SELECT pg_advisory_lock(hashtextextended('turnstile strategy runs', 0))";
    other.batch_execute(lock).await.unwrap();
    let refused = world.run(Days::Last, false).await;
    assert!(matches!(refused, Err(StrategyError::Busy)), "{refused:?}");
    assert_eq!(
        world.text("SELECT count(*)::text FROM strategy.runs").await,
        "0"
    );
    world
        .sql(
            "INSERT INTO strategy.runs (run_id, strategy_id, as_of, trigger, asked_by)
              VALUES (gen_random_uuid(), 'daily', '2026-07-31', 'SCHEDULE', 'scheduler')",
        )
        .await;
    drop(other);
    while matches!(world.run(Days::Last, false).await, Err(StrategyError::Busy)) {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    let states = "SELECT string_agg(state, ',' ORDER BY created_ts) FROM strategy.runs";
    assert_eq!(world.text(states).await, "FAILED,DONE");

    // Of many at once each ends, and one has stored.
    world
        .sql("UPDATE market.fundamentals SET per = 8 WHERE symbol = '100001'")
        .await;
    let many = (0..4).map(|_| world.run(Days::Last, false));
    let mut stored = 0;
    for ran in futures_util::future::join_all(many).await {
        match ran {
            Ok(days) => stored += usize::from(!days[0].is_known),
            Err(StrategyError::Busy) => {}
            Err(error) => panic!("{error}"),
        }
    }
    assert_eq!(stored, 1);
    assert_eq!(world.text(states).await, "FAILED,DONE,DONE");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_stored_stays() {
    let world = World::start().await;
    world.day(LAST, false).await;
    for table in [
        "universe_snapshots",
        "universe_daily",
        "signal_snapshots",
        "factor_scores",
        "signals",
        "ranking_snapshots",
        "rankings",
    ] {
        let update = format!("UPDATE strategy.{table} SET snapshot_id = snapshot_id");
        for statement in [update, format!("DELETE FROM strategy.{table}")] {
            let refusal = world.refusal(&statement).await;
            assert!(refusal.contains("insert-only"), "{statement}: {refusal}");
        }
    }
    let refusal = world
        .refusal("UPDATE strategy.portfolios SET holdings = '[]'")
        .await;
    assert!(refusal.contains("stays as it is"), "{refusal}");
    let archived = "UPDATE strategy.portfolios SET status = 'ARCHIVED', archived_ts = now()";
    let refusal = world.refusal(archived).await;
    assert!(refusal.contains("from DRAFT to ARCHIVED"), "{refusal}");
}
