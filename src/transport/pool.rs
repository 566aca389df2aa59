//! Connections by target: made once, lent to whoever works on the host, closed longest-idle first
//! when there are too many. (Filled by the SSH branch.)

/// The connections of one caller.
pub struct Pool {}
