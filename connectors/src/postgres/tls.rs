//! Encryption of connections to PostgreSQL, as libpq does it.
//!
//! | `sslmode` | encrypted | certificate of the server |
//! |---|---|---|
//! | `disable` | no | |
//! | `prefer` (default) | if the server offers it | not looked at |
//! | `require` | always | not looked at; with `sslrootcert` as `verify-ca` |
//! | `verify-ca` | always | signed by an authority of `sslrootcert`, a file |
//! | `verify-full` | always | so, and for the host of the address |
//!
//! Authorities are those of the file `sslrootcert`, else those of the system. Over a Unix socket nothing is
//! encrypted.

use std::path::Path;
use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme,
};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::tls::provider;

/// How far encryption goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TlsMode {
    /// Never.
    Disable,
    /// Where the server offers it.
    Prefer,
    /// Always, with whoever answers.
    Require,
    /// Always, with a server whose certificate is signed by a known authority.
    VerifyCa,
    /// Always, with the server that the address names.
    VerifyFull,
}

/// What the address says of encryption.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Tls {
    pub(super) mode: TlsMode,
    /// File of the authorities; `system` for those of the system.
    pub(super) root: Option<String>,
    /// File of our certificate.
    pub(super) certificate: Option<String>,
    /// File of its key.
    pub(super) key: Option<String>,
}

impl Tls {
    /// Reads the files and returns what makes encrypted connections.
    ///
    /// # Errors
    /// Which parameter cannot be used, and why.
    pub(super) fn connector(&self) -> Result<MakeRustlsConnect, String> {
        let provider = provider();
        let builder = ClientConfig::builder_with_provider(provider.clone());
        let builder = builder
            .with_safe_default_protocol_versions()
            .map_err(|error| error.to_string())?;
        let verifier = self.verifier(provider)?;
        let builder = builder
            .dangerous()
            .with_custom_certificate_verifier(verifier);
        let config = match (&self.certificate, &self.key) {
            (None, None) => builder.with_no_client_auth(),
            (Some(certificate), Some(key)) => {
                let chain = certificates("sslcert", certificate)?;
                let key = PrivateKeyDer::from_pem_file(key)
                    .map_err(|error| format!("sslkey {key}: {error}"))?;
                let made = builder.with_client_auth_cert(chain, key);
                made.map_err(|error| format!("sslcert {certificate}: {error}"))?
            }
            (Some(_), None) => return Err("sslkey: expected with sslcert".to_owned()),
            (None, Some(_)) => return Err("sslcert: expected with sslkey".to_owned()),
        };
        Ok(MakeRustlsConnect::new(config))
    }

    fn verifier(
        &self,
        provider: Arc<CryptoProvider>,
    ) -> Result<Arc<dyn ServerCertVerifier>, String> {
        let is_trusting = match self.mode {
            TlsMode::Disable | TlsMode::Prefer => true,
            TlsMode::Require => self.root.is_none(),
            TlsMode::VerifyCa | TlsMode::VerifyFull => false,
        };
        if is_trusting {
            return Ok(Arc::new(Lenient {
                authorities: None,
                provider,
            }));
        }
        let roots = Arc::new(self.authorities()?);
        let strict = WebPkiServerVerifier::builder_with_provider(roots, provider.clone());
        let strict = strict
            .build()
            .map_err(|error| format!("sslrootcert: {error}"))?;
        if self.mode == TlsMode::VerifyFull {
            return Ok(strict);
        }
        Ok(Arc::new(Lenient {
            authorities: Some(strict),
            provider,
        }))
    }

    fn authorities(&self) -> Result<RootCertStore, String> {
        let mut roots = RootCertStore::empty();
        match self.root.as_deref() {
            // Anybody has a certificate of theirs for some name: it says nothing unless the name is looked at.
            None | Some("system") if self.mode != TlsMode::VerifyFull => {
                return Err("sslrootcert: a file expected unless sslmode is verify-full".to_owned());
            }
            None | Some("system") => {
                let found = rustls_native_certs::load_native_certs();
                roots.add_parsable_certificates(found.certs);
                if roots.is_empty() {
                    let fault = found.errors.first().map(ToString::to_string);
                    let fault = fault.unwrap_or_else(|| "there are none".to_owned());
                    return Err(format!("sslrootcert: authorities of the system: {fault}"));
                }
            }
            Some(file) => {
                for certificate in certificates("sslrootcert", file)? {
                    let added = roots.add(certificate);
                    added.map_err(|error| format!("sslrootcert {file}: {error}"))?;
                }
            }
        }
        Ok(roots)
    }
}

/// Returns the certificates of a file; at least one.
fn certificates(parameter: &str, file: &str) -> Result<Vec<CertificateDer<'static>>, String> {
    let fault = |error: &dyn std::fmt::Display| format!("{parameter} {file}: {error}");
    let read = CertificateDer::pem_file_iter(Path::new(file)).map_err(|error| fault(&error))?;
    let read: Vec<_> = read
        .collect::<Result<_, _>>()
        .map_err(|error| fault(&error))?;
    if read.is_empty() {
        return Err(fault(&"a certificate in PEM format expected"));
    }
    Ok(read)
}

/// Looks at less of a certificate than its name.
#[derive(Debug)]
struct Lenient {
    /// Who has to have signed it; none: anybody.
    authorities: Option<Arc<WebPkiServerVerifier>>,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Lenient {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let Some(authorities) = &self.authorities else {
            return Ok(ServerCertVerified::assertion());
        };
        match authorities.verify_server_cert(certificate, intermediates, name, ocsp, now) {
            // The signatures were good: the name is looked at last.
            Err(rustls::Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) => Ok(ServerCertVerified::assertion()),
            verified => verified,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider
            .signature_verification_algorithms
            .supported_schemes()
    }
}
