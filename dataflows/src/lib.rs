//! The decision logic of Turnstile as differential dataflows; no input or output.
