//! Text that has to fit: estimated widths, ellipsis, labels kept from lying on each other.
//!
//! The font is the reader's, so widths are estimates, made for a wide sans-serif face (DejaVu Sans) and
//! therefore rather too large than too small.

/// Width of a text in px at a font size. Controls, combining and other invisible characters have none.
pub(crate) fn width(text: &str, font: f64) -> f64 {
    text.chars().map(ems).sum::<f64>() * font
}

/// The text, cut with an ellipsis if it is wider than `room` px or longer than 200 characters.
pub(crate) fn fit(text: &str, font: f64, room: f64) -> String {
    const LONGEST: usize = 200;
    if width(text, font) <= room && text.chars().count() <= LONGEST {
        return text.to_owned();
    }
    let mut used = width("…", font);
    let mut cut = String::new();
    for symbol in text.chars().take(LONGEST) {
        used += ems(symbol) * font;
        if used > room {
            break;
        }
        cut.push(symbol);
    }
    cut.truncate(cut.trim_end().len());
    cut.push('…');
    cut
}

/// Moves positions apart to at least `distance`, inside `[from, to]`, as little as a single pass allows.
///
/// The answer is in the order of the input.
pub(crate) fn spread(positions: &[f64], distance: f64, (from, to): (f64, f64)) -> Vec<f64> {
    let mut order: Vec<usize> = (0..positions.len()).collect();
    order.sort_by(|&a, &b| positions[a].total_cmp(&positions[b]));
    let mut placed = positions.to_vec();
    let mut least = from;
    for &index in &order {
        placed[index] = placed[index].max(least);
        least = placed[index] + distance;
    }
    let mut most = to;
    for &index in order.iter().rev() {
        placed[index] = placed[index].min(most);
        most = placed[index] - distance;
    }
    placed
}

fn ems(symbol: char) -> f64 {
    match symbol {
        '\0'..='\u{1f}'
        | '\u{7f}'..='\u{9f}'
        | '\u{300}'..='\u{36f}'
        | '\u{200b}'..='\u{200f}'
        | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{fe00}'..='\u{fe0f}'
        | '\u{feff}' => 0.0,
        'i' | 'j' | 'l' | 'I' | '.' | ',' | ':' | ';' | '|' | '!' | '\'' | ' ' => 0.34,
        'f' | 't' | 'r' | '(' | ')' | '[' | ']' | '/' | '-' => 0.42,
        'm' | 'M' | 'w' | 'W' | '%' | '@' => 0.98,
        'A'..='Z' => 0.72,
        '\u{1100}'..='\u{11ff}' | '\u{2e80}'..='\u{ffef}' | '\u{1_0000}'..='\u{10_ffff}' => 1.1,
        _ => 0.63,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_text_is_left_alone_and_a_long_one_ends_in_an_ellipsis() {
        assert_eq!(fit("S&P 500", 13.0, 200.0), "S&P 500");
        let cut = fit(&"long ".repeat(100), 13.0, 100.0);
        assert!(cut.ends_with('…') && width(&cut, 13.0) <= 100.0, "{cut}");
    }

    #[test]
    fn combining_marks_without_width_are_still_bounded() {
        let zalgo: String = std::iter::once('a').chain(std::iter::repeat_n('\u{301}', 10_000)).collect();
        assert!(fit(&zalgo, 13.0, 100.0).chars().count() <= 201);
    }

    #[test]
    fn labels_at_the_same_height_are_moved_apart_and_stay_inside() {
        let placed = spread(&[50.0, 50.0, 51.0], 16.0, (0.0, 60.0));
        let mut sorted = placed.clone();
        sorted.sort_by(f64::total_cmp);
        assert!(sorted.windows(2).all(|pair| pair[1] - pair[0] >= 16.0), "{placed:?}");
        assert!(placed.iter().all(|&place| (0.0..=60.0).contains(&place)), "{placed:?}");
    }

    #[test]
    fn labels_that_are_apart_stay_where_they_are() {
        assert_eq!(spread(&[80.0, 10.0, 40.0], 16.0, (0.0, 100.0)), [80.0, 10.0, 40.0]);
    }
}
