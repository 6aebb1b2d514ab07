//! Samples of the process: what its recorder renders in the text format of Prometheus.
//!
//! Format: <https://prometheus.io/docs/instrumenting/exposition_formats/>. Only what a recorder writes is
//! read: a line that does not read is left out.

use std::collections::BTreeMap;

/// One value of one series.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Sample {
    /// Name of the metric; of a histogram with `_bucket`, `_sum` or `_count` at its end.
    pub(super) name: String,
    /// Labels by name.
    pub(super) labels: BTreeMap<String, String>,
    pub(super) value: f64,
}

impl Sample {
    /// Returns the value of a label; empty where it has none.
    pub(super) fn label(&self, name: &str) -> &str {
        self.labels.get(name).map_or("", String::as_str)
    }
}

/// Reads every sample of `text`.
pub(super) fn samples(text: &str) -> Vec<Sample> {
    text.lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(sample)
        .collect()
}

fn sample(line: &str) -> Option<Sample> {
    let line = line.trim();
    let (name, labels, rest) = match line.find('{') {
        Some(open) => {
            let (labels, rest) = labels(&line[open + 1..])?;
            (&line[..open], labels, rest)
        }
        None => {
            let (name, rest) = line.split_once(' ')?;
            (name, BTreeMap::new(), rest)
        }
    };
    Some(Sample {
        name: name.to_owned(),
        labels,
        value: rest.split_whitespace().next()?.parse().ok()?,
    })
}

/// Reads labels up to the closing brace, and returns what follows it.
fn labels(text: &str) -> Option<(BTreeMap<String, String>, &str)> {
    let mut labels = BTreeMap::new();
    let mut rest = text;
    loop {
        rest = rest.trim_start_matches([',', ' ']);
        if let Some(rest) = rest.strip_prefix('}') {
            return Some((labels, rest));
        }
        let (name, after) = rest.split_once("=\"")?;
        let mut value = String::new();
        let mut letters = after.char_indices();
        let end = loop {
            match letters.next()? {
                (at, '"') => break at,
                (_, '\\') => match letters.next()?.1 {
                    'n' => value.push('\n'),
                    letter => value.push(letter),
                },
                (_, letter) => value.push(letter),
            }
        };
        labels.insert(name.to_owned(), value);
        rest = &after[end + 1..];
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_a_recorder_writes_is_read() {
        let text = "# HELP calls Calls\n# TYPE calls counter\ncalls{api=\"a\",why=\"x \\\"y\\\"\\\\ \\n{}\"} 3\n\
            seconds_bucket{le=\"0.1\"} 2\nseconds_bucket{le=\"+Inf\"} 4\nplain 1.5e3\n\nnonsense\n";
        let read = samples(text);
        let values: Vec<_> = read
            .iter()
            .map(|sample| (sample.name.as_str(), sample.value))
            .collect();
        let expected = [
            ("calls", 3.0),
            ("seconds_bucket", 2.0),
            ("seconds_bucket", 4.0),
            ("plain", 1_500.0),
        ];
        assert_eq!(values, expected);
        assert_eq!(read[0].label("why"), "x \"y\"\\ \n{}");
        assert_eq!(read[2].label("le"), "+Inf");
        assert_eq!(read[3].label("le"), "");
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "\\PC*") {
            samples(&text);
        }
    }
}
