//! The source itself: every statement is a constant.

use std::path::{Path, PathBuf};

fn files(folder: &Path, into: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, into);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            into.push(path);
        }
    }
}

/// Name and text, without the tests at the end.
fn sources() -> Vec<(String, String)> {
    let mut paths = Vec::new();
    files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut paths);
    let read = |path: PathBuf| {
        let text = std::fs::read_to_string(&path).unwrap();
        let code = text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default().to_owned();
        (path.display().to_string(), code)
    };
    paths.into_iter().map(read).collect()
}

#[test]
fn no_sql_is_put_together_from_parts() {
    for (name, code) in sources() {
        for word in ["AssertSqlSafe", "QueryBuilder", "push_bind"] {
            assert!(!code.contains(word), "{name} has {word}");
        }
        for macro_name in ["format!(", "write!(", "concat!(", "push_str("] {
            for call in code.split(macro_name).skip(1) {
                let call = call.lines().take(3).collect::<String>();
                for word in ["SELECT ", "INSERT ", "UPDATE ", "DELETE ", "PRAGMA ", "CREATE "] {
                    assert!(!call.contains(word), "{name}: {macro_name}{call}");
                }
            }
        }
    }
}

#[test]
fn every_query_names_a_constant_that_a_test_prepares() {
    let mut queries = 0;
    for (name, code) in sources() {
        for call in ["sqlx::query(", "sqlx::query_as(", "sqlx::query_as::<_, (i64,)>(", "page.select("] {
            for text in code.split(call).skip(1) {
                let argument = text.split([')', ' ']).next().unwrap_or_default();
                let is_constant = argument.chars().all(|c| c.is_ascii_uppercase() || c == '_');
                let is_choice = argument == "sql" || argument == "if";
                assert!(is_constant || is_choice, "{name}: {call}{argument}");
                queries += 1;
            }
        }
        let listed = code.split("STATEMENTS: &[&str] =").nth(1).unwrap_or_default();
        let listed = listed.split(';').next().unwrap_or_default();
        for constant in code.split("\nconst ").skip(1).filter(|text| text.contains(": &str")) {
            let (constant, rest) = constant.split_once(':').unwrap();
            if rest.trim_start().starts_with("&str") && name.contains("sqlite/") {
                let words = listed.split(|c: char| !(c.is_ascii_uppercase() || c == '_'));
                assert!(
                    words.into_iter().any(|word| word == constant),
                    "{name}: {constant} is not prepared by the test"
                );
            }
        }
    }
    assert!(queries > 40, "{queries}");
}

#[test]
fn no_public_item_speaks_of_a_pool_a_connection_or_the_driver() {
    let mut items = 0;
    for (name, code) in sources() {
        for item in code.lines().map(str::trim_start).filter(|line| line.starts_with("pub ")) {
            // The whole signature, up to its body.
            let from = code.find(item).unwrap_or_default();
            let signature = code[from..].split(['{', ';']).next().unwrap_or_default();
            for word in ["sqlx", "Sqlite", "Pool<", "Connection>", "&mut Connection", "Reader<"] {
                assert!(!signature.contains(word), "{name}: {signature}");
            }
            items += 1;
        }
    }
    assert!(items > 100, "{items}");
}
