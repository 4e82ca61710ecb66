//! Configuration: one tree from a file and the environment, checked whole.
//!
//! `Loader` reads TOML and the environment into any type that is `Deserialize` and [`Validate`], and tells every
//! fault at once in [`Problems`]. Each part of Bellwether has a `Section` of its own, which lists its keys for the
//! reference page and is checked against its type.
//!
//! [`Problems`], [`ConfigPath`] and [`Validate`] are always there, also for what is built in code; loader and sections come with
//! the feature `config`.

#[cfg(feature = "config")]
mod diagnosis;
#[cfg(feature = "config")]
mod environment;
#[cfg(feature = "config")]
mod fault;
#[cfg(feature = "config")]
mod loader;
#[cfg(feature = "config")]
mod nearest;
#[cfg(feature = "config")]
mod outline;
mod path;
mod problem;
#[cfg(feature = "config")]
mod reader;
#[cfg(feature = "config")]
mod section;
#[cfg(feature = "config")]
mod stand_in;
#[cfg(feature = "config")]
mod tree;
mod validate;

#[cfg(feature = "config")]
pub use loader::{ConfigError, Loader, MAX_CONFIG_LEN};
pub use path::{ConfigPath, ConfigStep};
pub use problem::{MAX_PROBLEMS, Origin, Problem, Problems};
#[cfg(feature = "config")]
pub use section::{KeyDoc, Section, SectionError, check_section, reference_table};
pub use validate::Validate;
