//! Durations, sizes and rates as people write them, the same in flags and files.

use std::time::Duration;

/// What could not be read, with the forms that can.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum QuantityError {
    /// Not a duration.
    #[error(
        "`{0}` is not a duration: write `90` (seconds), `90s`, `5m`, `2h`, `1d` or `1h30m`; 0 means none"
    )]
    Duration(String),
    /// Not a size.
    #[error("`{0}` is not a size: write bytes or `64k`, `10M`, `4G` (powers of 1024)")]
    Size(String),
    /// Not a count or percentage.
    #[error("`{0}` is neither a number nor a percentage: write `10` or `10%`")]
    Share(String),
}

/// Reads `90`, `90s`, `5m`, `2h`, `1d`, `1h30m`, `250ms`. `0` is [`Duration::ZERO`], which callers
/// take as "none".
pub fn duration(text: &str) -> Result<Duration, QuantityError> {
    let fail = || QuantityError::Duration(text.to_owned());
    let trimmed = text.trim();
    if let Ok(seconds) = trimmed.parse::<u32>() {
        return Ok(Duration::from_secs(seconds.into()));
    }
    let mut total = Duration::ZERO;
    let mut rest = trimmed;
    if rest.is_empty() {
        return Err(fail());
    }
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).ok_or_else(fail)?;
        let (number, tail) = rest.split_at(digits);
        let number: u32 = number.parse().map_err(|_| fail())?;
        let letters = tail
            .find(|c: char| c.is_ascii_digit())
            .unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(letters);
        let unit = match unit {
            "ms" => Duration::from_millis(1),
            "s" => Duration::from_secs(1),
            "m" => Duration::from_mins(1),
            "h" => Duration::from_hours(1),
            "d" => Duration::from_hours(24),
            _ => return Err(fail()),
        };
        total = unit
            .checked_mul(number)
            .and_then(|part| total.checked_add(part))
            .ok_or_else(fail)?;
        rest = tail;
    }
    Ok(total)
}

/// Reads bytes or `64k`, `10M`, `4G`, `1T` (powers of 1024, either case).
pub fn size(text: &str) -> Result<u64, QuantityError> {
    let fail = || QuantityError::Size(text.to_owned());
    let trimmed = text.trim();
    let digits = trimmed
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(trimmed.len());
    let (number, unit) = trimmed.split_at(digits);
    let number: u64 = number.parse().map_err(|_| fail())?;
    let shift = match unit.to_ascii_lowercase().as_str() {
        "" | "b" => 0,
        "k" => 10,
        "m" => 20,
        "g" => 30,
        "t" => 40,
        _ => return Err(fail()),
    };
    number.checked_mul(1 << shift).ok_or_else(fail)
}

/// `N` or `N%` of a number of hosts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Share {
    /// So many.
    Count(usize),
    /// So many of a hundred.
    Percent(u8),
}

impl Share {
    /// Reads `10` or `10%` (0 to 100).
    pub fn parse(text: &str) -> Result<Self, QuantityError> {
        let fail = || QuantityError::Share(text.to_owned());
        match text.trim().strip_suffix('%') {
            Some(percent) => match percent.parse() {
                Ok(percent @ 0..=100) => Ok(Self::Percent(percent)),
                _ => Err(fail()),
            },
            None => text.trim().parse().map(Self::Count).map_err(|_| fail()),
        }
    }

    /// How many of `total` it means, rounded down.
    pub fn of(self, total: usize) -> usize {
        match self {
            Self::Count(count) => count,
            Self::Percent(percent) => total * usize::from(percent) / 100,
        }
    }
}

/// A size as people read it: `12 bytes`, `1.5 MiB`, `110 MiB`.
pub fn show_size(bytes: u64) -> String {
    let units = ["KiB", "MiB", "GiB", "TiB"];
    if bytes < 1024 {
        return match bytes {
            1 => "1 byte".to_owned(),
            _ => format!("{bytes} bytes"),
        };
    }
    #[expect(clippy::cast_precision_loss, reason = "one decimal is shown")]
    let mut value = bytes as f64 / 1024.0;
    let mut unit = 0;
    while value >= 1024.0 && unit + 1 < units.len() {
        value /= 1024.0;
        unit += 1;
    }
    let decimals = usize::from(value < 100.0);
    format!("{value:.decimals$} {}", units.get(unit).unwrap_or(&""))
}

/// A duration as people read it: `4m30s`, `12.3s`, `850ms`.
pub fn show_duration(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match seconds {
        0 => format!("{}ms", duration.as_millis()),
        1..=59 => format!("{:.1}s", duration.as_secs_f64()),
        60..=3599 => format!("{}m{:02}s", seconds / 60, seconds % 60),
        _ => format!("{}h{:02}m", seconds / 3600, seconds / 60 % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_as_the_contract_writes_them() {
        let secs = |text| duration(text).unwrap().as_secs();
        assert_eq!(
            [secs("90"), secs("90s"), secs("5m"), secs("2h"), secs("1d")],
            [90, 90, 300, 7200, 86400]
        );
        assert_eq!(secs("1h30m"), 5400);
        assert_eq!(duration("0").unwrap(), Duration::ZERO);
        for bad in ["", "x", "5", "5x", "-1", "m", "1h30", "99999999999999s"] {
            assert_eq!(duration(bad).is_ok(), bad == "5", "{bad}");
        }
    }

    #[test]
    fn sizes_are_powers_of_1024() {
        assert_eq!(size("64k").unwrap(), 65536);
        assert_eq!(size("10M").unwrap(), 10 << 20);
        assert_eq!(size("4G").unwrap(), 4 << 30);
        assert_eq!(size("12").unwrap(), 12);
        assert!(size("1x").is_err() && size("").is_err() && size("99999999T").is_err());
    }

    #[test]
    fn shares_are_counts_or_percentages() {
        assert_eq!(Share::parse("30%").unwrap().of(20), 6);
        assert_eq!(Share::parse("3").unwrap().of(20), 3);
        assert!(Share::parse("101%").is_err() && Share::parse("-1").is_err());
    }
}
