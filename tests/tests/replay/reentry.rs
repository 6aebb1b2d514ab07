//! Exits and re-entries of one recorded day.

use super::rig::Folder;

const RULES: &str = "regime = \"NEUTRAL\"\n[rules.after-stop]\nexit_reason_code = \"SL\"\n\
    cooldown_minutes = 1\nmax_reentries_per_day = 2\nsize_pct_entry1 = 60\n\
    trigger_params = { type = \"REBOUND\", rebound = 0.02 }\n";

fn folder(ticks: &str) -> Folder {
    let folder = Folder::new();
    folder.write("reentry.toml", RULES);
    folder.write("ticks.csv", format!("ts,symbol,price\n{ticks}"));
    folder
}

#[test]
fn what_is_stopped_out_is_bought_back_and_stopped_again() {
    let folder = folder(
        "1000000,A,101\n2000000,A,95\n30000000,A,98\n63000000,A,96.8\n64000000,A,96.9\n\
         70000000,A,92\n150000000,A,95\n189000000,A,93.8\n200000000,A,95\n201000000,A,96\n",
    );
    let ended = folder.replay(&["--reentry", "reentry.toml"]);
    assert_eq!(
        ended.said(),
        [
            "SL2 7 at 95, 95",
            "REENTRY_REBOUND 4 at 96.9, 96.9",
            "SL2 4 at 92, 92.055",
            "REENTRY_REBOUND 2 at 95, 93.84",
        ]
    );
    let rows: Vec<&str> = ended.decisions().lines().collect();
    assert_eq!(
        rows[1],
        "64000000,p1:1,A,REENTRY_REBOUND,,4,96.9,96.9,p1:ENTRY:1"
    );
    assert!(rows[3].ends_with(",p1:1:ENTRY:1"), "{}", rows[3]);
    for shape in [["1", "1"], ["2", "7"], ["4", "1000"]] {
        let options = [
            "--workers",
            shape[0],
            "--batch",
            shape[1],
            "--reentry",
            "reentry.toml",
        ];
        let again = folder.replay(&options);
        assert_eq!(again.out, ended.out, "{shape:?}");
    }
    let exits = folder.replay(&[]);
    assert_eq!(exits.said(), ["SL2 7 at 95, 95"]);
}

#[test]
fn a_panic_buys_nothing_and_a_pause_waits() {
    let ticks = "1000000,A,101\n2000000,A,95\n63000000,A,96.9\n64000000,A,97\n65000000,A,98\n";
    let folder = folder(ticks);
    folder.write(
        "control.csv",
        "ts,mode,scope\n3000000,PANIC,regime\n63400000,PAUSE_ENTRY,reentry\n\
         63500000,NEUTRAL,regime\n64500000,RUNNING,reentry\n",
    );
    let ended = folder.replay(&["--reentry", "reentry.toml"]);
    assert_eq!(
        ended.said(),
        ["SL2 7 at 95, 95", "REENTRY_REBOUND 4 at 97, 96.9"]
    );
}

#[test]
fn rules_are_checked_and_need_immediate_fills() {
    let folder = folder("1000000,A,101\n");
    let ended = folder.replay(&["--reentry", "reentry.toml", "--fills", "none"]);
    assert_eq!(ended.status, 1);
    folder.write(
        "reentry.toml",
        "[rules.a]\nexit_reason_code = \"SL\"\ncooldown = 1\n",
    );
    let ended = folder.replay(&["--reentry", "reentry.toml"]);
    assert_eq!(ended.status, 2);
    let told = "reentry.toml: line 1, column rules.a.cooldown: unknown key";
    assert!(ended.stderr.contains(told), "{}", ended.stderr);
}
