//! The one place that asks for the time, so that formats and precision are the same everywhere.

use jiff::Timestamp;
use jiff::fmt::strtime;
use jiff::tz::TimeZone;

/// The present moment.
#[expect(clippy::disallowed_methods, reason = "this is the one clock")]
pub fn now() -> Timestamp {
    Timestamp::now()
}

/// RFC 3339 in UTC with milliseconds, the form of every time in documents: `2026-11-23T08:00:00.000Z`.
pub fn rfc3339(at: Timestamp) -> String {
    strtime::format("%Y-%m-%dT%H:%M:%S.%3fZ", at).unwrap_or_else(|_| at.to_string())
}

/// As people read it, in the time zone of this machine: `2026-11-23 16:00:00`.
pub fn local(at: Timestamp) -> String {
    let zoned = at.to_zoned(TimeZone::system());
    strtime::format("%Y-%m-%d %H:%M:%S", &zoned).unwrap_or_else(|_| at.to_string())
}

/// For `#[serde(with = "crate::base::clock::serde_rfc3339")]`: milliseconds, UTC.
pub mod serde_rfc3339 {
    use jiff::Timestamp;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    /// Writes the contract's form.
    pub fn serialize<S: Serializer>(at: &Timestamp, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&super::rfc3339(*at))
    }

    /// Reads any RFC 3339 time.
    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Timestamp, D::Error> {
        String::deserialize(from)?.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn times_are_utc_with_milliseconds() {
        let at = "2026-11-23T16:00:00.0416+08:00".parse().unwrap();
        assert_eq!(super::rfc3339(at), "2026-11-23T08:00:00.041Z");
    }
}
