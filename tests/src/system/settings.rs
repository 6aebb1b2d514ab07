//! Settings of the processes of a test.

use std::fmt::Write as _;

use super::{ACCOUNT, Stock, System};

/// A machine that works on several tests at once is slow by itself; Redis is not at fault for it.
const CALM: &str = "[redis]\nslow_call = \"250ms\"\n";

impl System {
    /// Writes the configuration of a process, with `extra` at its end (in section `[stream]`), and
    /// returns its path.
    ///
    /// # Panics
    /// If it cannot be written.
    pub fn config_file(&self, extra: &str) -> String {
        let name = format!("config-{}.toml", extra.len());
        let file = self.folder.path().join(name);
        let (rest, ws, control) = (&self.rest, &self.ws, &self.control);
        let token = self.folder.path().join("token.json");
        // Nothing is run that a test does not ask for.
        let strategy = match extra.contains("[strategy]") {
            true => "",
            false => "[strategy]\ndaily = false\n",
        };
        let text = format!(
            "[kis]\nenvironment = \"paper\"\nrest_url = \"{rest}\"\nws_url = \"{ws}\"\n\
             app_key = \"PSsimulated0000000000000000000000001\"\napp_secret = \"{}\"\n\
             account = \"{ACCOUNT}\"\nhts_id = \"demo0001\"\ntoken_cache = \"{}\"\n\
             rate = {{ per_second = {} }}\nregistrations_max = {}\n[naver]\nurl = \"{rest}\"\n{}\
             [jobs]\n{}{CALM}{strategy}[stream]\nsimulator_url = \"{control}\"\n{extra}",
            "simulated-secret-"
                .repeat(11)
                .chars()
                .take(180)
                .collect::<String>(),
            token.display(),
            self.rate,
            self.registrations,
            self.naver,
            self.jobs,
        );
        std::fs::write(&file, text).expect("configuration");
        file.display().to_string()
    }
}

/// Settings of a quiet market: prices move only where the test says so. Further accounts may stand at the
/// end of `extra`.
pub(super) fn simulator_settings(stocks: &[Stock<'_>], extra: &str) -> String {
    const ACCOUNTS: &str = "[[accounts]]";
    let (extra, accounts) = extra.split_at(extra.find(ACCOUNTS).unwrap_or(extra.len()));
    let mut text = format!("environment = \"paper\"\n{extra}\n");
    if !extra.contains("[path]") {
        text.push_str("[path]\nkind = \"generator\"\nticks_per_second = 0\n");
    }
    text.push_str("[limits]\nrest_per_second = 0\ntoken_per_minute = 0\nregistrations = 0\n");
    for stock in stocks {
        let Stock { symbol, close, .. } = stock;
        let _ = write!(
            text,
            "[[stocks]]\nsymbol = \"{symbol}\"\nname = \"{symbol}\"\nmarket = \"KOSPI\"\nprev_close = {close}\n\
             company = {{ sector = \"화학\", eps = {}, bps = {close} }}\n",
            close / 10
        );
    }
    let _ = writeln!(text, "{ACCOUNTS}");
    for Stock {
        symbol,
        close,
        held,
    } in stocks
    {
        if *held > 0 {
            let _ = write!(
                text,
                "[[accounts.holdings]]\nsymbol = \"{symbol}\"\nqty = {held}\navg_price = {close}\n"
            );
        }
    }
    text.push_str(accounts);
    text
}
