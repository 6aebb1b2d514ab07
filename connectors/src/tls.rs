//! The cryptography of encrypted connections, chosen once for the process.

use std::sync::Arc;

use rustls::crypto::CryptoProvider;

/// Makes sure that there is a provider. A client built without one panics.
pub(crate) fn install_provider() {
    if CryptoProvider::get_default().is_none() {
        // Another thread may have been faster: then its provider serves as well.
        drop(rustls::crypto::ring::default_provider().install_default());
    }
}

/// Returns the provider of the process.
pub(crate) fn provider() -> Arc<CryptoProvider> {
    let chosen = CryptoProvider::get_default().cloned();
    chosen.unwrap_or_else(|| Arc::new(rustls::crypto::ring::default_provider()))
}
