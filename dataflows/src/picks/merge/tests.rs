use proptest::prelude::*;
use rstest::rstest;

use super::*;

const NOW: LogicalTime = LogicalTime::from_micros(1_000_000_000);
const EVENT: Producer = producer(1, 3002, 400_000);
const NEWS: Producer = producer(2, 3001, 300_000);
const RANKING: Producer = producer(3, 3000, 300_000);

const fn producer(priority: i32, id: i32, weight: u32) -> Producer {
    Producer {
        priority,
        id: ProducerId(id),
        weight: Score(weight),
    }
}

fn rules(mode: Mode) -> Rules {
    Rules {
        mode,
        top: 10,
        confidence_min: Confidence::Medium,
        age_us_max: 60_000_000,
    }
}

fn symbol(number: u32) -> Symbol {
    format!("{number:06}").parse().unwrap()
}

/// A pick of a score in hundredths.
fn pick(number: u32, hundredths: u32) -> Pick {
    Pick {
        symbol: symbol(number),
        score: Score(hundredths * 10_000),
        confidence: Confidence::High,
        rank: 1,
        price_max: None,
        until: None,
    }
}

fn run(producer: Producer, picks: &[Pick]) -> Run {
    Run {
        producer,
        run_id: format!("run of {}", producer.id).into(),
        arrival: 1,
        asof: NOW,
        picks: picks.to_vec(),
    }
}

/// Number and score, in hundredths, of each symbol of the list.
fn list(rules: &Rules, runs: &[Run]) -> Vec<(u32, u32)> {
    let merged = merge(rules, NOW, runs);
    let merged = merged.iter();
    merged
        .map(|merged| {
            let number = merged.symbol.to_string().parse().unwrap();
            (number, merged.score.millionths() / 10_000)
        })
        .collect()
}

fn three() -> [Run; 3] {
    [
        run(EVENT, &[pick(1, 20), pick(2, 50)]),
        run(NEWS, &[pick(1, 90), pick(3, 95)]),
        run(RANKING, &[pick(1, 60), pick(3, 80), pick(4, 100)]),
    ]
}

#[rstest]
// The event comes first with its own scores, then what only the news names, then the rest.
#[case(Mode::Priority, &[(2, 50), (1, 20), (3, 95), (4, 100)])]
// 1: .4·.2 + .3·.9 + .3·.6 = .53; 2: .4·.5 = .20; 3: .3·.95 + .3·.8 = .525; 4: .3
#[case(Mode::Weighted, &[(1, 53), (3, 52), (4, 30), (2, 20)])]
// 1: .53 by three; 3: .525 ÷ .6 = .875 by two.
#[case(Mode::Consensus, &[(1, 53), (3, 87)])]
fn picks_of_three_producers_are_merged(#[case] mode: Mode, #[case] expected: &[(u32, u32)]) {
    assert_eq!(list(&rules(mode), &three()), expected);
}

#[test]
fn a_merged_score_is_rounded_half_to_even() {
    let half = |score| {
        let mut picks = [pick(1, 0)];
        picks[0].score = Score(score);
        let runs = [run(NEWS, &picks), run(RANKING, &[])];
        merge(&rules(Mode::Weighted), NOW, &runs)[0]
            .score
            .millionths()
    };
    // Of two equal weights one says nothing: halves.
    assert_eq!([half(1), half(3), half(5)], [0, 2, 2]);
}

#[test]
fn a_producer_without_a_run_that_counts_has_no_weight() {
    let runs = [run(NEWS, &[pick(1, 80)])];
    assert_eq!(list(&rules(Mode::Weighted), &runs), [(1, 80)]);
}

#[test]
fn the_lead_is_the_first_by_priority_and_all_are_told() {
    for mode in [Mode::Priority, Mode::Weighted, Mode::Consensus] {
        let merged = merge(&rules(mode), NOW, &three());
        let one = merged.iter().find(|one| one.symbol == symbol(1)).unwrap();
        let ids: Vec<_> = one
            .sources
            .iter()
            .map(|source| source.producer.id.0)
            .collect();
        assert_eq!(ids, [3002, 3001, 3000], "{mode:?}");
        assert_eq!(&*one.sources[0].run_id, "run of 3002");
    }
}

#[test]
fn picks_that_are_not_sure_enough_or_have_ended_do_not_count() {
    let mut picks = [pick(1, 90), pick(2, 80), pick(3, 70), pick(4, 60)];
    picks[0].confidence = Confidence::Low;
    picks[1].confidence = Confidence::Medium;
    picks[2].until = Some(NOW);
    picks[3].until = Some(NOW.plus_micros(1));
    let runs = [run(EVENT, &picks), run(NEWS, &[pick(1, 10)])];
    // The lead of 1 is the news: the event is not sure of it.
    let merged = merge(&rules(Mode::Priority), NOW, &runs);
    let told: Vec<_> = merged
        .iter()
        .map(|merged| (merged.symbol, merged.sources.len(), merged.confidence))
        .collect();
    let expected = [
        (symbol(2), 1, Confidence::Medium),
        (symbol(4), 1, Confidence::High),
        (symbol(1), 1, Confidence::High),
    ];
    assert_eq!(told, expected);
}

#[test]
fn the_lowest_confidence_and_price_of_those_who_name_it_count() {
    let mut sure = pick(1, 90);
    sure.price_max = Some(Price::from_won(70_000).unwrap());
    let mut less = pick(1, 80);
    less.confidence = Confidence::Medium;
    less.price_max = Some(Price::from_won(69_000).unwrap());
    let runs = [
        run(EVENT, &[sure]),
        run(NEWS, &[less]),
        run(RANKING, &[pick(1, 1)]),
    ];
    let one = |mode| merge(&rules(mode), NOW, &runs).remove(0);
    assert_eq!(one(Mode::Priority).confidence, Confidence::High);
    assert_eq!(one(Mode::Consensus).confidence, Confidence::Medium);
    assert_eq!(one(Mode::Weighted).confidence, Confidence::Medium);
    let most = one(Mode::Priority).price_max();
    assert_eq!(most, Some(Price::from_won(69_000).unwrap()));
}

#[test]
fn only_the_newest_run_counts_and_only_while_it_is_not_too_old() {
    let at = |before_us: u64, arrival: i64, number: u32| Run {
        asof: LogicalTime::from_micros(NOW.micros() - before_us),
        arrival,
        ..run(EVENT, &[pick(number, 50)])
    };
    let rules = rules(Mode::Priority);
    // The older one arrived later.
    assert_eq!(list(&rules, &[at(1, 1, 1), at(2, 2, 2)]), [(1, 50)]);
    assert_eq!(list(&rules, &[at(1, 1, 1), at(1, 2, 2)]), [(2, 50)]);
    assert_eq!(list(&rules, &[at(60_000_000, 1, 1)]), [(1, 50)]);
    assert_eq!(list(&rules, &[at(60_000_001, 1, 1)]), []);
    // An empty one takes back what the one before said.
    let empty = Run {
        picks: Vec::new(),
        ..at(1, 2, 1)
    };
    assert_eq!(list(&rules, &[at(2, 1, 1), empty]), []);
}

#[rstest]
// By rank, then by symbol, where the scores are the same.
#[case(Mode::Priority, &[(3, 50), (1, 50), (2, 50)])]
#[case(Mode::Weighted, &[(3, 50), (1, 50), (2, 50)])]
fn ties_go_to_the_lower_rank_then_to_the_lower_symbol(
    #[case] mode: Mode,
    #[case] expected: &[(u32, u32)],
) {
    let mut picks = [pick(2, 50), pick(1, 50), pick(3, 50)];
    picks[0].rank = 2;
    picks[1].rank = 2;
    assert_eq!(list(&rules(mode), &[run(EVENT, &picks)]), expected);
}

#[test]
fn the_same_weighted_sum_goes_to_the_one_that_more_name() {
    // .3·.8 and .3·.4 + .3·.4
    let runs = [
        run(NEWS, &[pick(1, 80), pick(2, 40)]),
        run(RANKING, &[pick(2, 40)]),
    ];
    assert_eq!(list(&rules(Mode::Weighted), &runs), [(2, 40), (1, 40)]);
}

fn any_pick() -> impl Strategy<Value = Pick> {
    (0_u32..6, 0_u32..=4, 0..3_usize, 1..3_i32, 0..3_u64).prop_map(
        |(number, quarters, confidence, rank, until)| Pick {
            symbol: symbol(number),
            score: Score(quarters * 250_000),
            confidence: Confidence::ALL[confidence],
            rank,
            price_max: None,
            until: until.checked_sub(1).map(|later| NOW.plus_micros(later)),
        },
    )
}

/// Runs of three producers, each with every symbol at most once.
fn any_runs() -> impl Strategy<Value = Vec<Run>> {
    let one = (
        0..3_usize,
        0..4_u64,
        prop::collection::vec(any_pick(), 0..6),
    );
    prop::collection::vec(one, 0..6).prop_map(|runs| {
        let runs = runs.into_iter().zip(0..);
        runs.map(|((who, age, picks), arrival)| {
            let picks: BTreeMap<Symbol, Pick> =
                picks.into_iter().map(|pick| (pick.symbol, pick)).collect();
            Run {
                arrival,
                asof: LogicalTime::from_micros(NOW.micros() - age * 25_000_000),
                ..run(
                    [EVENT, NEWS, RANKING][who],
                    &Vec::from_iter(picks.into_values()),
                )
            }
        })
        .collect()
    })
}

fn any_mode() -> impl Strategy<Value = Mode> {
    prop::sample::select(vec![Mode::Priority, Mode::Weighted, Mode::Consensus])
}

proptest! {
    #[test]
    fn the_order_of_runs_and_picks_never_shows(
        (runs, shuffled) in any_runs().prop_flat_map(|runs| {
            (Just(runs.clone()), Just(runs).prop_shuffle())
        }),
        mode in any_mode(),
    ) {
        let mut shuffled = shuffled;
        for run in &mut shuffled {
            run.picks.reverse();
        }
        prop_assert_eq!(merge(&rules(mode), NOW, &runs), merge(&rules(mode), NOW, &shuffled));
    }

    #[test]
    fn a_shorter_list_is_the_beginning_of_a_longer_one(
        runs in any_runs(),
        mode in any_mode(),
        top in 0..6_usize,
    ) {
        let whole = merge(&rules(mode), NOW, &runs);
        let short = merge(&Rules { top, ..rules(mode) }, NOW, &runs);
        prop_assert_eq!(&short[..], &whole[..top.min(whole.len())]);
    }

    #[test]
    fn everything_listed_is_named_once_by_somebody_who_counts(runs in any_runs(), mode in any_mode()) {
        let rules = rules(mode);
        let merged = merge(&rules, NOW, &runs);
        let mut seen = std::collections::BTreeSet::new();
        for one in &merged {
            prop_assert!(seen.insert(one.symbol));
            let least = if mode == Mode::Consensus { CONSENSUS_MIN } else { 1 };
            prop_assert!(one.sources.len() >= least);
            let scores = || one.sources.iter().map(|source| source.pick.score);
            // Whoever does not name it weighs it down, and nothing lifts it above the highest.
            prop_assert!(Some(one.score) <= scores().max());
            if mode != Mode::Weighted {
                prop_assert!(Some(one.score) >= scores().min());
            }
            for source in &one.sources {
                prop_assert!(source.pick.confidence >= rules.confidence_min);
                let of = |run: &&Run| run.producer == source.producer;
                let newest = runs.iter().filter(of).max_by_key(|run| (run.asof, run.arrival));
                let newest = newest.unwrap();
                prop_assert!(NOW.micros_since(newest.asof) <= rules.age_us_max);
                prop_assert!(newest.picks.contains(&source.pick));
            }
        }
    }
}
