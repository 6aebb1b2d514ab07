//! Keys of the recorded samples, in the order of the file.

/// Names that appear in a JSON text as keys, in order.
pub(crate) fn keys_in_order(text: &str) -> Vec<String> {
    let mut keys = Vec::new();
    let mut rest = text;
    while let Some(start) = rest.find('"') {
        let Some(end) = rest[start + 1..].find('"') else {
            break;
        };
        let word = &rest[start + 1..start + 1 + end];
        rest = &rest[start + end + 2..];
        if rest.trim_start().starts_with(':') {
            keys.push(word.to_owned());
        }
    }
    keys
}

/// Keys of one object of a sample file, in the order of the file.
pub(crate) fn sample_keys(file: &str, from: &str, to: &str) -> Vec<String> {
    let start = file.find(from).unwrap();
    let end = file[start..].find(to).map_or(file.len(), |end| start + end);
    let keys = keys_in_order(&file[start..end]);
    let body = keys.iter().position(|key| key == "body").unwrap();
    keys[body + 1..].to_vec()
}
