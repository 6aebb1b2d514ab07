//! The private servers, started for real: folders, accounts, crashes and what is left behind.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

use std::fs::{self, Permissions};
use std::io::Read;
use std::num::NonZeroU32;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, User, geteuid, getsid};
use tokio_postgres::NoTls;
use turnstile_connectors::embedded::{EmbeddedError, EmbeddedServers};

#[path = "embedded/fixture.rs"]
mod fixture;

use fixture::{
    FOLDER, Helper, ROLE, assert_both_answer, cache, config, connect, open_folder, pids,
    processes_with, runs, sockets, start, stop, this_executable,
};

/// Not a test of its own: what other tests run in a process of its own.
#[tokio::test]
async fn helper() {
    let Ok(role) = std::env::var(ROLE) else {
        return;
    };
    let folder = PathBuf::from(std::env::var_os(FOLDER).unwrap());
    match role.as_str() {
        "hold" => {
            let mut servers = start(&folder).await;
            let (postgres, redis) = pids(&mut servers);
            println!("READY {postgres} {redis}");
            std::io::stdin().read_to_end(&mut Vec::new()).unwrap();
            stop(servers).await;
        }
        "live" => {
            let mut servers = start(&folder).await;
            assert_both_answer(&servers).await;
            let (postgres, redis) = pids(&mut servers);
            let owner = |pid| fs::metadata(format!("/proc/{pid}")).unwrap().uid();
            let data = servers.data_dir().to_str().unwrap().to_owned();
            let said = format!("READY {} {} {data}", owner(postgres), owner(redis));
            stop(servers).await;
            println!("{said}");
        }
        other => panic!("unknown role {other}"),
    }
}

#[tokio::test]
async fn servers_answer_and_keep_data_over_a_restart() {
    let folder = open_folder();
    let servers = start(folder.path()).await;
    assert_eq!(servers.data_dir(), folder.path().join(".turnstile"));
    assert_both_answer(&servers).await;
    // No commit of the first day waits for a new file of the log.
    let log = servers.data_dir().join("postgres").join("pg_wal");
    let files = fs::read_dir(log).unwrap().flatten();
    let ahead = files.filter(|file| file.file_name().len() == 24).count();
    assert!(ahead >= 8, "{ahead} files");
    let client = connect(servers.database_url().unwrap()).await;
    for (setting, expected) in [
        ("is_superuser", "off"),
        ("server_encoding", "UTF8"),
        ("lc_collate", "C"),
        ("data_checksums", "on"),
        ("fsync", "on"),
        ("synchronous_commit", "on"),
        ("TimeZone", "UTC"),
        ("listen_addresses", ""),
        ("max_connections", "100"),
    ] {
        let row = client
            .query_one("SELECT current_setting($1)", &[&setting])
            .await
            .unwrap();
        assert_eq!(row.get::<_, String>(0), expected, "{setting}");
    }
    client
        .batch_execute("CREATE TABLE kept (n int); INSERT INTO kept VALUES (7)")
        .await
        .unwrap();
    let mut memory = cache(&servers).await;
    let _: () = redis::cmd("SET")
        .arg("k")
        .arg("v")
        .query_async(&mut memory)
        .await
        .unwrap();
    stop(servers).await;

    let servers = start(folder.path()).await;
    let client = connect(servers.database_url().unwrap()).await;
    let kept: i32 = client
        .query_one("SELECT n FROM kept", &[])
        .await
        .unwrap()
        .get(0);
    assert_eq!(kept, 7);
    let mut memory = cache(&servers).await;
    let keys: i64 = redis::cmd("DBSIZE").query_async(&mut memory).await.unwrap();
    assert_eq!(keys, 0, "the cache holds nothing from before");
    stop(servers).await;
}

#[tokio::test]
async fn each_server_stops_dies_and_starts_alone() {
    let folder = open_folder();
    let mut servers = start(folder.path()).await;
    let (postgres, redis) = pids(&mut servers);
    for pid in [postgres, redis] {
        let session = getsid(Some(Pid::from_raw(pid))).unwrap();
        assert_eq!(
            session.as_raw(),
            pid,
            "each server leads a session of its own"
        );
    }
    let client = connect(servers.database_url().unwrap()).await;
    client
        .batch_execute("CREATE TABLE kept AS SELECT 7 AS n")
        .await
        .unwrap();

    servers.postgres().unwrap().kill().await.unwrap();
    assert!(!runs(postgres) && runs(redis));
    assert_eq!(servers.postgres().unwrap().pid(), None);
    assert!(
        tokio_postgres::connect(servers.database_url().unwrap(), NoTls)
            .await
            .is_err()
    );
    servers.postgres().unwrap().start().await.unwrap();
    let client = connect(servers.database_url().unwrap()).await;
    let kept: i32 = client
        .query_one("SELECT n FROM kept", &[])
        .await
        .unwrap()
        .get(0);
    assert_eq!(kept, 7, "what was committed outlives the crash");

    servers.redis().unwrap().stop().await.unwrap();
    assert!(!runs(redis));
    servers.redis().unwrap().start().await.unwrap();
    servers.redis().unwrap().kill().await.unwrap();
    servers.redis().unwrap().start().await.unwrap();
    servers.postgres().unwrap().stop().await.unwrap();
    servers.postgres().unwrap().start().await.unwrap();
    let before = pids(&mut servers);
    servers.postgres().unwrap().start().await.unwrap();
    servers.redis().unwrap().start().await.unwrap();
    assert_eq!(
        pids(&mut servers),
        before,
        "a running server is left as it is"
    );
    assert_both_answer(&servers).await;
    stop(servers).await;
}

#[tokio::test]
async fn data_moves_where_the_account_can_reach_it() {
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), Permissions::from_mode(0o700)).unwrap();
    let servers = start(folder.path()).await;
    let data = servers.data_dir().to_path_buf();
    if geteuid().is_root() {
        assert_eq!(data.parent(), Some(Path::new("/var/lib/turnstile")));
    } else {
        assert_eq!(data, folder.path().join(".turnstile"));
    }
    let client = connect(servers.database_url().unwrap()).await;
    client.batch_execute("CREATE TABLE kept ()").await.unwrap();
    stop(servers).await;

    // The data stays there, also when the folder asked for can be entered by now.
    fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).unwrap();
    let servers = start(folder.path()).await;
    assert_eq!(servers.data_dir(), data);
    let client = connect(servers.database_url().unwrap()).await;
    client.query("SELECT FROM kept", &[]).await.unwrap();
    stop(servers).await;
    fs::remove_dir_all(data).unwrap();
}

#[tokio::test]
async fn database_that_cannot_be_reached_is_not_replaced_by_an_empty_one() {
    if !geteuid().is_root() {
        return;
    }
    let folder = open_folder();
    stop(start(folder.path()).await).await;
    fs::set_permissions(folder.path(), Permissions::from_mode(0o700)).unwrap();
    let error = EmbeddedServers::start(config(folder.path()))
        .await
        .unwrap_err();
    assert!(
        matches!(error, EmbeddedError::Unreachable { .. }),
        "{error}"
    );
}

#[tokio::test]
async fn long_and_strange_paths_work() {
    let folder = open_folder();
    let mut deep = folder.path().join("a $HOME \"quoted\" 'folder' \\ 주식");
    while deep.as_os_str().len() < 150 {
        deep.push("a-folder-with-a-long-name");
    }
    let servers = start(&deep).await;
    assert_eq!(servers.data_dir(), deep.join(".turnstile"));
    assert_both_answer(&servers).await;
    stop(servers).await;
}

#[tokio::test]
async fn second_start_on_a_folder_is_refused_by_name_of_the_first() {
    let folder = open_folder();
    let mut helper = Helper::start(&this_executable(), "hold", folder.path(), None);
    helper.ready();
    let error = EmbeddedServers::start(config(folder.path()))
        .await
        .unwrap_err();
    let owner = helper.process.id();
    assert!(
        error.to_string().contains(&format!("process {owner};")),
        "{error}"
    );
    helper.finish();
}

#[tokio::test]
async fn servers_of_a_killed_process_are_adopted() {
    let folder = open_folder();
    let mut helper = Helper::start(&this_executable(), "hold", folder.path(), None);
    let before = helper.ready();
    helper.kill();
    let mut servers = start(folder.path()).await;
    let (postgres, redis) = pids(&mut servers);
    assert_eq!([postgres.to_string(), redis.to_string()], before[..]);
    assert_both_answer(&servers).await;
    stop(servers).await;
}

#[tokio::test]
async fn adopted_servers_with_other_settings_or_without_answer_are_restarted() {
    let folder = open_folder();
    let mut helper = Helper::start(&this_executable(), "hold", folder.path(), None);
    let before: Vec<i32> = helper
        .ready()
        .iter()
        .map(|pid| pid.parse().unwrap())
        .collect();
    helper.kill();
    kill(Pid::from_raw(before[1]), Signal::SIGSTOP).unwrap();
    let mut config = config(folder.path());
    config.max_connections = NonZeroU32::new(61).unwrap();
    let mut servers = EmbeddedServers::start(config).await.unwrap();
    assert!(!runs(before[0]) && !runs(before[1]));
    let (postgres, redis) = pids(&mut servers);
    assert!(postgres != before[0] && redis != before[1]);
    let client = connect(servers.database_url().unwrap()).await;
    let row = client.query_one("SHOW max_connections", &[]).await.unwrap();
    assert_eq!(row.get::<_, String>(0), "61");
    stop(servers).await;
}

#[tokio::test]
async fn pid_files_that_name_another_process_do_it_no_harm() {
    let folder = open_folder();
    let mut servers = start(folder.path()).await;
    let data = servers.data_dir().to_path_buf();
    let pid_file = data.join("postgres/postmaster.pid");
    let text = fs::read_to_string(&pid_file).unwrap();
    let record = fs::read_to_string(data.join("redis.process")).unwrap();
    let (postgres, redis) = pids(&mut servers);
    let owner = fs::metadata(&pid_file).unwrap();
    stop(servers).await;

    let mut other = Command::new("sleep");
    other.arg("600").uid(owner.uid()).gid(owner.gid());
    let mut other = other.spawn().unwrap();
    let stale = |text: &str, pid: i32| text.replacen(&pid.to_string(), &other.id().to_string(), 1);
    fs::write(&pid_file, stale(&text, postgres)).unwrap();
    chown(&pid_file, Some(owner.uid()), Some(owner.gid())).unwrap();
    fs::write(data.join("redis.process"), stale(&record, redis)).unwrap();
    let servers = start(folder.path()).await;
    assert_both_answer(&servers).await;
    stop(servers).await;
    assert!(
        other.try_wait().unwrap().is_none(),
        "the other process still runs"
    );
    other.kill().unwrap();
    other.wait().unwrap();
}

#[tokio::test]
async fn interrupted_creation_of_the_cluster_is_made_again() {
    let folder = open_folder();
    let data = folder.path().join(".turnstile");
    for name in ["postgres.new", "postgres"] {
        fs::create_dir_all(data.join(name).join("base")).unwrap();
        fs::write(data.join(name).join("PG_VERSION"), "15\n").unwrap();
    }
    let servers = start(folder.path()).await;
    assert_both_answer(&servers).await;
    assert!(!data.join("postgres.new").exists());
    assert!(
        data.join("postgres.incomplete-1/base").exists(),
        "set aside, not deleted"
    );
    stop(servers).await;
}

#[tokio::test]
async fn dropped_servers_end_and_are_not_in_the_way_of_the_next() {
    let folder = open_folder();
    let mut servers = start(folder.path()).await;
    let before = pids(&mut servers);
    drop(servers);
    let mut servers = start(folder.path()).await;
    let after = pids(&mut servers);
    let sockets = sockets(&servers);
    assert!(
        before.0 != after.0 && before.1 != after.1,
        "servers that were told to end are not adopted"
    );
    assert!(!runs(before.0) && !runs(before.1));
    assert_both_answer(&servers).await;
    drop(servers);
    let ended = async {
        while runs(after.0) || runs(after.1) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), ended)
        .await
        .unwrap();
    fs::remove_dir(sockets).unwrap();
}

#[tokio::test]
async fn ordinary_user_runs_the_servers_itself() {
    let user = if geteuid().is_root() {
        User::from_name("nobody").unwrap().unwrap()
    } else {
        User::from_uid(geteuid()).unwrap().unwrap()
    };
    let folder = open_folder();
    let executable = folder.path().join("test");
    fs::copy(this_executable(), &executable).unwrap();
    let (own, closed) = (folder.path().join("own"), folder.path().join("closed"));
    for path in [&own, &closed, &closed.join("state")] {
        fs::create_dir(path).unwrap();
        chown(path, Some(user.uid.as_raw()), Some(user.gid.as_raw())).unwrap();
    }
    fs::set_permissions(&closed, Permissions::from_mode(0o555)).unwrap();
    for (path, place) in [
        (&own, own.join(".turnstile")),
        (&closed, closed.join("state/turnstile")),
    ] {
        let as_user = geteuid().is_root().then_some(&user);
        let mut helper = Helper::start(&executable, "live", path, as_user);
        let words = helper.ready();
        helper.finish();
        assert_eq!(words[0], user.uid.to_string(), "account of PostgreSQL");
        assert_eq!(words[1], user.uid.to_string(), "account of Redis");
        assert!(
            Path::new(&words[2]).starts_with(&place),
            "{} is in {place:?}",
            words[2]
        );
    }
    fs::set_permissions(&closed, Permissions::from_mode(0o755)).unwrap();
}

#[tokio::test]
async fn server_that_cannot_start_says_why() {
    let folder = open_folder();
    let mut config = config(folder.path());
    config.max_connections = NonZeroU32::new(1).unwrap();
    let error = EmbeddedServers::start(config)
        .await
        .unwrap_err()
        .to_string();
    assert!(error.contains("superuser_reserved_connections"), "{error}");
    assert_eq!(
        processes_with(folder.path().to_str().unwrap()),
        Vec::<String>::new()
    );
}
