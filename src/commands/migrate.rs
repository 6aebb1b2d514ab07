//! `turnstile migrate`: brings the schema to the version of this binary.

use turnstile_connectors::postgres;

use crate::config::Config;

pub(crate) async fn run(config: &Config) -> anyhow::Result<()> {
    config.check_stores()?;
    let report = postgres::migrate(&config.postgres).await?;
    if report.applied.is_empty() {
        println!("schema is at version {}, nothing to do", report.version);
    } else {
        println!(
            "schema is at version {}, applied {}",
            report.version,
            report.applied.join(", ")
        );
    }
    Ok(())
}
