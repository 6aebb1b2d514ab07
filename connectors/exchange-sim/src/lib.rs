//! A simulated exchange and broker that speaks the KIS Open API.
