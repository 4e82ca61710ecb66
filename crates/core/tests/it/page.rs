use bellwether_core::{Cursor, CursorError, Limit};
use proptest::prelude::*;

#[test]
fn a_limit_is_bounded_on_both_sides() {
    assert!(Limit::new(0).is_err());
    assert_eq!(Limit::new(Limit::MAX).unwrap().get(), 10_000);
    assert_eq!(Limit::new(10_001).unwrap_err().to_string(), "page limit 10001 is outside 1..=10000");
    assert_eq!(Limit::default().get(), 100);
}

#[test]
fn a_cursor_of_another_query_is_refused() {
    let cursor = Cursor::new(1, "k");
    assert_eq!(cursor.key(2), Err(CursorError::OtherQuery));
}

#[test]
fn a_cursor_holds_keys_of_any_length() {
    let key = "x".repeat(5_000);
    assert_eq!(Cursor::new(1, &key).key(1), Ok(key));
}

proptest! {
    #[test]
    fn a_cursor_gives_back_its_key(query: u64, key in ".{0,40}") {
        let cursor = Cursor::from_text(Cursor::new(query, &key).as_str());
        prop_assert_eq!(cursor.key(query), Ok(key));
    }

    #[test]
    fn any_other_text_is_an_error_and_never_a_panic(text in ".{0,60}", query: u64) {
        prop_assert!(Cursor::from_text(text).key(query).is_err());
    }
}
