//! The generated market: the same for a seed, and one in which the strategy finds what it looks for.

use std::collections::BTreeSet;
use std::path::Path;

use turnstile_strategy::Change;
use turnstile_tests::data;
use turnstile_tests::market::{Character, GeneratedMarket, MarketShape, day_of};
use turnstile_tests::reference::{reference, try_compare_decisions};

const SEED: u64 = 20_260_220;
const SMALL: MarketShape = MarketShape {
    sessions: 130,
    symbols: 300,
};

fn lines(folder: &Path, name: &str) -> Vec<Vec<String>> {
    let file = folder.join(format!("{name}.csv"));
    let mut reader = csv::Reader::from_path(file).expect("a file");
    let rows = reader.records().map(|row| row.expect("a row"));
    rows.map(|row| row.iter().map(str::to_owned).collect())
        .collect()
}

#[test]
fn a_seed_gives_the_same_market_and_another_seed_another() {
    let market = GeneratedMarket::new(SEED, SMALL, None);
    assert_eq!(market, GeneratedMarket::new(SEED, SMALL, None));
    assert_ne!(market, GeneratedMarket::new(SEED + 1, SMALL, None));
    let folder = tempfile::tempdir().expect("a folder");
    market.write_imports(folder.path());
    assert_eq!(lines(folder.path(), "daily").len(), 130 * 300);
}

#[test]
fn every_bar_can_be_one_and_a_tenth_of_the_rows_lacks_something() {
    let market = GeneratedMarket::new(SEED, SMALL, None);
    let (mut bars, mut without_size, mut flows, mut partial) = (0, 0, 0, 0);
    for company in &market.companies {
        for bar in &company.bars {
            let is_halted = bar.volume == 0 && bar.open == 0 && bar.high == 0 && bar.low == 0;
            let top = bar.open.max(bar.close);
            let bottom = bar.open.min(bar.close);
            assert!(is_halted || (0 < bar.low && bar.low <= bottom && top <= bar.high));
            assert!(bar.close > 0 && bar.value >= 0);
            bars += 1;
            without_size += usize::from(bar.size.is_none());
        }
        for flow in &company.flows {
            assert!(flow.nets.iter().any(Option::is_some));
            flows += 1;
            partial += usize::from(flow.nets.iter().any(Option::is_none));
        }
        let told =
            |figures: &turnstile_tests::market::Figures| figures.ratios.iter().any(Option::is_some);
        assert!(company.figures.iter().all(told));
    }
    let percent = |part: usize, whole: usize| 100 * part / whole;
    assert!((8..12).contains(&percent(without_size, bars)));
    assert!(
        (7..14).contains(&percent(partial, flows)),
        "{}",
        percent(partial, flows)
    );
    let titles: BTreeSet<&str> = market
        .companies
        .iter()
        .flat_map(|company| company.disclosures.iter().map(|one| one.title))
        .collect();
    assert_eq!(titles.len(), 63, "every title occurs");
}

#[test]
fn rows_for_the_dataflow_are_those_of_the_tables() {
    let market = GeneratedMarket::new(SEED, SMALL, None);
    let folder = tempfile::tempdir().expect("a folder");
    market.write_tables(folder.path());
    let last = market.sessions[market.sessions.len() - 1];
    let changes = market.changes(last);
    let count = |is_it: fn(&Change) -> bool| changes.iter().filter(|one| is_it(one)).count();
    let rows = |name| lines(folder.path(), name).len();
    assert_eq!(
        count(|one| matches!(one, Change::Listing(..))),
        rows("stocks")
    );
    assert_eq!(
        count(|one| matches!(one, Change::Wanted(..))),
        rows("wanted")
    );
    assert_eq!(
        count(|one| matches!(one, Change::Fundamental(..))),
        rows("fundamentals")
    );
    assert_eq!(count(|one| matches!(one, Change::Flow(..))), rows("flows"));
    assert_eq!(
        count(|one| matches!(one, Change::Disclosure(..))),
        rows("disclosures")
    );
    let mut closes: Vec<(String, i64)> = changes
        .iter()
        .filter_map(|one| match one {
            Change::Bar(symbol, day, Some(bar)) if *day == day_of(last) => {
                Some((symbol.to_string(), bar.close / 10_000))
            }
            _ => None,
        })
        .collect();
    closes.sort();
    let bars = lines(folder.path(), "bars");
    let of_last = bars.iter().filter(|row| row[0] == last.to_string());
    let mut told: Vec<(String, i64)> = of_last
        .map(|row| (row[1].clone(), row[7].parse().expect("a price")))
        .collect();
    told.sort();
    assert_eq!(closes, told);
    // The newest list of each market, and nothing of tomorrow.
    let popular = lines(folder.path(), "rankings");
    let of_last = popular.iter().filter(|row| row[4] == last.to_string());
    assert_eq!(
        count(|one| matches!(one, Change::Popular(..))),
        of_last.count()
    );
    let before = market.changes(market.sessions[0]);
    let is_bar = |one: &&Change| matches!(one, Change::Bar(..));
    assert_eq!(before.iter().filter(is_bar).count(), SMALL.symbols);
}

/// The real sessions, extended backwards, and a market without any: on each of the last twenty
/// sessions there is a universe, twenty selected names, and a portfolio.
#[test]
fn the_strategy_finds_a_portfolio_on_each_late_session() {
    let real = data("krx-daily-2026.csv.gz");
    for file in std::iter::once(None).chain(real.map(Some)) {
        let market = GeneratedMarket::new(SEED, MarketShape::default(), file.as_deref());
        assert_eq!(market.sessions.len(), 250);
        let strong =
            |company: &&turnstile_tests::market::Company| company.character == Character::Strong;
        assert!(market.companies.iter().filter(strong).count() > 200);
        let folder = tempfile::tempdir().expect("a folder");
        let (tables, out) = (folder.path().join("tables"), folder.path().join("out"));
        std::fs::create_dir(&tables).expect("a folder");
        market.write_tables(&tables);
        let late = market.late_sessions();
        let told = reference(&tables, late[0], late[late.len() - 1], &out);
        println!("{told}");
        let (scores, rankings) = (lines(&out, "factor_scores"), lines(&out, "rankings"));
        let (signals, names) = (lines(&out, "signals"), lines(&out, "portfolios"));
        for day in late {
            let day = day.to_string();
            let of_day = |rows: &[Vec<String>]| rows.iter().filter(|row| row[0] == day).count();
            let is_selected = |row: &&Vec<String>| row[0] == day && row[13] == "t";
            assert!(of_day(&scores) >= 500, "{day}");
            assert_eq!(rankings.iter().filter(is_selected).count(), 20, "{day}");
            assert!(of_day(&names) >= 10, "{day}");
        }
        assert!(signals.iter().any(|row| row[1] == "SELL"));
    }
}

/// A small folder of decisions, as the reference writes them: a line of each file.
const DECIDED: [(&str, &str); 5] = [
    (
        "universe",
        "day,symbol,tier,exclusion\n2026-02-20,A1,LISTED,\n2026-02-20,B2,,HALTED\n",
    ),
    (
        "factor_scores",
        "day,symbol,momentum,technical,value,quality,flow,event,total,strength,conviction\n\
         2026-02-20,A1,0.5,0.25,,-0.125,0.1,0,0.2,61.5,70\n",
    ),
    (
        "signals",
        "day,kind,rank,symbol,strength,conviction,total\n2026-02-20,BUY,1,A1,61.5,70,0.2\n",
    ),
    (
        "rankings",
        "day,rank,symbol,total,score,strength,risk,volatility,selected\n\
         2026-02-20,1,A1,0.2,0.2,61.5,10,,t\n",
    ),
    (
        "portfolios",
        "day,rank,symbol,weight\n2026-02-20,1,A1,150000\n",
    ),
];

/// Writes the decisions with one text of one file replaced by another one.
fn write_decided(folder: &Path, edit: Option<(&str, &str, &str)>) {
    for (name, content) in DECIDED {
        let edited = match edit {
            Some((file, from, to)) if file == name => {
                assert!(content.contains(from), "{name}: {from}");
                content.replacen(from, to, 1)
            }
            _ => content.to_owned(),
        };
        let file = folder.join(format!("{name}.csv"));
        std::fs::write(file, edited).expect("written");
    }
}

/// Compares the decisions with their edited form, in either order.
fn compared(edit: (&str, &str, &str)) -> [Result<String, String>; 2] {
    let folder = tempfile::tempdir().expect("a folder");
    let (one, other) = (folder.path().join("one"), folder.path().join("other"));
    for (side, edit) in [(&one, None), (&other, Some(edit))] {
        std::fs::create_dir(side).expect("a folder");
        write_decided(side, edit);
    }
    [(&one, &other), (&other, &one)].map(|(left, right)| try_compare_decisions(left, right))
}

#[test]
fn equal_decisions_are_told_to_be_equal() {
    for edit in [
        // Nothing, a figure written otherwise, and figures at the border of 1e-9.
        ("signals", "61.5", "61.5"),
        ("signals", "61.5", "61.50"),
        ("signals", "61.5", "61.500000001"),
        ("rankings", "0.2,0.2", "0.199999999,0.2"),
    ] {
        for told in compared(edit) {
            let told = told.unwrap_or_else(|told| panic!("{edit:?}: {told}"));
            assert!(told.contains("universe: 2 rows compared"), "{told}");
            assert!(told.ends_with("\n0 differences\n"), "{told}");
        }
    }
}

#[test]
fn every_difference_of_decisions_is_told() {
    for (edit, expected) in [
        // A row that is missing, or one more, according to the side.
        (
            ("universe", "2026-02-20,B2,,HALTED\n", ""),
            "universe 2026-02-20 B2: only in",
        ),
        (
            ("portfolios", "150000\n", "150000\n2026-02-20,2,B2,1\n"),
            "portfolios 2026-02-20 2: only in",
        ),
        // A figure beyond 1e-9, of each file that has any; one that is missing is another one.
        (
            ("factor_scores", "-0.125", "-0.1250000010000001"),
            "factor_scores 2026-02-20 A1: quality is",
        ),
        (
            ("factor_scores", "0.1,0,0.2", "0.1,,0.2"),
            "factor_scores 2026-02-20 A1: event is",
        ),
        (
            ("signals", "61.5", "61.5000000011"),
            "signals 2026-02-20 BUY 1: strength is",
        ),
        (
            ("rankings", "10,,t", "10,0,t"),
            "rankings 2026-02-20 1: volatility is",
        ),
        // Everything else may not differ at all.
        (
            ("universe", "LISTED", "RANKING"),
            "universe 2026-02-20 A1: tier is",
        ),
        (
            ("signals", "1,A1", "1,B2"),
            "signals 2026-02-20 BUY 1: symbol is",
        ),
        (
            ("rankings", "10,,t", "10,,f"),
            "rankings 2026-02-20 1: selected is",
        ),
        (
            ("portfolios", "150000", "150000.0"),
            "portfolios 2026-02-20 1: weight is",
        ),
        // A column that one side lacks.
        (("portfolios", "symbol,", "name,"), "portfolios: columns ["),
    ] {
        for told in compared(edit) {
            let told = told.expect_err(&format!("{edit:?}"));
            assert!(told.contains(expected), "{edit:?}: {told}");
            assert!(told.ends_with("\n1 differences\n"), "{edit:?}: {told}");
        }
    }
    // Two rows of one key cannot be compared.
    let twice = "150000\n2026-02-20,1,B2,150000\n";
    for told in compared(("portfolios", "150000\n", twice)) {
        let told = told.expect_err("two rows of one key");
        assert!(told.contains("two rows of 2026-02-20 1"), "{told}");
    }
}
