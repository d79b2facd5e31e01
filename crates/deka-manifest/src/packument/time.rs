//! Reading the times of a full packument.

/// Reads an ISO 8601 time such as `2026-11-22T18:10:00.123Z` into milliseconds since 1970.
pub(super) fn parse(text: &str) -> Option<i64> {
    let (date, time) = text.trim().split_once(['T', ' '])?;
    let mut date = date.splitn(3, '-');
    let (year, month, day) =
        (number(date.next()?, 4)?, number(date.next()?, 2)?, number(date.next()?, 2)?);
    let zone_start = time.find(['Z', 'z', '+', '-']).unwrap_or(time.len());
    let (time, zone) = time.split_at(zone_start);
    let mut time = time.splitn(3, ':');
    let (hour, minute) = (number(time.next()?, 2)?, number(time.next()?, 2)?);
    let seconds = time.next().unwrap_or("00");
    let (second, fraction) = seconds.split_once('.').unwrap_or((seconds, ""));
    let second = number(second, 2)?;
    let milliseconds = if fraction.is_empty() {
        0
    } else {
        let digits = fraction.get(..3.min(fraction.len()))?;
        number(digits, digits.len())? * 10_i64.pow(3 - digits.len() as u32)
    };
    let is_time = (1..=12).contains(&month)
        && (1..=31).contains(&day)
        && hour <= 24
        && minute < 60
        && second <= 60;
    let minutes = days_since_1970(year, month, day) * 24 * 60 + hour * 60 + minute - offset(zone)?;
    is_time.then_some((minutes * 60 + second) * 1000 + milliseconds)
}

fn number(digits: &str, len: usize) -> Option<i64> {
    let is_number = digits.len() == len && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| digits.parse().ok()).flatten()
}

/// Reads `Z` or `+01:30` as minutes.
fn offset(zone: &str) -> Option<i64> {
    let (sign, hours_and_minutes) = match zone.split_at_checked(1) {
        None | Some(("Z" | "z", "")) => return Some(0),
        Some(("+", rest)) => (1, rest),
        Some(("-", rest)) => (-1, rest),
        Some(_) => return None,
    };
    let (hours, minutes) = hours_and_minutes.split_at_checked(2)?;
    let minutes = minutes.strip_prefix(':').unwrap_or(minutes);
    Some(sign * (number(hours, 2)? * 60 + number(minutes, 2)?))
}

/// Counts days in the Gregorian calendar, in which years end with February for this purpose.
fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let month = (month + 9) % 12;
    let leap_days = year / 4 - year / 100 + year / 400;
    year * 365 + leap_days + (month * 306 + 5) / 10 + day - 1 - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_registries_are_read() {
        for (text, expected) in [
            ("1970-01-01T00:00:00.000Z", Some(0)),
            ("2000-02-29T12:00:00Z", Some(951_825_600_000)),
            ("2026-11-22T18:10:00.123Z", Some(1_795_371_000_123)),
            ("2026-11-22T18:10:00.1Z", Some(1_795_371_000_100)),
            ("2026-11-22T19:40:00+01:30", Some(1_795_371_000_000)),
            ("2026-11-22 18:10:00", Some(1_795_371_000_000)),
            ("2026-13-22T18:10:00Z", None),
            ("yesterday", None),
            ("", None),
            ("2026-11-22T18:10:00é", None),
        ] {
            assert_eq!(parse(text), expected, "{text}");
        }
    }
}
