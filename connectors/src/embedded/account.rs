//! The account of the servers: the caller's own, or for root an ordinary one.

use std::io;
use std::os::unix::fs::{MetadataExt, lchown};
use std::path::Path;

use nix::unistd::{Gid, Uid, User, getegid, geteuid};
use tokio::process::Command;

use super::EmbeddedError;
use super::host::Host;

/// Accounts for the servers when the caller is root, by preference.
const ORDINARY: [&str; 2] = ["postgres", "nobody"];

/// Who owns the data and runs the servers.
#[derive(Clone, Debug)]
pub(super) struct Account {
    pub(super) name: String,
    uid: Uid,
    gid: Gid,
    /// Whether the caller is root and programs have to change to this account.
    switch: bool,
}

impl Account {
    /// Chooses the account: the caller, or for root the owner of an existing `cluster`, else
    /// `postgres`, else `nobody`.
    pub(super) fn choose(cluster: &Path) -> Result<Self, EmbeddedError> {
        let (uid, gid) = (geteuid(), getegid());
        if !uid.is_root() {
            return Ok(Self {
                name: name_of(uid),
                uid,
                gid,
                switch: false,
            });
        }
        if let Ok(meta) = cluster.symlink_metadata()
            && meta.is_dir()
            && meta.uid() != 0
        {
            let (uid, gid) = (Uid::from_raw(meta.uid()), Gid::from_raw(meta.gid()));
            return Ok(Self {
                name: name_of(uid),
                uid,
                gid,
                switch: true,
            });
        }
        ORDINARY
            .into_iter()
            .find_map(|name| User::from_name(name).ok().flatten())
            .filter(|user| !user.uid.is_root())
            .map(|user| Self {
                name: user.name,
                uid: user.uid,
                gid: user.gid,
                switch: true,
            })
            .ok_or(EmbeddedError::NoAccount)
    }

    /// Gives `path` (not what it links to) to the account.
    pub(super) fn take(&self, path: &Path) -> io::Result<()> {
        if !self.switch {
            return Ok(());
        }
        lchown(path, Some(self.uid.as_raw()), Some(self.gid.as_raw()))
    }

    /// Whether `path` itself is a folder of this account that nobody else may enter.
    pub(super) fn is_private(&self, path: &Path) -> bool {
        path.symlink_metadata().is_ok_and(|meta| {
            meta.is_dir() && meta.uid() == self.uid.as_raw() && meta.mode() & 0o077 == 0
        })
    }

    /// Returns `program` to be run by the account in `/`, with nothing of the environment but
    /// what `host` passes on. Supplementary groups are dropped with root's id.
    pub(super) fn command(&self, program: &Path, host: &Host) -> Command {
        let mut command = Command::new(program);
        command
            .env_clear()
            .envs(host.inherited.iter().map(|(name, value)| (*name, value)));
        command.env("LC_ALL", "C").env("TZ", "UTC").current_dir("/");
        command.stdin(std::process::Stdio::null());
        if self.switch {
            command.uid(self.uid.as_raw()).gid(self.gid.as_raw());
        }
        command
    }

    /// Tells whether the account can enter `folder`: its parents too have to let it pass.
    pub(super) async fn enters(&self, folder: &Path, host: &Host) -> io::Result<()> {
        // The working folder is changed after the account, so the spawn fails where it may not.
        let mut command = self.command(Path::new("/bin/sh"), host);
        let status = command
            .args(["-c", ":"])
            .current_dir(folder)
            .status()
            .await?;
        if status.success() {
            Ok(())
        } else {
            Err(io::Error::other(status.to_string()))
        }
    }
}

fn name_of(uid: Uid) -> String {
    User::from_uid(uid)
        .ok()
        .flatten()
        .map_or_else(|| uid.to_string(), |user| user.name)
}
