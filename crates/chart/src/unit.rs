//! What a number is: how it is read out, and what its axis is called.

use crate::number::{Sign, UNDEFINED, bytes, compact, duration, fixed, significant};

/// The unit of a chart's values. Values are always given in the base unit named here.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Unit {
    /// A number without unit, four significant digits: `271.3`.
    #[default]
    Number,
    /// A whole count: `12,480`.
    Count,
    /// A ratio with two decimals: Sharpe, leverage, an index level.
    Ratio,
    /// Fractions, shown in percent with two decimals: 0.0124 is `1.24 %`.
    Percent,
    /// Fractions, shown in basis points with one decimal: 0.00305 is `30.5 bps`.
    BasisPoints,
    /// Seconds: `8.2 ms`, `41 s`, `3 h 12 min`.
    Seconds,
    /// Bytes in binary units: `1.50 GiB`.
    Bytes,
    /// An amount of money; see [`Unit::money`].
    Money {
        /// ISO 4217 code, or the usual code of a token; written after the amount.
        currency: String,
        /// Decimals of the smallest unit of the currency.
        decimals: u8,
    },
}

impl Unit {
    /// Money of `currency`, with the decimals that its market uses: JPY and KRW 0, BHD, KWD, OMR and TND 3,
    /// BTC and ETH 8, all others 2. For other decimals build [`Unit::Money`] itself.
    pub fn money(currency: impl Into<String>) -> Self {
        let currency = currency.into();
        let decimals = match currency.as_str() {
            "JPY" | "KRW" | "VND" | "CLP" | "ISK" => 0,
            "BHD" | "KWD" | "OMR" | "TND" | "JOD" => 3,
            "BTC" | "ETH" => 8,
            _ => 2,
        };
        Self::Money { currency, decimals }
    }

    /// What the axis is called: `%`, `bps`, `USD`; empty where the numbers say it themselves.
    pub fn name(&self) -> &str {
        match self {
            Self::Number | Self::Count | Self::Ratio | Self::Seconds | Self::Bytes => "",
            Self::Percent => "%",
            Self::BasisPoints => "bps",
            Self::Money { currency, .. } => currency,
        }
    }

    /// The number as it is read: `−3.42 %`, `12,480.22 USD`; `–` for what is not finite.
    pub fn format(&self, value: f64) -> String {
        self.write(value, Sign::Negative)
    }

    /// As [`Unit::format`], with a plus on gains: `+1.24 %`.
    pub fn format_signed(&self, value: f64) -> String {
        self.write(value, Sign::Always)
    }

    /// As [`Unit::format`], money and numbers cut to three significant digits: `1.84 M USD`.
    pub fn format_compact(&self, value: f64) -> String {
        match self {
            Self::Money { currency, .. } if value.is_finite() && value.abs() >= 1_000.0 => {
                format!("{} {currency}", compact(value, Sign::Negative))
            }
            Self::Number | Self::Count | Self::Ratio if value.abs() >= 100_000.0 => {
                compact(value, Sign::Negative)
            }
            _ => self.format(value),
        }
    }

    fn write(&self, value: f64, sign: Sign) -> String {
        if !value.is_finite() {
            return UNDEFINED.to_owned();
        }
        match self {
            Self::Number => significant(value, 4, sign),
            Self::Count => fixed(value, 0, sign),
            Self::Ratio => fixed(value, 2, sign),
            Self::Percent => scaled(value * 100.0, 2, "%", sign),
            Self::BasisPoints => scaled(value * 10_000.0, 1, "bps", sign),
            Self::Seconds => duration(value, sign),
            Self::Bytes => bytes(value, sign),
            Self::Money { currency, decimals } => {
                format!("{} {currency}", fixed(value, usize::from(*decimals), sign))
            }
        }
    }
}

/// A fraction near the end of the range of `f64` has no percentage: it reads as undefined, without a suffix.
fn scaled(value: f64, decimals: usize, suffix: &str, sign: Sign) -> String {
    if value.is_finite() {
        format!("{} {suffix}", fixed(value, decimals, sign))
    } else {
        UNDEFINED.to_owned()
    }
}
