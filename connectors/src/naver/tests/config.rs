//! Configuration: what is read, what is refused.

use std::time::Duration;

use crate::naver::NaverConfig;

#[test]
fn an_empty_section_asks_the_source_as_it_wants_to_be_asked() {
    let config: NaverConfig = toml::from_str("").unwrap();
    assert_eq!(config, NaverConfig::default());
    assert_eq!(config.validate(), Vec::<String>::new());
    assert!(config.enabled);
    assert_eq!(config.url, "https://polling.finance.naver.com");
    assert_eq!(config.timeout, Duration::from_secs(10));
    assert_eq!(config.spacing, Duration::from_millis(100));
    assert_eq!(
        (config.symbols_per_call, config.interval.as_secs()),
        (20, 7)
    );
}

#[test]
fn all_faults_are_named_by_their_keys() {
    let text = "url = 'ftp://x/y'\ntimeout = '0s'\ninterval = '0s'\nsymbols_per_call = 101";
    let config: NaverConfig = toml::from_str(text).unwrap();
    let keys: Vec<_> = config
        .validate()
        .iter()
        .map(|fault| fault.split(':').next().unwrap().to_owned())
        .collect();
    assert_eq!(
        keys,
        [
            "naver.url",
            "naver.timeout",
            "naver.interval",
            "naver.symbols_per_call"
        ]
    );
    assert!(toml::from_str::<NaverConfig>("intervall = '7s'").is_err());
}

#[test]
fn an_address_is_a_host_and_nothing_more() {
    for (url, is_good) in [
        ("http://127.0.0.1:8080", true),
        ("https://polling.finance.naver.com/", true),
        ("https://polling.finance.naver.com/api", false),
        ("https://polling.finance.naver.com?x=1", false),
        ("polling.finance.naver.com", false),
        ("", false),
    ] {
        let config = NaverConfig {
            url: url.to_owned(),
            ..NaverConfig::default()
        };
        assert_eq!(config.validate().is_empty(), is_good, "{url}");
    }
}

#[test]
fn an_answer_may_lengthen_the_interval_but_not_shorten_or_stop_it() {
    let config = NaverConfig::default();
    let seconds = |asked| config.round_interval(asked).as_secs();
    assert_eq!(seconds(None), 7);
    assert_eq!(seconds(Some(Duration::from_secs(1))), 7);
    assert_eq!(seconds(Some(Duration::from_secs(70))), 70);
    assert_eq!(seconds(Some(Duration::MAX)), 600);
}
