//! The part of a failed test's output that a person reads first.

/// How many lines a test may fill.
const MOST: usize = 60;
/// Lines from the start of an output that is too long; what the test set out with.
const HEAD: usize = 12;
/// Lines from its end.
const TAIL: usize = 12;

/// At most [`MOST`] lines: the start, the panic with its message, the end. Backtraces are folded unless `frames`.
pub(crate) fn excerpt(output: &[String], frames: bool) -> Vec<String> {
    let mut lines = if frames { output.to_vec() } else { folded(output) };
    lines.dedup_by(|next, line| next.trim().is_empty() && line.trim().is_empty());
    while lines.last().is_some_and(|line| line.trim().is_empty()) {
        lines.pop();
    }
    let lines: Vec<String> = lines.into_iter().skip_while(|line| line.trim().is_empty()).collect();
    if lines.len() <= MOST {
        return lines;
    }
    let panic = lines.iter().rposition(|line| line.contains(" panicked at ")).unwrap_or(lines.len());
    // Room for two lines that say how many are left out.
    let message = panic..lines.len().min(panic + MOST - HEAD - TAIL - 2);
    let shown = |at: usize| at < HEAD || message.contains(&at) || at >= lines.len() - TAIL;
    let mut kept = Vec::new();
    let mut hidden = 0;
    for (at, line) in lines.iter().enumerate() {
        if shown(at) {
            if hidden > 0 {
                kept.push(format!("… {hidden} lines …"));
            }
            hidden = 0;
            kept.push(line.clone());
        } else {
            hidden += 1;
        }
    }
    kept
}

/// The lines with each backtrace in one line.
fn folded(output: &[String]) -> Vec<String> {
    let mut lines = Vec::new();
    let mut frames = None;
    for line in output {
        match &mut frames {
            None if line == "stack backtrace:" => frames = Some(0),
            None => lines.push(line.clone()),
            Some(count) if is_frame(line) => *count += 1,
            Some(count) => {
                lines.push(format!("({count} lines of backtrace)"));
                frames = None;
                if !line.starts_with("note: Some details are omitted") {
                    lines.push(line.clone());
                }
            }
        }
    }
    lines.extend(frames.map(|count| format!("({count} lines of backtrace)")));
    lines
}

/// `   3: core::panicking::panic_fmt` or `             at /rustc/…/panicking.rs:75:14`.
fn is_frame(line: &str) -> bool {
    let text = line.trim_start();
    let number = text.split(':').next().unwrap_or_default();
    line.starts_with(' ')
        && (text.starts_with("at ")
            || !number.is_empty() && number.bytes().all(|letter| letter.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> Vec<String> {
        text.lines().map(str::to_owned).collect()
    }

    fn numbered(count: usize) -> Vec<String> {
        (0..count).map(|number| format!("line {number}")).collect()
    }

    #[test]
    fn a_short_output_is_shown_whole_without_empty_ends() {
        assert_eq!(excerpt(&lines("\n\na\n\n\nb\n\n"), false), ["a", "", "b"]);
        assert_eq!(excerpt(&numbered(MOST), false), numbered(MOST));
    }

    #[test]
    fn a_backtrace_is_folded_unless_it_was_asked_for() {
        let output = lines(
            "thread 'x' (7) panicked at src/lib.rs:1:2:\nmessage\nstack backtrace:\n   0: rust_begin_unwind\n\
             \x20            at /rustc/0/library/std/src/panicking.rs:697:5\n  10: main\n\
             note: Some details are omitted, run with `RUST_BACKTRACE=full` for a verbose backtrace.\nafter",
        );
        assert_eq!(
            excerpt(&output, false),
            ["thread 'x' (7) panicked at src/lib.rs:1:2:", "message", "(3 lines of backtrace)", "after"]
        );
        assert_eq!(excerpt(&output, true), output);
    }

    #[test]
    fn a_backtrace_at_the_very_end_is_folded_too() {
        assert_eq!(excerpt(&lines("stack backtrace:\n   0: main"), false), ["(1 lines of backtrace)"]);
    }

    #[test]
    fn a_long_output_keeps_its_start_its_last_panic_and_its_end() {
        let mut output = numbered(500);
        output[100] = "thread 'a' (1) panicked at early.rs:1:1:".to_owned();
        output[300] = "thread 'a' (1) panicked at late.rs:1:1:".to_owned();
        output[301] = "the message".to_owned();
        let shown = excerpt(&output, false);
        assert_eq!(shown.len(), MOST);
        assert_eq!((shown[0].as_str(), shown[MOST - 1].as_str()), ("line 0", "line 499"));
        assert!(shown.contains(&"the message".to_owned()));
        assert!(shown.contains(&"… 288 lines …".to_owned()), "{shown:?}");
    }

    #[test]
    fn a_long_output_without_a_panic_keeps_start_and_end() {
        let shown = excerpt(&numbered(5_000), false);
        assert_eq!(shown.len(), HEAD + TAIL + 1);
    }

    #[test]
    fn a_panic_at_the_end_of_a_long_output_is_shown_once() {
        let mut output = numbered(200);
        output[195] = "thread 'a' (1) panicked at late.rs:1:1:".to_owned();
        let shown = excerpt(&output, false);
        assert_eq!(shown.iter().filter(|line| line.contains("panicked")).count(), 1);
        assert!(shown.len() <= MOST);
    }
}
