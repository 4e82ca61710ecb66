//! The palette against the numbers it was chosen by: WCAG 2.2 contrast, and CIEDE2000 between series as seen with
//! normal, protan, deutan and tritan vision (Machado, Oliveira and Fernandes 2009, severity 1.0).

use bellwether_chart::palette::SERIES;
use bellwether_chart::{Colour, Role, Theme};

type Triple = [f64; 3];

const VISIONS: [(&str, [Triple; 3]); 4] = [
    ("normal", [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]),
    (
        "protan",
        [
            [0.152_286, 1.052_583, -0.204_868],
            [0.114_503, 0.786_281, 0.099_216],
            [-0.003_882, -0.048_116, 1.051_998],
        ],
    ),
    (
        "deutan",
        [
            [0.367_322, 0.860_646, -0.227_968],
            [0.280_085, 0.672_501, 0.047_413],
            [-0.011_820, 0.042_940, 0.968_881],
        ],
    ),
    (
        "tritan",
        [
            [1.255_528, -0.076_749, -0.178_779],
            [-0.078_411, 0.930_809, 0.147_602],
            [0.004_733, 0.691_367, 0.303_900],
        ],
    ),
];

/// sRGB to linear light (IEC 61966-2-1).
fn linear(colour: Colour) -> Triple {
    [colour.0, colour.1, colour.2].map(|channel| {
        let value = f64::from(channel) / 255.0;
        if value <= 0.040_45 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
    })
}

fn times(matrix: &[Triple; 3], vector: Triple) -> Triple {
    matrix.map(|row| row.iter().zip(vector).map(|(a, b)| a * b).sum::<f64>())
}

/// WCAG 2.2, "contrast ratio".
fn contrast(one: Colour, other: Colour) -> f64 {
    let luminance = |colour| {
        let [red, green, blue] = linear(colour);
        0.2126 * red + 0.7152 * green + 0.0722 * blue
    };
    let (one, other) = (luminance(one), luminance(other));
    (one.max(other) + 0.05) / (one.min(other) + 0.05)
}

/// Linear sRGB to CIE L*a*b*, D65.
fn lab(light: Triple) -> Triple {
    const TO_XYZ: [Triple; 3] = [
        [0.412_456_4, 0.357_576_1, 0.180_437_5],
        [0.212_672_9, 0.715_152_2, 0.072_175_0],
        [0.019_333_9, 0.119_192_0, 0.950_304_1],
    ];
    let xyz = times(&TO_XYZ, light);
    let curve = |ratio: f64| {
        if ratio > 216.0 / 24_389.0 { ratio.cbrt() } else { (24_389.0 / 27.0 * ratio + 16.0) / 116.0 }
    };
    let [x, y, z] = [curve(xyz[0] / 0.950_47), curve(xyz[1]), curve(xyz[2] / 1.088_83)];
    [116.0 * y - 16.0, 500.0 * (x - y), 200.0 * (y - z)]
}

/// CIEDE2000 (Sharma, Wu and Dalal 2005, equations 2 to 22).
fn ciede2000(one: Triple, other: Triple) -> f64 {
    let chroma = |lab: Triple| lab[1].hypot(lab[2]);
    let mean = f64::midpoint(chroma(one), chroma(other)).powi(7);
    let g = 0.5 * (1.0 - (mean / (mean + 25_f64.powi(7))).sqrt());
    let (a1, a2) = (one[1] * (1.0 + g), other[1] * (1.0 + g));
    let (c1, c2) = (a1.hypot(one[2]), a2.hypot(other[2]));
    let hue =
        |b: f64, a: f64| if a == 0.0 && b == 0.0 { 0.0 } else { b.atan2(a).to_degrees().rem_euclid(360.0) };
    let (h1, h2) = (hue(one[2], a1), hue(other[2], a2));
    let is_grey = c1 * c2 == 0.0;
    let turn = match h2 - h1 {
        _ if is_grey => 0.0,
        turn if turn > 180.0 => turn - 360.0,
        turn if turn < -180.0 => turn + 360.0,
        turn => turn,
    };
    let (dl, dc) = (other[0] - one[0], c2 - c1);
    let dh = 2.0 * (c1 * c2).sqrt() * (turn / 2.0).to_radians().sin();
    let (l, c) = (f64::midpoint(one[0], other[0]), f64::midpoint(c1, c2));
    let h = match h1 + h2 {
        sum if is_grey => sum,
        sum if (h1 - h2).abs() <= 180.0 => sum / 2.0,
        sum if sum < 360.0 => sum / 2.0 + 180.0,
        sum => sum / 2.0 - 180.0,
    };
    let cos = |degrees: f64| degrees.to_radians().cos();
    let t = 1.0 - 0.17 * cos(h - 30.0) + 0.24 * cos(2.0 * h) + 0.32 * cos(3.0 * h + 6.0)
        - 0.20 * cos(4.0 * h - 63.0);
    let sl = 1.0 + 0.015 * (l - 50.0).powi(2) / (20.0 + (l - 50.0).powi(2)).sqrt();
    let (sc, sh) = (1.0 + 0.045 * c, 1.0 + 0.015 * c * t);
    let theta = 30.0 * (-((h - 275.0) / 25.0).powi(2)).exp();
    let rc = 2.0 * (c.powi(7) / (c.powi(7) + 25_f64.powi(7))).sqrt();
    let rt = -(2.0 * theta).to_radians().sin() * rc;
    ((dl / sl).powi(2) + (dc / sc).powi(2) + (dh / sh).powi(2) + rt * (dc / sc) * (dh / sh)).sqrt()
}

/// The least difference of two series in one vision.
fn least(theme: Theme, vision: &[Triple; 3]) -> f64 {
    let seen: Vec<Triple> = (0..SERIES)
        .map(|index| {
            times(vision, linear(theme.colour(Role::Series(index)))).map(|value| value.clamp(0.0, 1.0))
        })
        .map(lab)
        .collect();
    let pairs = (0..SERIES).flat_map(|one| (0..one).map(move |other| (one, other)));
    pairs.map(|(one, other)| ciede2000(seen[one], seen[other])).fold(f64::INFINITY, f64::min)
}

#[test]
fn the_formula_gives_the_differences_published_with_it() {
    // Sharma, Wu and Dalal 2005, table 1, rows 1, 7, 17, 20, 25, 34.
    for (one, other, expected) in [
        ([50.0, 2.6772, -79.7751], [50.0, 0.0, -82.7485], 2.0425),
        ([50.0, 0.0, 0.0], [50.0, -1.0, 2.0], 2.3669),
        ([50.0, 2.5, 0.0], [73.0, 25.0, -18.0], 27.1492),
        ([50.0, 2.5, 0.0], [58.0, 24.0, 15.0], 19.4535),
        ([60.2574, -34.0099, 36.2677], [60.4626, -34.1751, 39.4387], 1.2644),
        ([2.0776, 0.0795, -1.1350], [0.9033, -0.0636, -0.5514], 0.9082),
    ] {
        let found = ciede2000(one, other);
        assert!((found - expected).abs() < 1e-4, "{one:?} {other:?}: {found} instead of {expected}");
    }
}

#[test]
fn series_are_told_apart_in_four_visions_and_both_themes() {
    let least_of = |theme| VISIONS.map(|(name, vision)| (name, least(theme, &vision)));
    for theme in [Theme::Light, Theme::Dark] {
        for (name, found) in least_of(theme) {
            assert!(found >= 15.0, "{theme:?}, {name}: least difference {found:.1}");
        }
    }
    let worst = |theme| least_of(theme).into_iter().fold(f64::INFINITY, |worst, (_, found)| worst.min(found));
    let worst = [worst(Theme::Light), worst(Theme::Dark)].map(|found| (found * 10.0).round() / 10.0);
    assert_eq!(worst, [17.5, 18.1]);
}

#[test]
fn gain_and_loss_differ_strongly_in_every_vision() {
    for theme in [Theme::Light, Theme::Dark] {
        for (name, vision) in VISIONS {
            let seen =
                |role| lab(times(&vision, linear(theme.colour(role))).map(|value| value.clamp(0.0, 1.0)));
            let found = ciede2000(seen(Role::Gain), seen(Role::Loss));
            assert!(found >= 40.0, "{theme:?}, {name}: {found:.1}");
        }
    }
}

#[test]
fn text_stands_at_four_and_a_half_to_one_and_lines_and_marks_at_three() {
    for theme in [Theme::Light, Theme::Dark] {
        let against_panel = |role| contrast(theme.colour(role), theme.colour(Role::Panel));
        for role in [Role::Ink, Role::Muted] {
            let on_page = contrast(theme.colour(role), theme.colour(Role::Page));
            assert!(against_panel(role) >= 4.5 && on_page >= 4.5, "{theme:?} {role:?}");
        }
        let marks = [Role::Other, Role::Gain, Role::Loss, Role::Ok, Role::Warn, Role::Bad, Role::Unknown];
        for role in (0..SERIES).map(Role::Series).chain(marks) {
            let found = against_panel(role);
            assert!(found >= 3.0, "{theme:?} {role:?}: {found:.2}");
        }
    }
}
