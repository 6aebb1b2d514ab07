//! What the engine says beside decisions, on its way to the database.

use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use turnstile_connectors::exits::{
    Answer, Answers, ExitsConfig, LevelsBoard, LevelsWriter, Signals, Told, WithheldHits,
};
use turnstile_connectors::postgres::{BestPriceBoard, BestPriceWriter, Postgres};
use turnstile_connectors::task;
use turnstile_dataflows::exit::Withheld;

use super::tasks::report;

/// Where the engine tells, as it is handed over.
pub(super) struct Tellers {
    pub(super) levels: LevelsBoard,
    pub(super) withheld: Told<Withheld>,
    pub(super) answers: Told<Answer>,
    pub(super) prices: BestPriceBoard,
}

/// The tasks that store it.
pub(super) struct Records(Vec<JoinHandle<()>>);

impl Records {
    /// Starts the tasks. They end once the engine can tell no more and `stop` is cancelled.
    pub(super) fn start(
        config: &ExitsConfig,
        postgres: &Postgres,
        stop: &CancellationToken,
    ) -> (Tellers, Self) {
        let (levels, writer) = LevelsWriter::new(postgres, config);
        let (withheld, hits) = WithheldHits::new(postgres, config.withheld_queue);
        let (answers, previews) = Answers::new(postgres);
        let signals = Signals::new(postgres, config);
        let (prices, best_prices) = BestPriceWriter::new(postgres);
        let tasks = vec![
            task::spawn("exit levels", writer.run(stop.clone())),
            task::spawn("withheld hits", hits.run(stop.clone())),
            task::spawn("previews", previews.run(stop.clone())),
            task::spawn("exit signals", signals.run(stop.clone())),
            task::spawn("best prices", best_prices.run(stop.clone())),
        ];
        let told = Tellers {
            levels,
            withheld,
            answers,
            prices,
        };
        (told, Self(tasks))
    }

    /// Waits for the tasks.
    pub(super) async fn join(self) {
        for task in self.0 {
            report(task.await);
        }
    }
}
