//! Which program a Rust file belongs to, and by which modules: the way from the root of a target down to the file.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::rust_items::{self, Item};
use crate::workspace::{Metadata, Package, Target};

/// Where a file stands in its package.
#[derive(Debug)]
pub(crate) struct Home<'a> {
    pub(crate) package: &'a Package,
    pub(crate) target: &'a Target,
    /// The modules from the root of the target down to the file.
    pub(crate) modules: Vec<String>,
    /// Whether `cargo test --all-features` compiles it here; a `cfg`, such as loom's, may leave it out.
    pub(crate) is_compiled: bool,
    /// What the file defines.
    pub(crate) items: Vec<Item>,
}

/// Every file that a target of the workspace has as a module.
#[derive(Debug)]
pub(crate) struct ModuleTree<'a> {
    homes: BTreeMap<PathBuf, Home<'a>>,
    /// Files that cannot be read as Rust, or that are not there.
    pub(crate) problems: Vec<String>,
}

impl<'a> ModuleTree<'a> {
    /// Follows `mod name;` from the root of every target.
    pub(crate) fn grow(metadata: &'a Metadata) -> Self {
        let mut tree = Self { homes: BTreeMap::new(), problems: Vec::new() };
        for package in metadata.members() {
            for target in &package.targets {
                let home =
                    Home { package, target, modules: Vec::new(), is_compiled: true, items: Vec::new() };
                tree.follow(target.src_path.clone(), home);
            }
        }
        tree
    }

    /// The home of a file, by its absolute path.
    pub(crate) fn home(&self, file: &Path) -> Option<&Home<'a>> {
        self.homes.get(file)
    }

    /// All files with their homes.
    pub(crate) fn homes(&self) -> impl Iterator<Item = (&Path, &Home<'a>)> {
        self.homes.iter().map(|(file, home)| (file.as_path(), home))
    }

    /// Takes the file and the files of its modules; what it defines is still to be read.
    fn follow(&mut self, file: PathBuf, mut home: Home<'a>) {
        let text = std::fs::read_to_string(&file).map_err(|error| error.to_string());
        home.items = match text.and_then(|text| rust_items::items(&text)) {
            Ok(items) => items,
            Err(problem) => return self.problems.push(format!("{}: {problem}", file.display())),
        };
        let features = home.package.features.keys().cloned().collect();
        for module in home.items.iter().filter(|item| item.is_file_module()) {
            let names = home.modules.iter().chain(&module.modules).chain([&module.name]);
            let below = Home {
                modules: names.cloned().collect(),
                is_compiled: home.is_compiled && module.is_compiled(&features),
                items: Vec::new(),
                ..home
            };
            self.follow(file_of(&file, module, home.modules.is_empty()), below);
        }
        // A file that several programs share is at home where it is compiled.
        if self.homes.get(&file).is_none_or(|other| home.is_compiled && !other.is_compiled) {
            self.homes.insert(file, home);
        }
    }
}

/// The file of `mod name;`, as the compiler looks for it.
fn file_of(declared_in: &Path, module: &Item, is_root: bool) -> PathBuf {
    let folder = declared_in.parent().unwrap_or_else(|| Path::new("."));
    let stem = declared_in.file_stem().unwrap_or_default();
    let mut below = if is_root || stem == "mod" { folder.to_owned() } else { folder.join(stem) };
    below.extend(&module.modules);
    if let Some(path) = module.path() {
        return if module.modules.is_empty() { folder.join(path) } else { below.join(path) };
    }
    let plain = below.join(format!("{}.rs", module.name));
    let folder = below.join(&module.name).join("mod.rs");
    if !plain.exists() && folder.exists() { folder } else { plain }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(declared_in: &str, source: &str, is_root: bool) -> PathBuf {
        let items = rust_items::items(source).unwrap();
        file_of(Path::new(declared_in), items.iter().find(|item| item.is_file_module()).unwrap(), is_root)
    }

    #[test]
    fn the_file_of_a_module_is_found_as_the_compiler_finds_it() {
        for (declared_in, source, is_root, expected) in [
            ("c/src/lib.rs", "mod a;", true, "c/src/a.rs"),
            ("c/tests/it/main.rs", "mod a;", true, "c/tests/it/a.rs"),
            ("c/src/a.rs", "mod b;", false, "c/src/a/b.rs"),
            ("c/src/a/mod.rs", "mod b;", false, "c/src/a/b.rs"),
            ("c/src/a.rs", "mod inner { mod b; }", false, "c/src/a/inner/b.rs"),
            ("c/src/a.rs", "#[path = \"x/y.rs\"] mod b;", false, "c/src/x/y.rs"),
        ] {
            assert_eq!(place(declared_in, source, is_root), Path::new(expected), "{declared_in}: {source}");
        }
    }

    #[test]
    fn modules_are_followed_and_what_a_cfg_leaves_out_is_known() {
        let folder = std::env::temp_dir().join(format!("xtask-modules-{}", std::process::id()));
        std::fs::create_dir_all(folder.join("a")).unwrap();
        let root = folder.join("main.rs");
        for (file, text) in [
            ("main.rs", "mod a; #[cfg(loom)] mod models; mod gone;"),
            ("a.rs", "mod b;"),
            ("a/b.rs", ""),
            ("models.rs", ""),
            ("orphan.rs", ""),
        ] {
            std::fs::write(folder.join(file), text).unwrap();
        }
        let metadata = Metadata::of_one_package("demo", &root);
        let tree = ModuleTree::grow(&metadata);
        let found = |file: &str| {
            tree.home(&folder.join(file)).map(|home| (home.modules.join("::"), home.is_compiled))
        };
        assert_eq!(found("main.rs"), Some((String::new(), true)));
        assert_eq!(found("a/b.rs"), Some(("a::b".to_owned(), true)));
        assert_eq!(found("models.rs"), Some(("models".to_owned(), false)));
        assert_eq!(found("orphan.rs"), None);
        assert!(tree.problems.len() == 1 && tree.problems[0].contains("gone.rs"), "{:?}", tree.problems);
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
