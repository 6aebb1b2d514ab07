//! `turnstile import gaps`: what the strategy's data lacks.

use clap::Args as ClapArgs;
use jiff::civil::Date;
use turnstile_connectors::imports::{DayGap, find_gaps};
use turnstile_connectors::postgres::Postgres;

/// Sessions that are told of each kind.
const SHOWN_MAX: usize = 10;

/// What counts as a gap; the end of `turnstile import gaps --help`.
pub(super) const ABOUT: &str = "\
Asked is of sessions: days that the calendar says are open, or that have a bar with volume; and of \
issues that the strategy may look at: ACTIVE shares of KOSPI and KOSDAQ, each from its listing on (its \
first bar where no listing date is told). A fundamental counts for 450 days. Ends with status 0 also \
where something is missing.";

#[derive(Debug, ClapArgs)]
pub(super) struct Args {
    /// First day, such as 2026-01-02; 30 days before the last without it.
    #[arg(long, value_name = "DAY")]
    from: Option<Date>,
    /// Last day; that of the newest bar without it.
    #[arg(long, value_name = "DAY")]
    to: Option<Date>,
}

pub(super) async fn run(postgres: &Postgres, args: &Args) -> anyhow::Result<()> {
    let Some(gaps) = find_gaps(postgres, args.from, args.to).await? else {
        println!("there are no daily bars; `turnstile import daily` brings them");
        return Ok(());
    };
    let (from, to) = gaps.span;
    println!(
        "{from} to {to}: {} sessions, {} issues",
        gaps.sessions, gaps.issues
    );
    show("bars", &gaps.bars);
    show("flows", &gaps.flows);
    let (count, examples) = gaps.fundamentals;
    if count == 0 {
        println!("fundamentals: nothing is missing");
    } else {
        println!(
            "fundamentals: issues without one of the 450 days up to {to}: {}",
            named(count, &examples)
        );
    }
    Ok(())
}

fn show(kind: &str, gaps: &[DayGap]) {
    if gaps.is_empty() {
        println!("{kind}: nothing is missing");
        return;
    }
    let rows: i64 = gaps.iter().map(|gap| gap.issues).sum();
    println!(
        "{kind}: {rows} rows are missing, of {} sessions",
        gaps.len()
    );
    for gap in gaps.iter().take(SHOWN_MAX) {
        println!("  {}  {}", gap.day, named(gap.issues, &gap.examples));
    }
    if let Some(more) = gaps.len().checked_sub(SHOWN_MAX).filter(|more| *more > 0) {
        println!("  and {more} sessions more");
    }
}

/// The first issues, and how many there are.
fn named(count: i64, examples: &[String]) -> String {
    let dots = if i64::try_from(examples.len()).is_ok_and(|shown| shown < count) {
        " …"
    } else {
        ""
    };
    format!("{count}: {}{dots}", examples.join(", "))
}
