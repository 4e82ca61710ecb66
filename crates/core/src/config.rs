//! Configuration: one tree from a file and the environment, checked whole.
//!
//! [`Loader`] reads TOML and the environment into any type that is `Deserialize` and [`Validate`], and tells every
//! fault at once in [`Problems`]. Each part of Bellwether has a [`Section`] of its own, which lists its keys for the
//! reference page and is checked against its type.

mod diagnosis;
mod environment;
mod fault;
mod loader;
mod nearest;
mod outline;
mod path;
mod problem;
mod reader;
mod section;
mod stand_in;
mod tree;
mod validate;

pub use loader::{ConfigError, Loader, MAX_CONFIG_LEN};
pub use path::{ConfigPath, ConfigStep};
pub use problem::{MAX_PROBLEMS, Origin, Problem, Problems};
pub use section::{KeyDoc, Section, SectionError, check_section, reference_table};
pub use validate::Validate;
