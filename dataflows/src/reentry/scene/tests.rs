use proptest::prelude::*;
use rstest::rstest;

use super::*;

const MINUTE_US: u64 = 60_000_000;

fn time() -> impl Strategy<Value = LogicalTime> {
    (0..30_u64, 0..3_u64)
        .prop_map(|(minutes, micros)| LogicalTime::from_micros(minutes * MINUTE_US + micros))
}

proptest! {
    #[test]
    fn what_counts_stays_as_long_as_the_outlook_says(
        asof in proptest::option::of(time()),
        until in proptest::option::of(time()),
        from_s in proptest::option::of(32_400..33_600_u64),
        now in time(),
        then in time(),
    ) {
        let window = |from_s| PauseWindow { from_s, until_s: from_s + 90 };
        let scene = Scene {
            windows: from_s.map(|from_s| ("w".into(), window(from_s))).into_iter().collect(),
            snapshot: asof.map(|asof| RegimeSnapshot { regime: Regime::RiskOn, asof }),
            overriding: until.map(|until| RegimeOverride { regime: Regime::Panic, until }),
            ..Scene::default()
        };
        let (outlook, end) = scene.outlook(now);
        prop_assert!(now < end);
        if (now..end).contains(&then) {
            prop_assert_eq!(scene.outlook(then).0, outlook);
        }
    }
}

const NOW: LogicalTime = LogicalTime::from_micros(1_795_482_000_000_000);
/// A millionth of it is a hundred.
const WORTH: i64 = 100_000_000;

fn limits(id: i64, profile: RiskProfile, daily_loss_max: u32) -> RiskLimits {
    RiskLimits {
        id,
        profile,
        daily_loss_max,
        ..RiskLimits::of_domain()
    }
}

/// A day that has lost so much, under limits of re-entries alone.
fn lost(units: i64, daily_loss_share: Option<u32>) -> Scene {
    Scene {
        limits: Some(ReentryLimits {
            daily_loss_share,
            ..ReentryLimits::default()
        }),
        equity: Some(Equity {
            asof: NOW,
            units: WORTH,
        }),
        results: [(NOW.seoul_day(), -units)].into(),
        ..Scene::default()
    }
}

fn under(scene: Scene, rows: &[RiskLimits], profile: Option<RiskProfile>) -> Scene {
    Scene {
        risk_limits: rows.iter().map(|row| (row.id, row.clone())).collect(),
        risk_profile: profile,
        ..scene
    }
}

/// A loss at the limit of re-entries is refused, as they have it; one at that of risk passes.
#[rstest]
#[case::risk_is_stricter(30_000, Some(50_000), 3_000_000)]
#[case::risk_alone(30_000, None, 3_000_000)]
#[case::both_alike(30_000, Some(30_000), 3_000_000 - 1)]
#[case::its_own_is_stricter(30_000, Some(20_000), 2_000_000 - 1)]
#[case::risk_bounds_nothing(1_000_000, Some(20_000), 2_000_000 - 1)]
fn of_two_limits_of_daily_loss_the_stricter_counts(
    #[case] of_risk: u32,
    #[case] own: Option<u32>,
    #[case] most: i64,
) {
    let profile = RiskProfile::Default;
    let rows = [limits(1, profile, of_risk)];
    let refuses = |units| {
        let scene = under(lost(units, own), &rows, Some(profile));
        scene.loss_refusal(NOW).is_some()
    };
    assert!(!refuses(most), "at most");
    assert!(refuses(most + 1), "one more");
    assert!(!refuses(-WORTH), "a gain");
}

#[test]
fn the_limit_of_risk_is_that_of_the_profile_and_the_time_in_force() {
    let (default, aggressive) = (RiskProfile::Default, RiskProfile::Aggressive);
    let next = NOW.plus_micros(1);
    let ends = RiskLimits {
        until: next,
        ..limits(1, default, 10_000)
    };
    let begins = RiskLimits {
        from: next,
        ..limits(2, default, 30_000)
    };
    let rows = [ends, begins, limits(3, aggressive, 50_000)];
    let refuses = |profile, now: LogicalTime| {
        let scene = under(lost(2_000_000, None), &rows, profile);
        scene.loss_refusal(now).is_some()
    };
    assert!(refuses(Some(default), NOW), "one percent, to the end");
    assert!(!refuses(Some(default), next), "three percent, from it on");
    assert!(!refuses(Some(aggressive), NOW));
    assert!(!refuses(None, NOW), "the risk gate refuses, not this one");
}

#[test]
fn a_loss_under_a_limit_of_risk_asks_for_the_equity_and_a_gain_does_not() {
    let rows = [limits(1, RiskProfile::Default, 30_000)];
    let said = |units| {
        let scene = Scene {
            equity: None,
            ..lost(units, None)
        };
        under(scene, &rows, Some(RiskProfile::Default)).loss_refusal(NOW)
    };
    assert_eq!((said(1), said(0), said(-1)), (Some(NO_EQUITY), None, None));
}
