//! The colours of every chart and page, for a light and a dark theme.
//!
//! Series colours are told apart with normal, protan, deutan and tritan vision (CIEDE2000 of every pair at
//! least 15) and stand at 3:1 or more against the panel; text colours stand at 4.5:1 or more. Tests compute both.

/// An sRGB colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Colour(pub u8, pub u8, pub u8);

impl Colour {
    /// `#0b62a8`.
    pub fn hex(self) -> String {
        format!("#{:02x}{:02x}{:02x}", self.0, self.1, self.2)
    }

    const fn from(rgb: u32) -> Self {
        Self((rgb >> 16) as u8, (rgb >> 8) as u8, rgb as u8)
    }
}

/// Light or dark.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Theme {
    /// Dark ink on white; also the theme of print.
    Light,
    /// Light ink on near-black.
    Dark,
}

/// What a colour is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Role {
    /// The surface that a chart lies on.
    Panel,
    /// The page around the panels.
    Page,
    /// Text.
    Ink,
    /// Secondary text: axis labels, units, notes.
    Muted,
    /// Grid lines and borders; decoration, held to no contrast.
    Grid,
    /// A series, counted from 0; the sixth is the first again.
    Series(usize),
    /// Grey for the series beyond the fifth.
    Other,
    /// A gain: the blue of the first series.
    Gain,
    /// A loss: the orange of the second series.
    Loss,
    /// Well.
    Ok,
    /// Degraded. Too near to the loss colour to be told by colour alone: always with its own shape and a word.
    Warn,
    /// Broken; with its own shape and a word.
    Bad,
    /// Not known, or only told.
    Unknown,
}

/// Series that are told apart by colour.
pub const SERIES: usize = 5;

const LIGHT_SERIES: [u32; SERIES] = [0x0b_62a8, 0xb4_560c, 0x5c_3223, 0x0d_a587, 0xa9_81e4];
const DARK_SERIES: [u32; SERIES] = [0x4e_a3f0, 0xf0_9a4a, 0xa1_f7cf, 0xd4_1193, 0x81_7131];

impl Theme {
    /// The colour of a role.
    pub fn colour(self, role: Role) -> Colour {
        let (light, dark) = match role {
            Role::Panel => (0xff_ffff, 0x16_1b22),
            Role::Page => (0xf6_f7f9, 0x0e_1116),
            Role::Ink => (0x1c_2128, 0xe6_edf3),
            Role::Muted => (0x57_606a, 0x9a_a4af),
            Role::Grid => (0xdf_e3e8, 0x2c_343d),
            Role::Series(index) => (LIGHT_SERIES[index % SERIES], DARK_SERIES[index % SERIES]),
            Role::Gain => (LIGHT_SERIES[0], DARK_SERIES[0]),
            Role::Loss => (LIGHT_SERIES[1], DARK_SERIES[1]),
            Role::Ok => (0x0a_7d62, 0x3e_c9a0),
            Role::Warn => (0xa8_6a00, 0xe3_b341),
            Role::Bad => (0xc0_272d, 0xff_7b72),
            Role::Unknown | Role::Other => (0x6e_7781, 0x8b_949e),
        };
        Colour::from(match self {
            Self::Light => light,
            Self::Dark => dark,
        })
    }
}

impl Role {
    /// Every role once.
    pub const ALL: [Self; 17] = [
        Self::Panel,
        Self::Page,
        Self::Ink,
        Self::Muted,
        Self::Grid,
        Self::Series(0),
        Self::Series(1),
        Self::Series(2),
        Self::Series(3),
        Self::Series(4),
        Self::Other,
        Self::Gain,
        Self::Loss,
        Self::Ok,
        Self::Warn,
        Self::Bad,
        Self::Unknown,
    ];

    /// The custom property that [`crate::stylesheet`] sets: `--bw-s1`, `--bw-ink`.
    pub fn property(self) -> &'static str {
        match self {
            Self::Panel => "--bw-panel",
            Self::Page => "--bw-page",
            Self::Ink => "--bw-ink",
            Self::Muted => "--bw-muted",
            Self::Grid => "--bw-grid",
            Self::Series(index) => ["--bw-s1", "--bw-s2", "--bw-s3", "--bw-s4", "--bw-s5"][index % SERIES],
            Self::Other => "--bw-other",
            Self::Gain => "--bw-gain",
            Self::Loss => "--bw-loss",
            Self::Ok => "--bw-ok",
            Self::Warn => "--bw-warn",
            Self::Bad => "--bw-bad",
            Self::Unknown => "--bw-unknown",
        }
    }

    /// What follows `--bw-` in the property; class names are made of it.
    pub(crate) fn key(self) -> &'static str {
        self.property().trim_start_matches("--bw-")
    }
}
