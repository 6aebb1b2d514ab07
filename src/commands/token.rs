//! `turnstile token`: who may use the API.

use anyhow::bail;
use clap::{Args as ClapArgs, Subcommand};
use jiff::{SignedDuration, Span, SpanRelativeTo, Timestamp};
use secrecy::ExposeSecret;
use turnstile_bff::access::{NewToken, Role, TokenRow, create, list, revoke};
use turnstile_connectors::postgres::{Postgres, migrate};

use crate::config::Config;

/// What the long help says below the options.
pub(crate) const ABOUT: &str = "\
Roles:
  viewer  sees everything
  trader  also acts: orders, approvals, control modes, portfolios, the emergency stop
  admin   also sets rules and limits, and lifts the emergency stop

While no token was ever made, the API answers this machine only, and lets it do everything.
From the first token on, everybody needs one:
  curl -H \"authorization: Bearer $TOKEN\" http://127.0.0.1:8099/api/v1/positions
The web app asks for it once and keeps a session.

Example:
  turnstile token create desk --role trader --expires 90d --reason \"the desk's browser\"";

/// Options of the tokens.
#[derive(Debug, ClapArgs)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make a token and print it, once: only its digest is kept.
    Create {
        /// What the audit calls it; unique among tokens that are not revoked.
        name: String,
        /// What it may do: viewer, trader or admin.
        #[arg(long)]
        role: Role,
        /// How long it is good for, such as 90d or 12h. Without it: until it is revoked.
        #[arg(long, value_name = "SPAN")]
        expires: Option<Span>,
        /// Who makes it.
        #[arg(long, env = "USER", default_value = "operator")]
        by: String,
        /// Why.
        #[arg(long)]
        reason: Option<String>,
    },
    /// List the tokens, the newest first.
    List,
    /// End a token with its sessions, within a second.
    Revoke {
        /// What it is called.
        name: String,
        /// Who ends it.
        #[arg(long, env = "USER", default_value = "operator")]
        by: String,
        /// Why.
        #[arg(long)]
        reason: Option<String>,
    },
}

pub(crate) async fn run(config: &Config, args: Args) -> anyhow::Result<()> {
    config.check_stores()?;
    migrate(&config.postgres).await?;
    let db = Postgres::connect(&config.postgres).await?;
    match args.command {
        Command::Create {
            name,
            role,
            expires,
            by,
            reason,
        } => {
            let new = NewToken {
                name,
                role,
                expires: expires.map(end_of).transpose()?,
                created_by: by,
                reason,
            };
            let text = create(&db, &new).await?;
            eprintln!("turnstile: this is shown once; only its digest is kept");
            println!("{}", text.expose_secret());
        }
        Command::List => {
            let tokens = list(&db).await?;
            if tokens.is_empty() {
                eprintln!("turnstile: no token; the API answers this machine only");
            }
            for token in &tokens {
                println!("{}", line(token));
            }
        }
        Command::Revoke { name, by, reason } => {
            revoke(&db, &name, &by, reason.as_deref()).await?;
            eprintln!("turnstile: token \"{name}\" is revoked");
        }
    }
    Ok(())
}

/// Returns when a token ends that is made now. A day has 24 hours.
fn end_of(span: Span) -> anyhow::Result<Timestamp> {
    let duration = span.to_duration(SpanRelativeTo::days_are_24_hours())?;
    if duration < SignedDuration::from_secs(1) {
        bail!("--expires: at least a second expected, such as 90d or 12h");
    }
    Ok(Timestamp::now().checked_add(duration)?)
}

fn line(token: &TokenRow) -> String {
    let or_dash =
        |moment: Option<Timestamp>| moment.map_or("-".to_owned(), |at| format!("{at:.0}"));
    let state = match (token.revoked, token.expires) {
        (Some(at), _) => format!("revoked {at:.0}"),
        (None, Some(at)) if at <= Timestamp::now() => format!("over since {at:.0}"),
        (None, Some(at)) => format!("until {at:.0}"),
        (None, None) => "in force".to_owned(),
    };
    format!(
        "{}\t{}\tmade {:.0} by {}\tlast used {}\t{state}",
        token.name,
        token.role.name().to_lowercase(),
        token.created,
        token.created_by,
        or_dash(token.last_used),
    )
}
