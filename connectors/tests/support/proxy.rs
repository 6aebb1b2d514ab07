//! A socket in front of PostgreSQL that loses the answer to a commit.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};
use tokio::task::AbortHandle;
use turnstile_connectors::task;

const SOCKET: &str = ".s.PGSQL.5432";

pub(crate) struct Proxy {
    dir: TempDir,
    task: AbortHandle,
    lost: Arc<AtomicU32>,
}

impl Proxy {
    /// Starts a proxy before the server in `dir`. `commits_lost` times it passes on a commit on a
    /// connection that has copied rows, and then goes away without the answer.
    pub(crate) fn start(dir: &Path, commits_lost: u32) -> Self {
        let server: PathBuf = dir.join(SOCKET);
        let dir = tempfile::Builder::new()
            .prefix("tsp")
            .tempdir_in("/tmp")
            .unwrap();
        let listener = UnixListener::bind(dir.path().join(SOCKET)).unwrap();
        let lost = Arc::new(AtomicU32::new(0));
        let counter = lost.clone();
        let task = task::spawn("proxy", async move {
            while let Ok((client, _)) = listener.accept().await {
                let (server, counter) = (server.clone(), counter.clone());
                drop(task::spawn("proxied", async move {
                    let server = UnixStream::connect(server).await.unwrap();
                    pass(client, server, &counter, commits_lost).await;
                }));
            }
        });
        Self {
            dir,
            task: task.abort_handle(),
            lost,
        }
    }

    pub(crate) fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// Returns how many answers were lost.
    pub(crate) fn lost(&self) -> u32 {
        self.lost.load(Ordering::Relaxed)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn pass(mut client: UnixStream, mut server: UnixStream, lost: &AtomicU32, commits_lost: u32) {
    let (mut up, mut down) = (vec![0; 65_536], vec![0; 65_536]);
    let mut has_copied = false;
    loop {
        tokio::select! {
            read = client.read(&mut up) => {
                let Ok(1..) = read else { return };
                let part = &up[..read.unwrap()];
                server.write_all(part).await.unwrap();
                has_copied |= contains(part, b"PGCOPY");
                if has_copied && contains(part, b"COMMIT") && lost.load(Ordering::Relaxed) < commits_lost {
                    lost.fetch_add(1, Ordering::Relaxed);
                    // The commit is under way; its answer goes nowhere.
                    return;
                }
            }
            read = server.read(&mut down) => {
                let Ok(1..) = read else { return };
                if client.write_all(&down[..read.unwrap()]).await.is_err() {
                    return;
                }
            }
        }
    }
}

fn contains(part: &[u8], text: &[u8]) -> bool {
    part.windows(text.len()).any(|window| window == text)
}
