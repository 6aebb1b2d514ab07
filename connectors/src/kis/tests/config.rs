//! Configuration: what is read, what is refused.

use std::time::Duration;

use rstest::rstest;
use secrecy::ExposeSecret;

use super::server::config;
use crate::kis::{Environment, KisConfig};

const WHOLE: &str = r#"
environment = "production"
app_key = "key"
app_secret = "secret"
account = "50123456-01"
hts_id = "demo0001"
token_cache = "/tmp/token.json"
[timeouts]
order = "2s 500ms"
"#;

#[test]
fn a_short_file_is_completed_by_the_brokers_own_values() {
    let config: KisConfig = toml::from_str(WHOLE).unwrap();
    let settings = config.validate().unwrap();
    assert_eq!(settings.environment, Environment::Production);
    assert_eq!(
        settings.rest_url,
        "https://openapi.koreainvestment.com:9443"
    );
    assert_eq!(
        settings.ws_url,
        "ws://ops.koreainvestment.com:21000/tryitout"
    );
    assert_eq!(settings.timeouts.order, Duration::from_millis(2_500));
    assert_eq!(settings.rate.interval, Duration::from_secs(1) / 15);
    assert_eq!(settings.rate.burst, 3);
    assert_eq!(settings.registrations_max, 41);
    let paper: KisConfig = toml::from_str(&WHOLE.replace("production", "paper")).unwrap();
    let paper = paper.validate().unwrap();
    assert_eq!(
        paper.rest_url,
        "https://openapivts.koreainvestment.com:29443"
    );
    assert_eq!(paper.ws_url, "ws://ops.koreainvestment.com:31000/tryitout");
    assert_eq!(
        (paper.rate.interval, paper.rate.burst),
        (Duration::from_secs(1), 1)
    );
}

#[test]
fn further_keys_have_sessions_and_tokens_of_their_own() {
    let more = "[[more_keys]]\napp_key = \"second\"\napp_secret = \"s2\"\n\
        [[more_keys]]\napp_key = \"third\"\napp_secret = \"s3\"\ntoken_cache = \"/tmp/third\"\n";
    let config: KisConfig = toml::from_str(&format!("{WHOLE}{more}")).unwrap();
    let settings = config.validate().unwrap().of_each_key();
    let files = settings
        .iter()
        .map(|it| it.token_cache.display().to_string());
    let files: Vec<String> = files.collect();
    assert_eq!(
        files,
        ["/tmp/token.json", "/tmp/token-2.json", "/tmp/third"]
    );
    let secrets = settings.iter().map(|it| it.app_secret.expose_secret());
    assert_eq!(secrets.collect::<Vec<_>>(), ["secret", "s2", "s3"]);
}

#[rstest]
#[case(
    "app_key = \"key\"\napp_secret = \"s2\"",
    "kis.more_keys[0].app_key: must differ"
)]
#[case(
    "app_key = \"\"\napp_secret = \"s2\"",
    "kis.more_keys[0].app_key: must be a text"
)]
#[case(
    "app_key = \"k2\"\napp_secret = \" s\"",
    "kis.more_keys[0].app_secret: must be a text"
)]
#[case(
    "app_key = \"k2\"\napp_secret = \"s\"\ntoken_cache = \"/tmp/token.json\"",
    "kis.more_keys[0].token_cache: must differ"
)]
fn a_wrong_further_key_is_named_by_its_place(#[case] key: &str, #[case] fault: &str) {
    let text = format!("{WHOLE}[[more_keys]]\n{key}\n");
    let config: KisConfig = toml::from_str(&text).unwrap();
    let faults = config.validate().unwrap_err().0;
    assert_eq!(faults.len(), 1, "{faults:?}");
    assert!(faults[0].starts_with(fault), "{faults:?}");
}

#[test]
fn zero_lifts_rate_and_registrations() {
    let text = format!("registrations_max = 0\n{WHOLE}\n[rate]\nper_second = 0");
    let settings = toml::from_str::<KisConfig>(&text)
        .unwrap()
        .validate()
        .unwrap();
    assert_eq!(settings.rate.interval, Duration::ZERO);
    assert_eq!(settings.registrations_max, usize::MAX);
}

#[test]
fn an_unknown_key_is_refused() {
    assert!(toml::from_str::<KisConfig>("appkey = \"x\"").is_err());
}

#[test]
fn an_empty_file_names_every_missing_key_and_no_default_environment() {
    let faults = KisConfig::default().validate().unwrap_err().0;
    let keys: Vec<&str> = faults
        .iter()
        .map(|it| it.split(':').next().unwrap())
        .collect();
    assert_eq!(
        keys,
        [
            "kis.environment",
            "kis.app_key",
            "kis.app_secret",
            "kis.hts_id",
            "kis.account",
            "kis.token_cache",
        ]
    );
}

#[rstest]
#[case(|it: &mut KisConfig| it.rest_url = Some("https://openapi.koreainvestment.com:9443".into()), "kis.rest_url")]
#[case(|it: &mut KisConfig| it.rest_url = Some("nowhere".into()), "kis.rest_url")]
#[case(|it: &mut KisConfig| it.environment = Some(Environment::Production), "kis.rest_url")]
#[case(|it: &mut KisConfig| it.ws_url = Some("wss://x:1".into()), "kis.ws_url")]
#[case(|it: &mut KisConfig| it.ws_path = "tryitout".into(), "kis.ws_path")]
#[case(|it: &mut KisConfig| it.account = "5012345601".into(), "kis.account")]
#[case(|it: &mut KisConfig| it.app_secret = " padded ".into(), "kis.app_secret")]
#[case(|it: &mut KisConfig| it.timeouts.order = Duration::ZERO, "kis.timeouts.order")]
#[case(|it: &mut KisConfig| it.reconnect.pause_max = Duration::ZERO, "kis.reconnect.pause_max")]
#[case(|it: &mut KisConfig| it.stream.read_deadline = Duration::from_secs(1), "kis.stream.read_deadline")]
#[case(|it: &mut KisConfig| it.stream.events_max = 0, "kis.stream.events_max")]
#[case(|it: &mut KisConfig| it.rate.queue_max = 0, "kis.rate.queue_max")]
fn a_wrong_value_is_named_by_its_key(#[case] spoil: fn(&mut KisConfig), #[case] key: &str) {
    let folder = tempfile::tempdir().unwrap();
    let mut config = config("http://127.0.0.1:1", &folder);
    spoil(&mut config);
    let faults = config.validate().unwrap_err().0;
    assert_eq!(faults.len(), 1, "{faults:?}");
    assert!(faults[0].starts_with(key), "{faults:?}");
}

#[test]
fn neither_faults_nor_debug_show_a_secret() {
    let folder = tempfile::tempdir().unwrap();
    let config = config("http://127.0.0.1:1", &folder);
    let shown = format!("{config:?} {:?}", config.clone().validate().unwrap());
    for secret in ["app-key", "app-secret", "50123456"] {
        assert!(!shown.contains(secret), "{shown}");
    }
}
