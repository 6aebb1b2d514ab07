//! Reads that many ask for at once.
//!
//! One read serves everyone who asked before it began; who asks while it runs waits for the next. So an
//! answer is never older than its question, as if each had been read alone, and PostgreSQL reads the
//! same thing once at a time, however many ask.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use tokio::sync::OnceCell;

/// Lines that nobody stands in are forgotten when there are so many.
const LINES_MAX: usize = 64;

/// Reads of one kind. Cheap to clone.
#[derive(Debug)]
pub(crate) struct SharedReads<T> {
    lines: Arc<Mutex<BTreeMap<String, Weak<Line<T>>>>>,
}

/// Who asks for the same.
#[derive(Debug)]
struct Line<T> {
    /// Held by the read that runs.
    turn: tokio::sync::Mutex<()>,
    /// The read that has not begun; none in it: it failed.
    next: Mutex<Arc<OnceCell<Option<T>>>>,
}

impl<T> Default for Line<T> {
    fn default() -> Self {
        Self {
            turn: tokio::sync::Mutex::default(),
            next: Mutex::default(),
        }
    }
}

impl<T> Default for SharedReads<T> {
    fn default() -> Self {
        Self {
            lines: Arc::default(),
        }
    }
}

impl<T> Clone for SharedReads<T> {
    fn clone(&self) -> Self {
        Self {
            lines: Arc::clone(&self.lines),
        }
    }
}

impl<T: Clone> SharedReads<T> {
    /// Returns what `load` reads, or what one of those reads that asked for the same `key` meanwhile.
    ///
    /// # Errors
    /// What `load` returns. A read that fails is nobody else's: each of the others tries for itself.
    pub(crate) async fn read<E, F>(&self, key: &str, load: impl Fn() -> F) -> Result<T, E>
    where
        F: Future<Output = Result<T, E>>,
    {
        let line = self.line(key);
        let mine = Arc::clone(&line.next.lock().unwrap_or_else(PoisonError::into_inner));
        let mut fault = None;
        let read = mine.get_or_init(|| async {
            let _turn = line.turn.lock().await;
            line.depart(&mine);
            match load().await {
                Ok(value) => Some(value),
                Err(error) => {
                    fault = Some(error);
                    None
                }
            }
        });
        match (read.await.clone(), fault) {
            (Some(value), _) => Ok(value),
            (None, Some(error)) => Err(error),
            (None, None) => load().await,
        }
    }

    fn line(&self, key: &str) -> Arc<Line<T>> {
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(line) = lines.get(key).and_then(Weak::upgrade) {
            return line;
        }
        if lines.len() >= LINES_MAX {
            lines.retain(|_, line| line.strong_count() > 0);
        }
        let line = Arc::new(Line::default());
        lines.insert(key.to_owned(), Arc::downgrade(&line));
        line
    }
}

impl<T> Line<T> {
    /// Who asks from now on waits for another read than `begun`.
    fn depart(&self, begun: &Arc<OnceCell<Option<T>>>) {
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        // Where the reader before gave up, another goes on with the same read.
        if Arc::ptr_eq(&next, begun) {
            *next = Arc::default();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::time::Duration;

    use futures_util::future::join_all;
    use tokio::time::{sleep, timeout};

    use super::*;

    /// A truth that rises, and how often it was read.
    #[derive(Default)]
    struct Truth {
        value: AtomicU64,
        reads: AtomicU64,
    }

    impl Truth {
        async fn load(&self) -> Result<u64, &'static str> {
            self.reads.fetch_add(1, Ordering::Relaxed);
            let value = self.value.load(Ordering::Relaxed);
            sleep(Duration::from_millis(10)).await;
            Ok(value)
        }
    }

    #[tokio::test(start_paused = true)]
    async fn no_answer_is_older_than_its_question_and_few_reads_serve_many() {
        let (truth, reads) = (Truth::default(), SharedReads::default());
        let ask = |number: u64| {
            let (truth, reads) = (&truth, &reads);
            async move {
                sleep(Duration::from_millis(number)).await;
                let asked = truth.value.fetch_add(1, Ordering::Relaxed) + 1;
                let answer = reads.read("key", || truth.load()).await.unwrap();
                assert!(answer >= asked, "{answer} is older than {asked}");
            }
        };
        join_all((0..1_000).map(ask)).await;
        let reads = truth.reads.load(Ordering::Relaxed);
        assert!(
            (90..=110).contains(&reads),
            "{reads} reads in a second of 10 ms each"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn other_keys_do_not_wait() {
        let (truth, reads) = (Truth::default(), SharedReads::default());
        let keys: Vec<String> = (0..200).map(|number| number.to_string()).collect();
        let asking = keys.iter().map(|key| reads.read(key, || truth.load()));
        let all = timeout(Duration::from_millis(11), join_all(asking)).await;
        assert_eq!(all.unwrap().len(), 200);
        assert_eq!(truth.reads.load(Ordering::Relaxed), 200);
        let again = reads.read("0", || truth.load());
        assert_eq!(again.await, Ok(0));
        assert!(reads.lines.lock().unwrap().len() <= 200);
    }

    #[tokio::test(start_paused = true)]
    async fn a_fault_is_of_one_and_a_reader_that_gives_up_leaves_the_read_to_another() {
        let reads = SharedReads::<u64>::default();
        let fails = reads.read("key", || async { Err::<u64, _>("away") });
        let works = reads.read("key", || async { Ok::<u64, &str>(7) });
        assert_eq!(tokio::join!(fails, works), (Err("away"), Ok(7)));

        let endless = reads.read("key", || async {
            sleep(Duration::from_secs(60)).await;
            Err::<u64, _>("late")
        });
        let given_up = timeout(Duration::from_millis(1), endless);
        let works = reads.read("key", || async { Ok::<_, &str>(8) });
        let (given_up, answer) = tokio::join!(given_up, works);
        assert!(given_up.is_err());
        assert_eq!(answer, Ok(8));
    }
}
