//! Who may do what.
//!
//! ```text
//! request ─► origin ─► token or session ─► role of the route ─► rate ─► handler ─► audit (trigger)
//! ```
//!
//! 1. A token is shown once, when it is made; the database keeps the digest of its secret.
//! 2. A browser trades a token for a session: a cookie that no script can read, and a second value
//!    that every changing request repeats, so that a foreign page cannot act through the cookie.
//! 3. While no token exists, only this machine is answered, under a loopback name and without a proxy.
//! 4. Which role a route needs stands in one table (`routes`); a route that is not in it needs the
//!    highest.
//! 5. Who acts is told to the database with every change, where triggers write `system.audit_log`.

pub(crate) mod guard;
pub(crate) mod keyring;
mod principal;
mod rate;
mod role;
pub(crate) mod routes;
mod secret;
pub(crate) mod sessions;
mod tokens;

pub(crate) use guard::Guard;
pub(crate) use keyring::Keyring;
pub(crate) use principal::{Principal, actor, current, default_name, require};
pub use role::{Role, RoleError};
pub use tokens::{NewToken, TokenError, TokenRow, create, list, revoke};
