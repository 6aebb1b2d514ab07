//! The cryptography of HTTP clients, chosen once for the process.

/// Makes sure that there is a provider. A client built without one panics.
pub(crate) fn install_provider() {
    if rustls::crypto::CryptoProvider::get_default().is_none() {
        // Another thread may have been faster: then its provider serves as well.
        drop(rustls::crypto::ring::default_provider().install_default());
    }
}
