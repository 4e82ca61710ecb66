//! The known word that somebody may have meant.

/// Longest word that is compared.
const MAX_CHARS: usize = 64;

/// The known word with the fewest edits from `word`, if they are few for its length (one in three letters); failing
/// that, one that begins with it.
pub(super) fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let length = word.chars().count();
    if length > MAX_CHARS {
        return None;
    }
    let known: Vec<&str> = known.into_iter().collect();
    let begun = known.iter().copied().find(|candidate| length >= 3 && candidate.starts_with(word));
    known
        .into_iter()
        .map(|candidate| (edits(word, candidate), candidate))
        .filter(|(edits, candidate)| {
            *edits <= (length.max(candidate.chars().count()) / 3).max(1) && *edits < length
        })
        .min_by_key(|(edits, _)| *edits)
        .map(|(_, candidate)| candidate)
        .or(begun)
}

/// Optimal string alignment distance (Damerau 1964): insertions, deletions, replacements, swapped neighbours; case and
/// the kind of separator do not count.
fn edits(a: &str, b: &str) -> usize {
    let folded = |text: &str| -> Vec<char> {
        text.chars().map(|c| if c == '-' { '_' } else { c.to_ascii_lowercase() }).collect()
    };
    let (a, b) = (folded(a), folded(b));
    let mut before: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, y) in b.iter().enumerate() {
            let at = |row: &[usize], j: usize| row.get(j).copied().unwrap_or(usize::MAX - 1);
            let mut best =
                (at(&above, j) + usize::from(x != y)).min(at(&above, j + 1) + 1).min(at(&row, j) + 1);
            if i > 0 && j > 0 && a.get(i - 1) == Some(y) && b.get(j - 1) == Some(x) {
                best = best.min(at(&before, j - 1) + 1);
            }
            row.push(best);
        }
        before = std::mem::replace(&mut above, row);
    }
    above.last().copied().unwrap_or(a.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_distance_counts_swapped_neighbours_as_one() {
        assert_eq!(edits("reciever", "receiver"), 1);
        assert_eq!(edits("", "abc"), 3);
        assert_eq!(edits("kitten", "sitting"), 3);
        assert_eq!(edits("Group-Wait", "group_wait"), 0);
    }

    #[test]
    fn a_word_that_is_far_from_all_has_no_neighbour() {
        assert_eq!(nearest("reciever", ["routes", "receiver", "receivers"]), Some("receiver"));
        assert_eq!(nearest("colour", ["receiver", "routes"]), None);
        assert_eq!(nearest("x", ["y"]), None);
        assert_eq!(nearest("ur", ["url"]), Some("url"));
        assert_eq!(nearest("warn", ["info", "warning"]), Some("warning"));
    }
}
