//! The parameters of a connection string: those in the query of a URL, or key-value pairs.

/// A connection string, taken apart.
pub(super) struct Parameters {
    /// What stands before the query of a URL; none for key-value pairs.
    url: Option<String>,
    /// Names and decoded values, in their order.
    pairs: Vec<(String, String)>,
}

impl Parameters {
    /// Takes a connection string apart.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let is_url = ["postgres://", "postgresql://"]
            .iter()
            .any(|scheme| text.starts_with(scheme));
        if !is_url {
            let pairs = key_values(text)?;
            return Ok(Self { url: None, pairs });
        }
        // A password may have a question mark.
        let host = text.find('@').unwrap_or_default();
        let query = text.get(host..).and_then(|rest| rest.split_once('?'));
        let query = query.map_or("", |(_, query)| query);
        let url = text.strip_suffix(query).unwrap_or(text);
        let url = url.strip_suffix('?').unwrap_or(url);
        let pairs = query.split('&').filter(|pair| !pair.is_empty());
        let pairs = pairs.map(|pair| {
            let (name, value) = pair
                .split_once('=')
                .ok_or_else(|| "a parameter of the URL has no value".to_owned())?;
            Ok((decode(name)?, decode(value)?))
        });
        Ok(Self {
            url: Some(url.to_owned()),
            pairs: pairs.collect::<Result<_, String>>()?,
        })
    }

    /// Takes a parameter away and returns its value; of several the last counts.
    pub(super) fn take(&mut self, name: &str) -> Option<String> {
        let is_named = |(other, _): &mut (String, String)| other == name;
        self.pairs
            .extract_if(.., is_named)
            .last()
            .map(|(_, value)| value)
    }

    /// Returns a connection string of what is left.
    pub(super) fn rest(&self) -> String {
        match &self.url {
            Some(url) => {
                let pair = |(name, value): &(String, String)| {
                    format!("{}={}", encode(name), encode(value))
                };
                let query: Vec<_> = self.pairs.iter().map(pair).collect();
                if query.is_empty() {
                    return url.clone();
                }
                format!("{url}?{}", query.join("&"))
            }
            None => {
                let pair = |(name, value): &(String, String)| {
                    let value = value.replace('\\', "\\\\").replace('\'', "\\'");
                    format!("{name}='{value}'")
                };
                let pairs: Vec<_> = self.pairs.iter().map(pair).collect();
                pairs.join(" ")
            }
        }
    }
}

/// Returns `text` with percent-encoded bytes decoded.
fn decode(text: &str) -> Result<String, String> {
    let fault = || "a parameter of the URL is not percent-encoded UTF-8".to_owned();
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let digits = [rest.next(), rest.next()];
        let [Some(high), Some(low)] = digits.map(|digit| char::from(digit?).to_digit(16)) else {
            return Err(fault());
        };
        bytes.push(u8::try_from(high * 16 + low).map_err(|_| fault())?);
    }
    String::from_utf8(bytes).map_err(|_| fault())
}

/// Returns `text` with every byte encoded that may mean something in a query.
fn encode(text: &str) -> String {
    text.bytes().fold(String::new(), |mut encoded, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
        encoded
    })
}

/// Returns the pairs of `key = value` with the quotes of libpq: a value in single quotes may have
/// spaces, a backslash takes the next character as it is.
fn key_values(text: &str) -> Result<Vec<(String, String)>, String> {
    let mut pairs = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let Some((name, after)) = rest.split_once('=') else {
            return Err("key-value pairs or a URL expected".to_owned());
        };
        let name = name.trim_end();
        if name.is_empty() || name.contains(char::is_whitespace) {
            return Err("a key without a value".to_owned());
        }
        let (value, after) = value(after.trim_start())?;
        pairs.push((name.to_owned(), value));
        rest = after.trim_start();
    }
    Ok(pairs)
}

/// Returns the value that `text` begins with, and what follows it.
fn value(text: &str) -> Result<(String, &str), String> {
    let (is_quoted, text) = match text.strip_prefix('\'') {
        Some(text) => (true, text),
        None => (false, text),
    };
    let mut value = String::new();
    let mut letters = text.char_indices();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '\'' if is_quoted => return Ok((value, text.get(at + 1..).unwrap_or_default())),
            '\\' => value.extend(letters.next().map(|(_, letter)| letter)),
            _ if !is_quoted && letter.is_whitespace() => {
                return Ok((value, text.get(at..).unwrap_or_default()));
            }
            _ => value.push(letter),
        }
    }
    if is_quoted {
        return Err("a quote of a value is not closed".to_owned());
    }
    Ok((value, ""))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// What is put together again is read as it was, and whatever is read is never a panic.
        #[test]
        fn what_is_left_says_the_same(
            values in prop::collection::vec(("[a-z_]{1,8}", ".{0,12}"), 0..5),
            is_url: bool,
            text in ".{0,40}",
        ) {
            let url = is_url.then(|| "postgresql://h/d".to_owned());
            let before = Parameters { url, pairs: values };
            let after = Parameters::parse(&before.rest()).unwrap();
            prop_assert_eq!(before.pairs, after.pairs);
            drop(Parameters::parse(&text));
        }
    }
}
