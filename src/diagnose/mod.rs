//! What works, what does not, and why.

pub mod trust;
