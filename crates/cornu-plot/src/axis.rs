//! Axes: what range they cover, where its ticks are and what is written beside them.

/// One direction of a panel.
#[derive(Clone, Debug, Default)]
pub(crate) struct AxisSettings {
    pub label: String,
    pub log: bool,
    /// From where to where; by default what is drawn decides.
    pub limits: Option<(f64, f64)>,
    /// Whether ticks are at whole numbers only.
    pub whole: bool,
    /// Names in place of numbers, at 0.5, 1.5, …
    pub names: Vec<String>,
}

/// A range of numbers with its scale.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Axis {
    low: f64,
    high: f64,
    log: bool,
}

/// A place on an axis and what is written there.
pub(crate) struct Tick {
    pub at: f64,
    pub text: String,
}

impl AxisSettings {
    /// The axis that shows all of these numbers, with a margin.
    pub fn axis(&self, values: impl Iterator<Item = f64>) -> Axis {
        let shown = |v: &f64| v.is_finite() && !(self.log && *v <= 0.0);
        let (low, high) = self.limits.unwrap_or_else(|| {
            values
                .filter(shown)
                .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), v| {
                    (low.min(v), high.max(v))
                })
        });
        let scale = |v: f64| if self.log { v.log10() } else { v };
        let (low, high) = match low <= high {
            true => (scale(low), scale(high)),
            false => (0.0, 1.0),
        };
        // Ticks have to be told apart in f64, and a single number needs a width.
        let least = (low.abs().max(high.abs()) * 1e-9).max(1e-200);
        let (low, high) = match high - low > least {
            true => (low, high),
            false => {
                let half = if least > 1e-200 { least * 1e8 } else { 0.5 };
                (low - half, high + half)
            }
        };
        let margin = match self.limits {
            Some(_) => 0.0,
            None => 0.04 * (high - low),
        };
        Axis {
            low: low - margin,
            high: high + margin,
            log: self.log,
        }
    }

    /// The ticks of an axis with room for so many.
    pub fn ticks(&self, axis: &Axis, room: usize) -> Vec<Tick> {
        if self.names.is_empty() {
            return axis.ticks(room, self.whole);
        }
        let at = |i: usize| i as f64 + 0.5;
        let name = |(i, name): (usize, &String)| Tick {
            at: at(i),
            text: name.clone(),
        };
        self.names.iter().enumerate().map(name).collect()
    }
}

impl Axis {
    /// Where a number is: from 0 at the low end to 1 at the high one. None of what is not on the scale.
    pub fn place(&self, value: f64) -> Option<f64> {
        let value = if self.log { value.log10() } else { value };
        let place = (value - self.low) / (self.high - self.low);
        // Far outside is outside, too; renderers compute in f32.
        place.is_finite().then(|| place.clamp(-10.0, 11.0))
    }

    fn ticks(&self, room: usize, whole: bool) -> Vec<Tick> {
        if self.log {
            return self.log_ticks(room);
        }
        let (step, decimals) = match step(self.high - self.low, room) {
            (step, _) if whole && step < 1.0 => (1.0, 0),
            fine => fine,
        };
        let large = self.low.abs().max(self.high.abs());
        let exponent = !(1e-3..1e6).contains(&large);
        multiples(self.low, self.high, step)
            .map(|at| Tick {
                at,
                text: match exponent {
                    // As many digits as tell the ticks apart.
                    true => {
                        let digits = (at.abs().log10().floor() - step.log10().floor()).max(0.0);
                        minus(&format!("{at:.*e}", digits as usize))
                    }
                    false => minus(&format!("{at:.decimals$}")),
                },
            })
            .collect()
    }

    /// Powers of ten; of less than two decades their double and fivefold, too.
    fn log_ticks(&self, room: usize) -> Vec<Tick> {
        if self.high - self.low >= 2.0 {
            let (decades, _) = step(self.high - self.low, room);
            let ticks = multiples(self.low, self.high, decades.max(1.0));
            return ticks
                .map(|power| Tick {
                    at: 10f64.powf(power),
                    text: format!("10{}", superscript(power as i64)),
                })
                .collect();
        }
        let mut ticks = Vec::new();
        for decade in self.low.floor() as i32..=self.high.floor() as i32 {
            for digit in [1, 2, 5] {
                let at = f64::from(digit) * 10f64.powi(decade);
                if (self.low..=self.high).contains(&at.log10()) {
                    let text = match decade {
                        0..6 => format!("{at}"),
                        -3..0 => format!("{at:.*}", -decade as usize),
                        _ => format!("{digit}e{decade}"),
                    };
                    ticks.push(Tick { at, text });
                }
            }
        }
        ticks
    }
}

/// The least of …, 0.1, 0.2, 0.5, 1, 2, 5, … of which at most `room` fit into a span; and the decimals that
/// its multiples need.
fn step(span: f64, room: usize) -> (f64, usize) {
    let least = span / room.max(1) as f64;
    let power = least.log10().floor();
    let unit = 10f64.powf(power);
    let (factor, power) = match least / unit {
        ..=1.0 => (1.0, power),
        ..=2.0 => (2.0, power),
        ..=5.0 => (5.0, power),
        _ => (10.0, power + 1.0),
    };
    (factor * unit, (-power).clamp(0.0, 12.0) as usize)
}

/// The multiples of a step between two numbers.
fn multiples(low: f64, high: f64, step: f64) -> impl Iterator<Item = f64> {
    // A billionth of a step is rounding.
    let first = (low / step - 1e-9).ceil();
    let count = (high / step + 1e-9).floor() - first;
    let count = if count >= 0.0 { count as usize + 1 } else { 0 };
    // Adding 0 makes -0 a 0.
    (0..count.min(100)).map(move |i| (first + i as f64) * step + 0.0)
}

/// With a real minus sign.
fn minus(number: &str) -> String {
    number.replace('-', "−")
}

fn superscript(power: i64) -> String {
    let raise = |c: char| match c {
        '-' => '⁻',
        '1' => '¹',
        '2' => '²',
        '3' => '³',
        // ⁰ and ⁴ to ⁹ follow one another in Unicode.
        digit => char::from_u32('⁰' as u32 + (digit as u32 - '0' as u32)).unwrap_or(digit),
    };
    power.to_string().chars().map(raise).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(settings: AxisSettings, values: &[f64]) -> Vec<String> {
        let axis = settings.axis(values.iter().copied());
        let ticks = settings.ticks(&axis, 6);
        ticks.into_iter().map(|tick| tick.text).collect()
    }

    fn log() -> AxisSettings {
        AxisSettings {
            log: true,
            ..AxisSettings::default()
        }
    }

    #[test]
    fn ticks_are_round_numbers() {
        let linear = AxisSettings::default;
        assert_eq!(
            texts(linear(), &[0.0, 1.0]),
            ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]
        );
        assert_eq!(
            texts(linear(), &[-3.0, 8.0]),
            ["−2", "0", "2", "4", "6", "8"]
        );
        assert_eq!(
            texts(linear(), &[2e7, 6e7]),
            ["2e7", "3e7", "4e7", "5e7", "6e7"]
        );
        assert_eq!(
            texts(linear(), &[0.12, 0.13]),
            ["0.120", "0.122", "0.124", "0.126", "0.128", "0.130"]
        );
    }

    #[test]
    fn logarithmic_ticks_are_powers() {
        assert_eq!(
            texts(log(), &[1e-4, 1.0]),
            ["10⁻⁴", "10⁻³", "10⁻²", "10⁻¹", "10⁰"]
        );
        assert_eq!(texts(log(), &[0.5, 12.0]), ["0.5", "1", "2", "5", "10"]);
    }

    #[test]
    fn any_numbers_have_an_axis() {
        let odd: [&[f64]; 8] = [
            &[],
            &[f64::NAN, f64::INFINITY],
            &[0.0],
            &[1e300],
            &[1e16, 1e16 + 2.0],
            &[5e-324, 1e-320],
            &[-f64::MAX / 4.0, f64::MAX / 4.0],
            &[-1.0, 0.0],
        ];
        for values in odd {
            for settings in [AxisSettings::default(), log()] {
                let axis = settings.axis(values.iter().copied());
                assert!(axis.high > axis.low, "{values:?}: {axis:?}");
                assert!(settings.ticks(&axis, 6).len() <= 100);
            }
        }
    }
}
