//! A moment as `statsmodels` writes it.

use std::time::{SystemTime, UNIX_EPOCH};

/// Date and time in UTC, such as `Wed, 25 Nov 2026` and `11:08:50`.
pub(super) fn date_and_time(moment: SystemTime) -> (String, String) {
    let seconds = match moment.duration_since(UNIX_EPOCH) {
        Ok(after) => after.as_secs() as i64,
        Err(before) => -(before.duration().as_secs() as i64),
    };
    let (days, second) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    let (year, month, day) = civil(days);
    // The first day of 1970 was a Thursday.
    let weekdays = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
    let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    let (weekday, month) = (weekdays[days.rem_euclid(7) as usize], months[month]);
    (
        format!("{weekday}, {day:02} {month} {year}"),
        format!(
            "{:02}:{:02}:{:02}",
            second / 3600,
            second / 60 % 60,
            second % 60
        ),
    )
}

/// Year, month (from 0) and day of the month of a day counted from the first of 1970. Years are counted from
/// March, so that the day that some of them lack is their last.
fn civil(days: i64) -> (i64, usize, i64) {
    let since_march_of_0 = days + 719_468;
    let (era, day) = (
        since_march_of_0.div_euclid(146_097),
        since_march_of_0.rem_euclid(146_097),
    );
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day_of_year = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day_of_month = day_of_year - (153 * month + 2) / 5 + 1;
    let year = era * 400 + year + i64::from(month >= 10);
    (year, ((month + 2) % 12) as usize, day_of_month)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn moments_before_and_after_1970() {
        let after = |seconds| date_and_time(UNIX_EPOCH + Duration::from_secs(seconds));
        let said = |date: &str, time: &str| (date.to_owned(), time.to_owned());
        assert_eq!(after(0), said("Thu, 01 Jan 1970", "00:00:00"));
        assert_eq!(after(951_782_399), said("Mon, 28 Feb 2000", "23:59:59"));
        assert_eq!(after(951_868_799), said("Tue, 29 Feb 2000", "23:59:59"));
        assert_eq!(after(1_795_604_930), said("Wed, 25 Nov 2026", "11:08:50"));
        let before = date_and_time(UNIX_EPOCH - Duration::from_secs(1));
        assert_eq!(before, said("Wed, 31 Dec 1969", "23:59:59"));
    }
}
