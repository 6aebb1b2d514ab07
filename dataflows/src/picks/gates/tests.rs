use rstest::rstest;

use super::*;

const WON: i128 = 10_000;
/// 100 million won.
const EQUITY: i128 = 100_000_000 * WON;
const LIMITS: Limits = Limits {
    size: 30_000,
    exposure_max: 800_000,
    symbol_max: 30_000,
    daily_loss_max: 50_000,
    entries_max: 3,
    spacing_us: 1_800_000_000,
};

fn price(won: i64) -> Price {
    Price::from_won(won).unwrap()
}

fn offer(price_won: i64, limit_won: i64) -> Option<Offer> {
    Some(Offer {
        price: price(price_won),
        limit: price(limit_won),
    })
}

/// An account that lets a share of 100,000 won be bought thirty times.
fn facts() -> Facts {
    Facts {
        closed: None,
        halted: None,
        equity: Some(EQUITY),
        exposure: Some(0),
        in_symbol: 0,
        offer: offer(100_000, 100_000),
        price_max: None,
        day_result: 0,
        risk_daily_loss_max: Some(1_000_000),
        entries: 0,
        since_entry_us: None,
        duplicate: None,
    }
}

fn gate(facts: &Facts) -> Option<Gate> {
    judge(&LIMITS, facts).err().map(|refusal| refusal.gate)
}

#[rstest]
#[case::whole_shares(100_000, 100_000, 30)]
#[case::cut_off(99_500, 100_001, 29)]
#[case::one_share_of_all_that_it_may_cost(3_000_000, 3_000_000, 1)]
fn a_pick_is_as_many_shares_as_its_size_pays_at_the_limit(
    #[case] price: i64,
    #[case] limit: i64,
    #[case] shares: i64,
) {
    let facts = Facts {
        offer: offer(price, limit),
        ..facts()
    };
    assert_eq!(judge(&LIMITS, &facts).unwrap().shares(), shares);
}

/// What is different from [`facts`].
type Change = fn(&mut Facts);

/// For each gate an account that just passes, and one that is refused a won or a step further.
const EDGES: [(Gate, Change, Change); 15] = [
    (
        Gate::Session,
        |_| {},
        |facts| facts.closed = Some("closed".into()),
    ),
    (
        Gate::Control,
        |_| {},
        |facts| facts.halted = Some("stop".into()),
    ),
    (
        Gate::Control,
        |_| {},
        |facts| facts.risk_daily_loss_max = None,
    ),
    (Gate::Equity, |_| {}, |facts| facts.equity = None),
    (
        Gate::Equity,
        |facts| facts.equity = Some(1),
        |facts| facts.equity = Some(0),
    ),
    (Gate::Equity, |_| {}, |facts| facts.exposure = None),
    (Gate::Price, |_| {}, |facts| facts.offer = None),
    (
        Gate::Constraint,
        |facts| facts.price_max = Some(price(100_000)),
        |facts| facts.price_max = Some(price(99_999)),
    ),
    // Thirty shares of 100,000 are 3 million; 80 % are 80 million.
    (
        Gate::Exposure,
        |facts| facts.exposure = Some(77_000_000 * WON),
        |facts| facts.exposure = Some(77_000_001 * WON),
    ),
    (
        Gate::Symbol,
        |facts| facts.offer = offer(3_000_000, 3_000_000),
        |facts| facts.offer = offer(3_000_000, 3_000_001),
    ),
    // 42 shares of 70,000 are 2,940,000.
    (
        Gate::Symbol,
        |facts| (facts.in_symbol, facts.offer) = (60_000 * WON, offer(70_000, 70_000)),
        |facts| (facts.in_symbol, facts.offer) = (60_001 * WON, offer(70_000, 70_000)),
    ),
    (
        Gate::DailyLoss,
        |facts| facts.day_result = -5_000_000 * WON,
        |facts| facts.day_result = -5_000_001 * WON,
    ),
    (
        Gate::Entries,
        |facts| facts.entries = 2,
        |facts| facts.entries = 3,
    ),
    (
        Gate::Spacing,
        |facts| facts.since_entry_us = Some(1_800_000_000),
        |facts| facts.since_entry_us = Some(1_799_999_999),
    ),
    (
        Gate::Duplicate,
        |_| {},
        |facts| facts.duplicate = Some("it is held".into()),
    ),
];

#[rstest]
#[case::risk_is_stricter(30_000, 50_000, 3_000_000)]
#[case::both_alike(50_000, 50_000, 5_000_000)]
#[case::its_own_is_stricter(50_000, 20_000, 2_000_000)]
#[case::risk_bounds_nothing(1_000_000, 50_000, 5_000_000)]
#[case::a_millionth(1, 50_000, 100)]
fn of_two_limits_of_daily_loss_the_stricter_counts(
    #[case] of_risk: u32,
    #[case] own: u32,
    #[case] most_won: i128,
) {
    let limits = Limits {
        daily_loss_max: own,
        ..LIMITS
    };
    let judged = |lost_won: i128| {
        let facts = Facts {
            day_result: -lost_won * WON,
            risk_daily_loss_max: Some(of_risk),
            ..facts()
        };
        judge(&limits, &facts).err().map(|refusal| refusal.gate)
    };
    assert_eq!(judged(most_won), None);
    assert_eq!(judged(most_won + 1), Some(Gate::DailyLoss));
}

#[test]
fn each_gate_passes_at_its_limit_and_refuses_one_step_further() {
    for (place, (expected, at_the_limit, beyond)) in EDGES.iter().enumerate() {
        let mut passing = facts();
        at_the_limit(&mut passing);
        assert_ne!(gate(&passing), Some(*expected), "{place}: {passing:?}");
        let mut refused = facts();
        beyond(&mut refused);
        assert_eq!(gate(&refused), Some(*expected), "{place}: {refused:?}");
    }
}

#[test]
fn the_first_gate_that_fails_counts() {
    // Everything fails; one after the other is put right.
    let mut facts = Facts {
        closed: Some("closed".into()),
        halted: Some("stop".into()),
        equity: None,
        exposure: None,
        in_symbol: EQUITY,
        offer: None,
        price_max: Some(price(1)),
        day_result: -EQUITY,
        risk_daily_loss_max: None,
        entries: 9,
        since_entry_us: Some(0),
        duplicate: Some("it is held".into()),
    };
    let repairs: [(Gate, Change); 13] = [
        (Gate::Session, |facts| facts.closed = None),
        (Gate::Control, |facts| facts.halted = None),
        (Gate::Control, |facts| {
            facts.risk_daily_loss_max = Some(30_000);
        }),
        (Gate::Equity, |facts| facts.equity = Some(EQUITY)),
        (Gate::Equity, |facts| facts.exposure = Some(EQUITY)),
        (Gate::Price, |facts| facts.offer = offer(100_000, 100_000)),
        (Gate::Constraint, |facts| facts.price_max = None),
        (Gate::Exposure, |facts| facts.exposure = Some(0)),
        (Gate::Symbol, |facts| facts.in_symbol = 0),
        (Gate::DailyLoss, |facts| facts.day_result = 0),
        (Gate::Entries, |facts| facts.entries = 0),
        (Gate::Spacing, |facts| facts.since_entry_us = None),
        (Gate::Duplicate, |facts| facts.duplicate = None),
    ];
    for (expected, repair) in repairs {
        assert_eq!(gate(&facts), Some(expected));
        repair(&mut facts);
    }
    assert_eq!(judge(&LIMITS, &facts).unwrap().shares(), 30);
}

#[test]
fn a_refusal_says_what_it_came_to_and_what_it_may() {
    let reason = |change: Change| {
        let mut facts = facts();
        change(&mut facts);
        judge(&LIMITS, &facts).unwrap_err().reason
    };
    assert_eq!(
        reason(|facts| facts.exposure = Some(77_000_001 * WON)),
        "holdings and purchases come to 80000001 KRW, at most 80000000"
    );
    assert_eq!(
        reason(|facts| facts.day_result = -5_000_001 * WON),
        "the loss of the day comes to 5000001 KRW, at most 5000000"
    );
}
