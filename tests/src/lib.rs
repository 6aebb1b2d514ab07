//! End-to-end and fault tests of the running system.
