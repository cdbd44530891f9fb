//! What works, what does not, and why.

pub mod identity;
pub mod report;
pub mod trust;
