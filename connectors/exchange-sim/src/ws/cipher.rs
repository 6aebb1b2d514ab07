//! Encryption of notices: AES-256-CBC with PKCS#7 padding, base64. Key and iv are ASCII texts whose
//! bytes are used as they are, the same for every frame of a session.

use aes::cipher::{BlockEncryptMut, KeyIvInit, block_padding::Pkcs7};
use base64::{Engine, engine::general_purpose::STANDARD};
use rand::RngExt;

const LETTERS: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/// Key material of one session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Cipher {
    key: [u8; 32],
    iv: [u8; 16],
}

impl Cipher {
    pub(super) fn random() -> Self {
        let mut rng = rand::rng();
        let mut letter = || LETTERS[rng.random_range(0..LETTERS.len())];
        Self {
            key: std::array::from_fn(|_| letter()),
            iv: std::array::from_fn(|_| letter()),
        }
    }

    pub(super) fn key(&self) -> String {
        String::from_utf8_lossy(&self.key).into_owned()
    }

    pub(super) fn iv(&self) -> String {
        String::from_utf8_lossy(&self.iv).into_owned()
    }

    pub(super) fn encrypt(&self, clear: &str) -> String {
        let cipher = cbc::Encryptor::<aes::Aes256>::new(&self.key.into(), &self.iv.into());
        STANDARD.encode(cipher.encrypt_padded_vec_mut::<Pkcs7>(clear.as_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    #[test]
    fn frames_of_the_samples_are_met_to_the_byte() {
        let samples: Value =
            serde_json::from_str(include_str!("../../test_data/h0stcni0-notices.json")).unwrap();
        let bytes = |name: &str| samples[name].as_str().unwrap().as_bytes();
        let cipher = Cipher {
            key: bytes("key").try_into().unwrap(),
            iv: bytes("iv").try_into().unwrap(),
        };
        let notices = samples["notices"].as_array().unwrap();
        assert_eq!(notices.len(), 5);
        for notice in notices {
            let payload = cipher.encrypt(notice["plaintext"].as_str().unwrap());
            assert_eq!(
                format!("1|H0STCNI0|001|{payload}"),
                notice["frame_production"]
            );
            assert_eq!(format!("1|H0STCNI9|001|{payload}"), notice["frame_paper"]);
        }
    }

    #[test]
    fn key_material_is_letters_and_digits() {
        let cipher = Cipher::random();
        assert_eq!((cipher.key().len(), cipher.iv().len()), (32, 16));
        assert!(
            (cipher.key() + &cipher.iv())
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric())
        );
        assert_ne!(cipher, Cipher::random());
    }
}
