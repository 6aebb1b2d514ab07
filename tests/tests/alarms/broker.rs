//! Limits of the broker, of Naver, and of prices.
