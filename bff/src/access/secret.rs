//! Secrets: made at random, kept as digests, compared in constant time.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::SecretString;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq;

/// Random bytes of a secret: nobody guesses 256 bits, so a plain digest is enough to keep.
const SECRET_BYTES: usize = 32;
/// Random bytes of the public part of a token.
const PUBLIC_BYTES: usize = 6;
/// What a token begins with, so that scanners of repositories know one.
const PREFIX: &str = "turnstile_";

/// SHA-256 of a secret.
#[derive(Clone, Copy, Debug)]
pub(super) struct Digest([u8; 32]);

impl Digest {
    /// Returns the digest of `secret`.
    pub(super) fn of(secret: &str) -> Self {
        Self(Sha256::digest(secret.as_bytes()).into())
    }

    /// Returns the stored digest, if it is one.
    pub(super) fn stored(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// Returns the bytes to store.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// Compares without telling by its time where the first difference is.
    pub(super) fn is(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

/// A token as its holder has it: `turnstile_<public>.<secret>`.
pub(super) struct TokenText {
    /// Key in the database.
    pub(super) public: String,
    /// Digest of the secret.
    pub(super) digest: Digest,
}

/// Makes a token. The text is all that there is of its secret.
///
/// # Errors
/// If the system gives no random bytes.
pub(super) fn new_token() -> Result<(SecretString, TokenText), getrandom::Error> {
    let (public, secret) = (random::<PUBLIC_BYTES>()?, random::<SECRET_BYTES>()?);
    let digest = Digest::of(&secret);
    let text = SecretString::from(format!("{PREFIX}{public}.{secret}"));
    Ok((text, TokenText { public, digest }))
}

/// Returns the parts of a token's text, if it is one.
pub(super) fn read_token(text: &str) -> Option<TokenText> {
    let (public, secret) = text.strip_prefix(PREFIX)?.split_once('.')?;
    (!public.is_empty() && !secret.is_empty()).then(|| TokenText {
        public: public.to_owned(),
        digest: Digest::of(secret),
    })
}

/// Makes the secret of a session.
///
/// # Errors
/// If the system gives no random bytes.
pub(super) fn new_session() -> Result<String, getrandom::Error> {
    random::<SECRET_BYTES>()
}

/// Returns what changing requests of the session of `secret` repeat: derived, so that it need not be
/// kept, and of no use for finding the secret.
pub(super) fn csrf_of(secret: &str) -> String {
    let digest = Sha256::digest(format!("csrf of {secret}").as_bytes());
    URL_SAFE_NO_PAD.encode(digest)
}

fn random<const N: usize>() -> Result<String, getrandom::Error> {
    let mut bytes = [0_u8; N];
    getrandom::fill(&mut bytes)?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    #[test]
    fn a_token_is_read_as_it_was_made_and_each_is_another() {
        let (text, made) = new_token().unwrap();
        let read = read_token(text.expose_secret()).unwrap();
        assert_eq!(read.public, made.public);
        assert!(read.digest.is(&made.digest));
        assert!(
            Digest::stored(made.digest.bytes())
                .unwrap()
                .is(&read.digest)
        );
        let (other, _) = new_token().unwrap();
        assert_ne!(other.expose_secret(), text.expose_secret());
        let changed = read_token(&format!("{}x", text.expose_secret())).unwrap();
        assert!(!changed.digest.is(&made.digest));
    }

    #[test]
    fn what_is_no_token_is_none() {
        for text in [
            "",
            "turnstile_",
            "turnstile_a",
            "turnstile_.b",
            "turnstile_a.",
            "a.b",
        ] {
            assert!(read_token(text).is_none(), "{text}");
        }
    }

    #[test]
    fn what_requests_repeat_is_of_the_session_and_not_its_secret() {
        let (one, other) = (new_session().unwrap(), new_session().unwrap());
        assert_eq!(csrf_of(&one), csrf_of(&one));
        assert_ne!(csrf_of(&one), csrf_of(&other));
        assert!(!csrf_of(&one).contains(&one));
    }
}
