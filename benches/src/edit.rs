//! Rule edits: how long one takes from the sequencer's side until everything that follows from it
//! is with the sink, and whether a preview names exactly what is then sold.

use std::collections::BTreeSet;
use std::sync::mpsc::{Receiver, channel};
use std::time::Instant;

use anyhow::{Context, ensure};
use clap::Args as ClapArgs;
use serde::Serialize;
use turnstile_dataflows::engine::{Change, Event, Output, OutputBatch};
use turnstile_dataflows::exit::{ExitDecision, ExitOutput, Fills};
use turnstile_dataflows::model::LogicalTime;

use crate::clock;
use crate::figures::{median, milliseconds};
use crate::input::{Input, Rules, Shape, rule_row, wide_rules};
use crate::process::Machine;
use crate::running::Running;
use crate::setting::Setting;

/// Arguments of `edit`.
#[derive(Clone, Copy, Debug, ClapArgs)]
pub(crate) struct Args {
    /// Positions in all.
    #[arg(long, default_value_t = 1_000_000)]
    positions: usize,
    /// Positions that one rule serves.
    #[arg(long, default_value_t = 10_000)]
    touched: usize,
    /// Symbols.
    #[arg(long, default_value_t = 2_000)]
    symbols: usize,
    /// Edits that count.
    #[arg(long, default_value_t = 20)]
    runs: u32,
    /// Seed of the positions.
    #[arg(long, default_value_t = 7)]
    seed: u64,
    #[command(flatten)]
    setting: Setting,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

/// What `edit` prints.
#[derive(Debug, Serialize)]
struct Report {
    machine: Machine,
    setting: Setting,
    positions: usize,
    touched: usize,
    edits_ms: Vec<f64>,
    median_ms: f64,
    /// From the question to its answer, about a rule that sells.
    preview_ms: f64,
    /// The edit that sells.
    selling_edit_ms: f64,
    previewed_positions: usize,
    sold_positions: usize,
    preview_equals_sales: bool,
}

/// A batch of outputs, and when the sink had it.
type Handed = (Instant, OutputBatch);

struct Desk {
    running: Running,
    handed: Receiver<Handed>,
    last: LogicalTime,
}

/// Measures and prints.
///
/// # Errors
/// If the preview names other positions than those sold, or the engine fails.
pub(crate) fn run(args: &Args) -> anyhow::Result<()> {
    let report = measure(args)?;
    report.print(args.json)?;
    ensure!(
        report.preview_equals_sales,
        "the preview names other positions than those sold"
    );
    Ok(())
}

fn measure(args: &Args) -> anyhow::Result<Report> {
    ensure!(
        (1..=args.positions).contains(&args.touched) && args.runs > 0,
        "a rule must serve at least one position, and at most all"
    );
    let machine = Machine::here();
    let (sender, handed) = channel();
    let mut running = Running::start(args.setting.config(Fills::Reported), move |batch| {
        // Nobody listens any more at the end.
        let _ = sender.send((clock::now(), batch));
    })?;
    let mut input = input(args)?;
    let edited = input.rules[0].clone();
    running.load(&mut input)?;
    let last = running.last();
    handed.try_iter().for_each(drop);
    let mut desk = Desk {
        running,
        handed,
        last,
    };

    let mut edits_ms = Vec::new();
    for index in 0..args.runs {
        let rule = rule_row(&moved(&edited, index), index + 2)?;
        let change = Change::ExitRule(rule.id.clone(), Some(rule));
        let (took_ms, outputs) = desk.change(change)?;
        ensure!(
            decisions(&outputs).is_empty(),
            "an edit that sells nothing sold"
        );
        edits_ms.push(took_ms);
    }
    let rule = rule_row(&selling(&edited), args.runs + 2)?;
    let question = Change::Preview("preview".into(), Some(rule.clone()));
    let (preview_ms, answer) = desk.change(question)?;
    let (selling_edit_ms, sales) = desk.change(Change::ExitRule(rule.id.clone(), Some(rule)))?;
    desk.running.stop()?;

    let (named, sold) = (hits(&answer), decisions(&sales));
    ensure!(!sold.is_empty(), "the edit that sells sold nothing");
    Ok(Report {
        machine,
        setting: args.setting,
        positions: args.positions,
        touched: args.touched,
        median_ms: median(edits_ms.iter().copied()),
        edits_ms,
        preview_ms,
        selling_edit_ms,
        previewed_positions: named.len(),
        sold_positions: sold.len(),
        preview_equals_sales: named == sold,
    })
}

/// Returns positions whose levels lie far away, each rule serving as many as are touched.
fn input(args: &Args) -> anyhow::Result<Input> {
    let mut input = Input::new(&Shape {
        symbols: args.symbols,
        positions: args.positions,
        ticks: 0,
        seed: args.seed,
        busy: 0,
    })?;
    let rules = args.positions / args.touched;
    let named = |index| Rules {
        name: format!("book-{index:04}").into(),
        ..wide_rules()
    };
    input.rules = (0..rules).map(named).collect();
    for (index, row) in input.positions.iter_mut().enumerate() {
        row.rules = u16::try_from(index / args.symbols % rules).context("fewer rules")?;
    }
    Ok(input)
}

/// Returns rules with levels a little elsewhere, still far away.
fn moved(rules: &Rules, index: u32) -> Rules {
    Rules {
        hard_stop: rules.hard_stop + 1_000 * (1 + i64::from(index % 2)),
        ..rules.clone()
    }
}

/// Returns rules under which those bought above the price are sold.
fn selling(rules: &Rules) -> Rules {
    let mut rules = rules.clone();
    rules.sl1.pnl = -5_000;
    rules.sl1.min = 0;
    rules
}

impl Desk {
    /// Hands a change over, waits for all that follows, and returns how long that took.
    fn change(&mut self, change: Change) -> anyhow::Result<(f64, Vec<Output>)> {
        let time = self.last.plus_micros(1);
        self.last = time;
        let event = Event::Changes(vec![change]);
        let begin = clock::now();
        self.running.send(time, event)?;
        let mut outputs = Vec::new();
        loop {
            let (at, batch) = self.handed.recv().context("the engine has ended")?;
            outputs.extend(batch.outputs.into_iter().map(|(_time, output)| output));
            if batch.through >= time {
                return Ok((milliseconds(at.saturating_duration_since(begin)), outputs));
            }
        }
    }
}

/// What a preview and a sale must have in common.
type Sale = (String, &'static str, i64);

fn sale(decision: &ExitDecision) -> Sale {
    (
        decision.position.to_string(),
        decision.reason.code(),
        decision.qty.shares(),
    )
}

fn decisions(outputs: &[Output]) -> BTreeSet<Sale> {
    let found = outputs.iter().filter_map(|output| match output {
        Output::Exit(ExitOutput::Decision(decision)) => Some(sale(decision)),
        _ => None,
    });
    found.collect()
}

fn hits(outputs: &[Output]) -> BTreeSet<Sale> {
    let found = outputs.iter().filter_map(|output| match output {
        Output::Exit(ExitOutput::Preview(hit)) => Some(sale(&hit.decision)),
        _ => None,
    });
    found.collect()
}

impl Report {
    fn print(&self, as_json: bool) -> anyhow::Result<()> {
        if as_json {
            println!("{}", serde_json::to_string_pretty(self)?);
            return Ok(());
        }
        println!(
            "{} of {} positions: median {:.2} ms of {} edits, one that sells {:.2} ms",
            self.touched,
            self.positions,
            self.median_ms,
            self.edits_ms.len(),
            self.selling_edit_ms
        );
        println!(
            "preview {:.2} ms, names {} positions; sold {}",
            self.preview_ms, self.previewed_positions, self.sold_positions
        );
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_preview_names_what_the_edit_then_sells() {
        let report = measure(&Args {
            positions: 2_000,
            touched: 100,
            symbols: 50,
            runs: 3,
            seed: 1,
            setting: Setting::default(),
            json: false,
        })
        .unwrap();
        assert!(report.preview_equals_sales, "{report:?}");
        assert!((1..100).contains(&report.sold_positions), "{report:?}");
    }
}
